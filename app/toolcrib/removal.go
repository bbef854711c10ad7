package toolcrib

import goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

// removal asks whether to remove a person.
type removal struct {
	goapp.Compo

	Person   Person
	OnCancel func()
	OnRemove func()
}

const removalID = "removal"

// OnMount opens the dialog. The focus is on Cancel, so that Enter removes nobody.
func (r *removal) OnMount(ctx goapp.Context) {
	ctx.Defer(func(goapp.Context) { goapp.Window().GetElementByID(removalID).Call("showModal") })
	focus(ctx, "removal-cancel")
}

// Render implements go-app's Composer.
func (r *removal) Render() goapp.UI {
	return goapp.Dialog().ID(removalID).Class("crib-dialog").Aria("labelledby", "removal-title").Aria("describedby", "removal-lead").
		On("cancel", r.onCancel).Body(
		goapp.H2().ID("removal-title").Text("Remove "+r.Person.Name+"?"),
		goapp.P().ID("removal-lead").Text("They can't sign in any more, with a password or a passkey. What they have borrowed is in the crib again."),
		goapp.Div().Class("crib-foot").Body(
			goapp.Button().ID("removal-cancel").Type("button").Class("crib-button").OnClick(r.onCancel).Text("Cancel"),
			goapp.Button().ID("removal-remove").Type("button").Class("crib-button crib-danger").OnClick(r.onRemove).Text("Remove"),
		),
	)
}

// onCancel is for the button and for Escape. Escape doesn't close the dialog: the page removes
// it.
func (r *removal) onCancel(_ goapp.Context, e goapp.Event) {
	e.PreventDefault()
	r.OnCancel()
}

func (r *removal) onRemove(goapp.Context, goapp.Event) { r.OnRemove() }

// focus moves the keyboard focus to an element, after the next update.
func focus(ctx goapp.Context, id string) {
	ctx.Defer(func(goapp.Context) {
		if element := goapp.Window().GetElementByID(id); element.Truthy() {
			element.Call("focus")
		}
	})
}
