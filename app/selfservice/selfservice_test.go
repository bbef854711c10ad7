package selfservice

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/browser"
	"github.com/keypeg/keypeg/app/ceremony"
	"github.com/keypeg/keypeg/app/ui"
	"github.com/keypeg/keypeg/shared"
)

var (
	_ ui.PasskeyService = (*Service)(nil)
	_ ui.ConfirmService = (*Service)(nil)
	_ ui.SignInService  = (*Service)(nil)
)

// answers is a server that answers by path.
type answers map[string]any

func (a answers) Send(_ context.Context, method, path string, _ []byte) (int, []byte, error) {
	answer, found := a[method+" "+path]
	if !found {
		return 404, []byte(`{"code":"not_found","detail":"Nothing."}`), nil
	}
	encoded, err := json.Marshal(answer)
	return 200, encoded, err
}

func TestService(t *testing.T) {
	ann := shared.User{ID: "1", Name: "ann", DisplayName: "Ann"}
	no := shared.Errorf(shared.CodeSignInRefused, "%s", "No.")
	s := With(answers{"GET " + shared.PathAccount: shared.Account{User: ann}}, browser.Authenticator{}, func(_ context.Context, password string) error {
		if password != "right" {
			return no
		}
		return nil
	})
	if s.User() != (shared.User{}) {
		t.Errorf("before anybody is known, it is %+v", s.User())
	}
	if account, err := s.Account(t.Context()); err != nil || account.User != ann || s.User() != ann {
		t.Errorf("got %+v, %+v (%v)", account, s.User(), err)
	}
	if err := s.ConfirmWithPassword(t.Context(), "wrong"); !errors.Is(err, no) {
		t.Errorf("a wrong password: %v", err)
	}
	if err := s.ConfirmWithPassword(t.Context(), "right"); err != nil {
		t.Errorf("the right password: %v", err)
	}
	if failure, ok := errors.AsType[*ceremony.Failure](s.SignInByAutofill(t.Context())); !ok || failure.Reason != ceremony.NotSupported {
		t.Errorf("autofill outside of a browser: %v", failure)
	}
	for _, password := range []Password{nil, s.password} {
		with := With(answers{"GET " + shared.PathPasskeys: shared.PasskeyList{HasPassword: true}}, browser.Authenticator{}, password)
		if list, err := with.Passkeys(t.Context()); err != nil || list.HasPassword != (password != nil) {
			t.Errorf("with a way to ask for the password %t, got %+v (%v)", password != nil, list, err)
		}
	}
	if _, ok := any(s).(ui.PhoneLinker); ok {
		t.Error("a host's server makes no links, and its panel would offer them")
	}
}

func TestMenu(t *testing.T) {
	s := New(nil)
	for name, test := range map[string]struct {
		menu     Menu
		has, not []string
	}{
		"nobody is known": {Menu{}, []string{"menu-place"}, []string{"button"}},
		"somebody is": {
			Menu{state: menuKnown, account: shared.Account{User: shared.User{DisplayName: "<b>Ann</b>"}}},
			[]string{"user-menu-button", "&lt;b&gt;Ann&lt;/b&gt;"}, []string{"<dialog", "<b>"},
		},
		"the panel is open": {Menu{state: menuPanel, account: shared.Account{PasskeysOn: true}}, []string{"<dialog", "Loading"}, []string{"on my phone"}},
		"passkeys are off":  {Menu{state: menuPanel, account: shared.Account{Contact: "desk 12"}}, []string{"<dialog", "desk 12"}, []string{"Loading"}},
	} {
		test.menu.Service = s
		got := goapp.HTMLString(&test.menu)
		for _, text := range test.has {
			if !strings.Contains(got, text) {
				t.Errorf("when %s, there is no %q in\n%s", name, text, got)
			}
		}
		for _, text := range test.not {
			if strings.Contains(got, text) {
				t.Errorf("when %s, there is %q in\n%s", name, text, got)
			}
		}
	}
}
