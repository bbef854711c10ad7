package ui

import (
	"errors"
	"slices"
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/shared"
)

// clientDialog asks for the settings of a program: of a new one, or of one that there is. A preset fills the
// fields; what is typed afterwards wins.
type clientDialog struct {
	app.Compo

	Context   Context
	Title, Do string
	Presets   []shared.ClientPreset // that can be chosen
	Settings  shared.ClientSettings // as they are
	Edits     bool                  // a program that there is
	OnCancel  func()
	OnSave    func(d *clientDialog, done func(error))

	is        shared.ClientSettings // as they are typed, but for what has a text below
	preset    string
	url, id   string
	typedID   bool // the id isn't the preset's any more
	redirects string
	signedOut string
	groups    string
	working   bool
	failure   error
	showsMore bool // something in there is wrong
}

const clientDialogID = "client"

// clientFolded are the fields that are folded away.
var clientFolded = []string{"home", "signedOut", "backChannelLogout", "authentication", "keys", "algorithm", "withoutPkce", "pairwise"}

// OnMount opens the dialog.
func (d *clientDialog) OnMount(ctx app.Context) {
	d.take(d.Settings)
	showModal(ctx, clientDialogID)
	focus(ctx, label(d.Edits, "client-name", "client-preset"))
}

// take shows settings.
func (d *clientDialog) take(s shared.ClientSettings) {
	d.is, d.redirects, d.signedOut, d.groups = s, strings.Join(s.Redirects, "\n"), strings.Join(s.SignedOut, "\n"), strings.Join(s.Groups, ", ")
}

// settings returns what is typed.
func (d *clientDialog) settings() shared.ClientSettings {
	s := d.is
	s.Redirects, s.SignedOut, s.Groups = lines(d.redirects), lines(d.signedOut), append([]string{}, splitGroups(d.groups)...)
	s.Scopes = append([]string{}, s.Scopes...)
	if s.Authentication != shared.ClientKey {
		s.Keys = ""
	}
	return s
}

// lines returns the lines of a text that have something.
func lines(text string) []string {
	all := []string{}
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			all = append(all, line)
		}
	}
	return all
}

// chosen returns the preset.
func (d *clientDialog) chosen() (shared.ClientPreset, bool) {
	at := slices.IndexFunc(d.Presets, func(p shared.ClientPreset) bool { return p.ID == d.preset })
	if at < 0 {
		return shared.ClientPreset{}, false
	}
	return d.Presets[at], true
}

// fill fills the fields from the preset. What says who may use the program stays.
func (d *clientDialog) fill() {
	preset, is := d.chosen()
	if !is {
		return
	}
	groups, firstParty := d.groups, d.is.FirstParty
	if s := filled(preset, d.url); d.url != "" || preset.Fixed {
		d.take(s)
	} else {
		d.take(shared.ClientSettings{Name: s.Name})
	}
	d.groups, d.is.FirstParty = groups, firstParty
	if !d.typedID {
		d.id = preset.ID
	}
}

// faultOf says what is wrong with a field, or "".
func (d *clientDialog) faultOf(name string) string {
	refusal, is := errors.AsType[*shared.Error](d.failure)
	if !is {
		return ""
	}
	if name == "id" && refusal.Code == shared.CodeNameTaken {
		return refusal.Message
	}
	var sentences []string
	for _, fault := range refusal.Faults {
		if fault.Field == name {
			sentences = append(sentences, fault.Sentence)
		}
	}
	return strings.Join(sentences, "; ")
}

