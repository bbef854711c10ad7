package ui

import (
	"context"
	"errors"
	"testing"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// mailer is a server that sends the mail, or refuses to.
type mailer struct {
	ProfileService
	err error
}

func (m mailer) SendVerification(context.Context) error { return m.err }

func (m mailer) ChangeProfile(context.Context, shared.ChangeProfile) error { return m.err }

// TestSavedInTheNewLanguage: after another language was chosen, the page says in that one that it was.
func TestSavedInTheNewLanguage(t *testing.T) {
	c := stateUnverified(inEnglish(), func(c *ProfileCard) { c.Service = mailer{} })
	c.OnLanguage = func(string) { c.Context.Text = &message.French }
	d := &memberDialog{typed: map[string]string{"language": "fr"}, Fields: []memberField{{id: "display-name", value: c.Account.User.DisplayName}, {id: "email", value: c.Account.Email}}}
	plays(t, c, done(func() { c.save(d, func(error) {}) }))
	if got := c.announced(); got != message.French.Member.Saved {
		t.Errorf("it says %q", got)
	}
}

func TestSendTheMailAgain(t *testing.T) {
	refusal := shared.Errorf(shared.CodeTooManyAttempts, "Too many mails went to this address. Please try again in %d minutes.", 12)
	for name, test := range map[string]struct {
		err  error
		step mailStep
		says string
	}{
		"sent":    {nil, mailSent, inEnglish().Text.Home.VerifySent},
		"refused": {refusal, mailNone, ""},
	} {
		t.Run(name, func(t *testing.T) {
			c := stateUnverified(inEnglish(), func(c *ProfileCard) { c.Service = mailer{err: test.err} })
			plays(t, c, func(app.Context) { c.onVerify(c.self, anEvent) })
			if c.mail != test.step || c.announced() != test.says || !errors.Is(c.unsent, test.err) {
				t.Errorf("got step %d, %q and %v", c.mail, c.announced(), c.unsent)
			}
		})
	}
}
