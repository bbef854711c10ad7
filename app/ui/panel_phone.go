package ui

import (
	"context"
	"slices"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/browser"
	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// A passkey on another device: the panel shows a QR code, a phone scans it and makes a
// passkey there, and the new row appears here.

const panelPhoneID = "passkey-phone"

// renderPhoneButton renders the button. On a phone, which makes a passkey by itself, it is for another
// device.
func (p *PasskeysPanel) renderPhoneButton() app.UI {
	_, offers := p.Service.(PhoneLinker)
	text := p.Context.Text.Panel
	return app.If(offers, func() app.UI {
		return p.Context.button(panelPhoneID, "", "", p.Context.Offline != "" || p.gettingPhone, p.onPhone).Body(icon("phone"), app.Elem("span").Text(label(p.Context.OnPhone || browser.IsPhone(), text.AddOther, text.AddPhone)))
	})
}

func (p *PasskeysPanel) onPhone(app.Context, app.Event) {
	phone, offers := p.Service.(PhoneLinker)
	if p.gettingPhone || !offers {
		return
	}
	p.gettingPhone, p.phoneFailure = true, nil
	var link shared.EnrolmentLink
	p.attempt(func(ctx context.Context) (err error) {
		link, err = phone.MakePhoneLink(ctx)
		return err
	}, func(err error) {
		p.gettingPhone, p.phone, p.phoneFailure = false, link, err
	})
}

func (p *PasskeysPanel) renderPhone() app.UI {
	text := p.Context.Text.Link
	until, _ := p.Context.Moment(p.phone.Expires)
	isPhone := browser.IsPhone()
	return &linkDialog{
		Context: p.Context, Link: p.phone, OnDone: p.phoneDone,
		Title: label(isPhone, text.OtherTitle, text.PhoneTitle), Lead: message.Fill(label(isPhone, text.OtherLead, text.PhoneLead), "date", until),
	}
}

func (p *PasskeysPanel) phoneDone() {
	p.phone = shared.EnrolmentLink{}
	focus(p.self, panelPhoneID)
}

// phoneAdded closes the QR code when the list has a new passkey.
func (p *PasskeysPanel) phoneAdded(fresh shared.PasskeyList) {
	at := slices.IndexFunc(fresh.Passkeys, func(k shared.Passkey) bool { return p.find(k.ID).ID == "" })
	if p.phone.URL == "" || at < 0 {
		return
	}
	added := fresh.Passkeys[at]
	p.phone = shared.EnrolmentLink{}
	p.announce(message.Fill(p.Context.Text.Panel.DoneAdded, "name", added.Name))
	focus(p.self, "rename-"+added.ID)
	p.light(added.ID)
}
