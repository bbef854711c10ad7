package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Everything that is wrong with the settings is refused together, so that IT mends it in one go.

// fault is one thing that is wrong.
type fault struct {
	of  []string // the settings that it is about
	err error
}

func faultOf(err error, of ...string) fault { return fault{of, err} }

// refuse adds what is wrong with settings, unless err is nil.
func (s *Settings) refuse(err error, of ...string) {
	if err != nil {
		s.faults = append(s.faults, faultOf(err, of...))
	}
}

// refuseAll adds what a check has found. It leaves out what follows from a setting that is refused already,
// and adds where the settings are written.
func (s *Settings) refuseAll(found []fault) {
	for _, f := range found {
		if !s.isRefused(f.of) {
			s.refuse(s.placed(f), f.of...)
		}
	}
}

// IsRefused reports whether one of these settings can't be used.
func (s *Settings) IsRefused(names ...string) bool { return s.isRefused(names) }

func (s *Settings) isRefused(names []string) bool {
	return slices.ContainsFunc(s.faults, func(f fault) bool {
		return slices.ContainsFunc(f.of, func(name string) bool { return slices.Contains(names, name) })
	})
}

// placed adds to what a check has found where the settings are written, unless they were typed.
func (s *Settings) placed(f fault) error {
	var places []string
	for _, name := range f.of {
		if place := s.places[name]; place != "" && !strings.HasPrefix(place, "--") {
			places = append(places, place)
		}
	}
	if len(places) == 0 {
		return f.err
	}
	return fmt.Errorf("%w (%s)", f.err, strings.Join(places, "; "))
}

// refused returns everything that is wrong, one sentence a line, or nil.
func (s *Settings) refused() error {
	var all []error
	for _, f := range s.faults {
		all = append(all, f.err)
	}
	return errors.Join(all...)
}
