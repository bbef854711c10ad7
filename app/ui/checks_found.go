package ui

import (
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/browser"
	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// How the page of checks looks. What only changes as a whole is written as markup: elements that are made one by one
// made the program of administration 20 kB larger. Each value goes through markup, which escapes it.

// markup puts values into the places of a piece of HTML that have their names in braces, as [message.Fill] does. It
// escapes them, also the backslash: it is what tells values of go-app from ours when a server writes a page.
func markup(html string, pairs ...string) string {
	for i := 1; i < len(pairs); i += 2 {
		pairs[i] = escaped.Replace(pairs[i])
	}
	return message.Fill(html, pairs...)
}

var escaped = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;", "'", "&#39;", `\`, "&#92;")

// Render implements app.Composer.
func (p *ChecksPage) Render() app.UI {
	var found app.UI
	counts, again := "", p.Context.Text.Shell.TryAgain
	switch {
	case p.state == listReady:
		found, counts, again = p.renderFound(), p.drawnCounts(), p.text(shared.CheckTextAgain)
	case p.state == listLoading && p.Context.Offline == "":
		found = p.Context.waitingRows()
	}
	return app.Elem("section").Class("page page-wide").Aria("labelledby", "checks-title").Body(
		app.Elem("div").Class("head").Body(
			app.Raw(markup(`<div><h1 id="checks-title">{title}</h1><p class="quiet">{lead}</p>`, "title", p.Context.Text.Shell.Checks, "lead", p.text(shared.CheckTextLead))+counts+`</div>`),
			p.Context.button("checks-again", "", again, p.isRunning() || p.Context.Offline != "", p.onAgain),
		),
		p.Context.notice(p.failure),
		Slot(found),
		spoken(p.announcement),
	)
}

func (p *ChecksPage) onAgain(app.Context, app.Event) { p.begin() }

// states are all outcomes, the worst first.
var states = []shared.CheckState{shared.CheckFailed, shared.CheckWarning, shared.CheckOK, shared.CheckLeftOut}

func (p *ChecksPage) drawnCounts() string {
	html := `<p class="tools" id="checks-counts">`
	for _, state := range states {
		if len(p.of(state)) > 0 {
			html += p.marked("b", state, p.counted(state))
		}
	}
	if p.isRunning() {
		html += markup(`<span class="quiet">{text}</span>`, "text", message.Fill(p.text(shared.CheckTextRunning), "n", p.Context.Number(len(p.all()))))
	}
	return html + `</p>`
}

// marked is a text behind the icon of an outcome.
func (p *ChecksPage) marked(tag string, state shared.CheckState, text string) string {
	of := looksOf(state)
	return `<` + tag + ` class="marked ` + of.class + `">` + drawnIcon(of.glyph) + markup(" {text}", "text", text) + `</` + tag + `>`
}

func (p *ChecksPage) renderFound() app.UI {
	unseen, support := "", ""
	if p.unseen != nil {
		unseen = markup(`<p class="notice notice-bad" role="alert">{text} {why}</p>`, "text", p.text(shared.CheckTextUnseen), "why", p.Context.sentence(p.unseen))
	}
	if !p.isRunning() {
		support = p.drawnSupport()
	}
	text := p.text(shared.CheckTextThrowaway)
	off := p.isRunning() || p.Context.Offline != "" || len(p.browser.Checks) == 0
	return app.Elem("div").Class("days").OnClick(p.onClick).Body(
		app.Raw(`<div class="slot">`+unseen+p.drawnToDo()+`</div>`),
		app.Elem("section").Class("part").Aria("labelledby", "checks-throwaway").Body(
			app.Raw(markup(`<h2 id="checks-throwaway">{text}</h2>`, "text", text)),
			app.Raw(markup(`<p id="throwaway-lead" class="quiet">{text}</p>`, "text", p.text(shared.CheckTextThrowawayLead))),
			app.Elem("div").Class("buttons").Body(
				p.Context.button("throwaway", "", "", off, p.onThrowaway).Aria("describedby", "throwaway-lead").Body(steady(p.trying, p.text(shared.CheckTextWorking), text, icon("key"))),
			),
			app.Raw(`<div class="slot">`+p.drawnTried()+`</div>`),
		),
		app.Raw(`<div class="days">`+support+p.drawnTree()+`</div>`),
	)
}

// onThrowaway tries a passkey for this address: at a further one of the organisation that may be another relying party
// id than for new passkeys.
func (p *ChecksPage) onThrowaway(app.Context, app.Event) {
	id, host := p.Context.RPID, p.Context.Host
	if host != id && !strings.HasSuffix(host, "."+id) {
		id = host
	}
	p.look(id)
}

// drawnTried says what came of the throwaway passkey.
func (p *ChecksPage) drawnTried() string {
	n := len(p.browser.Checks)
	if n == 0 || p.trying || p.browser.Checks[n-1].State == shared.CheckLeftOut {
		return ""
	}
	last := p.browser.Checks[n-1]
	return `<p id="tried" role="status">` + p.marked("span", last.State, p.text(looksOf(last.State).word)+":") +
		markup(` <span lang="en" dir="ltr">{text}</span></p>`, "text", last.Compared)
}

// drawnToDo is what is wrong, the worst first, with what to do.
func (p *ChecksPage) drawnToDo() string {
	rows := ""
	for _, check := range append(p.of(shared.CheckFailed), p.of(shared.CheckWarning)...) {
		rows += p.drawnWrong(check)
	}
	switch {
	case rows != "":
		rows = `<ul class="rows">` + rows + `</ul>`
	case p.isRunning():
		return ""
	default:
		rows = `<div id="checks-nothing">` + p.marked("p", shared.CheckOK, p.text(shared.CheckTextNothing)) + `</div>`
	}
	return markup(`<section class="part" aria-labelledby="checks-todo"><h2 id="checks-todo">{text}</h2>`, "text", p.text(shared.CheckTextToDo)) + rows + `</section>`
}

// drawnWrong is a row. Texts of the server that are in English for everybody, as the command prints them, say so.
func (p *ChecksPage) drawnWrong(check shared.Check) string {
	of := looksOf(check.State)
	html := markup(`<li class="row line wrong" data-check="{id}"><span class="mark {class}">`, "id", check.ID, "class", of.class) + drawnIcon(of.glyph) +
		markup(`</span><div class="row-text"><h3 class="row-name"><span>{title}</span><span class="tag {class}">{word}</span></h3><p class="note">{group}</p><p lang="en" dir="ltr">{compared}</p>`,
			"title", check.Title, "class", of.class, "word", p.text(of.word), "group", check.Group, "compared", check.Compared)
	for _, mend := range check.Mend {
		if mend.In == "" {
			html += markup(`<p class="note">{text}</p><p lang="en" dir="ltr">{line}</p>`, "text", p.text(shared.CheckTextMend), "line", mend.Line)
			continue
		}
		html += markup(`<p class="note">{text}</p><div class="notice mend"><code class="code-line" lang="en" dir="ltr">{line}</code>`,
			"text", message.Fill(p.text(shared.CheckTextWrite), "program", mend.In), "line", mend.Line) + p.copyButton("small", mend.Line) + `</div>`
	}
	return html + `</div></li>`
}

// copyButton copies a text when it is clicked: see onClick.
func (p *ChecksPage) copyButton(kind, what string) string {
	return markup(`<button type="button" class="button {kind}" data-copy="{what}">{text}</button>`, "kind", kind, "what", what, "text", p.text(shared.CheckTextCopy))
}

// onClick copies what a button has, and says so in its place.
func (p *ChecksPage) onClick(ctx app.Context, e app.Event) {
	clicked := e.Get("target").Call("closest", "[data-copy]")
	if !clicked.Truthy() {
		return
	}
	what, copied := clicked.Get("dataset").Get("copy").String(), p.Context.Text.Link.Copied
	ctx.Async(func() {
		if browser.Copy(ctx, what) {
			clicked.Set("textContent", copied)
			ctx.Dispatch(func(app.Context) { p.announcement = copied })
		}
	})
}

// drawnTree is every check below its group.
func (p *ChecksPage) drawnTree() string {
	html, group := markup(`<section id="checks-all" class="part" aria-labelledby="checks-list"><h2 id="checks-list">{text}</h2><div class="card"><div class="days">`, "text", p.text(shared.CheckTextAll)), ""
	for _, check := range p.all() {
		if check.Group != group {
			if group != "" {
				html += `</ul></div>`
			}
			group = check.Group
			html += markup(`<div class="part"><h3>{group}</h3><ul class="checks">`, "group", group)
		}
		html += markup(`<li data-check="{id}" data-state="{state}">`, "id", check.ID, "state", string(check.State)) +
			p.marked("span", check.State, p.text(looksOf(check.State).word)) +
			markup(`<span><b>{title}</b> <span class="quiet" lang="en" dir="ltr">{compared}</span></span></li>`, "title", check.Title, "compared", check.Compared)
	}
	if group != "" {
		html += `</ul></div>`
	}
	return html + `</div></div></section>`
}

func (p *ChecksPage) drawnSupport() string {
	support := p.server.Support + p.browser.Support
	return markup(`<section class="part" aria-labelledby="checks-support"><div class="head"><h2 id="checks-support">{title}</h2>`, "title", p.text(shared.CheckTextSupport)) +
		p.copyButton("", support) +
		markup(`</div><p class="quiet">{lead}</p><pre id="support" class="notice" lang="en" dir="ltr" tabindex="0" role="group" aria-labelledby="checks-support">{support}</pre></section>`,
			"lead", p.text(shared.CheckTextSupportLead), "support", support)
}
