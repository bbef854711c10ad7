package ui

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// The dialogs of a user's page in which something is typed.

func (p *UserPage) renderEdit() app.UI {
	text, u := p.Context.Text.Member, p.user
	d := &memberDialog{Context: p.Context, OnCancel: p.endEdit, OnSave: p.save}
	switch p.editing {
	case editFacts:
		d.ID, d.Title, d.Do = "member-facts-dialog", text.Facts, text.Save
		d.Fields = []memberField{
			{id: "display-name", label: text.DisplayName, value: u.DisplayName, most: "64", required: true},
			{id: "name", label: text.UserName, value: u.Name, most: "64", required: true},
			{id: "email", label: text.Email, value: u.Email, most: "254", kind: "email"},
		}
	case editAccess:
		d.ID, d.Title, d.Do, d.Role, d.AsksRole = "member-access-dialog", text.Access, text.Save, u.Role, !p.isMe()
		d.Fields = []memberField{{id: "groups", label: text.Groups, value: strings.Join(u.Groups, ", "), hint: text.GroupsHint}}
		d.Helps = memberField{id: "helps", label: text.Helps, value: strings.Join(u.Helps, ", "), hint: text.GroupsHint}
	default:
		d.ID, d.Title, d.Do, d.Harms = "member-delete-dialog", message.Fill(text.DeleteTitle, "name", u.DisplayName), text.Delete, true
		d.Lead = p.fill(text.DeleteLead)
		d.Fields = []memberField{{id: "typed", label: message.Fill(text.DeleteAsk, "user", u.Name), most: "64", required: true}}
	}
	return d
}

func (p *UserPage) endEdit() {
	from := map[memberEdit]string{editFacts: "edit-facts", editAccess: "edit-access", editDelete: "member-delete-do"}[p.editing]
	p.editing = editNothing
	focus(p.self, from)
}

// save does what the open dialog is for. Done gets a refusal, which the dialog shows.
func (p *UserPage) save(d *memberDialog, done func(error)) {
	if p.editing == editDelete {
		p.attempt(func(ctx context.Context) error {
			return p.Service.RemoveMember(ctx, p.ID, d.value("typed"))
		}, func(err error) {
			if done(err); err == nil {
				notify(p.OnRemoved)
			}
		})
		return
	}
	change := p.wishes(d)
	var user shared.MemberDetails
	p.attempt(func(ctx context.Context) (err error) {
		if _, err = p.Service.ChangeMember(ctx, p.ID, change); err == nil {
			user, err = p.Service.Member(ctx, p.ID)
		}
		return err
	}, func(err error) {
		if done(err); err == nil {
			p.user, p.announcement = user, p.Context.Text.Member.Saved
			p.endEdit()
			p.load()
		}
	})
}

// wishes returns what differs from what is.
func (p *UserPage) wishes(d *memberDialog) (change shared.ChangeMember) {
	u := p.user
	if p.editing == editFacts {
		return shared.ChangeMember{DisplayName: d.changed("display-name", u.DisplayName), Name: d.changed("name", u.Name), Email: d.changed("email", u.Email)}
	}
	// Only what was changed here: somebody else may have changed the other groups meanwhile.
	was, is := splitGroups(d.opened["groups"]), splitGroups(d.value("groups"))
	if added := namesWithout(is, was); len(added) > 0 {
		change.AddGroups = &added
	}
	if removed := namesWithout(was, is); len(removed) > 0 {
		change.RemoveGroups = &removed
	}
	if role := d.chosen(); role != u.Role {
		change.Role = &role
	}
	if helps := d.value("helps"); d.chosen() == shared.RoleHelper && helps != strings.Join(u.Helps, ", ") {
		change.Helps = new(splitGroups(helps))
	}
	return change
}

// namesWithout returns the names that aren't among others, in upper or lower case.
func namesWithout(names, others []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		return slices.ContainsFunc(others, func(other string) bool { return strings.EqualFold(name, other) })
	})
}

// memberField is a text box of a [memberDialog].
type memberField struct {
	id, label, value, hint string
	most                   string // the greatest length
	kind                   string // of the input; "" is text
	required               bool
	choices                []Language // makes a select of it
}

// memberDialog asks for some texts, and maybe for a role.
type memberDialog struct {
	app.Compo

	Context   Context
	ID, Title string
	Lead, Do  string
	Harms     bool // the button gets the colour of danger
	Fields    []memberField
	AsksRole  bool
	Role      shared.Role
	Helps     memberField // asked for while the role is that of a helper
	OnCancel  func()
	OnSave    func(d *memberDialog, done func(error))

	working bool
	failure error
	typed   map[string]string // what differs from the fields, by their ids
	opened  map[string]string // what the fields had when the dialog was opened
	role    *shared.Role      // as chosen
}

