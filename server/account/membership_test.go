package account_test

import (
	"context"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

func claims(p account.Provider, subject, email string, idToken map[string][]string) account.Claims {
	return account.Claims{
		Provider: p, Subject: subject, IDToken: idToken,
		Profile:     account.Profile{Email: email, EmailVerified: true},
		SpendTicket: store.SpendTicket(store.TicketIDOf(ticketEnds, subject), ticketEnds),
	}
}

// again is another answer of the same person's, which says nothing besides.
func again(p account.Provider, subject string) account.Claims {
	a := claims(p, subject+" again", "", nil)
	a.Subject = subject
	return a
}

var ticketEnds = time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)

// TestGoogle checks that an address at a domain doesn't make a member of the organisation:
// anybody may have a Google account with it.
func TestGoogle(t *testing.T) {
	hosted := func(domains ...string) map[string][]string { return map[string][]string{"hd": domains} }
	for what, row := range map[string]struct {
		domains []string
		email   string
		claims  map[string][]string
		comes   bool
	}{
		"an account of the organisation":             {[]string{"example.com"}, "ann@example.com", hosted("example.com"), true},
		"one of it, in capitals":                     {[]string{"Example.com"}, "ann@EXAMPLE.com", hosted("EXAMPLE.COM"), true},
		"a private account with its address":         {[]string{"example.com"}, "ann+zoom@example.com", nil, false},
		"an account of another organisation":         {[]string{"example.com"}, "ann@example.com", hosted("evil.example"), false},
		"an hd without a value":                      {[]string{"example.com"}, "ann@example.com", hosted(), false},
		"an empty hd":                                {[]string{"example.com"}, "ann@example.com", hosted(""), false},
		"an hd that only ends like the domain":       {[]string{"example.com"}, "ann@example.com", hosted("notexample.com"), false},
		"an account of the organisation, from afar":  {[]string{"example.com"}, "ann@elsewhere.example", hosted("example.com"), false},
		"another of its domains":                     {[]string{"example.com", "example.org"}, "ann@example.org", hosted("example.com"), true},
		"a domain in letters, a claim in ASCII":      {[]string{"bücher.example"}, "ann@bücher.example", hosted("xn--bcher-kva.example"), true},
		"an address of Google's own, where IT wants": {[]string{"gmail.com"}, "ann@gmail.com", nil, true},
		"an address of Google's own, elsewhere":      {[]string{"example.com"}, "ann@gmail.com", nil, false},
		"a domain of Google's beside another":        {[]string{"gmail.com", "example.com"}, "ann@example.com", nil, false},
	} {
		t.Run(what, func(t *testing.T) {
			w := newWorld(t)
			google, err := account.Provider{ID: "google", Name: "Google", Issuer: "https://accounts.google.com", CreateUsers: true, Domains: row.domains}.Check()
			if err != nil {
				t.Fatal(err)
			}
			_, err = w.SignInWithIdentity(t.Context(), session.Actor{}, claims(google, "1", row.email, row.claims))
			if row.comes && err != nil || !row.comes && shared.CodeOf(err) != shared.CodeNoAccount {
				t.Errorf("got %v", err)
			}
		})
	}
	t.Run("a known user doesn't need an hd", func(t *testing.T) {
		w := newWorld(t)
		google := account.Provider{ID: "google", Name: "Google", Issuer: "https://accounts.google.com"}
		opened := w.add("ann")
		if err := w.LinkIdentity(t.Context(), w.Actor(opened), claims(google, "1", "ann@elsewhere.example", nil)); err != nil {
			t.Fatal(err)
		}
		if _, err := w.SignInWithIdentity(t.Context(), session.Actor{}, again(google, "1")); err != nil {
			t.Error(err)
		}
	})
}

