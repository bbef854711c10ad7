package ui

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/browser"
	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// How the page of checks looks. It is made of few functions that take texts, since each element that is made by
// itself adds to the program.

func box(tag, class string, body ...app.UI) app.HTMLElem {
	return app.Elem(tag).Class(class).Body(body...)
}

func words(tag, class, text string) app.HTMLElem { return app.Elem(tag).Class(class).Text(text) }

// english is an element with a text of the server that is in English for everybody, as the command prints it.
func english(tag, class, text string) app.HTMLElem {
	return words(tag, class, text).Lang("en").Attr("dir", "ltr")
}

// Render implements app.Composer.
func (p *ChecksPage) Render() app.UI {
	found, counts := app.UI(nil), app.UI(nil)
	offline := p.Context.Offline != ""
	again := p.Context.button("checks-again", "", p.Context.Text.Shell.TryAgain, p.isRunning() || offline, p.onAgain)
	switch {
	case p.state == listReady:
		found, counts = box("div", "days", p.renderFound()...), p.renderCounts()
		again.Text(p.text(shared.CheckTextAgain))
	case p.state == listLoading && !offline:
		found = p.Context.waitingRows()
	}
	return box("section", "page page-wide",
		box("div", "head",
			box("div", "",
				words("h1", "", p.Context.Text.Shell.Checks).ID(checksTitleID).TabIndex(-1),
				words("p", "quiet", p.text(shared.CheckTextLead)),
				Slot(counts),
			),
			again,
		),
		p.Context.notice(p.failure),
		Slot(found),
		spoken(p.announcement),
	).Aria("labelledby", checksTitleID)
}

func (p *ChecksPage) onAgain(app.Context, app.Event) { p.begin() }

// states are all outcomes, the worst first.
var states = []shared.CheckState{shared.CheckFailed, shared.CheckWarning, shared.CheckOK, shared.CheckLeftOut}

func (p *ChecksPage) renderCounts() app.UI {
	var all []app.UI
	for _, state := range states {
		if len(p.of(state)) > 0 {
			all = append(all, p.marked(state, "b", p.counted(state)))
		}
	}
	if p.isRunning() {
		all = append(all, words("span", "quiet", message.Fill(p.text(shared.CheckTextRunning), "n", p.Context.Number(len(p.all())))))
	}
	return box("p", "tools", all...).ID("checks-counts")
}

// marked is a text behind the icon of an outcome.
func (p *ChecksPage) marked(state shared.CheckState, tag, text string) app.HTMLElem {
	return box(tag, "marked "+looksOf(state).class, icon(looksOf(state).glyph), app.Text(" "+text))
}

func (p *ChecksPage) renderFound() []app.UI {
	unseen, support := app.UI(nil), app.UI(nil)
	if p.unseen != nil {
		unseen = box("div", "", words("p", "notice notice-bad", p.text(shared.CheckTextUnseen)).Attr("role", "alert"), p.Context.notice(p.unseen))
	}
	if !p.isRunning() {
		support = p.renderSupport()
	}
	return []app.UI{
		Slot(unseen), Slot(p.renderToDo()),
		box("details", "fold card",
			box("summary", "", words("h2", "", p.text(shared.CheckTextAll)), box("span", "turn", icon("down"))),
			box("div", "days", p.renderTree()...),
		).ID("checks-all"),
		p.renderThrowaway(), Slot(support),
	}
}

// renderToDo shows what is wrong, the worst first, with what to do.
func (p *ChecksPage) renderToDo() app.UI {
	var rows []app.UI
	for _, check := range append(p.of(shared.CheckFailed), p.of(shared.CheckWarning)...) {
		rows = append(rows, p.renderWrong(check))
	}
	what := app.UI(p.marked(shared.CheckOK, "p", p.text(shared.CheckTextNothing)).ID("checks-nothing"))
	switch {
	case len(rows) > 0:
		what = box("ul", "rows", rows...)
	case p.isRunning():
		return nil
	}
	return part("checks-todo", p.text(shared.CheckTextToDo), nil, what)
}

