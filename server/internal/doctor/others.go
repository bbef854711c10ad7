package doctor

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/keypeg/keypeg/server/federation"
	"github.com/keypeg/keypeg/server/internal/installation"
	"github.com/keypeg/keypeg/server/mail"
)

const groupOthers = "Others"

// ofOthers are the checks of the clock, and of the servers of others that this one needs.
func (v *visit) ofOthers() []Check {
	checks := []Check{{Group: groupOthers, Name: "clock", Run: v.clock, Within: 20 * time.Second}}
	for _, p := range installation.ProvidersOf(v.organisation, v.address) {
		checks = append(checks, Check{Group: groupOthers, Name: "identity provider " + p.Config().ID, Within: 40 * time.Second, Run: v.provider(p)})
	}
	checks = append(checks, Check{Group: groupOthers, Name: "programs", Within: time.Minute, Run: v.programs})
	checks = append(checks, v.ofGates()...)
	checks = append(checks, Check{Group: groupOthers, Name: "mail server", OfMachine: true, Within: 40 * time.Second, Run: v.mailServer})
	if v.Backups.Folder != "" { // otherwise nobody knows of any
		checks = append(checks, Check{Group: groupOthers, Name: "backup", OfMachine: true, Run: v.backup})
	}
	return checks
}

// backup looks how old the newest backup of the schedule is.
func (v *visit) backup(context.Context) Result {
	mends := []Mend{do("read in the log why none is made; make one now with keypeg backup FILE")}
	made, err := v.Installation.NewestBackup(v.Backups, v.tenant.Name)
	age := v.Now().Sub(made)
	switch {
	case err != nil:
		return failed(err.Error(), keypegLine("--backup-dir with a folder that this account can read and the server can write"))
	case made.IsZero():
		return warn("there is none in "+v.Backups.Folder+" yet", mends...)
	case age > 2*v.Backups.Every:
		return failed(fmt.Sprintf("the newest is of %s, and there should be one every %s", made.Format(time.RFC3339), v.Backups.Every), mends...)
	}
	return ok("the newest is of " + made.Format(time.RFC3339) + ", and was checked when it was made")
}

// apart is how far two clocks may be apart.
const apart = 30 * time.Second

// clock compares this machine's with those of others, which HTTP tells to the second.
func (v *visit) clock(ctx context.Context) Result {
	var same, differs []string
	compare := func(of string, header http.Header) {
		theirs, err := http.ParseTime(header.Get("Date"))
		if err != nil {
			return
		}
		if by := v.Now().Sub(theirs); by.Abs() > apart {
			differs = append(differs, fmt.Sprintf("%s from that of %s", by.Abs().Round(time.Second), of))
			return
		}
		same = append(same, of)
	}
	if v.arrived != nil {
		compare(v.address.Origin, v.arrived.header)
	}
	for _, p := range installation.ProvidersOf(v.organisation, v.address) {
		asking, cancel := context.WithTimeout(ctx, 5*time.Second)
		if r, err := http.NewRequestWithContext(asking, http.MethodGet, p.Config().Issuer, nil); err == nil {
			if answer, err := http.DefaultClient.Do(r); err == nil {
				answer.Body.Close()
				compare(p.Config().Issuer, answer.Header)
			}
		}
		cancel()
	}
	switch {
	case len(differs) > 0:
		return warn("this machine's clock is "+strings.Join(differs, ", and ")+": sign-ins at providers may be refused, and links end early or late", do("timedatectl set-ntp true"))
	case len(same) == 0:
		return leftOut("nobody tells the time to compare with")
	}
	return ok("it agrees with that of " + strings.Join(same, ", "))
}

func (v *visit) provider(p *federation.Provider) func(ctx context.Context) Result {
	return func(ctx context.Context) Result {
		if v.unreachable != nil {
			return leftOut("without a public URL the provider has no address to lead back to")
		}
		certain, err := p.Check(ctx)
		if err == nil {
			return ok(fmt.Sprintf("%s is the issuer that it says it is, and takes this client and the address that it leads back to, as far as it tells", p.Config().Issuer))
		}
		cause, mend := federation.Explain(err)
		if !certain {
			return warn(cause, do(mend))
		}
		return failed("nobody can sign in there: "+cause, do(mend))
	}
}

func (v *visit) mailServer(ctx context.Context) Result {
	sender := v.organisation.Mail
	switch {
	case v.Refused("smtp-server", "smtp-security", "smtp-user", "smtp-password-file", "mail-from"):
		return leftOut("the settings for it can't be used")
	case !sender.IsOn():
		return leftOut("none is set, so users get no mails")
	}
	err := sender.Check(ctx)
	at := fmt.Sprintf("%s, port %d", sender.Host, sender.Port)
	if err == nil {
		return ok(at + " answers, and takes the connection as the settings have it")
	}
	mend := "correct --smtp-server, or let this machine reach it"
	if trouble, is := errors.AsType[*mail.Trouble](err); is {
		switch trouble.Stage {
		case mail.StageName:
			mend = "correct the name in --smtp-server"
		case mail.StageTLS:
			mend = "--smtp-security as the server has it: starttls on port 587, tls on 465; its certificate must be for the name in --smtp-server, of an authority that this machine trusts"
		case mail.StageSignIn:
			mend = "correct --smtp-user, and the password in the file of --smtp-password-file"
		case mail.StageRelay:
			mend = "let the mail server take mails from this machine, or set --smtp-user"
		}
	}
	return failed(err.Error(), do(mend))
}
