package signinpages

import (
	"encoding/json"
	"strings"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// refused shows why a form was refused.
func refused(sentence string) g.Node {
	return g.If(sentence != "", h.P(h.Class("notice notice-bad"), h.Role("alert"), g.Text(sentence)))
}

// failedTries is where the script puts the ceremonies that failed, when a form is sent. It takes
// them back from there if the form was refused.
func (p *Pages) failedTries(failed shared.FailedTries) g.Node {
	value, _ := json.Marshal(failed) // of numbers only
	return g.If(p.PasskeysOn, h.Input(h.Type("hidden"), h.Name("failed"), g.If(len(failed) > 0, h.Value(string(value)))))
}

// refusal is the same element for a page with a script, where signinpages.js shows
// sentences too.
func refusal(sentence string) g.Node {
	return h.P(h.Class("notice notice-bad"), h.ID("refusal"), h.Role("alert"), g.If(sentence == "", g.Attr("hidden")), g.Text(sentence))
}

// scripted are the attributes that the script reads on both pages that it is for.
func (p *Pages) scripted() g.Group {
	ahead := p.Asset("style.css")
	if !p.Hosted { // the program of a host is its own affair
		ahead += " " + p.Asset("drawn.js") + " " + p.Asset("app.wasm")
	}
	return g.Group{h.Data("ahead", ahead), h.Data("rp", p.RPID)}
}

// scriptFile is the name of a script in the language of a text.
func (p *Pages) scriptFile(name string, text *message.Catalogue) string {
	if p.Related != nil {
		name += "-related"
	}
	return name + "-" + text.Lang + ".js"
}

// filled is [message.Fill] for names from outside: each is apart from the sentence around it, so that one in
// another direction doesn't turn it round (Unicode Standard Annex 9). Pairs are a placeholder and its value.
func filled(sentence string, pairs ...string) g.Node {
	var parts g.Group
	for sentence != "" {
		before, rest, found := strings.Cut(sentence, "{")
		name, after, _ := strings.Cut(rest, "}")
		parts, sentence = append(parts, g.Text(before)), after
		if !found {
			break
		}
		for i := 0; i+1 < len(pairs); i += 2 {
			if pairs[i] == name {
				parts = append(parts, g.El("bdi", g.Text(pairs[i+1])))
			}
		}
	}
	return parts
}

func field(label string, attributes ...g.Node) g.Node {
	return h.Label(h.Class("field"), g.Text(label), h.Input(attributes...))
}

func hint(id, sentence string) g.Node {
	return h.P(h.Class("hint"), h.ID(id), g.Text(sentence))
}

// newPassword is the field for a new password.
func newPassword(label, sentence string, more ...g.Node) g.Group {
	return g.Group{
		field(label, h.Name("password"), h.Type("password"), h.AutoComplete("new-password"), h.MinLength("12"), h.MaxLength("256"),
			h.Required(), h.Aria("describedby", "password-hint"), g.Group(more)),
		hint("password-hint", sentence),
	}
}

// passkeyButton has its label as its last child. There signinpages.js shows that it is
// working.
func passkeyButton(class, label string) g.Node {
	return h.Button(h.Type("button"), h.Class(class), h.ID("use-passkey"), keyGlyph, g.Text(label))
}

// The glyphs are those of app/ui.
var (
	keyGlyph      = glyph(`<circle cx="8" cy="15.5" r="4.25"/><path d="m11.1 12.4 8.4-8.4M16 7.5l2.75 2.75M13.25 10.25l1.75 1.75"/>`)
	passwordGlyph = glyph(`<path d="M5 7h14a2 2 0 0 1 2 2v6a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2V9a2 2 0 0 1 2-2zM7.5 12h.01M12 12h.01M16.5 12h.01"/>`)
	infoGlyph     = glyph(`<circle cx="12" cy="12" r="8.75"/><path d="M12 11.25V16M12 8h.01"/>`)
	personGlyph   = glyph(`<circle cx="12" cy="8" r="3.75"/><path d="M4.75 20c.6-3.7 3.5-5.75 7.25-5.75s6.65 2.05 7.25 5.75"/>`)
	badgeGlyph    = glyph(`<path d="M5 5.5h14a2 2 0 0 1 2 2v9a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2v-9a2 2 0 0 1 2-2zM14 10h4M14 14h4M6 15.5c.3-1.6 1.4-2.25 2.75-2.25s2.45.65 2.75 2.25"/><circle cx="8.75" cy="9.75" r="1.6"/>`)
	mailGlyph     = glyph(`<path d="M5 5.5h14a2 2 0 0 1 2 2v9a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2v-9a2 2 0 0 1 2-2zM3.5 7.5 12 13.5l8.5-6"/>`)
	peopleGlyph   = glyph(`<circle cx="9" cy="8.5" r="3.25"/><path d="M2.75 19.5c.5-3.3 3-5 6.25-5s5.75 1.7 6.25 5M15.5 5.5a3.25 3.25 0 0 1 0 6M18 15c1.9.7 3 2.2 3.25 4.5"/>`)
	clockGlyph    = glyph(`<circle cx="12" cy="12" r="8.75"/><path d="M12 7v5l3.25 2"/>`)
	shieldGlyph   = glyph(`<path d="M12 3.25 19 6v5.25c0 4.4-2.9 7.5-7 9.25-4.1-1.75-7-4.85-7-9.25V6z"/>`)
	onwardGlyph   = glyph(`<path d="m9.5 6 6 6-6 6"/>`)
	globeGlyph    = glyph(`<circle cx="12" cy="12" r="8.75"/><path d="M3.25 12h17.5M12 3.25c4.6 4.9 4.6 12.6 0 17.5-4.6-4.9-4.6-12.6 0-17.5z"/>`)
)

func glyph(shapes string) g.Node {
	return h.SVG(h.Class("glyph"), g.Attr("viewBox", "0 0 24 24"), h.Aria("hidden", "true"), g.Raw(shapes))
}

// hiddenName has the user name in a field that only password managers read.
func hiddenName(name string) g.Node {
	return h.Input(h.Class("spoken"), h.Name("name"), h.Value(name), h.AutoComplete("username"), h.ReadOnly(), h.TabIndex("-1"), h.Aria("hidden", "true"))
}

// unlessScripted holds content that signinpages.js shows. If the script doesn't run, a
// notice takes its place after some seconds: a proxy may answer instead of it or rewrite
// the page, or something blocks it. The style sheet shows the notice and reports the
// trouble to the server. If the style sheet didn't load either, the picture does.
func unlessScripted(text *message.Catalogue, shown g.Node) g.Node {
	return h.Div(h.Class("either"),
		shown,
		h.P(h.Class("notice notice-bad late"), h.ID("unscripted"), h.Role("status"),
			g.Text(text.Refusal(shared.TroubleAppScripts.Refusal())),
			h.Img(h.Src(shared.FileScriptless), h.Alt(""), h.Loading("lazy")),
		),
	)
}

// incapable is the notice for browsers that can't use passkeys, with or without a script.
func incapable(sentence string) g.Group {
	return g.Group{
		h.P(h.Class("notice"), h.ID("incapable"), g.Attr("hidden"), g.Text(sentence)),
		h.NoScript(h.P(h.Class("notice"), g.Text(sentence))),
	}
}
