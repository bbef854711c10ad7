package ui

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/browser"
	"github.com/keypeg/keypeg/app/ceremony"
	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// State is a component in one of its states, with invented content.
type State struct {
	Name string // "panel-add-refused", unique
	UI   app.UI // the component
}

// States returns every component in every state, ordered by name. Tests compare their markup
// with golden files, and the gallery shows them to people. The app doesn't call this
// function, so that the states aren't in its program.
func States(text *message.Catalogue) []State {
	in := stateContext(text)
	states := map[string]app.UI{}
	for _, of := range []map[string]app.UI{
		statesOfParts(in), statesOfPasskeys(in), statesOfUsers(in), statesOfUser(in), statesOfClients(in), statesOfEvents(in), statesOfRollout(in), statesOfChecks(in), statesOfMethods(in), statesOfPast(in), statesOfProof(in),
	} {
		maps.Copy(states, of)
	}
	list := make([]State, 0, len(states))
	for name, component := range states {
		list = append(list, State{name, component})
	}
	slices.SortFunc(list, func(a, b State) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// statesOfParts are the states of what is around every page.
func statesOfParts(in Context) map[string]app.UI {
	return map[string]app.UI{
		"menu-closed": &UserMenu{Name: "Ann Admin", Label: in.Text.Shell.Menu},
		"menu-open": &UserMenu{Name: "Ann Admin", Label: "Your account", state: menuOpen, Items: []MenuItem{
			{ID: "passkeys", Label: in.Text.Shell.Passkeys, Icon: "key", Href: "/passkeys"},
			{ID: "sign-out", Label: in.Text.Shell.SignOut, Icon: "out"},
			{ID: "language-en", Label: "English", Lang: "en", Checked: true}, {ID: "language-ja", Label: "日本語", Lang: "ja"},
		}},
		"frame-loading": Frame{Skip: in.Text.Shell.SkipToMain, Product: "Keypeg", Icon: "/icon.svg", Home: "/"}.With(app.Elem("h1").Class("spoken").Text("Keypeg"), app.Elem("p").Class("quiet page-wait").Attr("role", "status").Text(in.Text.Shell.Loading)),
		"tabs":          Tabs(in.Text.Shell.Administration, []Tab{{Label: in.Text.Users.Title, Href: "/users", Current: true}, {Label: "Events", Href: "/audit"}, {Label: "A page with a long name", Href: "/long"}}),
		"message":       Message{Title: in.Text.Shell.Offline, Lead: in.Text.Shell.OfflineLead, Button: in.Text.Shell.TryAgain}.Render(),
	}
}

// statesOfMethods are those of the start page's card, and of the dialog for a password.
func statesOfMethods(in Context) map[string]app.UI {
	return map[string]app.UI{
		"password-refused":     &passwordDialog{Context: in, failure: shared.Errorf(shared.CodeInvalidPassword, "This password is too short. Please use at least %d characters.", 12)},
		"profile":              &ProfileCard{Context: in, Languages: stateLanguages(), Account: shared.Account{User: shared.User{Name: "ann", DisplayName: "Ann Admin"}, Email: "ann@example.com", Language: "de"}},
		"profile-verified":     &ProfileCard{Context: in, Languages: stateLanguages(), Account: shared.Account{User: shared.User{Name: "ann", DisplayName: "Ann Admin"}, Email: "ann@example.com", EmailVerified: true, MailOn: true}},
		"profile-not-verified": stateUnverified(in, func(*ProfileCard) {}),
		"profile-mail-sending": stateUnverified(in, func(c *ProfileCard) { c.mail = mailSending }),
		"profile-mail-sent":    stateUnverified(in, func(c *ProfileCard) { c.mail = mailSent }),
		"profile-mail-refused": stateUnverified(in, func(c *ProfileCard) {
			c.unsent = shared.Errorf(shared.CodeTooManyAttempts, "Too many mails went to this address. Please try again in %d minutes.", 12)
		}),
		"profile-edit":            &ProfileCard{Context: in, Languages: stateLanguages(), editing: true, Account: shared.Account{User: shared.User{Name: "ann", DisplayName: "Ann Admin"}}},
		"profile-refused":         &ProfileCard{Context: in, failure: stateInternal(), Account: shared.Account{User: shared.User{Name: "ann", DisplayName: "Ann Admin"}}},
		"methods-password-remove": &MethodsCard{Context: in, password: passwordRemoved, Account: shared.Account{PasskeysOn: true, Passkeys: 2, HasPassword: true}},
		"methods-refused":         &MethodsCard{Context: in, refused: passwordRow, failure: stateInternal(), Account: shared.Account{PasskeysOn: true, Passkeys: 2, HasPassword: true}},
		"methods-held":            &MethodsCard{Context: in, Account: stateHeldAccount(true)},
		"methods-held-elsewhere":  &MethodsCard{Context: in, Account: stateHeldAccount(false)},
		"methods-held-working":    &MethodsCard{Context: in, working: holdRow, Account: stateHeldAccount(true)},
		"methods-held-refused":    &MethodsCard{Context: in, refused: holdRow, failure: stateHeld(), Account: stateHeldAccount(true)},
		"methods-lit":             &MethodsCard{Context: in, lit: passwordRow, Account: shared.Account{PasskeysOn: true, Passkeys: 2, HasPassword: true, PasswordSet: stateTime(), RecoveryCodes: 2, RecoveryCodesMade: stateTime()}},
		"methods-hint": &MethodsCard{Context: in, Hint: Hint{ID: "second", Title: in.Text.Home.SecondTitle, Lead: in.Text.Home.SecondComputer, Add: in.Text.Home.OfferAdd, NotNow: in.Text.Home.OfferNotNow}, Account: shared.Account{
			PasskeysOn: true, Passkeys: 1, HasPassword: true, NewestPasskey: &shared.Passkey{Name: "Work laptop", Kind: shared.KindComputer, Created: stateTime()},
		}},
		"methods": &MethodsCard{Context: in, Account: shared.Account{
			PasskeysOn: true, Passkeys: 2, PasswordsOn: true, RecoveryCodes: 8, RecoveryCodesMade: stateTime(),
			NewestPasskey: &shared.Passkey{Name: "<img src=x onerror=alert(1)>", Kind: shared.KindManager, Provider: "iCloud Keychain", Created: stateTime()},
			Providers:     []shared.Provider{{ID: "example", Name: "Example"}, {ID: "other", Name: "Other Inc."}},
			Identities:    []shared.Identity{{ID: "i1", ProviderID: "example", Provider: "Example", Name: "ann@example.com", Created: stateTime()}},
		}},
		"methods-codes": &MethodsCard{
			Context: in, Account: shared.Account{User: shared.User{Name: "ann"}, Product: "Keypeg", HasPassword: true, PasswordOnly: true, RecoveryCodes: 10},
			codes: []string{"ABCDE-FGHIJ", "KLMNO-PQRST", "UVWXY-Z2345", "67ABC-DEFGH", "IJKLM-NOPQR", "STUVW-XYZ23", "4567A-BCDEF", "GHIJK-LMNOP", "QRSTU-VWXYZ", "23456-7ABCD"},
		},
		"methods-only": &MethodsCard{Context: in, Account: shared.Account{
			Providers:  []shared.Provider{{ID: "example", Name: "Example"}},
			Identities: []shared.Identity{{ID: "i1", ProviderID: "example", Provider: "Example", Name: "ann@example.com", OnlyMethod: true}},
		}},
	}
}

// stateUnverified is a ProfileCard with an address that isn't verified. Change puts it into a state.
func stateUnverified(in Context, change func(*ProfileCard)) *ProfileCard {
	c := &ProfileCard{Context: in, Languages: stateLanguages(), Account: shared.Account{User: shared.User{Name: "ann", DisplayName: "Ann Admin"}, Email: "ann@example.com", MailOn: true}}
	change(c)
	return c
}

// statesOfPast are those of the pages of sessions and of activity.
func statesOfPast(in Context) map[string]app.UI {
	return map[string]app.UI{
		"sessions":              &SessionsPanel{Context: in, state: listReady, list: stateSessions()},
		"sessions-part":         &SessionsPanel{Context: in, All: "/sessions", state: listReady, list: stateSessions()},
		"sessions-part-failed":  &SessionsPanel{Context: in, All: "/sessions", state: listFailed, failure: stateInternal()},
		"sessions-part-loading": &SessionsPanel{Context: in, All: "/sessions"},
		"sessions-part-offline": &SessionsPanel{Context: stateOffline(in), All: "/sessions", state: listFailed, failure: shared.Away()},
		"programs":              &ProgramsPart{Context: in, state: listReady, list: statePrograms()},
		"programs-ask":          &ProgramsPart{Context: in, state: listReady, list: statePrograms(), asked: "g"},
		"programs-none":         &ProgramsPart{Context: in, state: listReady},
		"programs-loading":      &ProgramsPart{Context: in},
		"programs-failed":       &ProgramsPart{Context: in, state: listFailed, failure: stateInternal()},
		"programs-offline":      &ProgramsPart{Context: stateOffline(in), state: listReady, list: statePrograms()},
		"programs-not-ended":    &ProgramsPart{Context: in, state: listReady, list: statePrograms()[:1], failure: stateInternal()},
		"activity-part":         &ActivityPanel{Context: in, Alarms: stateAlarms{}, All: "/activity", state: listReady, events: stateEvents()[5:]},
		"sessions-alone":        &SessionsPanel{Context: in, state: listReady, list: shared.SessionList{Sessions: stateSessions().Sessions[:1]}},
		"sessions-ending":       &SessionsPanel{Context: in, state: listReady, list: stateSessions(), ending: "s2"},
		"sessions-loading":      &SessionsPanel{Context: in},
		"sessions-failed":       &SessionsPanel{Context: in, state: listFailed, failure: stateInternal()},
		"activity":              &ActivityPanel{Context: in, Alarms: stateAlarms{}, state: listReady, events: stateEvents(), next: "more"},
		"activity-loading":      &ActivityPanel{Context: in, Alarms: stateAlarms{}},
		"activity-failed":       &ActivityPanel{Context: in, Alarms: stateAlarms{}, state: listFailed, failure: stateInternal()},
		"activity-ending":       &ActivityPanel{Context: in, Alarms: stateAlarms{}, state: listReady, events: stateEvents(), alarm: alarm{stateEvents()[0], alarmEnding}},
		"activity-advice":       &ActivityPanel{Context: in, Alarms: stateAlarms{}, Account: shared.Account{HasPassword: true}, state: listReady, events: stateEvents()[:1], alarm: alarm{stateEvents()[0], alarmAdvising}},
		"activity-advice-failed": &ActivityPanel{Context: in, Alarms: stateAlarms{}, Account: shared.Account{HasPassword: true}, state: listReady, events: stateEvents()[:1],
			alarm: alarm{shared.Event{Kind: shared.EventSignInFailed, Browser: "Firefox"}, alarmAdvising}},
		"activity-advice-held":  &ActivityPanel{Context: in, Alarms: stateAlarms{}, Account: stateHeldAccount(false), state: listReady, events: stateEvents()[:1], alarm: alarm{stateEvents()[0], alarmAdvising}},
		"activity-dialog":       &ActivityDialog{Context: in},
		"activity-bare":         &ActivityPanel{Context: in, Bare: true, state: listReady, events: stateEvents()[:2], next: "more"},
		"activity-bare-nothing": &ActivityPanel{Context: in, Bare: true, state: listReady},
		"activity-bare-advice":  &ActivityPanel{Context: in, Bare: true, state: listReady, events: stateEvents()[:1], alarm: alarm{stateEvents()[0], alarmAdvising}},
		"hint":                  &HintCard{Context: in, Hint: Hint{ID: "offer", Title: in.Text.Home.OfferTitle, Lead: in.Text.Home.OfferLead, Add: in.Text.Home.OfferAdd, NotNow: in.Text.Home.OfferNotNow, Primary: true}},
		"activity-password":     &ActivityPanel{Context: in, Alarms: stateAlarms{}, Account: shared.Account{HasPassword: true}, state: listReady, events: stateEvents()[:1], alarm: alarm{stateEvents()[0], alarmPassword}},
	}
}

// statesOfProof are those of signing in and of confirming.
func statesOfProof(in Context) map[string]app.UI {
	return map[string]app.UI{
		"confirm-nothing":  &Confirm{Context: stateRecoverable(in), Service: stateService{}},
		"confirm-again":    &Confirm{Context: stateAgain(in), Service: stateService{}},
		"confirm-or-again": &Confirm{Context: stateAgain(in), Service: stateService{}, HasPasskey: true},
		"sign-in":          &SignInPanel{Context: in, Password: noPassword},
		"sign-in-working":  &SignInPanel{Context: in, Password: noPassword, state: signInByPasskey},
		"sign-in-refused":  &SignInPanel{Context: in, Password: noPassword, failure: &ceremony.Failure{Reason: ceremony.Denied}},
		"sign-in-passkey":  &SignInPanel{Context: in},
		"sign-in-blocked":  &SignInPanel{Context: stateBlocked(in)},
		"confirm-provider": &Confirm{Context: stateProvided(in), Service: stateService{}, HasPasskey: true},
		"confirm-password": &Confirm{Context: in, Service: stateService{}, HasPassword: true},
		"confirm-working":  &Confirm{Context: in, Service: stateService{}, HasPassword: true, HasPasskey: true, state: confirmByPasskey},
		"confirm-denied":   &Confirm{Context: in, Service: stateService{}, HasPassword: true, HasPasskey: true, failure: &ceremony.Failure{Reason: ceremony.Denied, Confirming: true}},
		"confirm-refused":  &Confirm{Context: in, Service: stateService{}, HasPassword: true, failure: shared.Errorf(shared.CodeSignInRefused, "This password is not right.")},
	}
}

func stateTime() time.Time { return time.Date(2026, 11, 20, 18, 30, 0, 0, time.UTC) }

func stateHeldUntil() time.Time { return time.Date(2026, 11, 27, 18, 30, 0, 0, time.UTC) }

// stateAlarms is that of Keypeg's own pages. A host has none.
type stateAlarms struct{ AlarmService }

// stateHeldAccount is the account of a user who can add no sign-in method.
func stateHeldAccount(mayRelease bool) shared.Account {
	return shared.Account{PasskeysOn: true, Passkeys: 2, HasPassword: true, HeldUntil: stateHeldUntil(), MayRelease: mayRelease, SignedInWith: shared.MethodPasskey}
}

// stateHeld is the refusal to add a sign-in method, and to allow it again, while that is stopped.
func stateHeld() error {
	return shared.Errorf(shared.CodeHeld, "No way to sign in can be added now, because somebody chose “This wasn't me” in a mail. To allow it again, open the link of the mail about that in this browser, or ask an administrator.")
}

func stateLanguages() []Language { return []Language{{"en", "English"}, {"de", "Deutsch"}} }

func stateInternal() error {
	return shared.Errorf(shared.CodeInternal, "Something went wrong on our side. Please try again. If it stays, tell IT this number: %s.", "FYHWNKPY7CGRXKHV")
}

// stateProvided is for a user who has linked an OpenID provider.
func stateProvided(in Context) Context {
	in.ConfirmsAt = []shared.Provider{{ID: "example", Name: "Example"}}
	return in
}

func stateRecoverable(in Context) Context {
	in.Recovery = shared.PageRecovery
	return in
}

// stateAgain is for a host user, who can sign in again at the host program.
func stateAgain(in Context) Context {
	in.SignInAgain = func() {}
	return in
}

func stateBlocked(in Context) Context {
	in.Blocked = in.Text.Panel.NotSupported
	return in
}

// noPassword accepts any password and does nothing.
func noPassword(context.Context, string, string) error { return nil }

// stateService does nothing. Tests don't mount the states, and in the gallery nobody handles
// the clicks.
type stateService struct {
	PasskeyService
	ConfirmService
	PhoneLinker
	ProviderConfirmer
}

func stateContext(text *message.Catalogue) Context {
	return Context{Text: text, Formats: browser.In("en"), Host: "id.example.com", Contact: "IT desk, phone 1234", About: shared.PageAbout, now: func() time.Time { return time.Date(2026, 11, 20, 18, 45, 0, 0, time.UTC) }}
}

// stateLink has only the three corners of a QR code.
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

// statePrograms are programs of many kinds.
func statePrograms() []shared.Program {
	at := time.Date(2026, 11, 20, 18, 30, 0, 0, time.UTC)
	everything := []string{shared.ScopeProfile, shared.ScopeEmail, shared.ScopeGroups, shared.ScopeOffline}
	return []shared.Program{
		{ID: "g", Name: "Grafana", Host: "grafana.contoso.example", Scopes: everything[:3], Since: at.Add(-99 * time.Hour), Used: at},
		{ID: "m", Name: "My notes", Scopes: everything, Since: at},
		{ID: "o", Name: "https://old.example/client.json", Scopes: []string{"openid"}, Since: at, Used: at},
		{ID: "x", Name: `<img src=x onerror=alert(1)> of the department of very long names and longer programs`, Host: "a-host-with-a-very-long-name-in-the-department." + strings.Repeat("long.", 10) + "example", Scopes: everything[:1], Since: at},
		{ID: "r", Name: "ויקי של המחלקה", Host: "wiki.contoso.example", Since: at, Used: at},
	}
}

// stateEvents are one event of each kind, one of this browser, and one of a kind that only a
// newer server knows.
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
	list = append(list, shared.Event{Kind: shared.EventSignInFailed, Method: shared.MethodRecoveryCode, Count: 120, Last: &last, Address: "192.0.2.1"},
		shared.Event{Kind: shared.EventInvited, ByRemoved: true},
		shared.Event{Kind: shared.EventPasskeyFailed, Method: shared.MethodPasskey, Reason: shared.ReasonClosed, Browser: "Chrome", System: "Windows", Here: true},
		shared.Event{Kind: shared.EventProgramAllowed, Program: "Grafana", Browser: "Chrome", System: "Windows"},
		shared.Event{Kind: shared.EventSignedInTo, Program: "Grafana", Browser: "Chrome", System: "Windows", Here: true},
		shared.Event{Kind: shared.EventProgramEnded, Program: "Grafana", By: "Ann Admin"})
	for i := range list {
		list[i].ID, list[i].Time = fmt.Sprint("e", i), at.Add(-time.Duration(i)*time.Hour)
	}
	return list
}
