package ui

import (
	"context"
	"errors"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/ceremony"
	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// After a passkey was added, the user may try it, to know that it works.

const panelTryID = "passkey-try"

func (p *PasskeysPanel) renderAdded() app.UI {
	text, trying, tried := p.Context.Text.Panel, p.add.state == addTrying, p.add.state == addTried
	return app.Elem("div").Class("panel-add stack").Body(
		app.Elem("h3").Class("row-name").Body(icon("done"), app.Elem("span").Text(label(tried, text.Works, text.AddedTitle))),
		Slot(app.If(!tried, func() app.UI {
			return app.Elem("p").Text(message.Fill(text.AddedLead, "name", p.find(p.add.added).Name))
		})),
		p.Context.notice(p.add.failure),
		app.Elem("div").Class("panel-adds").Body(
			Slot(app.If(!tried, func() app.UI {
				return p.Context.button(panelTryID, "primary", "", trying || p.Context.Offline != "", p.onTry).Body(steady(trying, text.Registering, text.Try, icon("key")))
			})),
			button("passkey-try-end", "quiet", label(tried, text.Close, p.Context.Text.Home.OfferNotNow), false, p.onAddCancel),
		),
	)
}

func (p *PasskeysPanel) onTry(app.Context, app.Event) {
	if p.add.state != addDone {
		return
	}
	p.add.state = addTrying
	id := p.add.added
	var tried shared.Passkey
	p.attemptUnlessStopped(func(ctx context.Context) (err error) {
		tried, err = p.Service.Try(ctx, id)
		return err
	}, func(err error) {
		if p.add.added != id {
			return // the user has closed it
		}
		if err != nil {
			if failure, ok := errors.AsType[*ceremony.Failure](err); ok && failure.Reason != ceremony.Aborted {
				err = shared.Errorf(shared.CodeCeremonyRefused, "That didn't work. Your passkey is still there: try again, or remove it and add another.")
			}
			p.add.state, p.add.failure = addDone, err
			focus(p.self, panelTryID)
			return
		}
		p.add.state = addTried
		p.replace(tried)
		p.announce(p.Context.Text.Panel.Works)
		focus(p.self, "passkey-try-end")
	})
}
