package ui

import (
	"context"
	"errors"
	"testing"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/shared"
)

// mailer is a server that sends the mail, or refuses to.
type mailer struct {
	ProfileService
	err error
}

func (m mailer) SendVerification(context.Context) error { return m.err }

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
			if c.mail != test.step || c.announcement != test.says || !errors.Is(c.unsent, test.err) {
				t.Errorf("got step %d, %q and %v", c.mail, c.announcement, c.unsent)
			}
		})
	}
}
