package ui

import (
	"context"
	"fmt"
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// ActivityService does what the activity panel offers, for the signed-in user.
type ActivityService interface {
	// Activity returns a page. Before is the Next of the page before, or "" for the first.
	Activity(ctx context.Context, before string) (shared.Activity, error)
	// EndOtherSessions ends every session but this one.
	EndOtherSessions(ctx context.Context) (shared.SessionList, error)
	// ChangePassword may refuse the new password with a *[shared.Error], which is shown.
	ChangePassword(ctx context.Context, password string) error
}

// ActivityPanel lists what happened to the account. An event that somebody else may have
// caused has a button, "This wasn't me". It ends the other sessions, and then offers to
// remove the passkey and to change the password.
type ActivityPanel struct {
	app.Compo

	Context     Context         // required
	Service     ActivityService // required
	Confirms    ConfirmService  // with nil, the dialog says that there is nothing to confirm with
	Account     shared.Account  // the user's, as it is now
	Changes     int             // grows whenever something happened
	OnSignedOut func()          // the session has ended
	OnPasskeys  func()          // go to the passkeys, to remove one
	OnMethods   func()          // go to the sign-in methods, to remove the password
	// All is the address of a page with everything that happened. With it, this is a part of
	// another page, which shows what happened last.
	All string

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

// alarm is what is done about an event that the user doesn't know.
type alarm struct {
	event shared.Event
	state alarmState
}

type alarmState int

const (
	alarmNone     alarmState = iota
	alarmEnding              // the other sessions are being ended
	alarmAdvising            // they have ended, or nobody got in: the user reads what else to do
	alarmPassword            // the password is being changed
)

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
	return app.Elem("section").Class("page").Aria("labelledby", "activity-title").Body(
		app.Elem("h1").ID("activity-title").TabIndex(-1).Text(text.Title),
		app.Elem("p").Class("lead").Text(text.Lead),
		p.renderList(),
		app.If(p.next != "", func() app.UI {
			return p.Context.button("activity-more", "", label(p.state == listLoading, text.MoreWorking, text.More), p.state == listLoading || p.Context.Offline != "", p.onMore)
		}),
		p.renderDialogs(),
	)
}

// activityPart is the id of the heading where the panel is a part of another page.
const activityPart = "activity"

func (p *ActivityPanel) renderList() app.UI {
	switch {
	case p.state == listFailed && len(p.events) == 0:
		return p.Context.failedRows(p.failure, p.All != "", "activity-retry", p.onMore)
	case p.state == listLoading && len(p.events) == 0:
		return p.Context.waitingRows()
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
			if alarming(event) {
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

func (p *ActivityPanel) notMe(event shared.Event) {
	if p.alarm.state != alarmNone {
		return
	}
	p.alarm, p.failure = alarm{event, alarmEnding}, nil
	if event.Kind == shared.EventSignInFailed {
		p.alarm.state = alarmAdvising // nobody got in: there is no session to end
		return
	}
	p.attempt(func(ctx context.Context) error {
		_, err := p.Service.EndOtherSessions(ctx)
		return err
	}, func(err error) {
		p.alarm.state, p.failure = alarmAdvising, err
		if err != nil {
			p.alarm = alarm{}
		}
	})
}

func (p *ActivityPanel) renderAdvice() app.UI {
	a := &p.Account
	d := &adviceDialog{
		Context: p.Context, Event: p.alarm.event, OnPasskey: p.OnPasskeys, OnClose: p.endAlarm,
		Password: p.Context.Text.Activity.NotMePassword, OnPassword: func() { p.alarm.state = alarmPassword },
	}
	if a.HeldUntil.IsZero() || a.MayRelease {
		if !a.HasPassword {
			d.Password = ""
		}
		return d
	}
	d.Password = ""
	if a.HasPassword {
		until, _ := p.Context.Moment(a.HeldUntil)
		d.Held = message.Fill(p.Context.Text.Activity.NotMeHeld, "date", until) + p.Context.whom()
		// With another way in that the user has for certain: a passkey may be an intruder's.
		if !a.PasswordOnly && (a.SignedInWith == shared.MethodPasskey || a.SignedInWith == shared.MethodSSO) {
			d.Password, d.OnPassword = p.Context.Text.Home.PasswordRemoveRow, p.toMethods
		}
	}
	return d
}

// toMethods goes to where the password can be removed, which asks first. On the start page that is
// beside the panel.
func (p *ActivityPanel) toMethods() {
	p.endAlarm()
	if p.All != "" {
		focus(p.self, "method-password-remove")
		return
	}
	notify(p.OnMethods)
}

func (p *ActivityPanel) renderPassword() app.UI {
	return &passwordDialog{Context: p.Context, OnCancel: p.endAlarm, OnSave: p.changePassword}
}

// endAlarm ends the alarm, and loads what has happened since.
func (p *ActivityPanel) endAlarm() {
	p.alarm, p.failure = alarm{}, nil
	p.more("")
	if p.All != "" {
		focus(p.self, activityPart)
		return
	}
	focus(p.self, "activity-title")
}

func (p *ActivityPanel) changePassword(password string, done func(error)) {
	p.attempt(func(ctx context.Context) error {
		return p.Service.ChangePassword(ctx, password)
	}, func(err error) {
		done(err)
		if err == nil {
			p.announcement = p.Context.Text.Password.Done
			p.endAlarm()
		}
	})
}

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

// alarming reports whether somebody else may have caused an event.
func alarming(e shared.Event) bool {
	switch e.Kind {
	case shared.EventSignInFailed:
		return !e.Here
	case shared.EventPasskeyFailed:
		return !e.Here && e.Passkey != "" // else nobody had shown yet that they have one
	case shared.EventCounterFell:
		return true // the copy may have been made here
	case shared.EventSignedIn, shared.EventConfirmed,
		shared.EventPasskeyAdded, shared.EventPasskeyRenamed, shared.EventPasskeyRemoved, shared.EventPasswordChanged, shared.EventPasswordRemoved,
		shared.EventEmailChanged, shared.EventProfileChanged, shared.EventDataExported, shared.EventLinkUsed, shared.EventRecoveryCodesMade, shared.EventIdentityLinked, shared.EventIdentityUnlinked,
		shared.EventSessionEnded, shared.EventOthersEnded:
		return !e.Here && !byAdministrator(e) && e.About == "" && !e.AboutRemoved && e.Browser+e.System+e.Address != ""
	}
	return false
}

func byAdministrator(e shared.Event) bool { return e.By != "" || e.ByRemoved }

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
	return message.Fill(plain, "passkey", e.Passkey, "provider", e.Provider, "reason", c.reason(e.Reason))
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

// adviceDialog says what else to do about an unknown event.
type adviceDialog struct {
	app.Compo

	Context    Context
	Event      shared.Event
	Held       string // why the password can't be changed, and what helps; "" if it can
	Password   string // what can be done about the password; "" for nothing
	OnPassword func()
	OnPasskey  func()
	OnClose    func()
}

const adviceID = "advice"

// OnMount opens the dialog.
func (d *adviceDialog) OnMount(ctx app.Context) { showModal(ctx, adviceID) }

func (d *adviceDialog) Render() app.UI {
	text := d.Context.Text.Activity
	title, lead := text.NotMeTitle, text.NotMeLead
	if d.Event.Kind == shared.EventSignInFailed {
		title, lead = text.FailedTitle, text.FailedLead
	}
	return dialog(adviceID, title, d.onEscape,
		app.Elem("p").Text(lead),
		app.If(d.Held != "", func() app.UI { return app.Elem("p").ID("advice-held").Text(d.Held) }),
		app.If(d.Event.PasskeyID != "", func() app.UI {
			return button("advice-passkey", "wide", message.Fill(text.NotMePasskey, "passkey", d.Event.Passkey), false, d.onPasskey)
		}),
		app.If(d.Password != "", func() app.UI {
			return button("advice-password", "primary wide", d.Password, false, d.onPassword)
		}),
		foot(
			button("advice-close", "quiet", text.NotMeClose, false, d.onClose),
		),
	)
}

func (d *adviceDialog) onEscape() {
	d.OnClose()
}

func (d *adviceDialog) onClose(app.Context, app.Event)    { d.OnClose() }
func (d *adviceDialog) onPasskey(app.Context, app.Event)  { notify(d.OnPasskey) }
func (d *adviceDialog) onPassword(app.Context, app.Event) { d.OnPassword() }
