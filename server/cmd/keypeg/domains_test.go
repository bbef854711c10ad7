package main

import (
	"encoding/json"
	"errors"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/internal/installation"
	"github.com/keypeg/keypeg/server/passkey/passkeytest"
	"github.com/keypeg/keypeg/server/store"
)

// TestDomainMove moves an organisation to another host with the commands of IT: it never starts in silence, the old
// passkeys go on working, progress is shown, and the end is refused while somebody would be locked out.
func TestDomainMove(t *testing.T) {
	for where, database := range cloudDatabases {
		t.Run(where, func(t *testing.T) {
			p := newProgramOn(t, database(t), "")
			usual, old := p.args, p.url
			p.starts()
			devices := map[string]*passkeytest.Device{}
			for _, name := range []string{"ann", "bob"} {
				p.does(sharedPassword+"\n", "user", "add", name)
				devices[name] = passkeytest.New(old)
				v := p.opensTab(devices[name], "")
				if _, err := v.SignInWithPassword(t.Context(), name, sharedPassword); err != nil {
					t.Fatal(err)
				}
				if _, err := v.steps.Register(t.Context(), "", ""); err != nil {
					t.Fatal(err)
				}
			}
			p.does("", "user", "passwd", "bob", "--remove")
			p.says("localhost  present  2         2", "domain", "list")
			p.refusesTo("new passkeys are for localhost", "", "domain", "end", "localhost")
			p.ends(syscall.SIGTERM)

			// A changed host never starts in silence, though Ann has a password too.
			moved := strings.Replace(old, "localhost", "new.localhost", 1)
			alone := append(usual, "--public-url", moved)
			p.args = alone
			p.refusesToStart("2 passkeys of 2 users are for localhost, and 1 of them have no other way to sign in; and these settings are for new.localhost", `add former-urls = ["https://localhost"]`, "keypeg domain end localhost")

			p.args = append(alone, "--former-urls", old)
			p.starts()
			at := *p
			at.url = moved
			p.isAt(moved, "localhost", devices["ann"], devices["bob"])
			p.says("localhost      former", "domain", "list")
			for _, row := range p.domains() {
				want := map[string]domainRow{"new.localhost": {RPID: "new.localhost", State: "present"}, "localhost": {RPID: "localhost", State: "former", Passkeys: 2, Users: 2, ToMove: 2, Stranded: 1}}[row.RPID]
				if row != want {
					t.Errorf("the list has %+v, want %+v", row, want)
				}
			}
			if users := p.does("", "domain", "users", "localhost"); !strings.Contains(users, "ann") || !strings.Contains(users, "bob") {
				t.Errorf("who has yet to move:\n%s", users)
			}
			p.refusesTo("could not sign in any more: bob", "", "domain", "end", "localhost")

			// Bob makes a new passkey at the new address.
			bob := at.opensTab(devices["bob"], "")
			if _, err := bob.steps.SignIn(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, err := bob.steps.Register(t.Context(), "", ""); err != nil {
				t.Fatal(err)
			}
			if users := p.does("", "domain", "users", "localhost"); !strings.Contains(users, "ann") || strings.Contains(users, "bob") {
				t.Errorf("who has yet to move:\n%s", users)
			}
			p.ends(syscall.SIGTERM)

			// Given up half-way: nobody is locked out.
			p.args = append(usual, "--former-urls", moved)
			p.starts()
			p.isAt(old, "new.localhost", devices["ann"], devices["bob"])
			p.ends(syscall.SIGTERM)

			// Ended. What IT gives up is said once, and not again.
			p.args = append(alone, "--former-urls", old)
			p.starts()
			p.does("", "domain", "end", "localhost")
			p.ends(syscall.SIGTERM)
			p.args = alone
			p.starts()
			p.isAt(moved, "", devices["bob"])
			p.says("localhost      ended", "domain", "list")
			p.ends(syscall.SIGTERM)

			// In the settings again, the passkeys work again. That a node starts once more with the settings of before
			// takes nothing back.
			p.args = append(alone, "--former-urls", old)
			p.starts()
			p.isAt(old, "", devices["ann"])
			p.ends(syscall.SIGTERM)
			p.args = alone
			p.starts()
			p.ends(syscall.SIGTERM)

			// A node whose settings lack a domain that another one has served looks for its passkeys, though they
			// locked nobody out when it began last.
			p.args = usual
			p.refusesToStart("are for new.localhost")
		})
	}
}

// TestDomainMoveSays reads what IT is told to write: the passkeys that there are never lose their relying party id.
func TestDomainMoveSays(t *testing.T) {
	for _, row := range []struct {
		to        string
		settings  []string
		write     string
		ends      bool // people make new passkeys, and the old ones end
		alsoOther bool
	}{
		{"https://login.example.org", []string{"--public-url", "https://id.example.com"}, `public-url = "https://login.example.org"
  former-urls = ["https://id.example.com"]`, true, false},
		{"https://login.example.com", []string{"--public-url", "https://id.example.com", "--rp-id", "example.com"}, `public-url = "https://login.example.com"
  rp-id = "example.com"
  former-urls = ["https://id.example.com"]`, false, false},
		{"https://www.example.com", []string{"--public-url", "https://example.com"}, `public-url = "https://www.example.com"
  rp-id = "example.com"
  former-urls = ["https://example.com"]`, false, false},
		{"https://id.example.com:8443", []string{"--public-url", "https://id.example.com"}, `public-url = "https://id.example.com:8443"
  former-urls = ["https://id.example.com"]`, false, false},
		// A move that is given up.
		{"https://id.example.com", []string{"--public-url", "https://login.example.org", "--former-urls", "https://id.example.com example.com"}, `public-url = "https://id.example.com"
  rp-id = "example.com"
  former-urls = ["https://login.example.org"]`, true, false},
		// To an address that was a further one for ever.
		{"https://login.example.org", []string{"--public-url", "https://id.example.com", "--rp-id", "example.com", "--other-urls", "https://login.example.org,https://www.example.com"}, `public-url = "https://login.example.org"
  former-urls = ["https://id.example.com example.com"]
  other-urls = ["https://www.example.com example.com"]`, true, true},
	} {
		out := succeeds(t, "", append([]string{"domain", "move", row.to}, row.settings...)...)
		if !strings.Contains(out, row.write+"\n\n") || strings.Contains(out, "keypeg domain end") != row.ends || strings.Contains(out, "nobody needs a new one") == row.ends || strings.Contains(out, "and other-urls:") != row.alsoOther {
			t.Errorf("to %s with %q it says\n%s\nwant\n  %s", row.to, row.settings, out, row.write)
		}
		again := strings.ReplaceAll(row.write, "\n  ", "\n") + "\n"
		succeeds(t, "", "config", "check", "--config", writtenFile(t, "keypeg.toml", again))
	}
}

// isAt signs people in at an address, where their browsers know the related origins of a relying party id.
func (p *program) isAt(address, related string, devices ...*passkeytest.Device) {
	p.Helper()
	at := *p
	at.url = address
	for _, device := range devices {
		device.Origin, device.RelatedTo = address, []string{related}
		if _, err := at.opensTab(device, "").steps.SignIn(p.Context()); err != nil {
			p.Errorf("at %s: %v", address, err)
		}
	}
}

// domainRow is what keypeg domain list prints as JSON.
type domainRow struct {
	RPID, State                       string
	Passkeys, Users, ToMove, Stranded int
}

func (p *program) domains(more ...string) (rows []domainRow) {
	p.Helper()
	for line := range strings.Lines(p.does("", append([]string{"domain", "list", "--json"}, more...)...)) {
		var row domainRow
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			p.Fatalf("%s: %v", line, err)
		}
		rows = append(rows, row)
	}
	return rows
}

