package ui

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/shared"
)

// ActivityDialog is an [ActivityPanel] in a modal dialog like [PasskeysPanel], for a program that has
// no page for it. Escape and its X close it.
type ActivityDialog struct {
	app.Compo

	Context  Context         // required
	Service  ActivityService // required
	Confirms ConfirmService  // with nil, the dialog says that there is nothing to confirm with
	Account  shared.Account  // the user's, as it is now
	Changes  int             // grows whenever something happened

	// OnClose is called by the X and by Escape. The parent removes the dialog then.
	OnClose     func()
	OnPasskeys  func() // go to the passkeys, to remove one
	OnSignedOut func() // the session has ended
}

// OnMount opens the dialog.
func (d *ActivityDialog) OnMount(ctx app.Context) { showModal(ctx, activityPart) }

// Render implements app.Composer.
func (d *ActivityDialog) Render() app.UI {
	return panelDialog(activityPart, d.Context.Text.Activity.Title, d.Context, d.onEscape, d.onClose,
		app.Elem("div").Class("panel-body").Body(&ActivityPanel{
			Context: d.Context, Service: d.Service, Confirms: d.Confirms, Account: d.Account, Changes: d.Changes, Bare: true,
			OnPasskeys: d.OnPasskeys, OnSignedOut: d.OnSignedOut,
		}),
		d.Context.panelFoot(),
	)
}

func (d *ActivityDialog) onClose(app.Context, app.Event) { notify(d.OnClose) }

// onEscape closes the dialog, but not while one on top of it is open, which gets the same key.
func (d *ActivityDialog) onEscape() {
	if !app.Window().GetElementByID(activityPart).Call("querySelector", "dialog").Truthy() {
		notify(d.OnClose)
	}
}
