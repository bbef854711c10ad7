package main

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/emersion/go-sasl"

	"github.com/keypeg/keypeg/server/mail"
	"github.com/keypeg/keypeg/server/mail/mailtest"
	"github.com/keypeg/keypeg/server/passkey/passkeytest"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/pgstore/pgtest"
)

// newRelay is a mail server, and the flags of a program that sends by it: encrypted, and with a password.
func newRelay(t *testing.T) (relay *mailtest.Relay, flags []string) {
	t.Helper()
	relay = mailtest.New(t, mail.StartTLS, sasl.Plain)
	t.Setenv("SSL_CERT_FILE", relay.CertificateFile())
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte(mailtest.Password+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return relay, []string{
		"--smtp-server", net.JoinHostPort(relay.Host, strconv.Itoa(relay.Port)), "--smtp-user", mailtest.User, "--smtp-password-file", password,
		"--mail-from", relay.From, "--product", relay.Name, "--confirm-after", "24h",
	}
}

// correspondent is a user with a verified address.
type correspondent struct {
	id, address string
	tab         *tab
	names       []string // of the passkeys that were added
}

func (p *program) hasCorrespondents(n int) (people []*correspondent) {
	p.Helper()
	tokens := make([]string, n)
	for i := range n {
		name := fmt.Sprintf("user%d", i)
		who := &correspondent{address: name + "@acme.example"}
		who.id, tokens[i] = p.hasUser(name)
		people = append(people, who)
	}
	p.opens(func(db store.Store) {
		for i, who := range people {
			user, err := db.User(p.Context(), who.id)
			if err != nil {
				p.Fatal(err)
			}
			user.Email, user.EmailVerified = who.address, true
			if err := db.Apply(p.Context(), store.Batch{store.PutUser{User: user}}); err != nil {
				p.Fatal(err)
			}
			who.tab = p.opensTab(nil, tokens[i])
		}
	})
	return people
}

// adds adds a passkey, which nobody else calls so.
func (c *correspondent) adds(p *program) error {
	name := fmt.Sprintf("Key %d of %s", len(c.names), c.id)
	device := passkeytest.New(p.url)
	if _, err := c.tab.at(p, device).steps.Register(p.Context(), name, ""); err != nil {
		return fmt.Errorf("%s adds a passkey: %w", c.address, err)
	}
	c.names = append(c.names, name)
	return nil
}

// queue is what keypeg mail queue says.
func (p *program) queue() (waiting []mail.Waiting) {
	p.Helper()
	out, err := command(p.T, "mail", "queue", "--json", "--database", p.database).Output()
	if err != nil {
		p.Fatal(err)
	}
	if err := json.Unmarshal(out, &waiting); err != nil {
		p.Fatalf("%s: %v", out, err)
	}
	return waiting
}

// claimsEnd does what some minutes do: nobody tries a mail any more. The program must not run.
func (p *program) claimsEnd() {
	p.Helper()
	p.opens(func(db store.Store) {
		items, err := db.Items(p.Context(), "", "mail-turn", "", 1000)
		if err != nil {
			p.Fatal(err)
		}
		claims := 0
		for _, item := range items {
			var turn map[string]any
			if err := json.Unmarshal(item.Value, &turn); err != nil {
				p.Fatal(err)
			}
			if turn["claim"] != nil {
				claims++
			}
			turn["next"] = ago(time.Second)
			if item.Value, err = json.Marshal(turn); err != nil {
				p.Fatal(err)
			}
			if err := db.Apply(p.Context(), store.Batch{store.PutItem{Item: item}}); err != nil {
				p.Fatal(err)
			}
		}
		if claims != 1 {
			p.Fatalf("%d mails were tried when the program was killed, want one", claims)
		}
	})
}

// arrived checks that each of some people got a mail about each passkey, and nobody one about another's.
// It returns how many copies came.
func arrived(t *testing.T, relay *mailtest.Relay, people []*correspondent) (copies int) {
	t.Helper()
	texts, abouts := map[string]string{}, map[string]string{}
	for _, m := range relay.Has() {
		read := relay.Read(m)
		content := m.To + "\n" + read.Subject + "\n" + read.Text
		if before, is := texts[read.MessageID]; is && withoutLink(before) != withoutLink(content) {
			t.Errorf("two mails are %s:\n%s\n%s", read.MessageID, before, content)
		}
		texts[read.MessageID] = content
		copies++
	}
	for id, text := range texts {
		for _, who := range people {
			for _, name := range who.names {
				if strings.Contains(text, name+"\n") && strings.HasPrefix(text, who.address+"\n") {
					if abouts[name] != "" {
						t.Errorf("%s and %s are both about %q", abouts[name], id, name)
					}
					abouts[name] = id
				}
			}
		}
	}
	names := 0
	for _, who := range people {
		for _, name := range who.names {
			names++
			if abouts[name] == "" {
				t.Errorf("%s got no mail about %q", who.address, name)
			}
		}
	}
	if len(texts) != names {
		t.Errorf("there are %d mails, want %d", len(texts), names)
	}
	return copies
}

// withoutLink is a text without its link, which is another one in each copy of a mail.
func withoutLink(text string) string {
	before, link, _ := strings.Cut(text, "?token=")
	_, after, _ := strings.Cut(link, "\n")
	return before + after
}

// TestKilledWhileMailsGo kills the program while the mail server holds its answer, and when it has given the
// answer and the program hasn't written that yet. Each mail arrives, and copies of one are the same mail.
func TestKilledWhileMailsGo(t *testing.T) {
	for where, database := range map[string]func(*testing.T) string{
		"a file":     func(t *testing.T) string { return filepath.Join(t.TempDir(), "keypeg.db") },
		"PostgreSQL": func(t *testing.T) string { return pgtest.Empty(t) },
	} {
		for moment, holds := range map[string]func(*mailtest.Relay, func(mailtest.Mail)){
			"before the answer":             func(r *mailtest.Relay, hold func(mailtest.Mail)) { r.Accepts = hold },
			"after it, before it's written": func(r *mailtest.Relay, hold func(mailtest.Mail)) { r.Accepted = hold },
		} {
			t.Run(where+", "+moment, func(t *testing.T) {
				relay, flags := newRelay(t)
				held, goesOn := make(chan struct{}), make(chan struct{})
				enough := sync.OnceFunc(func() { close(goesOn) })
				t.Cleanup(enough)
				holds(relay, func(mailtest.Mail) {
					select {
					case held <- struct{}{}:
						<-goesOn
					case <-goesOn: // for ever
					}
				})
				// Nothing is sent before all have added theirs: who has read the answer waits a few seconds only for the rest.
				var adding sync.RWMutex
				relay.Refuses = func(string, string) error {
					adding.RLock()
					defer adding.RUnlock()
					return nil
				}
				p := newProgramOn(t, database(t), "", flags...)
				people := p.hasCorrespondents(4)
				everybodyAdds := func() {
					adding.Lock()
					defer adding.Unlock()
					p.starts()
					for _, who := range people {
						if err := who.adds(p); err != nil {
							t.Fatal(err)
						}
					}
				}
				const rounds = 3
				for range rounds {
					everybodyAdds()
					<-held
					p.ends(syscall.SIGKILL)
					goesOn <- struct{}{}
					p.claimsEnd()
				}
				enough()
				p.starts()
				p.until("the queue is empty", func() bool { return len(p.queue()) == 0 })
				if copies := arrived(t, relay, people); copies != rounds*len(people)+rounds {
					t.Errorf("%d copies came, want %d: each mail, and one more for each kill", copies, rounds*len(people)+rounds)
				}
			})
		}
	}
}

// TestMailServerAway: nobody waits for a mail server that is slow, or is refused anything while there is none.
// Then the mails arrive, at once if IT says so.
func TestMailServerAway(t *testing.T) {
	relay, flags := newRelay(t)
	held, goesOn := make(chan struct{}), make(chan struct{})
	var slow sync.Once
	enough := sync.OnceFunc(func() { close(goesOn) })
	t.Cleanup(enough)
	relay.Refuses = func(string, string) error {
		slow.Do(func() { close(held); <-goesOn })
		return nil
	}
	p := newProgram(t, flags...)
	people := p.hasCorrespondents(3)
	p.starts()
	everybodyAdds := func(times int) {
		t.Helper()
		for range times {
			for _, who := range people {
				if err := who.adds(p); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	everybodyAdds(1)
	<-held
	everybodyAdds(1) // while the mail server says nothing
	if got := p.queue(); len(got) != 6 {
		t.Errorf("the queue has %+v", got)
	}
	relay.Stops() // in the middle of the mail
	enough()
	everybodyAdds(1)
	p.until("IT sees why", func() bool {
		return slices.ContainsFunc(p.queue(), func(w mail.Waiting) bool { return w.Trouble != "" })
	})
	if got := p.queue(); len(got) != 9 || len(relay.Has()) > 0 {
		t.Errorf("%d mails came, and the queue has %+v", len(relay.Has()), got)
	}
	reason := fmt.Sprintf("nothing listens at localhost, port %d", relay.Port)
	p.until("the reason is that nothing listens", func() bool {
		out, err := command(t, "mail", "queue", "--database", p.database).CombinedOutput()
		return err == nil && strings.Contains(string(out), reason)
	})
	p.logs("a mail couldn't be sent, and is tried for a day")

	out, err := command(t, "mail", "retry", "--database", p.database).CombinedOutput()
	if want := "9 mails are tried again, within half a minute while a server runs.\n"; err != nil || string(out) != want {
		t.Errorf("got %q (%v), want %q", out, err, want)
	}
	relay.Starts() // not sooner, or some would have gone by themselves
	p.until("the queue is empty", func() bool { return len(p.queue()) == 0 })
	if copies := arrived(t, relay, people); copies != 9 {
		t.Errorf("%d copies came", copies)
	}
}

// TestMailsOfTwoNodes has both nodes queue and send several hundred mails. Each is sent once, to the right user.
func TestMailsOfTwoNodes(t *testing.T) {
	relay, flags := newRelay(t)
	a, b := twoNodes(t, flags...)
	nodes, people := []*program{a, b}, a.hasCorrespondents(40)
	const each = 8
	var working sync.WaitGroup
	for n, who := range people {
		working.Go(func() {
			for i := range each {
				if err := who.adds(nodes[(n+i)%2]); err != nil {
					t.Error(err)
				}
			}
		})
	}
	working.Wait()
	a.until("the queue is empty", func() bool { return len(a.queue()) == 0 })
	for _, node := range nodes {
		node.ends(syscall.SIGTERM) // so that no mail is on its way
	}
	if copies, want := arrived(t, relay, people), len(people)*each; copies != want {
		t.Errorf("%d copies came, want %d", copies, want)
	}
}