// Render implements app.Composer.
func (d *clientDialog) Render() app.UI {
	text := d.Context.Text.Clients
	return dialog(clientDialogID, d.Title, d.onEscape,
		d.Context.notice(d.failure),
		app.Elem("form").Class("stack").OnSubmit(d.onSubmit).Body(
			Slot(app.If(!d.Edits, d.renderPreset)),
			d.line("name", text.Name, "", &d.is.Name),
			Slot(app.If(!d.Edits, func() app.UI { return d.line("id", text.ID, text.IDHint, &d.id) })),
			d.area("redirects", text.Redirects, text.RedirectsHint, &d.redirects),
			d.line("groups", text.Groups, text.GroupsHint, &d.groups),
			d.check("firstParty", text.FirstParty, &d.is.FirstParty),
			d.renderOffline(),
			d.check("device", text.Device, &d.is.Device),
			app.Elem("details").ID("client-more").Class("fold").Attr("open", d.showsMore).Body(summary("", text.More), d.renderMore()),
			foot(
				button("client-cancel", "quiet", d.Context.Text.Users.Cancel, d.working, d.onCancel),
				submit("client-save", "primary", "", d.working).Body(steady(d.working, d.Context.Text.Users.Working, d.Do)),
			),
		),
	)
}

func (d *clientDialog) renderPreset() app.UI {
	text := d.Context.Text.Clients
	preset, is := d.chosen()
	return app.Elem("div").Class("stack").Body(
		field(text.Preset, app.Elem("select").ID("client-preset").On("change", d.onPreset).Body(
			option("", text.Another, !is),
			app.Range(d.Presets).Slice(func(i int) app.UI { return option(d.Presets[i].ID, d.Presets[i].Name, d.Presets[i].ID == d.preset) }),
		)),
		Slot(app.If(is && !preset.Fixed, func() app.UI { return d.line("url", text.URL, text.URLHint, &d.url) })),
	)
}

func (d *clientDialog) renderMore() app.UI {
	text := d.Context.Text.Clients
	ways := []string{shared.ClientBasic, shared.ClientPost, shared.ClientKey, shared.ClientNone}
	return app.Elem("div").Class("stack").Body(
		d.line("home", text.Home, "", &d.is.Home),
		d.area("signedOut", text.SignedOut, "", &d.signedOut),
		d.line("backChannelLogout", text.BackChannel, "", &d.is.BackChannel),
		field(text.Authentication, app.Elem("select").ID("client-authentication").On("change", func(ctx app.Context, _ app.Event) { d.is.Authentication = choice(ctx) }).Body(
			app.Range(ways).Slice(func(i int) app.UI {
				return option(ways[i], label(ways[i] == shared.ClientNone, text.ByNothing, ways[i]), ways[i] == d.is.Authentication)
			}),
		)),
		Slot(app.If(d.is.Authentication == shared.ClientKey, func() app.UI { return d.area("keys", text.Keys, "", &d.is.Keys) })),
		field(text.Algorithm, app.Elem("select").ID("client-algorithm").On("change", func(ctx app.Context, _ app.Event) { d.is.Algorithm = choice(ctx) }).Body(
			option("RS256", "RS256", d.is.Algorithm != "ES256"), option("ES256", "ES256", d.is.Algorithm == "ES256"),
		)),
		d.check("withoutPkce", text.WithoutPKCE, &d.is.WithoutPKCE),
		d.check("pairwise", text.Pairwise, &d.is.Pairwise),
	)
}

// line is a text box of one line, with its hint and what is wrong with it.
func (d *clientDialog) line(name, title, hint string, value *string) app.UI {
	by, invalid := d.describedBy(name, hint)
	return d.described(name, title, hint, app.ElemSelfClosing("input").ID("client-"+name).Attr("value", *value).
		Attr("autocomplete", "off").Attr("autocapitalize", "none").Attr("spellcheck", "false").Attr("readonly", d.working).
		Aria("describedby", by).Aria("invalid", invalid).OnInput(d.onTyped(name, value)))
}

// area is one of several lines.
func (d *clientDialog) area(name, title, hint string, value *string) app.UI {
	by, invalid := d.describedBy(name, hint)
	return d.described(name, title, hint, app.Elem("textarea").ID("client-"+name).Attr("rows", "3").Attr("value", *value).
		Attr("autocapitalize", "none").Attr("spellcheck", "false").Attr("readonly", d.working).
		Aria("describedby", by).Aria("invalid", invalid).OnInput(d.onTyped(name, value)).Text(*value))
}

