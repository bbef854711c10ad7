package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/internal/chain"
	"github.com/keypeg/keypeg/server/passkey/passkeytest"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/pgstore/pgtest"
	"github.com/keypeg/keypeg/shared"
)

// TestErased removes two users who have done everything: one by the page of an administrator, one at the
// command line. No byte of their names, addresses or handles is in the file, or in a dump of the tables.
func TestErased(t *testing.T) {
	flags := []string{"--confirm-after", "24h", "--trusted-proxies", "127.0.0.1", "--smtp-server", "127.0.0.1:1", "--smtp-security", "none", "--mail-from", "keypeg@acme.example"}
	t.Run("a file", func(t *testing.T) {
		p := newProgram(t, flags...)
		testErased(t, p, func() []byte {
			content, err := os.ReadFile(p.database)
			if err != nil {
				t.Fatal(err)
			}
			return content
		})
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		database := pgtest.Empty(t)
		programs, err := filepath.Glob("/usr/lib/postgresql/*/bin/pg_dump")
		if err != nil || len(programs) == 0 {
			t.Fatal("there is no pg_dump")
		}
		testErased(t, newProgramOn(t, database, "", flags...), func() []byte {
			dump := exec.Command(slices.Max(programs), "--dbname", database)
			dump.Stderr = os.Stderr
			content, err := dump.Output()
			if err != nil {
				t.Fatal(err)
			}
			return content
		})
	})
}

// erasable is a user of whom nothing may be left.
type erasable struct {
	name, oldName, display, oldDisplay, email, oldEmail, address string
	id                                                           string
	handle                                                       []byte
	tab                                                          *tab
}

func testErased(t *testing.T, p *program, content func() []byte) {
	c := &contest{T: t, nodes: []*program{p}, tabs: map[string]*tab{}}
	people := []*erasable{
		{name: "zelda.quagmire", oldName: "zelda.whitlock", display: "Zelda Quagmire", oldDisplay: "Zelda Whitlock", email: "zq@erasable-one.example", oldEmail: "zw@older-one.example", address: "203.0.113.77"},
		{name: "yorick.umbridge", oldName: "yorick.vandal", display: "Yorick Umbridge", oldDisplay: "Yorick Vandal", email: "yu@erasable-two.example", oldEmail: "yv@older-two.example", address: "2001:db8:77::99"},
	}
	p.starts()
	root := c.addsAdministrator("root")
	c.must(chosen+"\n", "user", "add", "bob", "--display-name", "Bob")
	c.must("", "user", "group", "bob", "--add", "sales")
	for _, who := range people {
		who.arrives(c, root)
		who.lives(c, root)
	}
	waiting := c.must("", "mail", "queue")
	for _, who := range people {
		if !strings.Contains(waiting, who.name) {
			t.Fatalf("no mail to %s waits:\n%s", who.name, waiting)
		}
	}
	p.ends(syscall.SIGTERM)
	p.opens(func(db store.Store) {
		for _, who := range people {
			user, err := db.User(t.Context(), who.id)
			if err != nil || len(user.Handle) == 0 {
				t.Fatalf("%+v (%v)", user, err)
			}
			who.handle = user.Handle
		}
		seals(t, db)
	})
	p.starts()
	before := c.verifies()
	for _, who := range people {
		if missing := who.missingIn(content()); len(missing) > 0 {
			t.Fatalf("before the removal, the test doesn't see %q", missing)
		}
	}

	if err := root.RemoveMember(t.Context(), people[0].id, people[0].name); err != nil {
		t.Fatal(err)
	}
	people[0].isGone(t, "while the program runs", content())
	if kept := people[1].leftIn(content()); len(kept) == 0 {
		t.Error("the other one was removed too")
	}
	c.must("", "user", "remove", people[1].name, "--yes", people[1].name)
	for _, who := range people { // who try to go on
		if _, err := who.tab.Account(t.Context()); shared.CodeOf(err) != shared.CodeUnauthenticated {
			t.Errorf("%s asks for the account: %v", who.name, err)
		}
		if _, err := who.tab.SignInWithPassword(t.Context(), who.name, chosen); shared.CodeOf(err) != shared.CodeSignInRefused {
			t.Errorf("%s signs in: %v", who.name, err)
		}
		who.isGone(t, "while the program runs", content())
	}
	after := c.verifies("--head", before.Head.String())
	if after.Erased == 0 {
		t.Errorf("no line is of a removed user: %+v", after)
	}
	var removed []string
	for line := range strings.Lines(c.must("", "audit", "export", "--kind", "account_removed")) {
		var event shared.AuditEvent
		if err := json.Unmarshal([]byte(line), &event); err != nil {
			t.Fatal(err)
		}
		removed = append(removed, event.User.ID+event.User.Name)
	}
	slices.Sort(removed)
	if want := []string{people[0].id, people[1].id}; !slices.Equal(removed, slices.Sorted(slices.Values(want))) {
		t.Errorf("the audit has removals of %q, want %q", removed, want)
	}
	p.ends(syscall.SIGTERM)
	for _, who := range people {
		who.isGone(t, "after a stop", content())
	}
	p.opens(func(db store.Store) { seals(t, db) })
	c.verifies("--head", before.Head.String())
	for _, who := range people {
		who.isGone(t, "after the events were sealed", content())
	}
}

