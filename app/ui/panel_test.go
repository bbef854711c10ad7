package ui

import (
	"context"
	"strings"
	"testing"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/ceremony"
	"github.com/keypeg/keypeg/shared"
)

// TestHome: the words about where a passkey is are true on any screen, and name what keeps it.
func TestHome(t *testing.T) {
	for _, test := range []struct {
		kind     shared.PasskeyKind
		synced   bool
		provider string
		want     string
	}{
		{shared.KindManager, true, shared.ProviderApple, "In Apple Passwords, on all your Apple devices"},
		{shared.KindManager, false, shared.ProviderApple, "In Apple Passwords"}, // it has no copy yet
		{shared.KindManager, true, shared.ProviderGoogle, "In Google Password Manager, wherever you use that Google account"},
		{shared.KindManager, true, "Bitwarden", "In Bitwarden, wherever you use it"},
		{shared.KindManager, true, "", "In a password manager"},
		{"", true, "", "In a password manager"},
		{shared.KindComputer, false, "Windows Hello", "On one computer: Windows Hello"},
		{shared.KindSecurityKey, false, "YubiKey 5 Series with NFC", "Security key: YubiKey 5 Series with NFC"},
		{shared.KindSecurityKey, false, "", "Security key"},
		{shared.KindPhone, false, "", "On one phone"},
		{shared.KindDevice, false, "", "On one device"},
	} {
		if got, _ := inEnglish().homeOf(test.kind, test.synced, test.provider); got != test.want {
			t.Errorf("%+v is %q", test, got)
		}
	}
}

// TestGroups: passkeys of password managers have a list of their own. Headings are only where there
// are two lists.
func TestGroups(t *testing.T) {
	both := stateKeys()
	for name, test := range map[string]struct {
		passkeys []shared.Passkey
		headings int
	}{
		"both sorts": {both.Passkeys, 2},
		"one sort":   {[]shared.Passkey{both.Passkeys[0], both.Passkeys[2]}, 0},
		"the other":  {both.Passkeys[1:2], 0},
	} {
		t.Run(name, func(t *testing.T) {
			shown := app.HTMLString(statePanel(inEnglish(), func(p *PasskeysPanel) { p.list.Passkeys = test.passkeys }))
			got := strings.Count(shown, "They work")
			rows := strings.Count(shown, `id="passkey-`) - strings.Count(shown, `id="passkey-add"`) - strings.Count(shown, `id="passkey-phone"`)
			if got != test.headings || rows != len(test.passkeys) {
				t.Errorf("%d headings and %d rows, want %d and %d", got, rows, test.headings, len(test.passkeys))
			}
		})
	}
}

// full is a server that has passkeys. It fails to register another one, and remembers where to.
type full struct {
	obliging
	list  []shared.Passkey
	where shared.Hint
}

func (f *full) Passkeys(context.Context) (shared.PasskeyList, error) {
	return shared.PasskeyList{Passkeys: f.list}, nil
}

func (f *full) Register(_ context.Context, _ string, where shared.Hint) (shared.Passkey, error) {
	f.where = where
	return shared.Passkey{}, f.err
}

