package ui

import (
	"context"
	"slices"
	"testing"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/shared"
)

// shelf is a server with programs. It refuses with err.
type shelf struct {
	programs []shared.Program
	err      error
}

func (s *shelf) Programs(context.Context) (shared.ProgramList, error) {
	if s.err != nil && shared.CodeOf(s.err) != shared.CodeNotFound {
		return shared.ProgramList{}, s.err
	}
	return shared.ProgramList{Programs: slices.Clone(s.programs)}, nil
}

func (s *shelf) EndProgram(ctx context.Context, id string) (shared.ProgramList, error) {
	if s.err != nil {
		return shared.ProgramList{}, s.err
	}
	s.programs = slices.DeleteFunc(s.programs, func(p shared.Program) bool { return p.ID == id })
	return s.Programs(ctx)
}

func (p *ProgramsPart) names() (names []string) {
	for _, program := range p.list {
		names = append(names, program.Name)
	}
	return names
}

func TestEndProgram(t *testing.T) {
	grafana, notes := shared.Program{ID: "g", Name: "Grafana"}, shared.Program{ID: "n", Name: "Notes"}
	for name, test := range map[string]struct {
		does func(*shelf, *ProgramsPart) []func(app.Context)
		left []string
		says string
		asks bool
		fail shared.Code
	}{
		"it asks first": {func(_ *shelf, p *ProgramsPart) []func(app.Context) {
			return []func(app.Context){done(func() { p.asked = "g" })}
		}, []string{"Grafana", "Notes"}, "", true, ""},
		"ended": {func(_ *shelf, p *ProgramsPart) []func(app.Context) {
			return []func(app.Context){done(func() { p.asked = "g" }), done(p.end)}
		}, []string{"Notes"}, "Grafana was ended.", false, ""},
		"cancelled": {func(_ *shelf, p *ProgramsPart) []func(app.Context) {
			return []func(app.Context){done(func() { p.asked = "g" }), done(p.cancel), done(p.end)}
		}, []string{"Grafana", "Notes"}, "", false, ""},
		"ended elsewhere before": {func(s *shelf, p *ProgramsPart) []func(app.Context) {
			return []func(app.Context){done(func() {
				p.asked = "g"
				s.programs, s.err = []shared.Program{notes}, shared.Errorf(shared.CodeNotFound, "This program isn't in your list any more.")
			}), done(p.end)}
		}, []string{"Notes"}, "Grafana was ended.", false, ""},
		"ended elsewhere while it asks": {func(s *shelf, p *ProgramsPart) []func(app.Context) {
			return []func(app.Context){done(func() { p.asked = "g" }), func(ctx app.Context) {
				s.programs = []shared.Program{notes}
				p.Changes++
				p.OnUpdate(ctx)
			}, done(p.end)}
		}, []string{"Notes"}, "", false, ""},
		"refused": {func(s *shelf, p *ProgramsPart) []func(app.Context) {
			return []func(app.Context){done(func() { p.asked, s.err = "g", shared.Errorf(shared.CodeConflict, "Somebody was faster.") }), done(p.end)}
		}, []string{"Grafana", "Notes"}, "", false, shared.CodeConflict},
	} {
		t.Run(name, func(t *testing.T) {
			s := &shelf{programs: []shared.Program{grafana, notes}}
			p := &ProgramsPart{Context: inEnglish(), Service: s}
			plays(t, p, test.does(s, p)...)
			if _, asks := p.find(); !slices.Equal(p.names(), test.left) || p.announcement != test.says || asks != test.asks || shared.CodeOf(p.failure) != test.fail || p.ending {
				t.Errorf("left are %q, it says %q, asks: %t, works: %t, failure: %v", p.names(), p.announcement, asks, p.ending, p.failure)
			}
		})
	}
}
