package mail_test

import (
	"errors"
	netmail "net/mail"
	"strings"
	"testing"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/keypeg/keypeg/server/mail"
	"github.com/keypeg/keypeg/server/mail/mailtest"
)

var acme = mail.Organisation{Product: "Acme", Contact: "IT desk, phone 1234", Origin: "https://id.acme.example"}

func TestSend(t *testing.T) {
	for _, test := range []struct {
		name      string
		security  mail.Security
		mechanism string
	}{
		{"STARTTLS", mail.StartTLS, ""},
		{"STARTTLS and AUTH PLAIN", mail.StartTLS, sasl.Plain},
		{"STARTTLS and AUTH LOGIN", mail.StartTLS, sasl.Login},
		{"TLS", mail.TLS, ""},
		{"TLS and AUTH PLAIN", mail.TLS, sasl.Plain},
		{"TLS and AUTH LOGIN", mail.TLS, sasl.Login},
		{"no encryption", mail.None, ""},
	} {
		t.Run("a mail arrives by "+test.name, func(t *testing.T) {
			relay := mailtest.New(t, test.security, test.mechanism)
			if err := relay.Send(t.Context(), acme.Test("one", "ann@acme.example")); err != nil {
				t.Fatal(err)
			}
			got := relay.Has()
			if len(got) != 1 || got[0].From != relay.From || got[0].To != "ann@acme.example" {
				t.Fatalf("got %+v", got)
			}
			for _, want := range []string{"multipart/alternative", "Auto-Submitted: auto-generated", "Message-ID: <one@acme.example>"} {
				if !strings.Contains(got[0].Raw, want) {
					t.Errorf("the mail lacks %q:\n%s", want, got[0].Raw)
				}
			}
		})
	}
}

// TestAccepted: a mail is sent once the server has said so, whatever comes after that.
func TestAccepted(t *testing.T) {
	relay := mailtest.New(t, mail.StartTLS, "")
	relay.Accepted = func(mailtest.Mail) { go relay.Stops() } // which ends the connection
	if err := relay.Send(t.Context(), acme.Test("one", "ann@acme.example")); err != nil || len(relay.Has()) != 1 {
		t.Errorf("got %v, and the server has %d mails", err, len(relay.Has()))
	}
}

func TestTrouble(t *testing.T) {
	refusing := func(command string, code int) func(string, string) error {
		return refuses(command, code, smtp.EnhancedCode{code / 100, 1, 1}, "not here")
	}
	for _, test := range []struct {
		name      string
		breaks    func(*mailtest.Relay)
		stage     mail.Stage
		permanent bool
	}{
		{"a name without an address", func(r *mailtest.Relay) { r.Host = "nowhere.invalid" }, mail.StageName, false},
		{"a server that is away", (*mailtest.Relay).Stops, mail.StageConnect, false},
		{"a certificate that nobody vouches for", func(r *mailtest.Relay) { r.Roots = nil }, mail.StageTLS, false},
		{"a server without STARTTLS", func(r *mailtest.Relay) { r.Stops(); r.Security = mail.None; r.Starts(); r.Security = mail.StartTLS }, mail.StageTLS, false},
		{"TLS where the server speaks none", func(r *mailtest.Relay) { r.Security = mail.TLS }, mail.StageTLS, false},
		{"a wrong password", func(r *mailtest.Relay) { r.Password = "another secret" }, mail.StageSignIn, false},
		{"a refused sender", func(r *mailtest.Relay) { r.Refuses = refusing("MAIL", 550) }, mail.StageSender, false},
		{"an unknown recipient", func(r *mailtest.Relay) { r.Refuses = refusing("RCPT", 550) }, mail.StageRecipient, true},
		{"a recipient whose box is full", func(r *mailtest.Relay) { r.Refuses = refusing("RCPT", 452) }, mail.StageRecipient, false},
		{"a server that hangs up", func(r *mailtest.Relay) {
			r.Refuses = func(string, string) error { r.Stops(); return nil }
		}, mail.StageOther, false},
		{"a refused mail", func(r *mailtest.Relay) {
			r.Refuses = refuses("DATA", 554, smtp.EnhancedCode{5, 6, 0}, "this is no mail")
		}, mail.StageContent, false},
		{"a server whose filter refuses the recipient", func(r *mailtest.Relay) { r.Refuses = refusing("DATA", 550) }, mail.StageRecipient, true},
	} {
		t.Run(test.name+" is named", func(t *testing.T) {
			relay := mailtest.New(t, mail.StartTLS, sasl.Plain)
			test.breaks(relay)
			err := relay.Send(t.Context(), acme.Test("one", "ann@acme.example"))
			trouble, is := errors.AsType[*mail.Trouble](err)
			if !is || trouble.Stage != test.stage || trouble.Permanent != test.permanent {
				t.Fatalf("got %#v (%v), want stage %s, permanent %v", trouble, err, test.stage, test.permanent)
			}
			if text := trouble.Error(); strings.Contains(text, mailtest.Password) || strings.Contains(text, "another secret") || strings.ContainsAny(text, "\r\n") {
				t.Errorf("the text for IT is %q", text)
			}
			if got := relay.Has(); len(got) > 0 {
				t.Errorf("the server has taken %v", got)
			}
		})
	}
}

// TestHostileNames sends what strangers may have typed.
func TestHostileNames(t *testing.T) {
	relay := mailtest.New(t, mail.StartTLS, "")
	for _, hostile := range []string{
		"Ann\r\nBcc: eve@evil.example", "Ann\nSubject: You have won", "Ann\r\n\r\n<h1>Hi</h1>", "Ann\u2028Bcc: eve@evil.example", "=?utf-8?q?=0ABcc:_eve@evil.example?=", `The "Acme" <eve@evil.example>`, `Acme\`,
	} {
		relay.Name = hostile
		letter := mail.Organisation{Product: hostile}.Test("one", "ann@acme.example")
		if err := relay.Send(t.Context(), letter); err != nil {
			t.Errorf("%q: %v", hostile, err)
			continue
		}
		got := relay.Has()
		parsed, err := netmail.ReadMessage(strings.NewReader(got[len(got)-1].Raw))
		if err != nil {
			t.Fatalf("%q: %v", hostile, err)
		}
		if parsed.Header.Get("Bcc") != "" || len(parsed.Header["Subject"]) != 1 || strings.HasPrefix(parsed.Header.Get("Subject"), "You") {
			t.Errorf("%q made a header:\n%s", hostile, got[len(got)-1].Header())
		}
	}
	for _, address := range []string{"ann@acme.example\r\nRCPT TO:<eve@evil.example>", "ann@acme.example, eve@evil.example", "<>"} {
		before := len(relay.Has())
		if err := relay.Send(t.Context(), acme.Test("one", address)); err == nil || len(relay.Has()) > before {
			t.Errorf("a mail to %q was sent (%v)", address, err)
		}
	}
}
