package server_test

import (
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/forwardauth"
	"github.com/keypeg/keypeg/server/grant"
	"github.com/keypeg/keypeg/server/openid"
	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/shared"
)

// hasPrograms registers the clients of TestPrograms.
func (s *site) hasPrograms() {
	s.Helper()
	s.restarts(func(c *server.Config) {
		for _, client := range []openid.Client{
			{ID: "grafana", Name: "Grafana", Redirects: []string{"https://grafana.example/login"}},
			{ID: "notes", Name: "a notebook", Home: "https://notes.example/start", Redirects: []string{"https://elsewhere.example/"}},
			{ID: "app", Name: "On my desk", Redirects: []string{"com.example.desk:/cb", "http://127.0.0.1/cb"}},
		} {
			client.Authentication = openid.AuthenticatesNever
			client, err := client.Check()
			if err != nil {
				s.Fatal(err)
			}
			c.Clients = append(c.Clients, client)
		}
		wiki, err := server.ParseGate(forwardauth.Gate{Name: "wiki", Title: "Wiki", Host: "wiki.example.org"})
		if err != nil {
			s.Fatal(err)
		}
		c.Gates = append(c.Gates, wiki)
	})
}

// lets lets a program in, as the consent page does.
func (v *visitor) lets(program string, scopes ...string) {
	v.Helper()
	user, err := v.store.UserByName(v.Context(), v.name)
	if err != nil {
		v.Fatal(err)
	}
	if err := v.handler.Grants().Allow(v.Context(), session.Actor{User: user}, grant.Allowed{Program: program, Scopes: scopes}); err != nil {
		v.Fatal(err)
	}
}

func (v *visitor) programs() []shared.Program {
	v.Helper()
	return into[shared.ProgramList](v, v.sends("GET", shared.PathPrograms, nil), 200).Programs
}

func namesOf(programs []shared.Program) (names []string) {
	for _, p := range programs {
		names = append(names, p.Name)
	}
	return names
}

// TestPrograms checks that users see the programs that they sign in to, and end them.
func TestPrograms(t *testing.T) {
	onEveryStore(t, func(s *site) {
		ann, bob := s.user("ann"), s.user("bob")
		s.Run("where there are none, the list is empty, and the account says so", func(t *testing.T) {
			if got := ann.programs(); len(got) != 0 || ann.account().Programs > 0 {
				t.Errorf("got %+v", got)
			}
			ann.refused(ann.sends("DELETE", shared.PathProgram+strings.Repeat("a", 24), nil), 404, shared.CodeNotFound)
		})
		s.hasPrograms()
		ann.lets("client:grafana", shared.ScopeOpenID, shared.ScopeProfile, shared.ScopeGroups)
		ann.lets("client:notes", shared.ScopeOpenID)
		ann.lets("client:https://old.example/client.json", shared.ScopeEmail) // of a document that isn't there any more
		ann.lets("client:app", shared.ScopeEmail)
		ann.lets("gate:wiki")
		bob.lets("client:grafana", shared.ScopeProfile)
		all := ann.programs()
		s.Run("the list has what each gets, by their names, with those that aren't registered any more", func(t *testing.T) {
			if got := namesOf(all); !slices.Equal(got, []string{"a notebook", "Grafana", "https://old.example/client.json", "On my desk", "Wiki"}) || ann.account().Programs != 5 {
				t.Fatalf("got %q", got)
			}
			grafana := all[1]
			if grafana.Host != "grafana.example" || !slices.Equal(grafana.Scopes, []string{shared.ScopeProfile, shared.ScopeGroups}) || grafana.Since.IsZero() || !grafana.Used.IsZero() {
				t.Errorf("got %+v", grafana)
			}
			if notes := all[0]; notes.Scopes == nil || len(notes.Scopes) != 0 || notes.Host != "notes.example" {
				t.Errorf("got %+v", notes)
			}
			if desk, wiki := all[3], all[4]; desk.Host != "" || wiki.Host != "wiki.example.org" {
				t.Errorf("an app has the host %q, and a gate %q", desk.Host, wiki.Host)
			}
		})
		s.Run("an e-mail address is got of a user who has one", func(t *testing.T) {
			if got := all[3].Scopes; len(got) != 0 {
				t.Errorf("of a user without an address, the program gets %v", got)
			}
			ann.sends("PATCH", shared.PathProfile, `{"email":"ann@example.org"}`)
			if got := ann.programs()[3].Scopes; !slices.Equal(got, []string{shared.ScopeEmail}) {
				t.Errorf("of a user with an address, it gets %v", got)
			}
		})
		s.Run("they are in what the user gets of their own data", func(t *testing.T) {
			if got := namesOf(into[shared.Export](ann, ann.sends("POST", shared.PathExport, nil), 200).Programs); !slices.Equal(got, namesOf(all)) {
				t.Errorf("got %q, want %q", got, namesOf(all))
			}
		})
		s.Run("an ended program is gone, and in the activity", func(t *testing.T) {
			left := into[shared.ProgramList](ann, ann.sends("DELETE", shared.PathProgram+all[1].ID, nil), 200)
			if got := namesOf(left.Programs); !slices.Equal(got, []string{"a notebook", "https://old.example/client.json", "On my desk", "Wiki"}) {
				t.Errorf("%q are left", got)
			}
			events := into[shared.Activity](ann, ann.sends("GET", shared.PathActivity, nil), 200).Events
			if e := events[0]; e.Kind != shared.EventProgramEnded || e.Program != "Grafana" {
				t.Errorf("the newest event is %+v", e)
			}
			ann.refused(ann.sends("DELETE", shared.PathProgram+all[1].ID, nil), 404, shared.CodeNotFound)
			if again := into[shared.Activity](ann, ann.sends("GET", shared.PathActivity, nil), 200).Events; len(again) != len(events) {
				t.Errorf("a refusal is an event: %+v", again[0])
			}
		})
		s.Run("one that isn't registered any more can be ended, though its id is an address", func(t *testing.T) {
			if left := into[shared.ProgramList](ann, ann.sends("DELETE", shared.PathProgram+all[2].ID, nil), 200); len(left.Programs) != 3 {
				t.Errorf("left is %+v", left)
			}
		})
		s.Run("nobody ends a program of somebody else", func(t *testing.T) {
			theirs := bob.programs()
			ann.refused(ann.sends("DELETE", shared.PathProgram+theirs[0].ID, nil), 404, shared.CodeNotFound)
			if got := bob.programs(); len(got) != 1 {
				t.Errorf("bob has %+v", got)
			}
			s.visitor().refused(s.visitor().sends("GET", shared.PathPrograms, nil), 401, shared.CodeUnauthenticated)
		})
		s.Run("other pages of the user hear of it", func(t *testing.T) {
			running := httptest.NewServer(s)
			s.Cleanup(running.Close)
			lines := bob.listens(running.URL)
			into[shared.ProgramList](bob, bob.sends("DELETE", shared.PathProgram+bob.programs()[0].ID, nil), 200)
			bob.receives(lines, "event: "+shared.LiveChanged)
		})
	})
}