// TestProviderRules checks what IT may write of a provider. A rule that could never match,
// or would let too many in, is refused.
func TestProviderRules(t *testing.T) {
	check := func(domain string) ([]string, error) {
		p, err := account.Provider{ID: "one", Issuer: "https://login.example.com", CreateUsers: true, Domains: []string{domain}}.Check()
		return p.Domains, err
	}
	for written, want := range map[string]string{
		"example.com": "example.com", " Example.COM ": "example.com", "example.com.": "example.com", "sub.example.com": "sub.example.com",
		"bücher.example": "xn--bcher-kva.example", "BÜCHER.example": "xn--bcher-kva.example", "xn--bcher-kva.example": "xn--bcher-kva.example", "intranet": "intranet",
	} {
		if got, err := check(written); err != nil || got[0] != want {
			t.Errorf("%q: became %q (%v), want %q", written, got, err, want)
		}
	}
	for written, says := range map[string]string{
		"": "an empty domain", " ": "an empty domain", "@example.com": `write what stands behind the @, "example.com"`, "ann@example.com": `"example.com"`,
		"*.example.com": `such as "example.com"`, ".example.com": `such as "example.com"`, "https://example.com/x": `such as "example.com"`,
		"*": "isn't a domain", "example.com, example.org": "isn't a domain", "example com": "isn't a domain", "192.0.2.1": "isn't a domain", "[2001:db8::1]": "isn't a domain",
		"example..com": "isn't a domain", "-.example": "isn't a domain", "example.com/": "isn't a domain",
	} {
		if got, err := check(written); err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), "provider one") {
			t.Errorf("%q: became %q (%v), want a refusal that names the provider and says %q", written, got, err, says)
		}
	}
	for claim, row := range map[string]struct{ values, want []string }{
		"groups": {[]string{"Staff"}, []string{"Staff"}}, "hd": {[]string{"Example.com", "bücher.example"}, []string{"example.com", "xn--bcher-kva.example"}},
		"tid": {[]string{}, nil}, "": {[]string{"x"}, nil}, "org": {[]string{""}, nil},
	} {
		p, err := account.Provider{ID: "one", Issuer: "https://login.example.com", Required: map[string][]string{claim: row.values}}.Check()
		if row.want == nil && err == nil || row.want != nil && (err != nil || !reflect.DeepEqual(p.Required[claim], row.want)) {
			t.Errorf("%s: %v became %v, %v", claim, row.values, p.Required[claim], err)
		}
	}
	if _, err := (account.Provider{ID: "one", Required: map[string][]string{"hd": {"@example.com"}}}).Check(); err == nil || !strings.Contains(err.Error(), `"example.com"`) {
		t.Errorf("got %v", err)
	}
	for issuer, open := range map[string]bool{
		"https://gitlab.com": true, "https://codeberg.org": true, "https://huggingface.co": true, "https://login.live.com": true, "https://appleid.apple.com": true, "https://slack.com": true, "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0": true,
		"https://gitlab.example.com": false, "https://accounts.google.com": false, "https://login.microsoftonline.com/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0": false,
	} {
		p := account.Provider{ID: "one", Issuer: issuer, CreateUsers: true, Domains: []string{"example.com"}}
		if _, err := p.Check(); (err != nil) != open {
			t.Errorf("%s: %v", issuer, err)
		}
		p.Required = map[string][]string{"groups_direct": {"acme"}}
		if _, err := p.Check(); err != nil {
			t.Errorf("%s with required claims: %v", issuer, err)
		}
	}
}

// TestNewNames checks that nobody is refused for a name that they didn't choose.
func TestNewNames(t *testing.T) {
	p := account.Provider{ID: "one", Name: "ONE", Issuer: "https://login.example.com", CreateUsers: true, Domains: []string{"example.com"}}
	long := strings.Repeat("x", 64)
	for email, want := range map[string]string{
		"ann@example.com": "ann@example.com", " ann@example.com\r\n": "ann@example.com", "\u00a0ann@example.com.": "ann@example.com", "mailto:Ann@example.com": "ann@example.com", "Ann.Admin@Example.COM": "ann.admin@example.com",
		long + "@example.com": strings.Repeat("x", 55) + "-", "müller@example.com": "müller@example.com", "☃@example.com": "user-", "a☃@example.com": "user-",
	} {
		w := newWorld(t)
		first, err := w.SignInWithIdentity(t.Context(), session.Actor{}, claims(p, "1", email, nil))
		if err != nil || !strings.HasPrefix(first.User.Name, want) {
			t.Errorf("%s: %q, %v, want %q", email, first.User.Name, err, want)
			continue
		}
		if found, err := w.UserByName(t.Context(), first.User.Name); err != nil || found.ID != first.User.ID {
			t.Errorf("%s: IT doesn't find %q: %v", email, first.User.Name, err)
		}
		if !strings.Contains(first.User.Name, "@") { // then there may be two of the kind
			second, err := w.SignInWithIdentity(t.Context(), session.Actor{}, claims(p, "2", email, nil))
			if err != nil || second.User.Name == first.User.Name {
				t.Errorf("%s of another: %q, %v", email, second.User.Name, err)
			}
		}
	}
	t.Run("a name that is too long is cut, and one that can't be shown is left out", func(t *testing.T) {
		w := newWorld(t)
		for i, row := range []struct{ name, want string }{{strings.Repeat("Ann ", 30), strings.TrimSpace(strings.Repeat("Ann ", 15)+"Ann") + "…"}, {"A\u202en", "ann@example.com"}, {"  Ann \n Admin ", "Ann Admin"}} {
			a := claims(p, string(rune('a'+i)), "ann@example.com", nil)
			a.Email = strings.Repeat("n", i) + a.Email
			a.Name = row.name
			opened, err := w.SignInWithIdentity(t.Context(), session.Actor{}, a)
			if err != nil || !strings.HasSuffix(opened.User.DisplayName, row.want) || len([]rune(opened.User.DisplayName)) > 64 {
				t.Errorf("%q: called %q, %v", row.name, opened.User.DisplayName, err)
			}
		}
	})
	t.Run("a claim that the provider leaves out this time isn't forgotten", func(t *testing.T) {
		w := newWorld(t)
		if _, err := w.SignInWithIdentity(t.Context(), session.Actor{}, claims(p, "1", "ann@example.com", nil)); err != nil {
			t.Fatal(err)
		}
		silent := again(p, "1")
		silent.UserInfo = func(context.Context) (account.Profile, error) {
			t.Error("the provider is asked of somebody known")
			return account.Profile{}, nil
		}
		opened, err := w.SignInWithIdentity(t.Context(), session.Actor{}, silent)
		if err != nil || opened.User.Identities[0].Name != "ann@example.com" {
			t.Errorf("got %+v, %v", opened.User.Identities, err)
		}
	})
}
