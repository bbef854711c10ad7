package signinpages

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/keypeg/keypeg/shared/message"
)

// Onward is the content of the page that leads on to a program or a provider.
type Onward struct {
	Program string
	Address string // absolute; it may have the scheme of an app
}

// Onward writes the page that leads on. It is what follows a form in the place of a redirect: the policy of
// our pages is form-action 'self', and browsers apply it to the redirects after a form too (Content Security
// Policy Level 3, 6.4.2). The browser goes on at once, and replaces the page in its history. For an app,
// some browsers wait for the button.
//
// It returns an error for an address that a browser wouldn't leave our page for, such as a script.
func (p *Pages) Onward(w http.ResponseWriter, text *message.Catalogue, page Onward) error {
	address, err := onwardAddress(page.Address)
	if err != nil {
		return err
	}
	draws := consentPage{Pages: p, text: text, words: message.ProgramPagesIn(text), program: page.Program}
	w.Header().Set("Refresh", "0;url="+address)
	return p.write(w, http.StatusOK, text, content{
		title:   message.Fill(draws.words.OnwardTitle, "program", page.Program),
		heading: filled(draws.words.OnwardTitle, "program", page.Program),
		brand:   draws.brand(),
		lead:    g.Text(draws.words.OnwardLead),
		rows:    true,
		body: g.Group{
			h.P(h.A(h.Class("button primary wide"), h.ID("onward"), h.Href(address), h.Span(filled(draws.words.Onward, "program", page.Program)))),
		},
	})
}

// within are the schemes of addresses that a browser opens within the page.
var within = []string{"javascript", "data", "vbscript", "blob", "filesystem", "about", "view-source"}

// onwardAddress writes an address so that a header can have it (RFC 9110, 5.5): what isn't a visible
// character of ASCII is escaped, as a browser does.
func onwardAddress(address string) (string, error) {
	parsed, err := url.Parse(address)
	if err != nil || parsed.Scheme == "" || slices.Contains(within, parsed.Scheme) {
		return "", fmt.Errorf("signinpages: nobody can be led on to %q", address)
	}
	var escaped strings.Builder
	for _, b := range []byte(address) {
		if b <= ' ' || b > '~' {
			fmt.Fprintf(&escaped, "%%%02X", b)
		} else {
			escaped.WriteByte(b)
		}
	}
	return escaped.String(), nil
}