// describedBy returns the ids of what describes a field, and whether it is invalid; "" for nothing.
func (d *clientDialog) describedBy(name, hint string) (ids, invalid string) {
	if hint != "" {
		ids = "client-" + name + "-hint"
	}
	if d.faultOf(name) != "" {
		ids, invalid = strings.TrimSpace(ids+" client-"+name+"-fault"), "true"
	}
	return ids, invalid
}

func (d *clientDialog) described(name, title, hint string, box app.UI) app.UI {
	id, fault := "client-"+name, d.faultOf(name)
	return app.Elem("div").Class("stack").Body(
		field(title, box),
		app.If(hint != "", func() app.UI { return app.Elem("p").ID(id + "-hint").Class("hint").Text(hint) }),
		app.If(fault != "", func() app.UI { return app.Elem("p").ID(id + "-fault").Class("fault").Text(fault) }),
	)
}

func (d *clientDialog) onTyped(name string, value *string) app.EventHandler {
	return func(ctx app.Context, _ app.Event) {
		*value = valueOf(ctx)
		switch name {
		case "url":
			d.fill()
		case "id":
			d.typedID = true
		}
	}
}

// check is a box to tick.
func (d *clientDialog) check(name, title string, value *bool) app.UI {
	return d.ticked(name, title, *value, func(on bool) { *value = on })
}

func (d *clientDialog) ticked(name, title string, is bool, set func(bool)) app.UI {
	id, fault := "client-"+name, d.faultOf(name)
	box := app.ElemSelfClosing("input").ID(id).Attr("type", "checkbox").Attr("checked", is).Attr("disabled", d.working).
		OnChange(func(ctx app.Context, _ app.Event) { set(ctx.JSSrc().Get("checked").Bool()) })
	if fault != "" {
		box = box.Aria("invalid", "true").Aria("describedby", id+"-fault")
	}
	return app.Elem("div").Class("stack").Body(
		app.Elem("label").Class("check").Body(box, app.Elem("span").Text(title)),
		app.If(fault != "", func() app.UI { return app.Elem("p").ID(id + "-fault").Class("fault").Text(fault) }),
	)
}

// usualScopes are those of a program for which none are set.
var usualScopes = []string{shared.ScopeProfile, shared.ScopeEmail, shared.ScopeGroups}

func (d *clientDialog) renderOffline() app.UI {
	return d.ticked("scopes", d.Context.Text.Clients.Offline, slices.Contains(d.is.Scopes, shared.ScopeOffline), func(on bool) {
		scopes := slices.DeleteFunc(slices.Clone(d.is.Scopes), func(scope string) bool { return scope == shared.ScopeOffline })
		if on && len(scopes) == 0 {
			scopes = slices.Clone(usualScopes)
		}
		if on {
			scopes = append(scopes, shared.ScopeOffline)
		}
		d.is.Scopes = scopes
	})
}

func (d *clientDialog) onPreset(ctx app.Context, _ app.Event) {
	d.preset = choice(ctx)
	d.fill()
}

func (d *clientDialog) onSubmit(ctx app.Context, e app.Event) {
	e.PreventDefault()
	if d.working {
		return
	}
	d.working, d.failure = true, nil
	d.OnSave(d, func(err error) {
		d.working, d.failure = false, err
		d.leadToFault(ctx)
	})
}

// leadToFault moves the focus to the first field that is wrong.
func (d *clientDialog) leadToFault(ctx app.Context) {
	for _, name := range append([]string{"url", "name", "id", "redirects", "groups", "firstParty", "scopes", "device"}, clientFolded...) {
		if d.faultOf(name) == "" {
			continue
		}
		d.showsMore = d.showsMore || slices.Contains(clientFolded, name)
		focus(ctx, "client-"+name)
		return
	}
}

func (d *clientDialog) onEscape() {
	if !d.working {
		d.OnCancel()
	}
}

func (d *clientDialog) onCancel(app.Context, app.Event) { d.OnCancel() }
