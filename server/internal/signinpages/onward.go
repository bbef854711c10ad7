package signinpages

import (
	"fmt"
	"maps"
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
	// Posted are values that the browser brings there by a form (OAuth 2.0 Form Post Response Mode). None means that the
	// address has all.
	Posted url.Values
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
	leads, script := g.Node(nil), ""
	label := h.Span(filled(draws.words.Onward, "program", page.Program))
	if page.Posted == nil {
		w.Header().Set("Refresh", "0;url="+address)
		leads = h.P(h.A(h.Class("button primary wide"), h.ID("onward"), h.Href(address), label))
	} else {
		script = "onward.js"
		leads = h.Form(h.ID("onward-form"), h.Method("post"), h.Action(address),
			g.Map(slices.Sorted(maps.Keys(page.Posted)), func(name string) g.Node {
				return h.Input(h.Type("hidden"), h.Name(name), h.Value(page.Posted.Get(name)))
			}),
			h.Button(h.Class("button primary wide"), h.ID("onward"), label))
	}
	return p.write(w, http.StatusOK, text, content{
		script:  script,
		title:   message.Fill(draws.words.OnwardTitle, "program", page.Program),
		heading: filled(draws.words.OnwardTitle, "program", page.Program),
		brand:   draws.brand(),
		lead:    g.Text(draws.words.OnwardLead),
		rows:    true,
		body:    g.Group{leads},
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
