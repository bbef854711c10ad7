package ui

import "github.com/maxence-charriere/go-app/v10/pkg/app"

// passwordDialog asks for a new password.
type passwordDialog struct {
	app.Compo

	Context  Context
	IsFirst  bool // the user has none yet
	OnCancel func()
	OnSave   func(password string, done func(error))

	password string
	state    passwordState
	failure  error
}

type passwordState int

const (
	passwordAsking passwordState = iota
	passwordSaving
)

const passwordDialogID = "password"

// OnMount opens the dialog.
func (d *passwordDialog) OnMount(ctx app.Context) {
	showModal(ctx, passwordDialogID)
	focus(ctx, "new-password")
}

func (d *passwordDialog) Render() app.UI {
	text, busy := d.Context.Text.Password, d.state == passwordSaving
	title, save := text.Title, text.Save
	if d.IsFirst {
		title, save = d.Context.Text.Home.PasswordSetRow, d.Context.Text.Home.PasswordSetNew
	}
	return dialog(passwordDialogID, title, d.onEscape,
		app.Elem("p").Text(text.Lead),
		d.Context.notice(d.failure),
		app.Elem("form").Class("stack").OnSubmit(d.onSubmit).Body(
			field(text.New,
				app.ElemSelfClosing("input").ID("new-password").Attr("type", "password").Attr("autocomplete", "new-password").
					Attr("minlength", "12").Attr("maxlength", "256").Aria("describedby", "password-hint").
					Attr("required", true).Attr("readonly", busy).OnInput(d.onInput),
			),
			app.Elem("p").ID("password-hint").Class("hint").Text(text.Hint),
			foot(
				button("password-cancel", "quiet", text.Cancel, busy, d.onCancel),
				submit("password-save", "primary", "", busy).Body(steady(busy, text.Saving, save)),
			),
		),
	)
}

func (d *passwordDialog) onInput(ctx app.Context, _ app.Event) { d.password = valueOf(ctx) }

func (d *passwordDialog) onSubmit(_ app.Context, e app.Event) {
	e.PreventDefault()
	if d.state == passwordSaving {
		return
	}
	d.state, d.failure = passwordSaving, nil
	d.OnSave(d.password, func(err error) { d.state, d.failure = passwordAsking, err })
}

func (d *passwordDialog) onEscape() {
	d.OnCancel()
}

func (d *passwordDialog) onCancel(app.Context, app.Event) { d.OnCancel() }