// seals seals all events, as a node does whose clock is ahead, and which is then set back.
func seals(t *testing.T, db store.Store) {
	t.Helper()
	for _, ahead := range []time.Duration{10 * time.Minute, 0} {
		if err := (chain.Sealer{Store: db, Now: func() time.Time { return time.Now().Add(ahead) }}).Seal(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// verifies returns what keypeg audit verify finds, which is nothing wrong.
func (c *contest) verifies(args ...string) (report chain.Report) {
	c.Helper()
	out := c.must("", append([]string{"audit", "verify", "--json"}, args...)...)
	if err := json.Unmarshal([]byte(out), &report); err != nil || len(report.Findings) > 0 {
		c.Fatalf("audit verify: %s (%v)", out, err)
	}
	return report
}

// arrives is invited, and sets a password.
func (e *erasable) arrives(c *contest, root *tab) {
	c.Helper()
	answer, err := root.ImportUsers(c.Context(), shared.ImportUsers{Table: fmt.Sprintf("name,display_name,email,groups\n%s,%s,%s,sales\n", e.oldName, e.oldDisplay, e.oldEmail)})
	if err != nil {
		c.Fatal(err)
	}
	if link := regexp.MustCompile(`http://\S+?/enrol\?token=[^,]+`).FindString(answer.Links); link == "" {
		c.Fatalf("no link: %s", answer.Links)
	}
	e.id = c.finds(c.T, e.oldName)
	c.must(chosen+"\n", "user", "passwd", e.oldName)
	c.must("", "user", "role", e.oldName, "helper", "--helps", "sales")
	e.tab = e.comes(c)
	if _, err := e.tab.SignInWithPassword(c.Context(), e.oldName, chosen); err != nil {
		c.Fatal(err)
	}
}

// comes opens a browser at the user's address.
func (e *erasable) comes(c *contest) *tab {
	browser := c.nodes[0].opensTab(passkeytest.New(c.nodes[0].url), "")
	browser.client.Transport = behindProxy{browser.client.Transport, e.address}
	return browser
}

// behindProxy sends requests as a proxy does, of somebody at an address.
type behindProxy struct {
	http.RoundTripper
	address string
}

func (b behindProxy) RoundTrip(r *http.Request) (*http.Response, error) {
	r.Header.Set("X-Forwarded-For", b.address)
	r.Header.Set("X-Forwarded-Proto", "http")
	return b.RoundTripper.RoundTrip(r)
}

// lives does what a user can do, and has done to them what can be done.
func (e *erasable) lives(c *contest, root *tab) {
	c.Helper()
	ctx := c.Context()
	bob := c.finds(c.T, "bob")
	first, err := e.tab.steps.Register(ctx, "Phone of "+e.display, "")
	other, stranger := e.comes(c), e.comes(c)
	_, err2 := other.SignInWithPassword(ctx, e.oldName, chosen)
	second, err3 := other.steps.Register(ctx, "Key of "+e.display, "")
	phone := e.comes(c)
	_, err4 := phone.SignInWithPassword(ctx, e.oldName, chosen)
	lost, err5 := phone.steps.Register(ctx, "Lost phone of "+e.display, "")
	if err := errors.Join(err, err2, err3, err4, err5); err != nil {
		c.Fatal(err)
	}
	for _, do := range []struct {
		what string
		err  func() error
	}{
		{"signs in with a passkey", func() error { _, err := other.steps.SignIn(ctx); return err }},
		{"confirms", func() error { _, err := other.steps.Confirm(ctx); return err }},
		{"renames a passkey", func() error { _, err := e.tab.RenamePasskey(ctx, second.ID, "Other key of "+e.display); return err }},
		{"removes it", func() error { _, err := e.tab.RemovePasskey(ctx, second.ID, false); return err }},
		{"loses a phone", func() error { _, err := root.RemoveMemberPasskey(ctx, e.id, lost.ID); return err }},
		{"makes recovery codes", func() error { _, err := e.tab.MakeRecoveryCodes(ctx); return err }},
		{"makes a link for a phone", func() error { _, err := e.tab.MakePhoneLink(ctx); return err }},
		{"exports", func() error { _, err := e.tab.Export(ctx); return err }},
		{"changes the profile", func() error {
			return e.tab.ChangeProfile(ctx, shared.ChangeProfile{DisplayName: &e.display, Email: &e.email})
		}},
		{"helps bob", func() error { _, err := e.tab.MakeRecoveryLink(ctx, bob); return err }},
		{"disables bob", func() error { _, err := e.tab.SetDisabled(ctx, bob, true); return err }},
		{"enables bob", func() error { _, err := e.tab.SetDisabled(ctx, bob, false); return err }},
		{"invites somebody", func() error { _, err := e.tab.Invite(ctx, shared.Invite{Name: "guest-of-" + e.id}); return err }},
		{"is renamed", func() error { _, err := root.ChangeMember(ctx, e.id, shared.ChangeMember{Name: &e.name}); return err }},
		{"gets groups", func() error {
			_, err := root.ChangeMember(ctx, e.id, shared.ChangeMember{AddGroups: &[]string{"group-of-" + e.oldName}})
			return err
		}},
		{"gets a link", func() error { _, err := root.MakeRecoveryLink(ctx, e.id); return err }},
		{"ends other sessions", func() error { _, err := e.tab.EndOtherSessions(ctx); return err }},
		{"has an address that is reserved", func() error { c.must("", "user", "email", e.name, e.email); return nil }},
		{"signs in again", func() error { _, err := other.SignInWithPassword(ctx, e.name, chosen); return err }},
	} {
		if err := do.err(); err != nil {
			c.Fatalf("%s %s: %v", e.name, do.what, err)
		}
	}
	if _, err := stranger.SignInWithPassword(ctx, e.name, "a wrong password"); shared.CodeOf(err) != shared.CodeSignInRefused {
		c.Errorf("a wrong password: %v", err)
	}
	if _, err := e.tab.RenamePasskey(ctx, first.ID, "Telephone of "+e.display); err != nil {
		c.Error(err)
	}
}

// traces are the forms in which something of the user may be in a file.
func (e *erasable) traces() map[string][]byte {
	traces := map[string][]byte{}
	for what, text := range map[string]string{
		"name": e.name, "old name": e.oldName, "display name": e.display, "old display name": e.oldDisplay, "e-mail address": e.email, "old e-mail address": e.oldEmail,
		"IP address": e.address, "handle": string(e.handle),
	} {
		raw := []byte(text)
		traces[what] = raw
		traces[what+" in lower case"] = bytes.ToLower(raw)
		traces[what+" as hex"] = []byte(hex.EncodeToString(raw))
		traces[what+" as HEX"] = []byte(strings.ToUpper(hex.EncodeToString(raw)))
		// Base64 depends on how many bytes are before. Without the ends, one of three forms is in each.
		for shift := range 3 {
			for kind, encoding := range map[string]*base64.Encoding{"base64": base64.RawStdEncoding, "base64url": base64.RawURLEncoding} {
				text := encoding.EncodeToString(append(make([]byte, shift), raw...))
				traces[fmt.Sprintf("%s as %s, %d", what, kind, shift)] = []byte(text[4 : len(text)-4])
			}
		}
	}
	for _, word := range append(strings.Fields(e.display), strings.FieldsFunc(e.email+"."+e.oldEmail+"."+e.oldName, func(r rune) bool { return strings.ContainsRune("@.-", r) })...) {
		if len(word) > 3 && !slices.Contains([]string{"example", "erasable", "older"}, word) {
			traces["word "+word] = []byte(strings.ToLower(word))
		}
	}
	return traces
}

func (e *erasable) leftIn(content []byte) (left []string) {
	for what, trace := range e.traces() {
		if len(trace) > 2 && bytes.Contains(content, trace) {
			left = append(left, what)
		}
	}
	slices.Sort(left)
	return left
}

// missingIn returns what the test would not see if it were left.
func (e *erasable) missingIn(content []byte) (missing []string) {
	left := e.leftIn(content)
	for _, what := range []string{"name", "display name", "e-mail address", "IP address"} {
		if !slices.Contains(left, what) {
			missing = append(missing, what)
		}
	}
	if !slices.Contains(left, "handle") && !slices.Contains(left, "handle as hex") {
		missing = append(missing, "handle")
	}
	return missing
}

func (e *erasable) isGone(t *testing.T, when string, content []byte) {
	t.Helper()
	if left := e.leftIn(content); len(left) > 0 {
		t.Errorf("%s, of %s is left: %q", when, e.name, left)
	}
}
