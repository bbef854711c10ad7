package ui

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/browser"
	"github.com/keypeg/keypeg/app/ceremony"
	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// State is a component in one of its states, with made-up content.
type State struct {
	Name string // "panel-add-refused", unique
	UI   app.UI // the component
}

// States returns every component in every state, by name. Tests hold their
// markup; the gallery shows them to people. The app doesn't name this function,
// so that its program doesn't have them.
func States(text *message.Catalogue) []State {
	world := stateWorld(text)
	denied := &ceremony.Failure{Reason: ceremony.Denied, Registering: true}
	internal := shared.Errorf(shared.CodeInternal, "Something went wrong on our side. Please try again. If it stays, tell IT this number: %s.", "FYHWNKPY7CGRXKHV")
	states := map[string]app.UI{
		"menu-closed": &UserMenu{Name: "Ann Admin", Label: world.Text.Shell.Menu},
		"menu-open": &UserMenu{Name: "Ann Admin", Label: "Your account", state: menuOpen, Items: []MenuItem{
			{ID: "passkeys", Label: world.Text.Shell.Passkeys, Icon: "key", Href: "/passkeys"},
			{ID: "sign-out", Label: world.Text.Shell.SignOut, Icon: "out"},
			{ID: "language-en", Label: "English", Lang: "en", Checked: true}, {ID: "language-ja", Label: "日本語", Lang: "ja"},
		}},
		"frame-loading": Frame{Skip: world.Text.Shell.SkipToMain, Product: "Keypeg", Icon: "/icon.svg", Home: "/"}.With(app.H1().Class("spoken").Text("Keypeg"), app.P().Text("…")),
		"message":       Message{Title: world.Text.Shell.Offline, Lead: world.Text.Shell.OfflineLead, Button: world.Text.Shell.TryAgain}.Render(),

		"panel-loading":     statePanel(world, func(p *PasskeysPanel) { p.state, p.list = listLoading, shared.PasskeyList{} }),
		"panel-failed":      statePanel(world, func(p *PasskeysPanel) { p.state, p.failure = listFailed, internal }),
		"panel-empty":       statePanel(world, func(p *PasskeysPanel) { p.list = shared.PasskeyList{HasPassword: true} }),
		"panel-list":        statePanel(world, func(*PasskeysPanel) {}),
		"panel-gone":        statePanel(world, func(p *PasskeysPanel) { p.gone = "“Old key” was removed in another browser." }),
		"panel-blocked":     statePanel(world, func(p *PasskeysPanel) { p.World.Blocked = world.Text.Panel.NotSupported }),
		"panel-only-method": statePanel(world, func(p *PasskeysPanel) { p.list = stateOnly() }),
		"panel-add":         statePanel(world, func(p *PasskeysPanel) { p.add.state = addOpen }),
		"panel-add-working": statePanel(world, func(p *PasskeysPanel) { p.add.state = addWorking }),
		"panel-add-refused": statePanel(world, func(p *PasskeysPanel) { p.add = addForm{state: addOpen, failure: denied} }),
		"panel-added":       statePanel(world, func(p *PasskeysPanel) { p.lit, p.announcement = "a", "“Work laptop” was added." }),
		"panel-rename":      statePanel(world, func(p *PasskeysPanel) { p.row = openRow{id: "a", mode: rowRename} }),
		"panel-renaming":    statePanel(world, func(p *PasskeysPanel) { p.row = openRow{id: "a", mode: rowRenaming} }),
		"panel-rename-taken": statePanel(world, func(p *PasskeysPanel) {
			p.row = openRow{id: "a", mode: rowRename, failure: shared.Errorf(shared.CodeNameTaken, "Another of your passkeys has this name.")}
		}),
		"panel-remove":   statePanel(world, func(p *PasskeysPanel) { p.row = openRow{id: "a", mode: rowRemove} }),
		"panel-removing": statePanel(world, func(p *PasskeysPanel) { p.row = openRow{id: "a", mode: rowRemoving} }),
		"panel-remove-last": statePanel(world, func(p *PasskeysPanel) {
			p.list.Passkeys = p.list.Passkeys[:1]
			p.row = openRow{id: "a", mode: rowRemove}
		}),
		"panel-remove-last-provider": statePanel(stateProvided(world), func(p *PasskeysPanel) {
			p.list.Passkeys, p.list.HasPassword = p.list.Passkeys[:1], false
			p.row = openRow{id: "a", mode: rowRemove}
		}),
		"panel-remove-sessions": statePanel(world, func(p *PasskeysPanel) {
			p.began, p.row = map[string]int{"a": 2}, openRow{id: "a", mode: rowRemove}
		}),
		"panel-remove-some-sessions": statePanel(world, func(p *PasskeysPanel) {
			p.list.EndsSessions, p.row = true, openRow{id: "a", mode: rowRemove}
		}),
		"panel-other-address": statePanel(world, func(p *PasskeysPanel) { p.list.Passkeys[1].OtherAddress = true }),
		"panel-unverified":    statePanel(world, func(p *PasskeysPanel) { p.list.Passkeys[1].Unverified = true }),
		"panel-offline": statePanel(world, func(p *PasskeysPanel) {
			p.World.Offline = message.Fill(world.Text.Shell.OfflineAsOf, "date", "Nov 20, 2026, 2:05 PM")
		}),
		"panel-remove-refused": statePanel(world, func(p *PasskeysPanel) { p.row = openRow{id: "a", mode: rowRemove, failure: internal} }),
		"panel-confirm":        statePanel(world, func(p *PasskeysPanel) { p.paused = &pausedUntilSure{} }),
		"panel-phone":          statePanel(world, func(p *PasskeysPanel) { p.phone = stateLink() }),
		"panel-off":            &PasskeysOff{World: world},
		"users":                stateUsers(world, func(p *UsersPanel) { p.next = "more" }),
		"users-empty":          stateUsers(world, func(p *UsersPanel) { p.users = nil }),
		"users-loading":        stateUsers(world, func(p *UsersPanel) { p.state = listLoading }),
		"users-failed":         stateUsers(world, func(p *UsersPanel) { p.state, p.failure = listFailed, internal }),
		"users-invite":         stateUsers(world, func(p *UsersPanel) { p.inviting = true }),
		"users-recover":        stateUsers(world, func(p *UsersPanel) { p.asking = question{p.users[1], askLink} }),
		"users-again":          stateUsers(world, func(p *UsersPanel) { p.asking = question{p.users[2], askLink} }),
		"users-link": stateUsers(world, func(p *UsersPanel) {
			until := time.Date(2026, 11, 20, 19, 0, 0, 0, time.UTC)
			p.users[1].LinkUntil = &until
		}),
		"users-disable":    stateUsers(world, func(p *UsersPanel) { p.asking = question{p.users[1], askDisable} }),
		"users-invitation": stateUsers(world, func(p *UsersPanel) { p.link = shownLink{link: stateLink(), user: p.users[2]} }),
		"users-recovery": stateUsers(world, func(p *UsersPanel) {
			p.link = shownLink{link: stateLink(), user: p.users[1], recovery: true}
		}),
		"sessions":         &SessionsPanel{World: world, state: listReady, list: stateSessions()},
		"sessions-alone":   &SessionsPanel{World: world, state: listReady, list: shared.SessionList{Sessions: stateSessions().Sessions[:1]}},
		"sessions-ending":  &SessionsPanel{World: world, state: listReady, list: stateSessions(), ending: "s2"},
		"sessions-loading": &SessionsPanel{World: world},
		"sessions-failed":  &SessionsPanel{World: world, state: listFailed, failure: internal},
		"activity":         &ActivityPanel{World: world, state: listReady, events: stateEvents(), next: "more"},
		"activity-loading": &ActivityPanel{World: world},
		"activity-failed":  &ActivityPanel{World: world, state: listFailed, failure: internal},
		"activity-ending":  &ActivityPanel{World: world, state: listReady, events: stateEvents(), alarm: alarm{stateEvents()[0], alarmEnding}},
		"activity-advice":  &ActivityPanel{World: world, HasPassword: true, state: listReady, events: stateEvents()[:1], alarm: alarm{stateEvents()[0], alarmAdvising}},
		"activity-advice-failed": &ActivityPanel{World: world, HasPassword: true, state: listReady, events: stateEvents()[:1],
			alarm: alarm{shared.Event{Kind: shared.EventSignInFailed, Browser: "Firefox"}, alarmAdvising}},
		"activity-password": &ActivityPanel{World: world, HasPassword: true, state: listReady, events: stateEvents()[:1], alarm: alarm{stateEvents()[0], alarmPassword}},
		"password-refused":  &passwordDialog{World: world, failure: shared.Errorf(shared.CodeInvalidPassword, "This password is too short. Please use at least %d characters.", 12)},

		"methods": &MethodsCard{World: world, Account: shared.Account{
			PasskeysOn: true, Passkeys: 2,
			Providers:  []shared.Provider{{ID: "example", Name: "Example"}, {ID: "other", Name: "Other Inc."}},
			Identities: []shared.Identity{{ID: "i1", ProviderID: "example", Provider: "Example", Name: "ann@example.com"}},
		}},
		"methods-codes": &MethodsCard{
			World: world, Account: shared.Account{User: shared.User{Name: "ann"}, Product: "Keypeg", HasPassword: true, RecoveryCodes: 10},
			codes: []string{"ABCDE-FGHIJ", "KLMNO-PQRST", "UVWXY-Z2345", "67ABC-DEFGH", "IJKLM-NOPQR", "STUVW-XYZ23", "4567A-BCDEF", "GHIJK-LMNOP", "QRSTU-VWXYZ", "23456-7ABCD"},
		},
		"methods-only": &MethodsCard{World: world, Account: shared.Account{
			Providers:  []shared.Provider{{ID: "example", Name: "Example"}},
			Identities: []shared.Identity{{ID: "i1", ProviderID: "example", Provider: "Example", Name: "ann@example.com", OnlyMethod: true}},
		}},
		"confirm-nothing":  &Confirm{World: stateRecoverable(world), Service: stateService{}},
		"confirm-again":    &Confirm{World: stateAgain(world), Service: stateService{}},
		"confirm-or-again": &Confirm{World: stateAgain(world), Service: stateService{}, HasPasskey: true},
		"sign-in":          &SignInPanel{World: world, Password: noPassword},
		"sign-in-working":  &SignInPanel{World: world, Password: noPassword, state: signInByPasskey},
		"sign-in-refused":  &SignInPanel{World: world, Password: noPassword, failure: &ceremony.Failure{Reason: ceremony.Denied}},
		"sign-in-passkey":  &SignInPanel{World: world},
		"sign-in-blocked":  &SignInPanel{World: stateBlocked(world)},
		"confirm-provider": &Confirm{World: stateProvided(world), Service: stateService{}, HasPasskey: true},
		"confirm-password": &Confirm{World: world, Service: stateService{}, HasPassword: true},
		"confirm-working":  &Confirm{World: world, Service: stateService{}, HasPassword: true, HasPasskey: true, state: confirmByPasskey},
		"confirm-denied":   &Confirm{World: world, Service: stateService{}, HasPassword: true, HasPasskey: true, failure: &ceremony.Failure{Reason: ceremony.Denied, Confirming: true}},
		"confirm-refused":  &Confirm{World: world, Service: stateService{}, HasPassword: true, failure: shared.Errorf(shared.CodeSignInRefused, "This password is not right.")},
	}
	list := make([]State, 0, len(states))
	for name, component := range states {
		list = append(list, State{name, component})
	}
	slices.SortFunc(list, func(a, b State) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// stateProvided is for a user whom a provider knows.
func stateProvided(w World) World {
	w.ConfirmsAt = []shared.Provider{{ID: "example", Name: "Example"}}
	return w
}

func stateRecoverable(w World) World {
	w.Recovery = shared.PageRecovery
	return w
}

// stateAgain is for a host's user, who can sign in there.
func stateAgain(w World) World {
	w.SignInAgain = func() {}
	return w
}

func stateBlocked(w World) World {
	w.Blocked = w.Text.Panel.NotSupported
	return w
}

// noPassword takes none.
func noPassword(context.Context, string, string) error { return nil }

// stateService does nothing: no state is ever mounted by a test, and in the gallery its
// buttons lead nowhere.
type stateService struct {
	PasskeyService
	ConfirmService
	PhoneLinker
	ProviderConfirmer
}

func stateWorld(text *message.Catalogue) World {
	return World{Text: text, Formats: browser.In("en"), Host: "id.example.com", Contact: "IT desk, phone 1234"}
}

func stateKeys() shared.PasskeyList {
	used := time.Date(2026, 11, 20, 18, 30, 0, 0, time.UTC)
	return shared.PasskeyList{HasPassword: true, Passkeys: []shared.Passkey{
		{ID: "a", Name: "Work laptop", Provider: "Windows Hello", Kind: shared.KindComputer, Created: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), LastUsed: &used, Current: true},
		{ID: "b", Name: "iCloud Keychain", Provider: "iCloud Keychain", Kind: shared.KindManager, Created: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC), Synced: true},
		{ID: "c", Name: `<img src=x onerror=alert(1)>`, Kind: shared.KindSecurityKey, Created: time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC)},
	}}
}

