package ui

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"
	"golang.org/x/net/html"

	"github.com/keypeg/keypeg/app/browser"
	"github.com/keypeg/keypeg/app/ceremony"
	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

var update = flag.Bool("update", false, "write the golden files; then look at what changed")

func world() World {
	return World{Text: &message.English, Formats: browser.In("en"), Host: "id.example.com", Contact: "IT desk, phone 1234"}
}

func keys() shared.PasskeyList {
	used := time.Date(2026, 11, 20, 18, 30, 0, 0, time.UTC)
	return shared.PasskeyList{HasPassword: true, Passkeys: []shared.Passkey{
		{ID: "a", Name: "Work laptop", Provider: "Windows Hello", Created: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), LastUsed: &used, Current: true},
		{ID: "b", Name: "iCloud Keychain", Provider: "iCloud Keychain", Created: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC), Synced: true},
		{ID: "c", Name: `<img src=x onerror=alert(1)>`, Created: time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC)},
	}}
}

// panel is a PasskeysPanel with its list, in a state that change makes.
func panel(change func(*PasskeysPanel)) *PasskeysPanel {
	p := &PasskeysPanel{World: world(), state: listReady, list: keys()}
	change(p)
	return p
}

func only() shared.PasskeyList {
	list := keys()
	list.HasPassword = false
	list.Passkeys = list.Passkeys[1:2]
	list.Passkeys[0].OnlyMethod = true
	return list
}

func sessions() shared.SessionList {
	at := time.Date(2026, 11, 20, 18, 30, 0, 0, time.UTC)
	return shared.SessionList{Sessions: []shared.Session{
		{ID: "s1", Browser: "Chrome", System: "Windows", Address: "192.0.2.1", Method: shared.MethodPasskey, Passkey: "Work laptop", Created: at, Seen: at, Current: true},
		{ID: "s2", Browser: "Safari", System: "iOS", Address: "2001:db8::1", Method: shared.MethodPassword, Created: at, Seen: at},
		{ID: "s3", Method: shared.MethodPasskey, Created: at, Seen: at},
		{ID: "s4", Browser: "Firefox", Method: shared.MethodSetupLink, Created: at, Seen: at},
	}}
}

// events are one of each kind, one of this browser, and one that only a newer
// server knows.
func events() []shared.Event {
	at := time.Date(2026, 11, 20, 18, 30, 0, 0, time.UTC)
	list := []shared.Event{
		{Kind: shared.EventSignedIn, Method: shared.MethodPasskey, Passkey: "Work laptop", PasskeyID: "a", Browser: "Chrome", System: "Windows", Address: "192.0.2.1"},
		{Kind: shared.EventSignedIn, Method: shared.MethodPassword, Browser: "Chrome", System: "Windows", Here: true},
		{Kind: shared.EventSignedIn, Method: shared.MethodSetupLink, Address: "::1"},
	}
	for _, kind := range []shared.EventKind{
		shared.EventAccountCreated, shared.EventSignInFailed, shared.EventSignedOut, shared.EventConfirmed, shared.EventPasswordChanged,
		shared.EventDisabled, shared.EventEnabled, shared.EventPasskeyAdded, shared.EventPasskeyRenamed, shared.EventPasskeyRemoved,
		shared.EventCounterFell, shared.EventBackupChanged, shared.EventSessionEnded, shared.EventOthersEnded, "of_tomorrow",
	} {
		list = append(list, shared.Event{Kind: kind, Passkey: "Phone", Browser: "Firefox", System: "Linux"})
	}
	for i := range list {
		list[i].ID, list[i].Time = fmt.Sprint("e", i), at.Add(-time.Duration(i)*time.Hour)
	}
	return list
}

