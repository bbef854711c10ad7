package mail_test

import (
	"errors"
	netmail "net/mail"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/keypeg/keypeg/server/mail"
	"github.com/keypeg/keypeg/server/mail/mailtest"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// refuses has a server refuse a command.
func refuses(command string, code int, enhanced smtp.EnhancedCode, text string) func(string, string) error {
	return func(c, _ string) error {
		if c != command {
			return nil
		}
		return &smtp.SMTPError{Code: code, EnhancedCode: enhanced, Message: text}
	}
}

// TestRefusals: a mail ends at once only because of its recipient. The texts are those of Postfix,
// Exim, qmail and Exchange.
func TestRefusals(t *testing.T) {
	plain := smtp.NoEnhancedCode
	for _, test := range []struct {
		code      int
		enhanced  smtp.EnhancedCode
		text      string
		stage     mail.Stage
		permanent bool
	}{
		{550, smtp.EnhancedCode{5, 1, 1}, "Recipient address rejected: User unknown in relay recipient table", mail.StageRecipient, true},
		{550, smtp.EnhancedCode{5, 1, 2}, "Recipient address rejected: Domain not found", mail.StageRecipient, true},
		{501, smtp.EnhancedCode{5, 1, 3}, "Bad recipient address syntax", mail.StageRecipient, true},
		{551, smtp.EnhancedCode{5, 1, 6}, "User has moved", mail.StageRecipient, true},
		{556, smtp.EnhancedCode{5, 1, 10}, "Domain does not accept mail (nullMX)", mail.StageRecipient, true},
		{550, smtp.EnhancedCode{5, 2, 1}, "The account is disabled", mail.StageRecipient, true},
		{550, plain, "No such user here", mail.StageRecipient, true},
		{551, plain, "User not local; please try <ann@new.example>", mail.StageRecipient, true},
		{553, plain, "Mailbox name not allowed", mail.StageRecipient, true},
		{550, smtp.EnhancedCode{5, 0, 0}, "Unrouteable address", mail.StageRecipient, true},

		{554, smtp.EnhancedCode{5, 7, 1}, "<ann@acme.example>: Relay access denied", mail.StageRelay, false},
		{554, smtp.EnhancedCode{5, 7, 1}, "<unknown[192.0.2.1]>: Client host rejected: Access denied", mail.StageRelay, false},
		{504, smtp.EnhancedCode{5, 5, 2}, "<acme>: Helo command rejected: need fully-qualified hostname", mail.StageRelay, false},
		{450, smtp.EnhancedCode{4, 7, 1}, "<acme.example>: Helo command rejected: Host not found", mail.StageRelay, false},
		{521, smtp.EnhancedCode{5, 3, 2}, "System not accepting network messages", mail.StageRelay, false},
		{550, plain, "relay not permitted", mail.StageRelay, false},
		{553, plain, "sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)", mail.StageRelay, false},
		{554, plain, "No SMTP service here", mail.StageRelay, false},
		{503, plain, "Bad sequence of commands", mail.StageRelay, false},
		{530, smtp.EnhancedCode{5, 7, 0}, "Authentication required", mail.StageSignIn, false},
		{530, plain, "Must issue a STARTTLS command first", mail.StageSignIn, false},
		{550, smtp.EnhancedCode{5, 1, 7}, "<keypeg@acme>: Sender address rejected: bad syntax", mail.StageSender, false},
		{450, smtp.EnhancedCode{4, 1, 8}, "<keypeg@acme.example>: Sender address rejected: Domain not found", mail.StageSender, false},
		{550, smtp.EnhancedCode{5, 7, 27}, "Sender address has null MX", mail.StageSender, false},

		{450, smtp.EnhancedCode{4, 1, 1}, "Recipient address rejected: unverified address", mail.StageRecipient, false},
		{552, smtp.EnhancedCode{5, 2, 2}, "Mailbox full", mail.StageRecipient, false},
		{552, plain, "Quota exceeded", mail.StageRecipient, false},
		{450, plain, "Greylisted", mail.StageRecipient, false},
		{550, smtp.EnhancedCode{5, 4, 1}, "Recipient address rejected: Access denied", mail.StageRecipient, false},
		{553, smtp.EnhancedCode{5, 6, 7}, "Internationalised addresses are not taken", mail.StageRecipient, false},
	} {
		t.Run(test.text, func(t *testing.T) {
			relay := mailtest.New(t, mail.None, "")
			relay.Refuses = refuses("RCPT", test.code, test.enhanced, test.text)
			err := relay.Send(t.Context(), acme.Test("one", "ann@acme.example"))
			trouble, is := errors.AsType[*mail.Trouble](err)
			if !is || trouble.Stage != test.stage || trouble.Permanent != test.permanent {
				t.Errorf("got %#v, want stage %s, permanent %v", trouble, test.stage, test.permanent)
			}
			if err != nil && !strings.Contains(err.Error(), test.text) {
				t.Errorf("%q doesn't say what the server said", err)
			}
		})
	}
}

// TestMended: what a server refuses because of its settings goes once they are mended, and keeps
// no other mail waiting.
func TestMended(t *testing.T) {
	onEveryStore(t, func(o *office) {
		o.relay.Refuses = func(command, to string) error {
			if command == "RCPT" && strings.HasPrefix(to, "ann@") {
				return &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 7, 1}, Message: "Relay access denied"}
			}
			return nil
		}
		bob := store.User{ID: store.NewUserID(), Name: "bob", Email: "bob@elsewhere.example", EmailVerified: true}
		o.apply(store.PutUser{User: bob})
		o.apply(o.event(shared.EventPasskeyAdded, store.Client{}))
		o.passes(time.Second)
		o.apply(store.AddEvent{Event: store.NewEvent(o.now(), bob.ID, shared.EventPasskeyAdded, store.Client{})})
		o.sends(1)
		for range 30 {
			o.passes(30 * time.Minute)
			o.delivers()
		}
		if got := o.waiting(); len(got) != 1 || got[0].Next == nil || !strings.Contains(got[0].Trouble, "relay") {
			o.Fatalf("the queue has %+v", got)
		}
		o.relay.Refuses = nil
		if _, err := mail.Retry(o.Context(), o.beneath, o.now()); err != nil {
			o.Fatal(err)
		}
		o.sends(2)
	})
}