// statePanel is a PasskeysPanel with its list, in a state that change makes.
func statePanel(world World, change func(*PasskeysPanel)) *PasskeysPanel {
	p := &PasskeysPanel{World: world, Service: stateService{}, Confirms: stateService{}, state: listReady, list: stateKeys()}
	change(p)
	return p
}

// stateUsers is a UsersPanel with its list, in a state that change makes.
func stateUsers(world World, change func(*UsersPanel)) *UsersPanel {
	at := time.Date(2026, 11, 20, 18, 30, 0, 0, time.UTC)
	p := &UsersPanel{World: world, Account: shared.Account{User: shared.User{ID: "u1"}, Product: "Keypeg"}, state: listReady, users: []shared.Member{
		{User: shared.User{ID: "u1", Name: "ann", DisplayName: "Ann Admin", Admin: true}, HasPassword: true, Passkeys: 2, Created: at},
		{User: shared.User{ID: "u2", Name: "bob@example.com", DisplayName: "Bob Builder"}, Passkeys: 1, Identities: 1, Created: at},
		{User: shared.User{ID: "u3", Name: "carl", DisplayName: "<img src=x onerror=alert(1)>"}, Invited: true, Created: at},
		{User: shared.User{ID: "u4", Name: "dora", DisplayName: "Dora", Disabled: true}, HasPassword: true, Created: at},
	}}
	change(p)
	return p
}

