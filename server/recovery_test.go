package server_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/keypeg/keypeg/shared"
)

func onEveryStoreScene(t *testing.T, test func(*scene)) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t, open)
			test(s)
			s.keepsSecrets()
		})
	}
}

// makesCodes makes recovery codes, and watches that nobody else sees them.
func (s *scene) makesCodes(v *visitor) []string {
	s.Helper()
	made := into[shared.RecoveryCodes](v, v.sends("POST", shared.PathRecoveryCodes, nil), 200)
	if len(made.Codes) != 10 {
		s.Fatalf("got %v", made)
	}
	for _, code := range made.Codes {
		s.secret("recovery code", code)
		for name, value := range s.everything() {
			if strings.Contains(value, code) || strings.Contains(value, strings.ReplaceAll(code, "-", "")) {
				s.Errorf("%s holds a recovery code", name)
			}
		}
	}
	return made.Codes
}

func (v *visitor) recovers(name, code string, change ...func(*http.Request)) answer {
	return v.sends("POST", shared.PathSignInRecovery, shared.RecoverySignIn{Name: name, Code: code}, change...)
}

func TestRecoveryCodes(t *testing.T) {
	const cause = "the user has no such code"
	t.Run("each gets its user in once, and the count tells how many are left", func(t *testing.T) {
		onEveryStoreScene(t, func(s *scene) {
			codes := s.makesCodes(s.ann)
			v := s.visitor()
			if who := into[shared.SignedIn](v, v.recovers("Ann", codes[3]), 200); who.User.Name != "ann" {
				t.Errorf("got %+v", who)
			}
			account := into[shared.Account](v, v.sends("GET", shared.PathAccount, nil), 200)
			if account.RecoveryCodes != 9 || account.SignedInWith != "recovery_code" {
				t.Errorf("got %+v", account)
			}
			into[shared.Ceremony](v, v.sends("POST", shared.PathRegisterBegin, nil), 200) // as fresh as any sign-in
			s.refusesAs(401, shared.CodeSignInRefused, cause, func() answer { return s.visitor().recovers("ann", codes[3]) }, shared.EventSignInFailed)
			into[shared.SignedIn](v, s.visitor().recovers("ann", codes[4]), 200)
		})
	})
	t.Run("before anybody has any, a refusal writes no key", func(t *testing.T) {
		onEveryStoreScene(t, func(s *scene) {
			s.refusesAs(401, shared.CodeSignInRefused, cause, func() answer { return s.visitor().recovers("ann", "AAAAA-AAAAA") }, shared.EventSignInFailed)
		})
	})
	t.Run("of two requests at the same moment one signs in", func(t *testing.T) {
		onEveryStoreScene(t, func(s *scene) {
			code := s.makesCodes(s.ann)[0]
			one, other := s.visitor(), s.visitor()
			a, b := both(func() answer { return one.recovers("ann", code) }, func() answer { return other.recovers("ann", code) })
			s.oneOf(a, b, 200, 401)
		})
	})
	t.Run("new ones take the place of the old", func(t *testing.T) {
		onEveryStoreScene(t, func(s *scene) {
			old := s.makesCodes(s.ann)
			fresh := s.makesCodes(s.ann)
			s.refusesAs(401, shared.CodeSignInRefused, cause, func() answer { return s.visitor().recovers("ann", old[0]) }, shared.EventSignInFailed)
			into[shared.SignedIn](s.ann, s.visitor().recovers("ann", fresh[0]), 200)
		})
	})
	t.Run("a code is of use to its user only, and each refusal is the same", func(t *testing.T) {
		onEveryStoreScene(t, func(s *scene) {
			code := s.makesCodes(s.ann)[0]
			if err := s.accounts.Disable(t.Context(), it(t, s.accounts, "bob")); err != nil {
				t.Fatal(err)
			}
			sentences := map[string]bool{}
			for _, try := range [][3]string{
				{"bob", code, cause}, {"nobody", code, "nobody has this name"}, {"", code, "nobody has this name"},
				{"ann", "", cause}, {"ann", "AAAAA-AAAAA", cause}, {"ann", strings.Repeat("A", 60_000), cause}, {"bob", "", cause},
			} {
				a := s.refusesAs(401, shared.CodeSignInRefused, try[2], func() answer { return s.visitor().recovers(try[0], try[1]) }, shared.EventSignInFailed)
				sentences[into401(s, a).Detail] = true
			}
			if len(sentences) != 1 {
				t.Errorf("different sentences: %v", sentences)
			}
		})
	})
	t.Run("a disabled user stays out", func(t *testing.T) {
		onEveryStoreScene(t, func(s *scene) {
			code := s.makesCodes(s.ann)[0]
			if err := s.accounts.Disable(t.Context(), it(t, s.accounts, "ann")); err != nil {
				t.Fatal(err)
			}
			s.refusesAs(401, shared.CodeSignInRefused, "disabled", func() answer { return s.visitor().recovers("ann", code) }, shared.EventSignInFailed)
			s.accounts.Enable(t.Context(), it(t, s.accounts, "ann"))
			into[shared.SignedIn](s.ann, s.visitor().recovers("ann", code), 200)
		})
	})
	t.Run("it doesn't matter how one is typed", func(t *testing.T) {
		s := newScene(t, stores["memstore"])
		for i, code := range s.makesCodes(s.ann)[:4] {
			typed := []string{strings.ToLower(code), strings.ReplaceAll(code, "-", ""), " " + strings.Replace(code, "-", " ", 1) + " ",
				strings.NewReplacer("O", "0", "I", "1", "B", "8").Replace(code)}[i]
			into[shared.SignedIn](s.ann, s.visitor().recovers("ann", typed), 200)
		}
	})
	t.Run("making them needs a confirmation, and is an event", func(t *testing.T) {
		onEveryStoreScene(t, func(s *scene) {
			s.makesCodes(s.ann)
			if n := s.events(s.ann)[shared.EventRecoveryCodesMade]; n != 1 {
				t.Errorf("%d events", n)
			}
			s.passes(11 * time.Minute)
			s.ann.refused(s.ann.sends("POST", shared.PathRecoveryCodes, nil), 403, shared.CodeConfirmRequired)
			v := s.visitor()
			v.refused(v.sends("POST", shared.PathRecoveryCodes, nil), 401, shared.CodeUnauthenticated)
		})
	})
	t.Run("codes don't count as the last sign-in method", func(t *testing.T) {
		s := newScene(t, stores["memstore"])
		s.makesCodes(s.ann)
		if err := s.accounts.RemovePassword(t.Context(), it(t, s.accounts, "ann")); err != nil {
			t.Fatal(err)
		}
		s.ann.signsInWithPasskey()
		s.ann.refused(s.ann.sends("DELETE", shared.PathPasskey+s.ann.lists().Passkeys[0].ID, nil), 409, shared.CodeLastMethod)
	})
	t.Run("an attacker who tries many codes waits, and keeps nobody else out", func(t *testing.T) {
		s := newScene(t, stores["memstore"])
		code := s.makesCodes(s.ann)[0]
		attacker := s.visitor()
		from := func(address string) func(*http.Request) {
			return func(r *http.Request) { r.RemoteAddr = address + ":1234" }
		}
		for i := range 50 {
			attacker.refused(attacker.recovers("ann", fmt.Sprintf("AAAAA-%05d", i), from("203.0.113.7")), 401, shared.CodeSignInRefused)
		}
		late := attacker.recovers("ann", code, from("203.0.113.7"))
		attacker.refused(late, 429, shared.CodeTooManyAttempts)
		if late.header.Get("Retry-After") == "" {
			t.Error("it doesn't say when to try again")
		}
		into[shared.SignedIn](s.ann, s.visitor().recovers("ann", code, from("203.0.113.8")), 200)
	})
	t.Run("the page works without a script", func(t *testing.T) {
		onEveryStoreScene(t, func(s *scene) {
			code := s.makesCodes(s.ann)[0]
			v := s.visitor()
			wrong := v.submits(shared.PageRecovery, url.Values{"name": {"ann<b>"}, "code": {"AAAAA-AAAAA"}})
			if wrong.status != 401 || !strings.Contains(string(wrong.body), "The user name or the recovery code is not right.") || !strings.Contains(string(wrong.body), "ann&lt;b&gt;") {
				t.Errorf("got %s", wrong)
			}
			if out := v.submits(shared.PageRecovery, url.Values{"name": {"ann"}, "code": {code}}); out.status != 303 || out.header.Get("Location") != shared.PageSignedIn {
				t.Errorf("got %s", out)
			}
			into[shared.Account](v, v.sends("GET", shared.PathAccount, nil), 200)
		})
	})
}

func into401(s *scene, a answer) shared.Problem { return into[shared.Problem](s.ann, a, 401) }
