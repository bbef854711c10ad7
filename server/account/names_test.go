package account_test

import (
	"testing"

	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/shared"
)

// TestCanonicalName reads one name as people type it, paste it, and as the keyboards of
// phones complete it.
func TestCanonicalName(t *testing.T) {
	for _, typed := range []string{
		"ann", "Ann", "ANN", "ann ", " ann", "  ann  ", "ann\t", "\tann", "ann\n", "ann\r\n", "\u00a0ann", "ann\u00a0", "ann\u2003", "\u3000ann", "ann\u202f",
		"\ufeffann", "ann\ufeff", "ann\u200b", "\u200bann\u200b", "\u2060ann", "\u200eann\u200f", "ann\u2028", " \ufeff\tann \u200b", "ａｎｎ", "ａｎｎ\u3000",
	} {
		if got, err := account.CanonicalName(typed); got != "ann" || err != nil {
			t.Errorf("%q: got %q (%v), want ann", typed, got, err)
		}
	}
	for typed, want := range map[string]string{
		" ann.miller@example.com ": "ann.miller@example.com", "\u00a0Straße\u00a0": "straße", " e\u0301va": "éva", "ann-lee_2 ": "ann-lee_2",
		"ann@example.com.": "ann@example.com", "Ann@Example.com. ": "ann@example.com", "mailto:ann@example.com": "ann@example.com",
		" MailTo: ann@example.com.": "ann@example.com", "<ann@example.com>": "ann@example.com", "mailto:<ann@example.com.>\u00a0": "ann@example.com",
		"ｍａｉｌｔｏ：ann＠example.com": "ann@example.com", "ann.": "ann.", "mailto:ann": "mailto:ann",
	} {
		if got, err := account.CanonicalName(typed); got != want || err != nil {
			t.Errorf("%q: got %q (%v), want %q", typed, got, err, want)
		}
	}
	for _, typed := range []string{"", " ", "\u00a0", "\ufeff", " \u200b\t", "ann lee", "ann\u00a0lee", "ann\tlee", "an\u200bn", "an\u202en", "ann\u3000lee"} {
		if got, err := account.CanonicalName(typed); got != "" || shared.CodeOf(err) != shared.CodeInvalidName {
			t.Errorf("%q: got %q (%v), want a refusal", typed, got, err)
		}
	}
}

// TestNamesArePasted signs users in by names that were pasted with something beside them,
// and makes and finds users by them.
func TestNamesArePasted(t *testing.T) {
	s := newWorld(t)
	if user, err := s.AddUser(t.Context(), session.Actor{}, account.NewUser{Name: "\ufeffann\u00a0", DisplayName: "\u200bAnn Miller\ufeff", Password: password}); err != nil || user.Name != "ann" || user.DisplayName != "Ann Miller" {
		t.Fatalf("got %q, %q (%v)", user.Name, user.DisplayName, err)
	}
	for _, typed := range []string{"ann ", " ann", "\u00a0ann", "ann\u200b"} {
		if _, err := s.SignInWithPassword(t.Context(), session.Actor{}, account.PasswordSignIn{Name: typed, Password: password}); err != nil {
			t.Errorf("%q doesn't sign in: %v", typed, err)
		}
		if found, _, err := s.List(t.Context(), account.ListQuery{Find: typed}); len(found) != 1 || err != nil {
			t.Errorf("%q finds %d users (%v)", typed, len(found), err)
		}
	}
	if found, _, err := s.List(t.Context(), account.ListQuery{Find: " "}); len(found) != 1 || err != nil {
		t.Errorf("a blank finds %d users (%v), want all", len(found), err)
	}
	if _, err := s.SignInWithPassword(t.Context(), session.Actor{}, account.PasswordSignIn{Name: "ann", Password: password + " "}); shared.CodeOf(err) != shared.CodeSignInRefused {
		t.Errorf("a password with a blank more: %v, want a refusal", err)
	}
}
