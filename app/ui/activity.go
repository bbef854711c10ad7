package ui

import (
	"context"
	"fmt"
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// ActivityService returns what happened to the account of the signed-in user.
type ActivityService interface {
	// Activity returns a page. Before is the Next of the page before, or "" for the first.
	Activity(ctx context.Context, before string) (shared.Activity, error)
}

// AlarmService shuts out whoever else is in the account.
type AlarmService interface {
	// EndOtherSessions ends every session but this one.
	EndOtherSessions(ctx context.Context) (shared.SessionList, error)
	// ChangePassword may refuse the new password with a *[shared.Error], which is shown.
	ChangePassword(ctx context.Context, password string) error
}

// ActivityPanel lists what happened to the account. An event that somebody else may have
// caused has a button, "This wasn't me". It ends the other sessions, and then offers to
// remove the passkey and to change the password. Without Alarms, it says whom to ask and leads to
// the passkeys.
type ActivityPanel struct {
	app.Compo

	Context     Context         // required
	Service     ActivityService // required
	Alarms      AlarmService    // nil where sessions can't be ended
	Confirms    ConfirmService  // with nil, the dialog says that there is nothing to confirm with
	Account     shared.Account  // the user's, as it is now
	Changes     int             // grows whenever something happened
	OnSignedOut func()          // the session has ended
	OnPasskeys  func()          // go to the passkeys, to remove one
	OnMethods   func()          // go to the sign-in methods, to remove the password
	// All is the address of a page with everything that happened. With it, this is a part of
	// another page, which shows what happened last.
	All string
	// Bare leaves out the heading, for [ActivityDialog].
	Bare bool

	tasks
	seen         int // Changes, when the list was asked for
	state        listState
	events       []shared.Event
	first        int // how many of the events are of the first page
	next         string
	failure      error
	alarm        alarm
	announcement string
}

// OnMount loads the first page.
func (p *ActivityPanel) OnMount(ctx app.Context) {
	p.tasks = tasks{self: ctx, context: &p.Context, signedOut: p.OnSignedOut}
	p.more("")
}

// OnUpdate loads the first page again when something happened. It leaves a user alone who has
// loaded older pages.
func (p *ActivityPanel) OnUpdate(app.Context) {
	if p.seen != p.Changes && p.state != listLoading && len(p.events) <= p.first {
		p.more("")
	}
}

// more loads the page that next names, or the first page for "".
func (p *ActivityPanel) more(next string) {
	p.seen = p.Changes
	if next != "" || p.state == listFailed {
		p.state, p.failure = listLoading, nil
	}
	var page shared.Activity
	p.attempt(func(ctx context.Context) (err error) {
		page, err = p.Service.Activity(ctx, next)
		return err
	}, func(err error) {
		if err != nil {
			p.state, p.failure = listFailed, err
			return
		}
		if next == "" {
			p.events, p.first = nil, len(page.Events)
		}
		p.state, p.next = listReady, page.Next
		p.events = append(p.events, page.Events...)
	})
}

// Render implements app.Composer.
func (p *ActivityPanel) Render() app.UI {
	text := p.Context.Text.Activity
	if p.All != "" {
		return part(activityPart, p.Context.Text.Home.Activity, p.Context.seeAll(p.All, text.Title), p.renderList(), p.renderDialogs())
	}
	content := []app.UI{
		app.Elem("h1").ID("activity-title").TabIndex(-1).Text(text.Title),
		app.Elem("p").Class("lead").Text(text.Lead),
		p.renderList(),
		app.If(p.next != "", func() app.UI {
			return p.Context.button("activity-more", "", label(p.state == listLoading, text.MoreWorking, text.More), p.state == listLoading || p.Context.Offline != "", p.onMore)
		}),
		p.renderDialogs(),
	}
	class := "page"
	if p.Bare {
		class, content = "stack", content[2:]
	}
	return app.Elem("section").Class(class).Aria("labelledby", "activity-title").Body(content...)
}

// activityPart is the id of the heading where the panel is a part of another page, and of an
// [ActivityDialog].
const activityPart = "activity"

func (p *ActivityPanel) renderList() app.UI {
	switch {
	case p.state == listFailed && len(p.events) == 0:
		return p.Context.failedRows(p.failure, p.All != "", "activity-retry", p.onMore)
	case p.state == listLoading && len(p.events) == 0:
		return p.Context.waitingRows()
	case len(p.events) == 0:
		return p.Context.noRows(p.Context.Text.Activity.Nothing)
	}
	return app.Elem("div").Class("stack").Body(p.Context.notice(p.failure), app.If(len(p.events) > 0, p.renderRows))
}

func (p *ActivityPanel) renderDialogs() app.UI {
	return app.Elem("div").Class("slot").Body(
		Slot(app.If(p.alarm.state == alarmAdvising, p.renderAdvice)),
		Slot(app.If(p.alarm.state == alarmPassword, p.renderPassword)),
		p.renderConfirm(p.Context, p.Confirms, p.Account.Passkeys > 0, p.Account.HasPassword),
		spoken(p.announcement),
	)
}

func (p *ActivityPanel) renderRows() app.UI {
	list, level := p.events, "h2"
	if p.Bare {
		level = "h3"
	}
	if p.All != "" {
		list, level = list[:min(newest, len(list))], "h3"
	}
	return app.Elem("ul").Class("rows").Body(
		app.Range(list).Slice(func(i int) app.UI {
			event, text := list[i], p.Context.Text.Activity
			row := p.Context.eventRow(event, level)
			if p.All == "" {
				row.Facts = append(row.Facts, p.Context.from(event.Address)...)
			}
			if alarming(event) && (p.Alarms != nil || event.PasskeyID+p.Context.Contact != "") { // else there is nothing to do
				working := p.alarm.state == alarmEnding && p.alarm.event.ID == event.ID
				row.Do = rowAction{
					ID: "not-me-" + event.ID, Text: label(working, text.NotMeWorking, text.NotMe), Label: label(working, "", message.Fill(text.NotMeRow, "event", row.Name)),
					Off: working || p.Context.Offline != "", Do: func() { p.notMe(event) },
				}
			}
			return row
		}),
	)
}

func (p *ActivityPanel) onMore(app.Context, app.Event) { p.more(p.next) }

// eventRow is one event of a list.
func (c Context) eventRow(e shared.Event, level string) *line {
	text := c.Text.Activity
	moment, exact := c.when(e.Time)
	var times string
	if e.Last != nil {
		first, _ := c.whenWithin(e.Time)
		times = message.Fill(text.Times, "count", fmt.Sprint(e.Count), "when", first)
		moment, exact = c.when(*e.Last)
	}
	picture, kind := eventIcon(e.Kind, e.Method)
	row := &line{Context: c, ID: "event-" + e.ID, Level: level, Icon: picture, Kind: kind, Name: c.eventText(e), Facts: []fact{{moment, exact}}}
	if e.Here {
		row.Tag = text.Here
	}
	row.Facts = append(row.Facts, facts(times, c.changeText(e.Change))...)
	switch {
	case e.ByRemoved:
		row.Facts = append(row.Facts, facts(text.ByRemoved)...)
	case e.By != "":
		row.Facts = append(row.Facts, facts(message.Fill(text.By, "name", e.By))...)
	}
	if e.About != "" {
		row.Facts = append(row.Facts, facts(message.Fill(text.For, "name", e.About))...)
	}
	if e.AboutRemoved {
		row.Facts = append(row.Facts, facts(text.ForRemoved)...)
	}
	if e.Browser+e.System != "" {
		row.Facts = append(row.Facts, facts(c.browserName(e.Browser, e.System))...)
	}
	return row
}

// eventText says what happened.
func (c Context) eventText(e shared.Event) string {
	text := c.Text.Activity
	plain := map[shared.EventKind]string{
		shared.EventAccountCreated:  text.AccountCreated,
		shared.EventSignedIn:        text.SignedInPassword,
		shared.EventSignInFailed:    text.SignInFailed,
		shared.EventPasskeyFailed:   text.PasskeyFailed,
		shared.EventSignedOut:       text.SignedOut,
		shared.EventConfirmed:       text.Confirmed,
		shared.EventPasswordChanged: text.PasswordChanged,
		shared.EventPasswordRemoved: text.PasswordRemoved,
		shared.EventDisabled:        text.Disabled,
		shared.EventEnabled:         text.Enabled,
		shared.EventPasskeyAdded:    text.PasskeyAdded,
		shared.EventPasskeyRenamed:  text.PasskeyRenamed,
		shared.EventPasskeyRemoved:  text.PasskeyRemoved,
		shared.EventCounterFell:     text.CounterFell,
		shared.EventCounterDiffers:  text.CounterDiffers,
		shared.EventBackupChanged:   text.BackupChanged,
		shared.EventSessionEnded:    text.SessionEnded,
		shared.EventOthersEnded:     text.OthersEnded,

		shared.EventIdentityLinked:   text.IdentityLinked,
		shared.EventIdentityUnlinked: text.IdentityUnlinked,

		shared.EventRecoveryCodesMade: text.CodesMade,

		shared.EventInvited:          text.Invited,
		shared.EventRecoveryLinkMade: text.RecoveryLinkMade,
		shared.EventLinkWithdrawn:    text.LinkWithdrawn,
		shared.EventLinkUsed:         text.PhoneUsed,

		shared.EventRenamed:        text.Renamed,
		shared.EventProfileChanged: text.ProfileChanged,
		shared.EventEmailChanged:   text.EmailChanged,
		shared.EventEmailVerified:  text.EmailVerified,
		shared.EventGroupsChanged:  text.GroupsChanged,
		shared.EventRoleChanged:    text.RoleChanged,
		shared.EventAccountRemoved: text.AccountRemoved,
		shared.EventDataExported:   text.DataExported,
		shared.EventHeld:           text.Held,
		shared.EventReleased:       text.Released,

		shared.EventProgramAllowed:      text.ProgramAllowed,
		shared.EventProgramEnded:        text.ProgramEnded,
		shared.EventSignedInTo:          text.SignedInTo,
		shared.EventClientAdded:         text.ClientAdded,
		shared.EventClientChanged:       text.ClientChanged,
		shared.EventClientSecretRotated: text.ClientSecretRotated,
		shared.EventClientRemoved:       text.ClientRemoved,
		shared.EventKeysRotated:         text.KeysRotated,
	}[e.Kind]
	switch {
	case e.Kind == shared.EventSignedIn && e.Method == shared.MethodPasskey:
		plain = text.SignedInPasskey
	case e.Kind == shared.EventSignedIn && e.Method == shared.MethodSetupLink:
		plain = text.SignedInLink
	case e.Kind == shared.EventSignedIn && e.Method == shared.MethodSSO:
		plain = text.SignedInProvider
	case e.Kind == shared.EventSignedIn && e.Method == shared.MethodRecoveryCode:
		plain = text.SignedInCode
	case e.Kind == shared.EventLinkUsed && e.Method == shared.MethodInvitation:
		plain = text.InvitationUsed
	case e.Kind == shared.EventLinkUsed && e.Method == shared.MethodRecoveryLink:
		plain = text.RecoveryUsed
	case plain == "":
		plain = text.Other // of a newer server
	}
	return message.Fill(plain, "passkey", e.Passkey, "provider", e.Provider, "program", e.Program, "reason", c.reason(e.Reason))
}

// changeText says what was changed, as in [shared.Event].
func (c Context) changeText(change string) string {
	var said []string
	for word := range strings.FieldsSeq(change) {
		sign := word[:1]
		field, value, _ := strings.Cut(word[1:], ":")
		switch field + ":" {
		case shared.ChangedRole:
			value = c.roleName(shared.Role(value))
		case shared.ChangedHelps:
			value = c.roleName(shared.RoleHelper) + " (" + value + ")"
		}
		if sign == shared.ChangeTaken {
			sign = "−" // the sign that is as wide as the other
		}
		said = append(said, sign+" "+value)
	}
	return strings.Join(said, ", ")
}

// reason says why a passkey didn't work.
func (c Context) reason(why shared.FailureReason) string {
	text := c.Text.Reasons
	switch why {
	case shared.ReasonClosed:
		return text.Closed
	case shared.ReasonRemoved:
		return text.Removed
	case shared.ReasonNoLock:
		return text.NoLock
	case shared.ReasonElsewhere:
		return text.Elsewhere
	case shared.ReasonUnsupported:
		return text.Unsupported
	case shared.ReasonProvider:
		return text.Provider
	}
	return text.Refused
}
