package ui

import (
	"context"
	"encoding/json"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/browser"
	"github.com/keypeg/keypeg/shared"
)

// ChecksService examines the installation for a signed-in administrator.
type ChecksService interface {
	// Checks returns what the examination of the server has found so far.
	Checks(ctx context.Context) (shared.Checks, error)
	// JudgeBrowser says what is wrong with what this browser sees, a [shared.Observed] in JSON.
	JudgeBrowser(ctx context.Context, observed json.RawMessage) (shared.Checks, error)
	// EndSilent ends a ceremony that the user didn't ask for: a browser runs one at a time.
	EndSilent()
}

// ChecksPage says what is wrong with the installation, and how to mend it: what the server finds, and what this
// browser sees of it. What is wrong comes first, then all checks, and then a text to send to whoever helps.
type ChecksPage struct {
	app.Compo

	Context Context       // required
	Service ChecksService // required

	OnSignedOut func() // the session has ended

	tasks
	asked        int // how often everything was checked; an answer to an earlier request is ignored
	state        listState
	server       shared.Checks // so far
	browser      shared.Checks
	looking      bool // this browser's checks are being made
	trying       bool // with a throwaway passkey
	failure      error
	unseen       error // why this browser's checks weren't made
	announcement string
}

// OnMount begins to check.
func (p *ChecksPage) OnMount(ctx app.Context) {
	p.tasks = tasks{self: ctx, context: &p.Context, signedOut: p.OnSignedOut}
	p.begin()
}

func (p *ChecksPage) begin() {
	p.asked++
	p.state, p.failure, p.unseen, p.announcement = listLoading, nil, nil, ""
	p.server, p.browser, p.looking = shared.Checks{}, shared.Checks{}, false
	p.ask(p.asked)
}

// ask asks the server until its examination has ended. This browser looks meanwhile.
func (p *ChecksPage) ask(asked int) {
	var found shared.Checks
	p.attempt(func(ctx context.Context) (err error) {
		found, err = p.Service.Checks(ctx)
		return err
	}, func(err error) {
		if asked != p.asked {
			return
		}
		if err != nil {
			p.state, p.failure = listFailed, err
			return
		}
		first := p.state == listLoading
		p.state, p.server = listReady, found
		if first {
			p.look("")
		}
		if found.Running {
			p.ask(asked)
		}
		p.announce()
	})
}

// look makes this browser's checks: with a relying party id, that of a throwaway passkey too.
func (p *ChecksPage) look(rpID string) {
	asked, of := p.asked, p.server
	p.looking, p.trying, p.unseen = true, rpID != "", nil
	var found shared.Checks
	p.attempt(func(ctx context.Context) error {
		if rpID != "" {
			p.Service.EndSilent()
		}
		observed, err := browser.Observe(ctx, of, rpID)
		if err != nil {
			return err
		}
		found, err = p.Service.JudgeBrowser(ctx, observed)
		return err
	}, func(err error) {
		if asked != p.asked {
			return
		}
		p.looking, p.trying, p.unseen = false, false, err
		if err == nil {
			p.browser = found
		}
		p.announce()
	})
}

func (p *ChecksPage) isRunning() bool {
	return p.state == listLoading || p.state == listReady && (p.server.Running || p.looking)
}

// announce tells a screen reader how many checks failed, when all were made.
func (p *ChecksPage) announce() {
	if !p.isRunning() {
		p.announcement = p.counted(shared.CheckFailed) + ", " + p.counted(shared.CheckWarning)
	}
}

// counted says how many checks have an outcome.
func (p *ChecksPage) counted(state shared.CheckState) string {
	return p.Context.Number(len(p.of(state))) + " " + p.text(looksOf(state).counted)
}

// text is one of the texts that the server has sent.
func (p *ChecksPage) text(name shared.CheckText) string { return p.server.Texts[name] }

// all returns all checks so far: this browser's are the last ones.
func (p *ChecksPage) all() []shared.Check {
	return append(append([]shared.Check{}, p.server.Checks...), p.browser.Checks...)
}

// of returns the checks with an outcome.
func (p *ChecksPage) of(state shared.CheckState) (list []shared.Check) {
	for _, check := range p.all() {
		if check.State == state {
			list = append(list, check)
		}
	}
	return list
}

// look is how an outcome looks: its icon, its class and its words.
type look struct {
	glyph, class  string
	word, counted shared.CheckText
}

// looksOf says how an outcome looks.
func looksOf(state shared.CheckState) look {
	switch state {
	case shared.CheckFailed:
		return look{"close", "bad", shared.CheckTextStateFailed, shared.CheckTextFailed}
	case shared.CheckWarning:
		return look{"warning", "warn", shared.CheckTextStateWarning, shared.CheckTextWarning}
	case shared.CheckOK:
		return look{"done", "ok", shared.CheckTextStateOK, shared.CheckTextOK}
	}
	return look{"info", "quiet", shared.CheckTextStateLeftOut, shared.CheckTextLeftOut}
}
