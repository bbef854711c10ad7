package mail

import (
	"time"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// notice is an event that its user hears of. Most kinds of events are told always.
type notice struct {
	kind  shared.EventKind
	title func(message.Titles) string
	// method is the only method with which the event is told; "" is any.
	method store.Method
	// onlyNew: it is told if the user wasn't seen in this browser before.
	onlyNew bool
	// shutOut: the user can't sign in, so the mail doesn't ask for that.
	shutOut bool
}

// notices has a row for each mail. Where several fit an event, the first one counts.
var notices = []notice{
	{kind: shared.EventPasskeyAdded, title: func(t message.Titles) string { return t.PasskeyAdded }},
	{kind: shared.EventPasskeyRemoved, title: func(t message.Titles) string { return t.PasskeyRemoved }},
	{kind: shared.EventPasswordChanged, title: func(t message.Titles) string { return t.PasswordChanged }},
	{kind: shared.EventPasswordRemoved, title: func(t message.Titles) string { return t.PasswordRemoved }},
	{kind: shared.EventRecoveryCodesMade, title: func(t message.Titles) string { return t.CodesMade }},
	{kind: shared.EventRecoveryLinkMade, title: func(t message.Titles) string { return t.RecoveryLinkMade }},
	{kind: shared.EventLinkUsed, title: func(t message.Titles) string { return t.LinkUsed }},
	{kind: shared.EventIdentityLinked, title: func(t message.Titles) string { return t.IdentityLinked }},
	{kind: shared.EventIdentityUnlinked, title: func(t message.Titles) string { return t.IdentityUnlinked }},
	{kind: shared.EventProgramAllowed, title: func(t message.Titles) string { return t.ProgramAllowed }},
	{kind: shared.EventSignedIn, method: store.MethodRecoveryCode, title: func(t message.Titles) string { return t.CodeUsed }},
	{kind: shared.EventSignedIn, onlyNew: true, title: func(t message.Titles) string { return t.NewBrowser }},
	{kind: shared.EventRoleChanged, title: func(t message.Titles) string { return t.RoleChanged }},
	{kind: shared.EventDisabled, title: func(t message.Titles) string { return t.Disabled }, shutOut: true},
	{kind: shared.EventReleased, title: func(t message.Titles) string { return t.Released }},
	{kind: shared.EventEmailChanged, title: func(t message.Titles) string { return t.EmailChanged }},
}

// noticeOf returns the row for an event.
func noticeOf(kind shared.EventKind, method store.Method) (notice, bool) {
	for _, n := range notices {
		if n.kind == kind && (n.method == "" || n.method == method) {
			return n, true
		}
	}
	return notice{}, false
}

// news is what a mail says, as it is queued. It has a copy of everything, so that the mail tells
// what was true when it happened.
type news struct {
	To       string           `json:"to"`
	Language string           `json:"language,omitempty"` // "" for the organisation's
	Name     string           `json:"name"`               // the user's display name
	UserName string           `json:"user,omitempty"`     // with which the user signs in
	Kind     shared.EventKind `json:"kind"`
	Method   store.Method     `json:"method,omitempty"`
	Time     time.Time        `json:"time"`
	Passkey  string           `json:"passkey,omitempty"`
	Provider string           `json:"provider,omitempty"`
	Program  string           `json:"program,omitempty"`
	Email    string           `json:"email,omitempty"` // the new address, if that was changed
	ByOther  bool             `json:"byOther,omitempty"`
	Until    time.Time        `json:"until,omitzero"`     // when the hold ends
	Releases bool             `json:"releases,omitempty"` // this mail has a link to end the hold
	Browser  string           `json:"browser,omitempty"`
	System   string           `json:"system,omitempty"`
	Address  string           `json:"address,omitempty"`
}

// newsOf returns what an event's mail says to the user at one address.
func newsOf(event store.Event, user store.User, to string) news {
	n := news{
		To: to, Language: user.Language, Name: user.DisplayName,
		Kind: event.Kind, Method: event.Method, Time: event.Time,
		Passkey: event.Passkey, Provider: event.Provider, Program: event.Program, ByOther: event.By != "",
	}
	if event.Kind == shared.EventEmailChanged {
		n.Email = user.Email
	}
	if event.By == "" { // otherwise it is an administrator's browser
		n.Browser, n.System, n.Address = event.Client.Browser, event.Client.System, event.Client.Address
	}
	return n
}
