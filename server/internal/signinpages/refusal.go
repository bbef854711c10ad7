package signinpages

import (
	"net/http"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// Refusal is the content of the page of a refusal.
type Refusal struct {
	Code     shared.Code // for the heading
	Link     bool        // the refusal is about a link that somebody opened
	Sentence string
	SignedIn bool   // the reader is signed in
	Origin   string // of the page that it leads to; "" for the same origin
	Nowhere  bool   // it can't lead to any page
}

// Refusal writes a page that says why something was refused, with a link to go on.
func (p *Pages) Refusal(w http.ResponseWriter, status int, text *message.Catalogue, page Refusal) {
	address, label := shared.PageSignIn, message.SignInPagesIn(text).BackToSignIn
	if page.SignedIn {
		address, label = shared.PageHome, message.SignInPagesIn(text).BackToStart
	}
	err := p.write(w, status, text, content{
		title: page.title(text),
		lead:  g.Text(page.Sentence),
		body:  g.Group{g.If(!page.Nowhere, h.P(h.A(h.Class("button wide"), h.Href(page.Origin+address), g.Text(label))))},
	})
	if err != nil {
		http.Error(w, page.Sentence, status)
	}
}

// title is the heading for a code. The default heading says that nothing was changed, which
// is true of every refusal.
func (page Refusal) title(text *message.Catalogue) string {
	switch page.Code {
	case shared.CodeNotFound, shared.CodeCeremonyExpired:
		if page.Link {
			return message.SignInPagesIn(text).RefusalLink
		}
		return message.SignInPagesIn(text).RefusalNotFound
	case shared.CodeNotAllowed, shared.CodeAccountDisabled, shared.CodeNoAccount, shared.CodePasskeysOff, shared.CodePasswordsOff:
		return message.SignInPagesIn(text).RefusalAccess
	case shared.CodeTooManyAttempts:
		return message.SignInPagesIn(text).RefusalTooMany
	case shared.CodeInternal:
		return message.SignInPagesIn(text).RefusalFault
	case shared.CodeProviderUnavailable, shared.CodeProviderMisconfigured, shared.CodeSSORefused:
		return message.SignInPagesIn(text).RefusalProvider
	case shared.CodeSuspended:
		return message.SignInPagesIn(text).RefusalSuspended
	case shared.CodeWrongHost:
		return message.SignInPagesIn(text).RefusalHost
	default:
		return message.SignInPagesIn(text).RefusalTitle
	}
}