// stateLink has a code that is only the corners of one.
func stateLink() shared.EnrolmentLink {
	return shared.EnrolmentLink{
		URL: "https://id.example.com/enrol?token=invitation.0123456789abcdef0123456789abcdef.ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopq",
		QR:  shared.QR{Size: 21, Path: "M0 0h7v7h-7zM14 0h7v7h-7zM0 14h7v7h-7z"}, Expires: time.Date(2026, 11, 27, 18, 30, 0, 0, time.UTC),
	}
}

func stateOnly() shared.PasskeyList {
	list := stateKeys()
	list.HasPassword = false
	list.Passkeys = list.Passkeys[1:2]
	list.Passkeys[0].OnlyMethod = true
	return list
}

func stateSessions() shared.SessionList {
	at := time.Date(2026, 11, 20, 18, 30, 0, 0, time.UTC)
	return shared.SessionList{Sessions: []shared.Session{
		{ID: "s1", Browser: "Chrome", System: "Windows", Address: "192.0.2.1", Method: shared.MethodPasskey, Passkey: "Work laptop", Created: at, Seen: at, Current: true},
		{ID: "s2", Browser: "Safari", System: "iOS", Address: "2001:db8::1", Method: shared.MethodPassword, Created: at, Seen: at},
		{ID: "s3", Method: shared.MethodPasskey, Created: at, Seen: at},
		{ID: "s4", Browser: "Firefox", Method: shared.MethodSetupLink, Created: at, Seen: at},
	}}
}

