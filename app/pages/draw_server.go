//go:build !js

package pages

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"

	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/keypeg/keypeg/app/client"
	"github.com/keypeg/keypeg/app/ui"
	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

var errNotReady = errors.New("the account isn't there")

// Draw draws the page at an address with the data of a signed-in user, for whom d.Transport asks. It
// runs the components of the browser, until none waits for an answer. Its error says why there is no
// account, such as a refusal of [shared.CodeUnauthenticated]: then the page is for the program to draw.
func Draw(d Deps, address *url.URL, languages []Language, text *message.Catalogue, reader Reader) (shared.DrawnPage, error) {
	asked := &asked{Transport: d.Transport, answers: map[string]shared.DrawnAnswer{}}
	d.Transport = asked
	known := newLanguages(asked)
	known.list = languages
	s := &shell{
		self: newSelf(d), deps: d, pages: table(), drawn: &drawn{reader, func(m *ui.UserMenu) goapp.UI { return m.Drawn(shared.PageSignOut) }},
		speech: speech{languages: known, text: text, spoken: true},
		path:   address.Path, query: address.RawQuery,
	}
	for _, word := range reader.Offers {
		switch word {
		case shared.OfferHere:
			s.offers.here = true
		case shared.OffersRest:
			s.offers.rests = true
		case shared.SecondRests:
			s.offers.second = true
		default:
			s.offers.recovered = word
		}
	}
	if s.path == shared.PagePasskeys {
		s.panel = panelOpen
	}
	markup, err := render(s, func() error {
		if s.state != stateReady || s.leaving {
			return cmp.Or(s.failure, errNotReady)
		}
		return nil
	})
	if err != nil {
		return shared.DrawnPage{}, fmt.Errorf("pages: drawing %s: %w", address.Path, err)
	}
	return shared.DrawnPage{Title: s.pageTitle(), Lang: text.Lang, HTML: markup, Answers: asked.answers}, nil
}

// DrawPanel draws the page in the frame of another program, as [Draw] draws the pages of Keypeg's own. Its query is the
// fragment of the panel, and whether it stands within the page of the program ([shared.QueryInline]).
func DrawPanel(d Deps, address *url.URL, languages []Language, text *message.Catalogue, reader Reader) (shared.DrawnPage, error) {
	asked := &asked{Transport: d.Transport, answers: map[string]shared.DrawnAnswer{}}
	d.Transport = asked
	known := newLanguages(asked)
	known.list = languages
	p := newPanelPage(d, speech{languages: known, text: text, spoken: true})
	p.drawn = &drawn{Reader: reader}
	p.open, _, p.framing.Inline = strings.Cut(address.RawQuery, "&"+shared.QueryInline)
	markup, err := render(p, func() error { return p.err })
	if err != nil {
		return shared.DrawnPage{}, fmt.Errorf("pages: drawing a panel: %w", err)
	}
	return shared.DrawnPage{Title: text.Panel.Title, Lang: text.Lang, HTML: markup, Answers: asked.answers}, nil
}

// render returns the markup of a page, when none of its components waits for an answer any more. It fails if the page
// isn't ready then.
func render(page goapp.Composer, isReady func() error) (string, error) {
	engine := goapp.NewTestEngine() // the only engine that go-app gives to others; it runs the same code
	if err := engine.Load(page); err != nil {
		return "", err
	}
	engine.ConsumeAll()
	if err := isReady(); err != nil {
		return "", err
	}
	drawn, err := HTML(page)
	if err != nil {
		return "", err
	}
	markup, err := plain(drawn)
	return string(markup), err
}

// OnPreRender loads the account: go-app mounts nothing on a server.
func (s *shell) OnPreRender(ctx goapp.Context) {
	if s.drawn != nil {
		s.ctx = ctx
		s.load(ctx)
	}
}

// asked keeps the answers of a transport.
type asked struct {
	client.Transport

	mu      sync.Mutex
	answers map[string]shared.DrawnAnswer
}

// Send implements client.Transport.
func (a *asked) Send(ctx context.Context, method, path string, body []byte) (int, []byte, error) {
	status, answer, err := a.Transport.Send(ctx, method, path, body)
	if err == nil && method == "GET" && status < 300 {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.answers[path] = shared.DrawnAnswer{Status: status, Body: string(answer)}
	}
	return status, answer, err
}

// HTML returns the markup of a component. Go-app quotes the value of an attribute as Go quotes a text: with \" for
// a quotation mark, which in HTML ends the value, so that a name in it could be markup. It escapes texts rightly,
// so each "<" begins a tag. What is markup already has no backslash.
//
// It fails where go-app's markup isn't as it says here.
func HTML(component goapp.UI) (string, error) {
	var b strings.Builder
	rest, in := goapp.HTMLString(component), inText
	for rest != "" {
		switch {
		case in == inValue && rest[0] == '\\':
			character, _, after, err := strconv.UnquoteChar(rest, '"')
			if err != nil {
				return "", fmt.Errorf("pages: the attribute at %.40q: %w", rest, err)
			}
			b.WriteString(html.EscapeString(string(character)))
			rest = after
			continue
		case in == inText && rest[0] == '<', in == inValue && rest[0] == '"':
			in = inTag
		case in == inTag && rest[0] == '>':
			in = inText
		case in == inTag && rest[0] == '"':
			in = inValue
		}
		b.WriteByte(rest[0])
		rest = rest[1:]
	}
	if in != inText {
		return "", errors.New("pages: a tag has no end")
	}
	return b.String(), nil
}

// Where HTML is in go-app's markup.
const (
	inText = iota
	inTag
	inValue
)

// plain makes what a browser would have of what go-app writes: without the white space around elements,
// which would be visible, and without attributes that are false, which HTML would take for true
// (HTML, 2.3.2). Dialogs are open, and buttons say that they need the program.
func plain(drawn string) ([]byte, error) {
	nodes, err := html.ParseFragment(strings.NewReader(drawn), &html.Node{Type: html.ElementNode, Data: "body", DataAtom: atom.Body})
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	for _, node := range nodes {
		tidy(node, 0)
		if err := html.Render(&b, node); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), nil
}

// booleans are the attributes that go-app sets as properties.
var booleans = []string{"autofocus", "checked", "disabled", "hidden", "multiple", "open", "readonly", "required", "selected"}

// tidy does so for a node, and undoes the indentation below it. Go-app writes each child on a line of its
// own, behind two spaces for each level.
func tidy(node *html.Node, level int) {
	node.Attr = slices.DeleteFunc(node.Attr, func(a html.Attribute) bool { return a.Val == "false" && slices.Contains(booleans, a.Key) })
	switch {
	case node.DataAtom == atom.Dialog: // the program would open it
		node.Attr = append(node.Attr, html.Attribute{Key: "open"})
	case node.DataAtom == atom.Button && slices.Contains(node.Attr, html.Attribute{Key: "type", Val: "button"}):
		node.Attr = append(node.Attr, html.Attribute{Key: "aria-disabled", Val: "true"})
	}
	begin := "\n" + strings.Repeat("  ", level+1)
	end := "\n" + strings.Repeat("  ", level)
	for child := node.FirstChild; child != nil; {
		next := child.NextSibling
		switch child.Type {
		case html.TextNode:
			text := child.Data
			if next == nil {
				text = strings.TrimSuffix(text, end)
			}
			if child.Data = strings.ReplaceAll(text, begin, ""); child.Data == "" {
				node.RemoveChild(child)
			}
		case html.ElementNode:
			tidy(child, level+1)
		}
		child = next
	}
}
