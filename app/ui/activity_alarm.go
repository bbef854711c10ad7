package ui

import (
	"context"
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

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
		shared.EventSessionEnded, shared.EventOthersEnded, shared.EventProgramAllowed:
		return !e.Here && !byAdministrator(e) && e.About == "" && !e.AboutRemoved && e.Browser+e.System+e.Address != ""
	}
	return false
}

func byAdministrator(e shared.Event) bool { return e.By != "" || e.ByRemoved }

func (p *ActivityPanel) notMe(event shared.Event) {
	if p.alarm.state != alarmNone {
		return
	}
	p.alarm, p.failure = alarm{event, alarmEnding}, nil
	if event.Kind == shared.EventSignInFailed || p.Alarms == nil {
		p.alarm.state = alarmAdvising // nobody got in, or nothing can end sessions
		return
	}
	p.attempt(func(ctx context.Context) error {
		_, err := p.Alarms.EndOtherSessions(ctx)
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
	if p.Alarms == nil {
		d.Password, d.Ask = "", true
		return d
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
		return p.Alarms.ChangePassword(ctx, password)
	}, func(err error) {
		done(err)
		if err == nil {
			p.announcement = p.Context.Text.Password.Done
			p.endAlarm()
		}
	})
}

// adviceDialog says what else to do about an unknown event.
type adviceDialog struct {
	app.Compo

	Context    Context
	Event      shared.Event
	Ask        bool   // nothing was done: only say whom to ask
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
	if d.Ask {
		title, lead = text.NotMe, strings.TrimSpace(d.Context.whom())
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