// TestLooks holds the markup of every component in every state. Somebody should
// look at a change of these files, in the files and in a browser.
func TestLooks(t *testing.T) {
	denied := &ceremony.Failure{Reason: ceremony.Denied, Registering: true}
	internal := shared.Errorf(shared.CodeInternal, "Something went wrong on our side.")
	for name, component := range map[string]app.UI{
		"menu-closed": &UserMenu{Name: "Ann Admin", Label: "Your account"},
		"menu-open": &UserMenu{Name: "Ann Admin", Label: "Your account", state: menuOpen, Items: []MenuItem{
			{ID: "passkeys", Label: "Passkeys", Icon: "key", Href: "/passkeys"}, {ID: "sign-out", Label: "Sign out", Icon: "out"},
		}},
		"frame-loading": Frame{Skip: "Skip to content", Product: "Keypeg", Icon: "/icon.svg", Home: "/"}.With(app.P().Text("…")),
		"message":       Message{Title: "You are offline", Lead: "Try later.", Button: "Try again"}.Render(),

		"panel-loading":     panel(func(p *PasskeysPanel) { p.state, p.list = listLoading, shared.PasskeyList{} }),
		"panel-failed":      panel(func(p *PasskeysPanel) { p.state, p.failure = listFailed, internal }),
		"panel-empty":       panel(func(p *PasskeysPanel) { p.list = shared.PasskeyList{HasPassword: true} }),
		"panel-list":        panel(func(*PasskeysPanel) {}),
		"panel-blocked":     panel(func(p *PasskeysPanel) { p.World.Blocked = "This browser doesn't support passkeys." }),
		"panel-only-method": panel(func(p *PasskeysPanel) { p.list = only() }),
		"panel-add":         panel(func(p *PasskeysPanel) { p.add.state = addOpen }),
		"panel-add-working": panel(func(p *PasskeysPanel) { p.add.state = addWorking }),
		"panel-add-refused": panel(func(p *PasskeysPanel) { p.add = addForm{state: addOpen, failure: denied} }),
		"panel-added":       panel(func(p *PasskeysPanel) { p.lit, p.said = "a", "“Work laptop” was added." }),
		"panel-rename":      panel(func(p *PasskeysPanel) { p.row = openRow{id: "a", mode: rowRename} }),
		"panel-renaming":    panel(func(p *PasskeysPanel) { p.row = openRow{id: "a", mode: rowRenaming} }),
		"panel-rename-taken": panel(func(p *PasskeysPanel) {
			p.row = openRow{id: "a", mode: rowRename, failure: shared.Errorf(shared.CodeNameTaken, "Another of your passkeys has this name.")}
		}),
		"panel-remove":   panel(func(p *PasskeysPanel) { p.row = openRow{id: "a", mode: rowRemove} }),
		"panel-removing": panel(func(p *PasskeysPanel) { p.row = openRow{id: "a", mode: rowRemoving} }),
		"panel-remove-last": panel(func(p *PasskeysPanel) {
			p.list.Passkeys = p.list.Passkeys[:1]
			p.row = openRow{id: "a", mode: rowRemove}
		}),
		"panel-remove-sessions": panel(func(p *PasskeysPanel) { p.row = openRow{id: "a", mode: rowRemove, sessions: 2} }),
		"panel-unverified":      panel(func(p *PasskeysPanel) { p.list.Passkeys[1].Unverified = true }),
		"panel-offline":         panel(func(p *PasskeysPanel) { p.World.Offline = "Offline: as of 14:05." }),
		"panel-remove-refused":  panel(func(p *PasskeysPanel) { p.row = openRow{id: "a", mode: rowRemove, failure: internal} }),
		"panel-confirm":         panel(func(p *PasskeysPanel) { p.paused = &pausedUntilSure{} }),
		"sessions":              &SessionsPanel{World: world(), state: listReady, list: sessions()},
		"sessions-alone":        &SessionsPanel{World: world(), state: listReady, list: shared.SessionList{Sessions: sessions().Sessions[:1]}},
		"sessions-ending":       &SessionsPanel{World: world(), state: listReady, list: sessions(), ending: "s2"},
		"sessions-loading":      &SessionsPanel{World: world()},
		"sessions-failed":       &SessionsPanel{World: world(), state: listFailed, failure: internal},
		"activity":              &ActivityPanel{World: world(), state: listReady, events: events(), next: "more"},
		"activity-loading":      &ActivityPanel{World: world()},
		"activity-failed":       &ActivityPanel{World: world(), state: listFailed, failure: internal},
		"activity-ending":       &ActivityPanel{World: world(), state: listReady, events: events(), alarm: alarm{events()[0], alarmEnding}},
		"activity-advice":       &ActivityPanel{World: world(), HasPassword: true, state: listReady, events: events()[:1], alarm: alarm{events()[0], alarmAdvising}},
		"activity-password":     &ActivityPanel{World: world(), HasPassword: true, state: listReady, events: events()[:1], alarm: alarm{events()[0], alarmPassword}},
		"password-refused":      &passwordDialog{World: world(), failure: shared.Errorf(shared.CodeInvalidPassword, "This password is too short.")},

		"confirm-password": &Confirm{World: world(), HasPassword: true},
		"confirm-working":  &Confirm{World: world(), HasPassword: true, HasPasskey: true, state: confirmByPasskey},
		"confirm-refused":  &Confirm{World: world(), HasPassword: true, failure: shared.Errorf(shared.CodeSignInRefused, "This password is not right.")},
	} {
		t.Run(name, func(t *testing.T) {
			got := ordered(app.HTMLString(component)) + "\n"
			golden := filepath.Join("testdata", name+".html")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("it looks different:\n%s\nwant\n%s", got, want)
			}
			if strings.Contains(got, "<img src=\"x") {
				t.Error("a passkey's name became markup")
			}
		})
	}
}

