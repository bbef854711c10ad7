package signinpages

import (
	"fmt"
	"net/http"
	"strings"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// Enrol is the content of the page of an enrolment link.
type Enrol struct {
	Kind              store.Method // MethodInvitation, MethodRecoveryLink or MethodPhoneLink
	Name, DisplayName string       // of the user
	TakesPassword     bool
	Failed            shared.FailedTries // as the form sent it
	Refusal           string
}

// Enrol writes the page on which the bearer of a link adds a sign-in method.
func (p *Pages) Enrol(w http.ResponseWriter, status int, text *message.Catalogue, page Enrol) error {
	at, done := shared.PageEnrol, shared.PageEnrolled
	if p.Hosted { // nothing takes the choice of a language there
		at, done = "", shared.PageHostEnrolled
	}
	return p.write(w, status, text, content{
		title:  page.title(text),
		lead:   g.Text(page.lead(text, p.Product)),
		at:     at,
		script: p.scriptFile("signinpages", text),
		body: g.Group{
			refusal(page.Refusal),
			h.Form(h.Method("post"), h.Action(shared.PageEnrol), h.Class("stack"), h.ID("enrol"),
				h.Data("begin", shared.PathEnrolBegin), h.Data("finish", shared.PathEnrolFinish), h.Data("next", done),
				h.Data("registered", strings.Trim(fmt.Sprint(shared.MayBeRegistered), "[]")),
				p.scripted(), p.failedTries(page.Failed),
				g.If(p.PasskeysOn, g.Group{
					unlessScripted(text, passkeyButton("button primary wide waiting", message.SignInPagesIn(text).CreatePasskey)),
					incapable(message.SignInPagesIn(text).Incapable),
				}),
				g.If(p.PasskeysOn && page.TakesPassword, or(text.SignIn.Or)),
				g.If(page.TakesPassword, p.choosePassword(text, page.Name)),
				g.If(page.TakesPassword, p.savePassword(text)),
			),
			p.linkToAbout(text, h.Target("_blank")), // nothing leads back to this page
		},
	})
}

// title is the heading of the page.
func (e Enrol) title(text *message.Catalogue) string {
	switch e.Kind {
	case store.MethodInvitation:
		return message.Fill(message.SignInPagesIn(text).InvitationTitle, "name", e.DisplayName)
	case store.MethodRecoveryLink:
		return message.SignInPagesIn(text).RecoveryLinkTitle
	default:
		return message.SignInPagesIn(text).PhoneTitle
	}
}

// lead says what the link is for.
func (e Enrol) lead(text *message.Catalogue, product string) string {
	lead := map[store.Method]string{
		store.MethodInvitation: message.SignInPagesIn(text).InvitationLead, store.MethodRecoveryLink: message.SignInPagesIn(text).RecoveryLinkLead, store.MethodPhoneLink: message.SignInPagesIn(text).PhoneLead,
	}[e.Kind]
	if e.Kind == store.MethodInvitation && !e.TakesPassword {
		lead = message.SignInPagesIn(text).InvitationPasskey
	}
	return message.Fill(lead, "product", product, "user", e.Name)
}

// choosePassword also has the user name, for password managers.
func (p *Pages) choosePassword(text *message.Catalogue, name string) g.Group {
	label, sentence := message.SignInPagesIn(text).NewPassword, message.SignInPagesIn(text).NewPasswordHint
	if p.PasskeysOn {
		label, sentence = message.SignInPagesIn(text).PasswordOptional, message.SignInPagesIn(text).PasswordOptionalHint
	}
	return g.Group{
		hiddenName(name),
		newPassword(label, sentence),
	}
}

func (p *Pages) savePassword(text *message.Catalogue) g.Node {
	if p.PasskeysOn {
		return h.Button(h.Class("button wide"), g.Text(message.SignInPagesIn(text).PasswordOnly))
	}
	return h.Button(h.Class("button wide primary"), g.Text(message.SignInPagesIn(text).SavePassword))
}