func (p *ChecksPage) renderWrong(check shared.Check) app.UI {
	of := looksOf(check.State)
	body := []app.UI{
		box("h3", "row-name", words("span", "", check.Title), words("span", "tag "+of.class, p.text(of.word))),
		words("p", "note", check.Group),
		english("p", "", check.Compared),
	}
	for _, mend := range check.Mend {
		if mend.In == "" {
			body = append(body, words("p", "note", p.text(shared.CheckTextMend)), english("p", "", mend.Line))
			continue
		}
		body = append(body,
			words("p", "note", message.Fill(p.text(shared.CheckTextWrite), "program", mend.In)),
			box("div", "notice mend", english("code", "code-line", mend.Line), p.copyButton("small", mend.Line)),
		)
	}
	return box("li", "row line wrong", box("span", "mark "+of.class, icon(of.glyph)), box("div", "row-text", body...)).DataSet("check", check.ID)
}

// copyButton copies a text. Its label says so while the text is the one that was copied last.
func (p *ChecksPage) copyButton(kind, what string) app.UI {
	return button("", kind, "", false, func(ctx app.Context, _ app.Event) {
		ctx.Async(func() {
			if browser.Copy(ctx, what) {
				ctx.Dispatch(func(app.Context) { p.copied, p.announcement = what, p.Context.Text.Link.Copied })
			}
		})
	}).Body(steady(p.copied == what, p.Context.Text.Link.Copied, p.text(shared.CheckTextCopy)))
}

// renderTree shows every check below its group.
func (p *ChecksPage) renderTree() (groups []app.UI) {
	list := p.all()
	for len(list) > 0 {
		group := list[0].Group
		var rows []app.UI
		for len(list) > 0 && list[0].Group == group {
			check := list[0]
			list = list[1:]
			rows = append(rows, box("li", "",
				p.marked(check.State, "span", p.text(looksOf(check.State).word)),
				box("span", "", words("b", "", check.Title), english("span", "quiet", " "+check.Compared)),
			).DataSet("check", check.ID).DataSet("state", string(check.State)))
		}
		groups = append(groups, box("div", "part", words("h3", "", group), box("ul", "checks", rows...)))
	}
	return groups
}

func (p *ChecksPage) renderThrowaway() app.UI {
	off, tried := p.isRunning() || p.Context.Offline != "" || len(p.browser.Checks) == 0, app.UI(nil)
	if n := len(p.browser.Checks); n > 0 && p.browser.Checks[n-1].State != shared.CheckLeftOut && !p.trying {
		last := p.browser.Checks[n-1]
		tried = box("p", "", p.marked(last.State, "span", p.text(looksOf(last.State).word)+": "), english("span", "", last.Compared)).ID("tried").Attr("role", "status")
	}
	return part("checks-throwaway", p.text(shared.CheckTextThrowaway), nil,
		words("p", "quiet", p.text(shared.CheckTextThrowawayLead)).ID("throwaway-lead"),
		box("div", "buttons", p.Context.button("throwaway", "", "", off, p.onThrowaway).Aria("describedby", "throwaway-lead").
			Body(steady(p.trying, p.text(shared.CheckTextWorking), p.text(shared.CheckTextThrowaway), icon("key")))),
		Slot(tried),
	)
}

func (p *ChecksPage) onThrowaway(app.Context, app.Event) { p.look(p.Context.RPID) }

func (p *ChecksPage) renderSupport() app.UI {
	support := p.server.Support + p.browser.Support
	return part("checks-support", p.text(shared.CheckTextSupport), p.copyButton("", support),
		words("p", "quiet", p.text(shared.CheckTextSupportLead)),
		english("pre", "notice", support).ID("support").TabIndex(0).Attr("role", "region").Aria("labelledby", "checks-support"),
	)
}
