package server_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/openid"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// administrator returns a signed-in visitor who is one.
func (s *site) administrator(name string) *visitor {
	s.Helper()
	v := s.user(name)
	s.changes(v, func(u *store.User) { u.Role = shared.RoleAdministrator })
	return v
}

// faultsOf are the fields that a refusal marks.
func (v *visitor) faultsOf(a answer) (fields []string) {
	v.Helper()
	v.refused(a, 422, shared.CodeInvalidClient)
	var problem shared.Problem
	if err := json.Unmarshal(a.body, &problem); err != nil {
		v.Fatal(err)
	}
	for _, fault := range problem.Faults {
		if fault.Sentence == "" {
			v.Errorf("nothing says what is wrong with %s", fault.Field)
		}
		fields = append(fields, fault.Field)
	}
	return fields
}

// TestClients checks what administrators do with the programs that sign users in.
func TestClients(t *testing.T) {
	onEveryStore(t, func(s *site) {
		configured, err := openid.Client{ID: "ours", Name: "Ours", Redirects: []string{"https://ours.example/cb"}, Authentication: openid.AuthenticatesNever}.Check()
		if err != nil {
			s.Fatal(err)
		}
		s.restarts(func(c *server.Config) { c.Clients = []openid.Client{configured} })
		root := s.administrator("root")
		const wiki = shared.PathClient + "wiki"
		added := into[shared.RegisteredClient](root, root.sends("POST", shared.PathClients, `{"id":"wiki","settings":{"name":"Wiki","redirects":["https://wiki.example/cb"],"groups":["Staff"]}}`), 201)
		isSecret := func(secret string) bool {
			c, err := s.handler.Clients().Client(s.Context(), "wiki")
			return err == nil && c.HasSecret(secret, s.now())
		}

		s.Run("an added program has a secret, which is told once", func(t *testing.T) {
			if c := added.Client; !isSecret(added.Secret) || added.Issuer == "" || c.Host != "wiki.example" || !slices.Equal(c.Settings.Groups, []string{"staff"}) || c.Changed.IsZero() {
				t.Errorf("got %+v", added)
			}
			for _, path := range []string{shared.PathClients, wiki} {
				if a := root.sends("GET", path, nil); strings.Contains(string(a.body), added.Secret) {
					t.Errorf("%s tells the secret again", path)
				}
			}
		})
		s.Run("the list has those of the configuration file, and the presets", func(t *testing.T) {
			list := into[shared.ClientList](root, root.sends("GET", shared.PathClients, nil), 200)
			if len(list.Clients) != 2 || !list.Clients[0].Configured || list.Clients[1].ID != "wiki" || len(list.Presets) != len(openid.Presets()) {
				t.Fatalf("got %+v", list)
			}
			at := slices.IndexFunc(list.Presets, func(p shared.ClientPreset) bool { return p.ID == "grafana" })
			if got := list.Presets[at].Settings; got.Name != "Grafana" || got.Redirects[0] != shared.ClientURL+"/login/generic_oauth" {
				t.Errorf("Grafana's preset is %+v", got)
			}
		})
		s.Run("what can't be used is marked, field by field, and an id is taken once", func(t *testing.T) {
			for body, want := range map[string]string{
				`{"id":"-","settings":{"redirects":["ftp://x"],"signedOut":["x"],"backChannelLogout":"x","home":"x","algorithm":"none","scopes":["root"],"groups":["a b"]}}`: "id home redirects signedOut backChannelLogout algorithm scopes groups",
				`{"id":"a","settings":{"redirects":["https://a.example/"],"authentication":"private_key_jwt"}}`:                                                              "keys",
				`{"id":"a","settings":{"redirects":["https://a.example/"],"authentication":"private_key_jwt","keys":"{"}}`:                                                   "keys",
				`{"id":"a","settings":{"redirects":["https://a.example/"],"authentication":"none","withoutPkce":true}}`:                                                      "withoutPkce",
				`{"id":"a"}`:                                      "redirects",
				`{"id":"a","preset":"emacs"}`:                     "preset",
				`{"id":"a","preset":"grafana"}`:                   "url",
				`{"id":"a","preset":"grafana","url":"ftp://a.b"}`: "url",
			} {
				if got := strings.Join(root.faultsOf(root.sends("POST", shared.PathClients, body)), " "); got != want {
					t.Errorf("%s: %q are marked, want %q", body, got, want)
				}
			}
			root.refused(root.sends("POST", shared.PathClients, `{"id":"wiki","settings":{"redirects":["https://a.example/"]}}`), 409, shared.CodeNameTaken)
			root.refused(root.sends("POST", shared.PathClients, `{"id":"a","settings":{"redirects":"x"}}`), 400, shared.CodeInvalidRequest)
		})
		s.Run("a preset answers the program's own settings, and what is sent besides wins", func(t *testing.T) {
			got := into[shared.RegisteredClient](root, root.sends("POST", shared.PathClients, `{"id":"graphs","preset":"grafana","url":"https://graphs.example/","settings":{"name":"Graphs"}}`), 201)
			if s := got.Client.Settings; s.Name != "Graphs" || !slices.Equal(s.Redirects, []string{"https://graphs.example/login/generic_oauth"}) || !strings.Contains(got.Text, got.Secret) {
				t.Errorf("got %+v", got)
			}
			text := into[shared.ClientText](root, root.sends("GET", shared.PathClient+"graphs"+shared.PathTextOf+"?preset=grafana", nil), 200).Text
			if text != strings.ReplaceAll(got.Text, got.Secret, openid.UnknownSecret) {
				t.Errorf("later the text is %s", text)
			}
		})
		s.Run("a change keeps what it doesn't name, and refuses what somebody else has changed", func(t *testing.T) {
			change := map[string]any{"revision": added.Client.Revision, "settings": map[string]any{"redirects": []string{"https://wiki.example/new"}}}
			s.passes(1e9)
			changed := into[shared.Client](root, root.sends("PATCH", wiki, change), 200)
			if got := changed.Settings; got.Name != "Wiki" || got.Redirects[0] != "https://wiki.example/new" || changed.Revision == added.Client.Revision || !changed.Changed.After(changed.Created) || !isSecret(added.Secret) {
				t.Errorf("got %+v", changed)
			}
			before := s.everything()
			root.refused(root.sends("PATCH", wiki, change), 409, shared.CodeConflict)
			change = map[string]any{"revision": changed.Revision, "settings": map[string]any{"redirects": []string{}}}
			root.faultsOf(root.sends("PATCH", wiki, change))
			if !maps.Equal(s.everything(), before) {
				t.Error("a refused change changes something")
			}
		})
		s.Run("a new secret leaves the old one for the days that are wanted", func(t *testing.T) {
			rotated := into[shared.RegisteredClient](root, root.sends("POST", wiki+shared.PathRotateOf, `{"overlapDays":7}`), 200)
			if !isSecret(added.Secret) || !isSecret(rotated.Secret) || len(rotated.Client.Secrets) != 2 {
				t.Errorf("with an overlap: %+v", rotated)
			}
			again := into[shared.RegisteredClient](root, root.sends("POST", wiki+shared.PathRotateOf, `{"overlapDays":7}`), 200)
			if !isSecret(added.Secret) || !isSecret(rotated.Secret) || !isSecret(again.Secret) {
				t.Errorf("asked twice, as after an answer that was lost: %+v", again)
			}
			at := `{"preset":"grafana","url":"https://wiki.example"}`
			last := into[shared.RegisteredClient](root, root.sends("POST", wiki+shared.PathRotateOf, at), 200)
			if isSecret(added.Secret) || isSecret(rotated.Secret) || !isSecret(last.Secret) || !strings.Contains(last.Text, last.Secret) {
				t.Errorf("without one: %+v", last)
			}
			root.faultsOf(root.sends("POST", wiki+shared.PathRotateOf, `{"preset":"grafana","url":"ftp://x"}`))
			root.refused(root.sends("POST", wiki+shared.PathRotateOf, `{"overlapDays":91}`), 400, shared.CodeInvalidRequest)
			if !isSecret(last.Secret) {
				t.Error("a refusal ends the secret")
			}
		})
		s.Run("what is in the configuration file stays, and says so", func(t *testing.T) {
			const ours = shared.PathClient + "ours"
			root.refused(root.sends("PATCH", ours, `{"revision":""}`), 409, shared.CodeConflict)
			root.refused(root.sends("POST", ours+shared.PathRotateOf, `{}`), 409, shared.CodeConflict)
			if a := root.sends("DELETE", ours, nil); !strings.Contains(string(a.body), "configuration file") {
				t.Errorf("got %s", a)
			}
		})
		s.Run("a removed program is gone, and each change is an event of whoever did it", func(t *testing.T) {
			if a := root.sends("DELETE", wiki, nil); a.status != 204 {
				t.Fatalf("got %s", a)
			}
			for _, method := range []string{"GET", "DELETE"} {
				root.refused(root.sends(method, wiki, nil), 404, shared.CodeNotFound)
			}
			page := into[shared.AuditPage](root, root.sends("GET", shared.PathAudit, nil), 200)
			for kind, change := range map[shared.EventKind]string{
				shared.EventClientAdded:   "+redirect:https://wiki.example/cb",
				shared.EventClientChanged: "-redirect:https://wiki.example/cb +redirect:https://wiki.example/new", shared.EventClientSecretRotated: "",
				shared.EventClientRemoved: "-redirect:https://wiki.example/new",
			} {
				if !slices.ContainsFunc(page.Events, func(e shared.AuditEvent) bool {
					return e.Kind == kind && e.User != nil && e.User.Name == "root" && strings.Contains(e.Program, "wiki") && strings.Contains(e.Change, change)
				}) {
					t.Errorf("no event says that root did %s: %s", kind, root.sends("GET", shared.PathAudit, nil))
				}
			}
		})
	})
}