// TestExisting: a device that has a passkey already says which one only if that can be known.
func TestExisting(t *testing.T) {
	laptop := shared.Passkey{ID: "laptop", Name: "Work laptop", Kind: shared.KindComputer}
	cloud := shared.Passkey{ID: "cloud", Name: "Cloud", Kind: shared.KindManager, Synced: true}
	key := shared.Passkey{ID: "key", Name: "Key ring", Kind: shared.KindSecurityKey}
	other := shared.Passkey{ID: "other", Name: "Old address", Kind: shared.KindComputer, OtherAddress: true}
	const nameless = "This device already has a passkey for your account."
	seen := &ceremony.Failure{Reason: ceremony.Exists, Registering: true}
	for name, test := range map[string]struct {
		passkeys []shared.Passkey
		where    shared.Hint
		err      error
		lit      string
		want     string
	}{
		"there is one":                       {[]shared.Passkey{laptop}, "", seen, "laptop", "This device has one already: “Work laptop”."},
		"the other can't be used here":       {[]shared.Passkey{other, laptop}, "", seen, "laptop", "This device has one already: “Work laptop”."},
		"there are two":                      {[]shared.Passkey{laptop, key}, "", seen, "", nameless},
		"one of them is a security key":      {[]shared.Passkey{laptop, cloud, key}, shared.HintSecurityKey, seen, "key", "This device has one already: “Key ring”."},
		"one of them isn't a security key":   {[]shared.Passkey{laptop, key}, shared.HintThisDevice, seen, "laptop", "This device has one already: “Work laptop”."},
		"one of them may be on a phone":      {[]shared.Passkey{laptop, cloud, key}, shared.HintPhone, seen, "cloud", "This device has one already: “Cloud”."},
		"two of them may be on this device":  {[]shared.Passkey{laptop, cloud, key}, shared.HintThisDevice, seen, "", nameless},
		"the server has seen it and says so": {[]shared.Passkey{laptop}, "", shared.Errorf(shared.CodePasskeyExists, "It is “X”."), "laptop", "It is “X”."},
		"it was something else":              {[]shared.Passkey{laptop}, "", stateDenied(), "", "Nothing was saved. The prompt was closed or timed out."},
	} {
		t.Run(name, func(t *testing.T) {
			server := &full{obliging: obliging{test.err}, list: test.passkeys}
			p := &PasskeysPanel{Context: inEnglish(), Service: server}
			plays(t, p, done(p.openAdd), done(func() { p.add.where = test.where }), handled(p.onRegister))
			if got := p.Context.sentence(p.add.failure); got != test.want || p.lit != test.lit || server.where != test.where {
				t.Errorf("asked at %q, it says %q and lights %q; want %q, %q and %q", server.where, got, p.lit, test.where, test.want, test.lit)
			}
		})
	}
}

// TestTry: what the user reads after trying the new passkey.
func TestTry(t *testing.T) {
	for name, test := range map[string]struct {
		err   error
		state addState
		want  string
	}{
		"it works":           {nil, addTried, ""},
		"the prompt is shut": {stateDenied(), addDone, "That didn't work. Your passkey is still there: try again, or remove it and add another."},
		"the server refuses": {shared.Errorf(shared.CodeConflict, "No."), addDone, "No."},
	} {
		t.Run(name, func(t *testing.T) {
			server := &full{obliging: obliging{test.err}, list: []shared.Passkey{{ID: "new", Name: "Work laptop"}}}
			p := &PasskeysPanel{Context: inEnglish(), Service: server}
			plays(t, p, done(func() { p.add = addForm{state: addDone, added: "new"} }), handled(p.onTry))
			got := ""
			if p.add.failure != nil {
				got = p.Context.sentence(p.add.failure)
			}
			if p.add.state != test.state || got != test.want {
				t.Errorf("it is in state %d and says %q, want %d and %q", p.add.state, got, test.state, test.want)
			}
		})
	}
	t.Run("the passkey is removed elsewhere", func(t *testing.T) {
		server := &full{list: []shared.Passkey{{ID: "new", Name: "Work laptop"}}}
		p := &PasskeysPanel{Context: inEnglish(), Service: server}
		plays(t, p, done(func() { p.add = addForm{state: addDone, added: "new"} }), func(ctx app.Context) {
			server.list = nil
			p.Changes++
			p.OnUpdate(ctx)
		})
		if p.add.state != addClosed {
			t.Error("it can still be tried")
		}
	})
}

// TestAlone: whoever would lose the only passkey with one device is told so.
func TestAlone(t *testing.T) {
	keys := stateKeys().Passkeys
	laptop, cloud, key := keys[0], keys[1], keys[2]
	elsewhere := laptop
	elsewhere.ID, elsewhere.OtherAddress = "d", true
	home := inEnglish().Text.Home
	for name, test := range map[string]struct {
		passkeys []shared.Passkey
		want     string
	}{
		"one computer":                    {[]shared.Passkey{laptop}, home.SecondComputer},
		"one security key":                {[]shared.Passkey{key}, home.SecondKey},
		"another that can't be used here": {[]shared.Passkey{key, elsewhere}, home.SecondKey},
		"two":                             {[]shared.Passkey{laptop, key}, ""},
		"one password manager":            {[]shared.Passkey{cloud}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			shown := app.HTMLString(statePanel(inEnglish(), func(p *PasskeysPanel) { p.list.Passkeys = test.passkeys }))
			_, after, warns := strings.Cut(shown, `id="passkey-alone"`)
			if warns != (test.want != "") || !strings.Contains(after, test.want) {
				t.Errorf("a warning is there: %t, want %q", warns, test.want)
			}
		})
	}
}