// says checks that a command prints a text.
func (p *program) says(text string, args ...string) {
	p.Helper()
	if out := p.does("", args...); !strings.Contains(out, text) {
		p.Errorf("keypeg %s prints no %q:\n%s", strings.Join(args, " "), text, out)
	}
}

// TestDomainMoveOfTenant moves a tenant of the cloud edition, and gives it a further address.
func TestDomainMoveOfTenant(t *testing.T) {
	for where, database := range cloudDatabases {
		t.Run(where, func(t *testing.T) {
			p := newCloud(t, database(t))
			p.starts()
			p.adds("acme")
			p.adds("beta")
			p.does(sharedPassword+"\n", "user", "add", "ann", "--tenant", "acme")
			old, moved := "http://"+p.host("acme"), "http://"+p.host("acme-new")
			device := passkeytest.New(old)
			ann := p.at("acme").opensTab(device, "")
			if _, err := ann.SignInWithPassword(t.Context(), "ann", sharedPassword); err != nil {
				t.Fatal(err)
			}
			if _, err := ann.steps.Register(t.Context(), "", ""); err != nil {
				t.Fatal(err)
			}
			p.does("", "user", "passwd", "ann", "--remove", "--tenant", "acme")

			p.refusesTo("belongs to the tenant beta already", "", "domain", "move", "http://"+p.host("beta"), "--tenant", "acme")
			p.refusesTo("is the address of the tenant acme already", "", "domain", "move", old, "--tenant", "acme")
			p.refusesTo("must say which tenant is meant", "", "domain", "move", moved)
			if out := p.does("", "domain", "move", moved, "--tenant", "acme"); out != "acme is at "+moved+", and moves there from "+old+".\n" {
				t.Errorf("it says %q", out)
			}
			p.serves("acme-new", 200)
			p.isAt(moved, "acme.localhost", device)
			p.isAt(old, "", device)
			p.refusesTo("belongs to the tenant acme already", "", "tenant", "add", "gamma", old)
			for _, host := range []string{"acme", "acme-new"} {
				if _, list := p.gets(p.host(host), "/.well-known/webauthn"); list != `{"origins":["`+moved+`","`+old+`"]}` {
					t.Errorf("at %s the origins are %q", host, list)
				}
			}
			p.refusesTo("could not sign in any more: ann", "", "domain", "end", "acme.localhost", "--tenant", "acme")

			// Given up, and begun again.
			p.does("", "domain", "move", old, "--tenant", "acme")
			p.isAt(old, "acme-new.localhost", device)
			p.does("", "domain", "move", moved, "--tenant", "acme")
			p.until("the server hears of it", func() bool {
				_, list := p.gets(p.host("acme-new"), "/.well-known/webauthn")
				return list == `{"origins":["`+moved+`","`+old+`"]}`
			})
			p.isAt(moved, "acme.localhost", device)
			at := *p
			at.url = moved
			ann = at.opensTab(device, "")
			if _, err := ann.steps.SignIn(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, err := ann.steps.Register(t.Context(), "", ""); err != nil {
				t.Fatal(err)
			}
			if out := p.does("", "domain", "end", "acme.localhost", "--tenant", "acme"); !strings.Contains(out, "acme is at "+moved+".\n") {
				t.Errorf("it says %q", out)
			}
			p.serves("acme", 421)
			device.Origin, device.RelatedTo = moved, nil
			if _, err := at.opensTab(device, "").steps.SignIn(t.Context()); err != nil {
				t.Error(err)
			}

			// Given up, a relying party id above the host comes back with it.
			above := strings.Replace(p.host("wide"), "wide.", "id.wide.", 1)
			p.does("", "tenant", "add", "wide", "http://"+above, "--rp-id", "wide.localhost")
			p.does("", "domain", "move", "http://"+p.host("narrow"), "--tenant", "wide")
			p.does("", "domain", "move", "http://"+above, "--tenant", "wide")
			for _, row := range p.domains("--tenant", "wide") {
				if want := map[string]string{"wide.localhost": "present", "narrow.localhost": "former"}[row.RPID]; row.State != want {
					t.Errorf("%s is %s, want %q", row.RPID, row.State, want)
				}
			}

			p.does("", "domain", "add", "http://"+p.host("acme-also"), "--tenant", "acme")
			p.serves("acme-also", 200)
			p.isAt("http://"+p.host("acme-also"), "acme-new.localhost", device)
			p.refusesTo("end them with keypeg domain end acme-also.localhost", "", "domain", "remove", "http://"+p.host("acme-also"), "--tenant", "acme")
			p.refusesTo("is the main address", "", "domain", "remove", moved, "--tenant", "acme")
			p.does("", "domain", "add", "http://"+p.host("shop.acme-new"), "--tenant", "acme") // of the same relying party
			p.serves("shop.acme-new", 200)
			p.does("", "domain", "remove", "http://"+p.host("shop.acme-new"), "--tenant", "acme")
			p.serves("shop.acme-new", 421)
			p.does("", "tenant", "disable", "acme")
			p.serves("acme-also", 403)
		})
	}
}

// serves waits until the server has noticed a change of the tenants.
func (p *program) serves(host string, want int) {
	p.Helper()
	p.until(host+" is answered so", func() bool {
		status, _ := p.gets(p.host(host), "/sign-in")
		return status == want
	})
}

// TestForeignPasskeysOfTenant starts with another policy while one tenant has passkeys for a domain that it hasn't: as
// after a backup was restored at another host. The others are served, and the log has the mend.
func TestForeignPasskeysOfTenant(t *testing.T) {
	for where, database := range cloudDatabases {
		t.Run(where, func(t *testing.T) {
			p := newCloud(t, database(t))
			p.starts()
			p.adds("acme")
			p.adds("beta")
			p.ends(syscall.SIGTERM)
			db, err := installation.OpenStore(t.Context(), p.database, "acme", time.Now)
			if err != nil {
				t.Fatal(err)
			}
			ann := store.User{ID: store.NewUserID(), Name: "ann", DisplayName: "Ann", Password: "x", Passkeys: []store.Passkey{
				{ID: "a", CredentialID: []byte("a"), PublicKey: []byte("a"), RPID: "old.example", Verified: true, Created: time.Now()},
			}}
			if err := errors.Join(db.Apply(t.Context(), store.Batch{store.PutUser{User: ann}}), db.Close()); err != nil {
				t.Fatal(err)
			}
			p.args = append(p.args, "--user-verification", "preferred")
			p.starts()
			for _, host := range []string{"beta", "acme"} {
				p.serves(host, 200)
			}
			p.until("the log has the mend", func() bool {
				log := p.log.String()
				return strings.Contains(log, "1 passkeys of 1 users are for old.example") && strings.Contains(log, "keypeg domain end old.example --tenant acme")
			})
		})
	}
}