// ordered sorts the attributes of every element: go-app writes them as they come
// out of a map.
func ordered(markup string) string {
	var b strings.Builder
	for tokens := html.NewTokenizer(strings.NewReader(markup)); tokens.Next() != html.ErrorToken; {
		token := tokens.Token()
		slices.SortFunc(token.Attr, func(a, b html.Attribute) int { return strings.Compare(a.Key, b.Key) })
		b.WriteString(token.String())
	}
	return b.String()
}

func TestSentence(t *testing.T) {
	for _, test := range []struct {
		err  error
		want string
		it   bool
	}{
		{&ceremony.Failure{Reason: ceremony.Denied, Registering: true}, "Nothing was saved. The prompt was closed or timed out.", false},
		{&ceremony.Failure{Reason: ceremony.Denied}, "Sign-in was cancelled or timed out, or no matching passkey is on this device.", false},
		{&ceremony.Failure{Reason: ceremony.Aborted, Registering: true}, "", false},
		{&ceremony.Failure{Reason: ceremony.Exists, Registering: true}, "This device already has a passkey for your account.", false},
		{&ceremony.Failure{Reason: ceremony.WrongAddress}, "Passkeys aren't set up for this address (id.example.com; expected example.com). Contact IT.", true},
		{&ceremony.Failure{Reason: ceremony.NotSupported, Registering: true}, "This device can't create the kind of passkey that is required.", false},
		{&ceremony.Failure{Reason: ceremony.NoLock}, "Set a screen lock or a security-key PIN, then try again.", false},
		{&ceremony.Failure{Reason: ceremony.Faulty, Exception: "EncodingError"}, "Your passkey provider reported a problem. (Reference EncodingError)", true},
		{shared.Errorf(shared.CodeLastMethod, "Add another first."), "Add another first.", false},
		{shared.Errorf(shared.CodeOffline, "Offline."), "Offline.", false},
		{shared.Errorf(shared.CodeInternal, "Ours."), "Ours.", true},
		{errors.New("anything"), "The server sent something unexpected. Please reload the page.", true},
	} {
		w := world()
		w.RPID = "example.com"
		if got := w.sentence(test.err); got != test.want {
			t.Errorf("%v: got %q, want %q", test.err, got, test.want)
		}
		if got := needsIT(test.err); got != test.it {
			t.Errorf("%v: IT is named %t, want %t", test.err, got, test.it)
		}
	}
}