// OnMount opens the dialog.
func (d *memberDialog) OnMount(ctx app.Context) {
	d.typed, d.opened = map[string]string{}, map[string]string{}
	for _, field := range d.Fields {
		d.opened[field.id] = field.value
	}
	showModal(ctx, d.ID)
	focus(ctx, d.ID+"-"+d.Fields[0].id)
}

// value returns what a text box has now.
func (d *memberDialog) value(id string) string {
	if typed, is := d.typed[id]; is {
		return typed
	}
	for _, field := range d.Fields {
		if field.id == id {
			return field.value
		}
	}
	return d.Helps.value
}

// changed returns what a field has now, or nil if that is what is.
func (d *memberDialog) changed(id, is string) *string {
	if value := d.value(id); value != is {
		return &value
	}
	return nil
}

func (d *memberDialog) chosen() shared.Role {
	if d.role != nil {
		return *d.role
	}
	return d.Role
}

func (d *memberDialog) Render() app.UI {
	text, class := d.Context.Text.Users, "primary"
	if d.Harms {
		class = "danger"
	}
	return dialog(d.ID, d.Title, d.onEscape,
		app.If(d.Lead != "", func() app.UI { return app.Elem("p").Text(d.Lead) }),
		d.Context.notice(d.failure),
		app.Elem("form").Class("stack").OnSubmit(d.onSubmit).Body(
			app.Range(d.Fields).Slice(func(i int) app.UI { return d.renderField(d.Fields[i]) }),
			app.If(d.AsksRole, d.renderRole),
			app.If(d.AsksRole && d.chosen() == shared.RoleHelper, func() app.UI { return d.renderField(d.Helps) }),
			foot(
				button(d.ID+"-cancel", "quiet", text.Cancel, d.working, d.onCancel),
				submit(d.ID+"-save", class, "", d.working).Body(steady(d.working, text.Working, d.Do)),
			),
		),
	)
}

func (d *memberDialog) renderField(f memberField) app.UI {
	id, hint := d.ID+"-"+f.id, ""
	if f.hint != "" {
		hint = d.ID + "-" + f.id + "-hint"
	}
	var box app.UI
	if len(f.choices) > 0 {
		box = d.renderChoices(f, id, hint)
	} else {
		input := app.ElemSelfClosing("input").ID(id).Attr("type", cmp.Or(f.kind, "text")).Attr("value", d.value(f.id)).Attr("autocomplete", "off").Attr("autocapitalize", "none").Attr("spellcheck", "false").
			Attr("required", f.required).Attr("readonly", d.working).OnInput(d.onTyped(f))
		if f.most != "" {
			input = input.Attr("maxlength", f.most)
		}
		if hint != "" {
			input = input.Aria("describedby", hint)
		}
		box = input
	}
	if hint == "" {
		return field(f.label, box)
	}
	return app.Elem("div").Class("stack").Body(field(f.label, box), app.Elem("p").ID(hint).Class("hint").Text(f.hint))
}

func (d *memberDialog) renderChoices(f memberField, id, hint string) app.UI {
	return app.Elem("select").ID(id).Aria("describedby", hint).On("change", func(ctx app.Context, _ app.Event) { d.typed[f.id] = choice(ctx) }).Body(app.Range(f.choices).Slice(func(i int) app.UI {
		o := option(f.choices[i].Tag, f.choices[i].Name, f.choices[i].Tag == d.value(f.id))
		if f.choices[i].Tag != "" {
			o = o.Lang(f.choices[i].Tag)
		}
		return o
	}))
}

func (d *memberDialog) onTyped(f memberField) app.EventHandler {
	return func(ctx app.Context, _ app.Event) {
		d.typed[f.id] = valueOf(ctx)
		if f.kind != "" {
			d.failure = nil // it may be about the address that was there, which was none
		}
	}
}

func (d *memberDialog) renderRole() app.UI {
	return field(d.Context.Text.Member.Role, app.Elem("select").ID(d.ID+"-role").On("change", d.onRole).Body(
		app.Range(shared.Roles).Slice(func(i int) app.UI {
			role := shared.Roles[i]
			return option(string(role), d.Context.roleName(role), role == d.chosen())
		}),
	))
}

func (d *memberDialog) onRole(ctx app.Context, _ app.Event) { d.role = new(shared.Role(choice(ctx))) }

func (d *memberDialog) onSubmit(_ app.Context, e app.Event) {
	e.PreventDefault()
	if d.working {
		return
	}
	d.working, d.failure = true, nil
	d.OnSave(d, func(err error) { d.working, d.failure = false, err })
}

func (d *memberDialog) onEscape() {
	if !d.working {
		d.OnCancel()
	}
}

func (d *memberDialog) onCancel(app.Context, app.Event) { d.OnCancel() }
