package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/internal/installation"
	"github.com/keypeg/keypeg/server/store"
)

const groupDatabase = "Database"

// Limits beyond which a database is warned of.
const (
	slowRead   = 200 * time.Millisecond
	lowDisk    = 1 << 30
	fullDisk   = 100 << 20
	scanningBy = 2 * time.Minute // a million users
)

// ofDatabase are the checks of the database, and of the users in it.
func (v *visit) ofDatabase() []Check {
	checks := []Check{{Group: groupDatabase, Name: "opens", OfMachine: true, Within: scanningBy, Run: v.opens}}
	if !v.Installation.Cloud { // where there are tenants, they share it
		checks = append(checks, v.machine())
	}
	checks = append(checks, Check{Group: groupDatabase, Name: "passkeys", Run: v.passkeys})
	if v.organisation.Host == nil { // which has others
		checks = append(checks, Check{Group: groupDatabase, Name: "ways to sign in", Run: v.waysIn})
	}
	return checks
}

func (v *visit) opens(ctx context.Context) Result {
	if v.Refused("database", "socket", "config") || v.unreachable != nil {
		return leftOut("settings that it needs can't be used")
	}
	found, err := v.Installation.Examine(ctx, v.tenant)
	if err != nil {
		return failed(err.Error(), do("mend what it says, or name the database that the server uses with --database"))
	}
	v.examined = &found
	how := "in this process, for reading only"
	if found.ByServer {
		how = "by the running server"
	}
	says := fmt.Sprintf("%s answers, %s: a read takes %s", v.Installation.DatabaseName(), how, found.Read.Round(10*time.Microsecond))
	if found.Read > slowRead {
		return warn(says+fmt.Sprintf(", and should take less than %s, because each request reads more than once", slowRead), do("move the database to a faster disk, or nearer to the server"))
	}
	if apart := found.Clock.Sub(v.Now()); !found.Clock.IsZero() && store.AreApart(v.Now(), found.Clock) {
		return failed(says+fmt.Sprintf("; its clock and this machine's are %s apart", apart.Abs().Round(time.Second)), do("on both machines: timedatectl set-ntp true"))
	}
	return ok(says)
}

// machine looks at the database from outside.
func (p Patient) machine() Check {
	return Check{Group: groupDatabase, Name: "machine", OfMachine: true, Run: p.facts}
}

func (p Patient) facts(ctx context.Context) Result {
	if p.Refused("database") {
		return leftOut("the setting that names the database can't be used")
	}
	facts, err := p.Installation.DatabaseFacts(ctx)
	if err != nil {
		return leftOut("nothing more is known of the database: " + err.Error())
	}
	if r, wrong := fileWrong(facts); wrong {
		return r
	}
	switch {
	case facts.Encoding != "" && facts.Encoding != "UTF8":
		return failed("its encoding is "+facts.Encoding+", which can't hold all names", do("createdb --encoding=UTF8 --template=template0, and keypeg store copy"))
	case facts.Server != "" && !facts.Encrypted && !facts.Local:
		return warn("the connection to "+facts.Server+" isn't encrypted, so everybody on the way can read it", keypegLine("--database postgres://…?sslmode=verify-full"))
	}
	return ok(facts.String())
}

// fileWrong says what is wrong with a database file or its disk.
func fileWrong(f installation.DatabaseFacts) (Result, bool) {
	disk := fmt.Sprintf("%s are free on its disk", amount(f.Free))
	switch {
	case f.Path == "":
		return Result{}, false
	case f.Free < fullDisk:
		return failed(disk+", and a server needs 100 MB at least: soon nobody can sign in", do("make room on the disk of "+f.Folder)), true
	case f.Mode&0o077 != 0:
		return failed(fmt.Sprintf("others on this machine can read %s, which has what signs people in: its mode is %04o", f.Path, f.Mode), do("chmod 600 "+f.Path)), true
	case f.FolderOpen:
		return failed("others on this machine can put another file in the place of "+f.Path, do("chmod go-w "+f.Folder)), true
	case f.Owner != f.FolderOwner && f.FolderOwner != 0:
		return failed(fmt.Sprintf("%s belongs to user %d, and its folder to user %d, as whom the server runs", f.Path, f.Owner, f.FolderOwner), do(fmt.Sprintf("chown %d %s", f.FolderOwner, f.Path))), true
	case f.Free < lowDisk:
		return warn(disk+", and it should be 1 GB", do("make room on the disk of "+f.Folder)), true
	}
	return Result{}, false
}

// amount writes a number of bytes for people.
func amount(bytes uint64) string {
	if bytes >= 1<<30 {
		return fmt.Sprintf("%.1f GB", float64(bytes)/(1<<30))
	}
	return fmt.Sprintf("%d MB", bytes>>20)
}

func (v *visit) passkeys(context.Context) Result {
	if v.examined == nil {
		return leftOut("the database can't be read")
	}
	own := v.examined.Passkeys
	moving := ""
	for _, d := range v.examined.Domains {
		switch {
		case d.State == account.DomainUnknown && d.Passkeys > 0:
			move := fmt.Sprintf("former-urls = [%q], or whatever the address was, and then keypeg domain list", v.address.FormerURL(d.RPID))
			mends := []Mend{do("in a move: " + move)}
			if v.tenant.Name != "" {
				mends = []Mend{do(fmt.Sprintf("keypeg domain add %q --tenant %s, or whatever the address was", v.address.FormerURL(d.RPID), v.tenant.Name))}
			} else if v.address.MayUse(d.RPID) {
				mends = []Mend{keypegLine("--rp-id " + d.RPID), do("or, in a move: " + move)}
			}
			return failed(fmt.Sprintf("%d of %d passkeys were made for %s, which these settings don't have, so they don't work", d.Passkeys, v.examined.Passkeys, d.RPID), mends...)
		case d.State == account.DomainEnded:
			own -= d.Passkeys
		case d.State == account.DomainFormer:
			moving += fmt.Sprintf("; %d users have yet to move from %s, and %d of them have no other way to sign in", d.ToMove, d.RPID, d.Stranded)
		}
	}
	return ok(fmt.Sprintf("all %d are for the domains of these settings", own) + moving)
}

func (v *visit) waysIn(context.Context) Result {
	if v.examined == nil {
		return leftOut("the database can't be read")
	}
	e := v.examined
	if e.Locked == 0 {
		return ok(fmt.Sprintf("nobody is locked out by these settings; there are %d users", e.Users))
	}
	counted := fmt.Sprintf("with these settings %d users have no sign-in method left", e.Locked)
	says := counted + ": " + strings.Join(e.LockedOut, ", ")
	if slices.ContainsFunc(e.Domains, func(d account.Domain) bool { return d.State == account.DomainUnknown && d.Passkeys > 0 }) {
		r := leftOut(says + "; it may follow from the passkeys of another relying party id")
		r.support = counted
		return r
	}
	r := failed(says, do("change password-sign-in, passkeys, user-verification or the providers back, or give them a link: keypeg user recovery-link "+e.LockedOut[0]))
	r.support = counted
	return r
}