// stateEvents are one of each kind, one of this browser, and one that only a newer
// server knows.
func stateEvents() []shared.Event {
	at := time.Date(2026, 11, 20, 18, 30, 0, 0, time.UTC)
	list := []shared.Event{
		{Kind: shared.EventSignedIn, Method: shared.MethodPasskey, Passkey: "Work laptop", PasskeyID: "a", Browser: "Chrome", System: "Windows", Address: "192.0.2.1"},
		{Kind: shared.EventSignedIn, Method: shared.MethodPassword, Browser: "Chrome", System: "Windows", Here: true},
		{Kind: shared.EventSignedIn, Method: shared.MethodSetupLink, Address: "::1"},
		{Kind: shared.EventRecoveryLinkMade, By: "Ann Admin", Browser: "Chrome", System: "Windows"},
		{Kind: shared.EventLinkUsed, Method: shared.MethodRecoveryLink, Browser: "Safari", System: "iOS"},
		{Kind: shared.EventLinkUsed, Method: shared.MethodInvitation, Here: true},
		{Kind: shared.EventLinkUsed, Method: shared.MethodPhoneLink, Address: "::1"},
		{Kind: shared.EventInvited, By: "Ann Admin"},
	}
	for _, kind := range []shared.EventKind{
		shared.EventAccountCreated, shared.EventSignInFailed, shared.EventSignedOut, shared.EventConfirmed, shared.EventPasswordChanged, shared.EventPasswordRemoved,
		shared.EventDisabled, shared.EventEnabled, shared.EventPasskeyAdded, shared.EventPasskeyRenamed, shared.EventPasskeyRemoved,
		shared.EventCounterFell, shared.EventCounterDiffers, shared.EventBackupChanged, shared.EventSessionEnded, shared.EventOthersEnded, "of_tomorrow",
	} {
		list = append(list, shared.Event{Kind: kind, Passkey: "Phone", Browser: "Firefox", System: "Linux"})
	}
	last := at.Add(-time.Minute)
	list = append(list, shared.Event{Kind: shared.EventSignInFailed, Method: shared.MethodRecoveryCode, Count: 120, Last: &last, Address: "192.0.2.1"})
	for i := range list {
		list[i].ID, list[i].Time = fmt.Sprint("e", i), at.Add(-time.Duration(i)*time.Hour)
	}
	return list
}
