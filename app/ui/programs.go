package ui

import (
	"context"
	"slices"
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// ProgramService does what the list of programs offers, for the signed-in user.
type ProgramService interface {
	// Programs returns the programs that the user signs in to.
	Programs(ctx context.Context) (shared.ProgramList, error)
	// EndProgram ends one, and returns those that are left.
	EndProgram(ctx context.Context, id string) (shared.ProgramList, error)
}

// ProgramsPart is a part of the start page: the other programs that the user signs in to with the
// account. It says what each gets, and ends it.
type ProgramsPart struct {
	app.Compo

	Context     Context        // required
	Service     ProgramService // required
	Changes     int            // grows whenever the list may have changed elsewhere
	OnSignedOut func()         // the session has ended

	tasks
	seen         int // Changes, when the list was asked for
	state        listState
	list         []shared.Program
	failure      error
	asked        string // the id of the program that the user may end; "" for none
	ending       bool
	announcement string
}

// OnMount loads the list.
func (p *ProgramsPart) OnMount(ctx app.Context) {
	p.tasks = tasks{self: ctx, context: &p.Context, signedOut: p.OnSignedOut}
	p.load()
}

// OnUpdate loads again when something changed elsewhere.
func (p *ProgramsPart) OnUpdate(app.Context) {
	if p.seen != p.Changes {
		p.load()
	}
}

func (p *ProgramsPart) load() {
	p.seen = p.Changes
	p.take(p.Service.Programs, func(err error) {
		if err != nil && p.state != listReady { // a list that is shown stays
			p.state, p.failure = listFailed, err
		}
	})
}

// take asks for the list in one of the ways of the service, shows it, and calls done.
func (p *ProgramsPart) take(ask func(context.Context) (shared.ProgramList, error), done func(error)) {
	var list shared.ProgramList
	p.attempt(func(ctx context.Context) (err error) {
		list, err = ask(ctx)
		return err
	}, func(err error) {
		if err == nil {
			p.state, p.list, p.failure = listReady, list.Programs, nil
		}
		done(err)
	})
}

// Render implements app.Composer.
func (p *ProgramsPart) Render() app.UI {
	text := p.Context.Text.Programs
	program, asks := p.find()
	return part("programs", text.Title, nil,
		p.renderList(),
		Slot(app.If(asks, func() app.UI {
			return &askDialog{
				Context: p.Context, ID: "program-end", Title: message.Fill(text.EndTitle, "program", program.Name), Lead: message.Fill(text.EndLead, "program", program.Name),
				Do: text.End, Harms: true, Working: p.ending, OnOK: p.end, OnCancel: p.cancel,
			}
		})),
		spoken(p.announcement),
	)
}

// find returns the program that the user may end.
func (p *ProgramsPart) find() (found shared.Program, is bool) {
	at := slices.IndexFunc(p.list, func(program shared.Program) bool { return program.ID == p.asked })
	if at < 0 {
		return found, false
	}
	return p.list[at], true
}

func (p *ProgramsPart) renderList() app.UI {
	switch {
	case p.state == listFailed:
		return p.Context.failedRows(p.failure, true, "programs-retry", func(app.Context, app.Event) { p.load() })
	case p.state == listLoading:
		return p.Context.waitingRows()
	case len(p.list) == 0:
		return p.Context.noRows(p.Context.Text.Programs.None)
	}
	return app.Elem("div").Class("stack").Body(
		p.Context.notice(p.failure),
		app.Elem("ul").Class("rows").Body(app.Range(p.list).Slice(func(i int) app.UI { return p.row(p.list[i]) })),
	)
}

func (p *ProgramsPart) row(program shared.Program) app.UI {
	text := p.Context.Text.Programs
	at, used := program.Since, text.Since
	if !program.Used.IsZero() {
		at, used = program.Used, text.Used
	}
	when, exact := p.Context.whenWithin(at)
	row := &line{
		Context: p.Context, ID: "program-" + program.ID, Level: "h3", Initial: shared.Initial(program.Name), Name: program.Name,
		Facts: append(facts(program.Host), fact{message.Fill(used, "date", when), exact}),
		Do: rowAction{
			ID: "end-" + program.ID, Text: text.End, Label: message.Fill(text.EndRow, "program", program.Name),
			Off: p.Context.Offline != "", Do: func() { p.asked = program.ID },
		},
	}
	var gets []string
	for _, scope := range program.Scopes {
		if word := map[string]string{shared.ScopeProfile: text.Profile, shared.ScopeEmail: text.Email, shared.ScopeGroups: text.Groups}[scope]; word != "" {
			gets = append(gets, word)
		}
	}
	if len(gets) > 0 {
		row.Facts = append(row.Facts, facts(message.Fill(text.Gets, "what", strings.Join(gets, ", ")))...)
	}
	if slices.Contains(program.Scopes, shared.ScopeOffline) {
		row.Facts = append(row.Facts, facts(text.Offline)...)
	}
	return row
}

func (p *ProgramsPart) cancel() {
	focus(p.self, "end-"+p.asked)
	p.asked = ""
}

func (p *ProgramsPart) end() {
	program, is := p.find()
	if !is || p.ending {
		return
	}
	p.ending = true
	p.take(func(ctx context.Context) (shared.ProgramList, error) {
		left, err := p.Service.EndProgram(ctx, program.ID)
		if shared.CodeOf(err) == shared.CodeNotFound {
			return p.Service.Programs(ctx) // it has ended already, which is what the user wanted
		}
		return left, err
	}, func(err error) {
		p.asked, p.ending, p.failure = "", false, err
		if err == nil {
			p.announcement = message.Fill(p.Context.Text.Programs.Ended, "program", program.Name)
		}
		focus(p.self, "programs")
	})
}
