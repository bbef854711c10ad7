package openid_test

import (
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/openid"
	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// TestOfflineTakenBack: a client that may not have refresh tokens any more doesn't get new tokens by one that it has, and
// keeps nobody signed in. If it is allowed again, its refresh token works again.
func TestOfflineTakenBack(t *testing.T) {
	onEveryStoreScene(t, func(s *scene) {
		registry := openid.NewRegistry(s.store, nil, s.now)
		wiki, secret, err := registry.Add(s.Context(), session.Actor{}, clientOf(s.T, func(c *openid.Client) { c.ID, c.Secrets = "wiki", nil }))
		if err != nil {
			s.Fatal(err)
		}
		may := func(scopes ...string) {
			wiki.Scopes = scopes
			if _, err := registry.Change(s.Context(), session.Actor{}, wiki); err != nil {
				s.Fatal(err)
			}
		}
		ann := s.user("ann")
		_, got := s.program(openid.PathToken, codeForm(ann.code("client_id", "wiki", "scope", "openid profile offline_access")), basic("wiki", secret))
		refresh := func() tokens {
			_, next := s.program(openid.PathToken, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {got.RefreshToken}}, basic("wiki", secret))
			return next
		}
		may(shared.ScopeProfile)
		s.is("refresh, when offline_access is taken away", refresh().Error, "invalid_grant")
		may(shared.ScopeProfile, shared.ScopeOffline)
		got = refresh()
		s.is("refresh, when it is allowed again", got.Error, "")
		may(shared.ScopeProfile)
		s.passes(20 * time.Hour)
		s.is("refresh a day later", refresh().Error, "invalid_grant")
		s.passes(5 * time.Hour)
		s.is("signed in, when only the program was there for a day", ann.isSignedIn(), false)
	})
}

// TestIntrospectsRights: introspection says of a token what userinfo does. It works no more for a user who has left the
// groups of the client, and has no scope that was taken from it.
func TestIntrospectsRights(t *testing.T) {
	onEveryStoreScene(t, func(s *scene) {
		registry := openid.NewRegistry(s.store, nil, s.now)
		wiki, secret, err := registry.Add(s.Context(), session.Actor{}, clientOf(s.T, func(c *openid.Client) { c.ID, c.Secrets, c.Groups = "wiki", nil, []string{"it"} }))
		if err != nil {
			s.Fatal(err)
		}
		ann := s.user("ann")
		ann.changes(func(u *store.User) { u.Groups = []string{"it"} })
		_, got := s.program(openid.PathToken, codeForm(ann.code("client_id", "wiki", "scope", "openid profile groups")), basic("wiki", secret))
		introspects := func(what, want string) {
			s.Helper()
			a := s.browser().sends("POST", openid.PathIntrospect, asForm, url.Values{"token": {got.AccessToken}}.Encode(), basic("wiki", secret))
			var is struct {
				Active bool
				Scope  string
			}
			s.browser().decodes(a, &is)
			s.is(what, fmt.Sprint(is.Active, " ", is.Scope), want)
		}
		introspects("at first", "true openid profile groups")
		wiki.Scopes = []string{shared.ScopeProfile}
		if _, err := registry.Change(s.Context(), session.Actor{}, wiki); err != nil {
			s.Fatal(err)
		}
		introspects("when groups is taken away", "true openid profile")
		ann.changes(func(u *store.User) { u.Groups = nil })
		introspects("when ann has left the group", "false ")
		s.is("userinfo, when ann has left the group", len(s.userinfo(got.AccessToken)), 0)
	})
}