// TestInternationalAddresses: letters beyond ASCII stand in addresses. Domains go in ASCII, and the server has to know
// SMTPUTF8 for the rest.
func TestInternationalAddresses(t *testing.T) {
	for _, test := range []struct {
		name, from, to   string
		utf8             bool
		wantFrom, wantTo string
		stage            mail.Stage
	}{
		{"domains", "keypeg@bücher.example", "ann@BÜCHER.example", false, "keypeg@xn--bcher-kva.example", "ann@xn--bcher-kva.example", ""},
		{"domains, where the server takes all letters", "keypeg@bücher.example", "ann@bücher.example", true, "keypeg@xn--bcher-kva.example", "ann@xn--bcher-kva.example", ""},
		{"a domain with an underscore", "keypeg@a_b.example", "ann@a_b.example", false, "keypeg@a_b.example", "ann@a_b.example", ""},
		{"a name", "keypeg@acme.example", "änn@bücher.example", true, "keypeg@acme.example", "änn@xn--bcher-kva.example", ""},
		{"a name that the server can't take", "keypeg@acme.example", "änn@bücher.example", false, "", "", mail.StageRecipient},
		{"a sender that the server can't take", "schlüssel@acme.example", "ann@acme.example", false, "", "", mail.StageSender},
	} {
		t.Run(test.name, func(t *testing.T) {
			relay := mailtest.New(t, mail.StartTLS, "")
			relay.Stops()
			relay.UTF8 = test.utf8
			relay.Starts()
			relay.From = test.from
			err := relay.Send(t.Context(), acme.Test("one", test.to))
			if test.stage != "" {
				trouble, is := errors.AsType[*mail.Trouble](err)
				if !is || trouble.Stage != test.stage || trouble.Permanent || !strings.Contains(trouble.Detail, "SMTPUTF8") || len(relay.Has()) > 0 {
					t.Errorf("got %#v", trouble)
				}
				return
			}
			if err != nil || len(relay.Has()) != 1 {
				t.Fatalf("got %v, and the server has %d mails", err, len(relay.Has()))
			}
			got := relay.Has()[0]
			_, domain, _ := strings.Cut(test.wantFrom, "@")
			if got.From != test.wantFrom || got.To != test.wantTo || got.Hello != domain || got.UTF8 != !store.IsASCII(got.From+got.To) {
				t.Errorf("%s: MAIL %s, RCPT %s, with SMTPUTF8: %v", got.Hello, got.From, got.To, got.UTF8)
			}
			parsed, err := netmail.ReadMessage(strings.NewReader(got.Raw))
			if err != nil {
				t.Fatal(err)
			}
			if id := parsed.Header.Get("Message-ID"); id != "<one@"+domain+">" {
				t.Errorf("the Message-ID is %s", id)
			}
			for header, want := range map[string]string{"From": test.wantFrom, "To": test.wantTo} {
				if list, err := parsed.Header.AddressList(header); err != nil || len(list) != 1 || list[0].Address != want {
					t.Errorf("%s is %s (%v)", header, parsed.Header.Get(header), err)
				}
			}
		})
	}
}
