package ui

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/browser"
	"github.com/keypeg/keypeg/app/ceremony"
	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// What is done for many users at once: they are selected, the bar says what can be done for how many of
// them, and a dialog asks, does it for one after the other, and says for whom it was refused.

const pickAllID = "pick-all"

// action is something that is done for many.
type action int

const (
	actDisable action = iota
	actEnable
	actInvite
	actGroups
)

// fits returns those of the selected users for whom an action makes sense.
func (p *UsersPanel) fits(what action) (users []shared.Member) {
	for _, user := range p.chosen() {
		isMe := user.ID == p.Account.User.ID
		switch {
		case what == actDisable && !user.Disabled && !isMe,
			what == actEnable && user.Disabled,
			what == actInvite && user.Invited && !user.Disabled,
			what == actGroups:
			users = append(users, user)
		}
	}
	return users
}

// chosen returns the selected users, in the order of the list.
func (p *UsersPanel) chosen() (users []shared.Member) {
	for _, user := range p.users {
		if p.selected[user.ID] {
			users = append(users, user)
		}
	}
	return users
}

// keepSelected forgets those who are no longer shown: nobody shall do anything for people out of sight.
func (p *UsersPanel) keepSelected() {
	kept := map[string]bool{}
	for _, user := range p.chosen() {
		kept[user.ID] = true
	}
	p.selected = kept
	p.marks()
}

func (p *UsersPanel) areAllSelected() bool {
	for _, user := range p.users {
		if p.helps(user) && !p.selected[user.ID] {
			return false
		}
	}
	return len(p.selected) > 0
}

// marks has the box for all show that some are selected. HTML has no attribute for that.
func (p *UsersPanel) marks() {
	p.self.Defer(func(app.Context) {
		if box := app.Window().GetElementByID(pickAllID); box.Truthy() {
			box.Set("indeterminate", len(p.selected) > 0 && !p.areAllSelected())
		}
	})
}

func (p *UsersPanel) onSelect(id string, on bool) {
	if p.selected == nil {
		p.selected = map[string]bool{}
	}
	if on {
		p.selected[id] = true
	} else {
		delete(p.selected, id)
	}
	p.selects()
}

func (p *UsersPanel) onSelectAll(ctx app.Context, _ app.Event) {
	p.selected = map[string]bool{}
	if ctx.JSSrc().Get("checked").Bool() {
		for _, user := range p.users {
			if p.helps(user) {
				p.selected[user.ID] = true
			}
		}
	}
	p.selects()
}

// selects tells a screen reader how many are selected.
func (p *UsersPanel) selects() {
	p.announcement = p.Context.Count(p.Context.Text.Users.Selected, len(p.selected))
	p.marks()
}

func (p *UsersPanel) onClear(app.Context, app.Event) {
	p.selected = nil
	p.selects()
	focus(p.self, pickAllID)
}

// renderBar draws what can be done for those who are selected.
func (p *UsersPanel) renderBar() app.UI {
	text, disabled := p.Context.Text.Users, len(p.fits(actEnable))
	return app.Elem("div").Class("float head").Attr("role", "region").Aria("label", text.SelectedUsers).Body(
		app.Elem("div").Class("buttons").Body(
			app.Elem("strong").Text(p.Context.Count(text.Selected, len(p.selected))),
			button("bulk-clear", "small quiet", text.Clear, false, p.onClear),
		),
		app.Elem("div").Class("buttons").Body(
			app.If(p.isAdministrator(), func() app.UI { return p.renderAction("bulk-groups", "", text.Groups) }),
			p.renderAction("bulk-invite", "", text.Again),
			app.If(disabled > 0, func() app.UI { return p.renderAction("bulk-enable", "", text.Enable) }),
			app.If(disabled < len(p.selected), func() app.UI { return p.renderAction("bulk-disable", "danger", text.Disable) }),
		),
	)
}

// renderAction draws a button that says for how many it is, unless that is all.
func (p *UsersPanel) renderAction(id, class, name string) app.UI {
	users := p.fits(bulkActions[id])
	if n := len(users); n > 0 && n < len(p.selected) {
		name = message.Fill(p.Context.Text.Users.Fits, "action", name, "n", p.Context.Number(n), "count", p.Context.Number(len(p.selected)))
	}
	return p.Context.button(id, "small "+class, name, p.off() || len(users) == 0, p.onAction)
}

// bulk is something that is done for many.
type bulk struct {
	what  action
	from  string // the id of the button
	users []shared.Member
	state bulkState
	at    int // for how many it was tried
	wish
	result
}

type bulkState int

const (
	bulkAsking bulkState = iota
	bulkWorking
	bulkDone
)

// wish is how it is to be done.
type wish struct {
	add, take []string // groups
	mail      bool     // links go by mail to whoever has an address
}

// result is what has come of it so far.
type result struct {
	changed []shared.Member
	links   []memberLink
	refused []refused
}

type memberLink struct {
	user shared.Member
	link shared.EnrolmentLink
}

// refused are users for whom nothing was done, for the same reason.
type refused struct {
	why   error
	users []shared.Member
}

// refuse notes a refusal.
func (r *result) refuse(why error, users ...shared.Member) {
	for i := range r.refused {
		if r.refused[i].why.Error() == why.Error() {
			r.refused[i].users = append(r.refused[i].users, users...)
			return
		}
	}
	r.refused = append(r.refused, refused{why, users})
}

// run does for each of the users what the dialog asked for. It goes on after a refusal, and ends when
// the server is away.
func (p *UsersPanel) run(wish wish) {
	users, what, at, came, lost := p.bulk.users, p.bulk.what, 0, p.bulk.result, p.Context.Text.Link.Lost
	p.bulk.state, p.bulk.wish, p.failure = bulkWorking, wish, nil
	p.attempt(func(ctx context.Context) error {
		for at < len(users) {
			user := users[at]
			switch changed, link, err := p.doFor(ctx, what, user, wish); {
			case shared.CodeOf(err) == shared.CodeConfirmRequired, shared.IsSignedOut(err) && len(came.links) == 0:
				return err
			case shared.IsUnreachable(err), shared.IsSignedOut(err):
				if what == actInvite {
					err = mayBeDone(err, lost)
				}
				came.refuse(err, users[at:]...)
				at = len(users)
			case err != nil:
				came.refuse(err, user)
				at++
			default:
				came.changed = append(came.changed, changed)
				if link.URL != "" {
					came.links = append(came.links, memberLink{changed, link})
				}
				at++
			}
			tried := at
			p.self.Dispatch(func(app.Context) { p.bulk.at = tried })
		}
		return nil
	}, func(err error) {
		p.ran(came, users[at:], err)
	})
}

// doFor does it for one.
func (p *UsersPanel) doFor(ctx context.Context, what action, user shared.Member, how wish) (changed shared.Member, link shared.EnrolmentLink, err error) {
	change := shared.ChangeMember{}
	switch what {
	case actInvite:
		invite := p.Service.InviteAgain
		if how.mail && user.Email != "" {
			invite = p.Service.InviteAgainByMail
		}
		if link, err = invite(ctx, user.ID); err == nil {
			user.LinkUntil = &link.Expires
		}
		return user, link, err
	case actGroups:
		if len(how.add) > 0 {
			change.AddGroups = &how.add
		}
		if len(how.take) > 0 {
			change.RemoveGroups = &how.take
		}
	default:
		change.Disabled = new(what == actDisable)
	}
	changed, err = p.Service.ChangeMember(ctx, user.ID, change)
	return changed, link, err
}

// ran shows what came of it. If the user didn't confirm, the dialog asks again about those who are left,
// unless there are links: nothing would show them again.
func (p *UsersPanel) ran(came result, left []shared.Member, err error) {
	p.lit = map[string]bool{}
	for _, changed := range came.changed {
		p.replace(changed)
		p.lit[changed.ID] = true
		delete(p.selected, changed.ID)
	}
	p.marks()
	p.bulk.result = came
	if len(came.links) == 0 {
		p.load(loadChanges)
	} else if err != nil {
		p.bulk.refuse(&ceremony.Failure{Reason: ceremony.Denied, Confirming: true}, left...)
	}
	if err != nil && len(came.links) == 0 {
		p.bulk.state, p.bulk.users, p.bulk.at, p.failure = bulkAsking, left, 0, err
		return
	}
	p.announcement = p.Context.Count(p.Context.Text.Users.DoneMany, len(came.changed))
	if len(came.refused) == 0 && len(came.links) == 0 {
		p.closes(pickAllID)
		return
	}
	p.bulk.state = bulkDone
	focus(p.self, label(len(came.links) > 0, bulkID+"-save", bulkID+"-close"))
}

// replace puts a changed user into the list.
func (p *UsersPanel) replace(changed shared.Member) {
	if i := slices.IndexFunc(p.users, func(user shared.Member) bool { return user.ID == changed.ID }); i >= 0 {
		p.users[i] = changed
	}
}

// renderBulk draws the dialog.
func (p *UsersPanel) renderBulk() app.UI {
	d := &bulkDialog{Context: p.Context, Mails: p.Account.MailOn, Bulk: p.bulk, Groups: slices.Sorted(maps.Keys(p.counts.Groups)), OnRun: p.run, OnCancel: func() { p.closes(p.bulk.from) }}
	if p.bulk.state == bulkDone {
		d.OnCancel = func() {
			p.closes(pickAllID)
			p.load(loadChanges) // not before: if the session has ended, that leaves the page with its links
		}
	}
	return d
}

// bulkDialog asks before something is done for many, and says what came of it.
type bulkDialog struct {
	app.Compo

	Context  Context
	Bulk     bulk
	Groups   []string // that there are
	Mails    bool     // the server sends mails
	OnCancel func()
	OnRun    func(wish)

	takes bool // groups are taken away
	shows bool // links shall be shown, and not mailed
	names string
	saved bool // the links were saved
}

const bulkID = "bulk"

// OnMount opens the dialog. The focus is where Enter does nothing.
func (d *bulkDialog) OnMount(ctx app.Context) {
	showModal(ctx, bulkID)
	focus(ctx, label(d.Bulk.what == actGroups, bulkID+"-names", bulkID+"-cancel"))
}

func (d *bulkDialog) Render() app.UI {
	if d.Bulk.state == bulkDone {
		// The foot is the dialog's own, or it wouldn't stay in sight.
		return dialog(bulkID, d.doneTitle(), d.onEscape, d.renderRefused(), d.renderLinks(), d.renderFoot())
	}
	text, working := d.Context.Text.Users, d.Bulk.state == bulkWorking
	title, lead, do, class := d.question()
	progress := text.Working
	if d.Bulk.at > 0 {
		progress = message.Fill(text.Progress, "n", d.Context.Number(d.Bulk.at), "count", d.Context.Number(len(d.Bulk.users)))
	}
	return dialog(bulkID, title, d.onEscape, app.Elem("form").Class("stack").OnSubmit(d.onSubmit).Body(
		app.If(lead != "", func() app.UI { return app.Elem("p").ID(bulkID + "-lead").Text(lead) }),
		app.Elem("p").ID(bulkID+"-who").Text(namesOf(d.Bulk.users)),
		app.If(d.Bulk.what == actGroups, d.renderGroups),
		app.If(d.mayMail(), func() app.UI { return byMail(text.ByMailMany, !d.shows, working, func(on bool) { d.shows = !on }) }),
		foot(
			button(bulkID+"-cancel", "", text.Cancel, working, d.onCancel),
			submit(bulkID+"-ok", class, "", working).Body(steady(working, progress, do)),
		),
	)).Aria("describedby", bulkID+"-who")
}

// question returns what the dialog asks.
func (d *bulkDialog) question() (title, lead, do, class string) {
	text, n := d.Context.Text.Users, len(d.Bulk.users)
	switch d.Bulk.what {
	case actDisable:
		return d.Context.Count(text.DisableMany, n), text.DisableLead, text.Disable, "danger"
	case actEnable:
		return d.Context.Count(text.EnableMany, n), text.EnableLead, text.Enable, "primary"
	case actInvite:
		return d.Context.Count(text.AgainMany, n), text.AgainAsk, text.Again, "primary"
	}
	return d.Context.Count(text.GroupsMany, n), "", text.GroupsDo, "primary"
}

// namesOf writes the names of users. Each is kept together.
func namesOf(users []shared.Member) string {
	var names []string
	for _, user := range users {
		names = append(names, user.DisplayName)
	}
	return strings.Join(names, ", ")
}

// renderGroups asks for groups, and whether they are given or taken away.
func (d *bulkDialog) renderGroups() app.UI {
	text := d.Context.Text.Users
	choice := func(id, text string, takes bool) app.UI {
		return app.Elem("label").Class("check").Body(
			app.ElemSelfClosing("input").ID(id).Attr("type", "radio").Attr("name", bulkID+"-how").Attr("checked", d.takes == takes).OnChange(func(app.Context, app.Event) { d.takes = takes }),
			app.Elem("span").Text(text),
		)
	}
	return app.Elem("div").Class("stack").Body(
		app.Elem("div").Class("buttons").Attr("role", "radiogroup").Aria("label", text.GroupsWhat).Body(
			choice(bulkID+"-add", text.GroupsAdd, false), choice(bulkID+"-take", text.GroupsTake, true),
		),
		field(text.ColumnGroups,
			app.ElemSelfClosing("input").ID(bulkID+"-names").Attr("list", bulkID+"-known").Attr("autocomplete", "off").Attr("autocapitalize", "none").Attr("spellcheck", "false").
				Attr("required", true).Aria("describedby", bulkID+"-hint").OnInput(func(ctx app.Context, _ app.Event) { d.names = valueOf(ctx) }),
		),
		app.Elem("datalist").ID(bulkID+"-known").Body(app.Range(d.Groups).Slice(func(i int) app.UI { return option(d.Groups[i], d.Groups[i], false) })),
		app.Elem("p").ID(bulkID+"-hint").Class("hint").Text(d.Context.Text.Member.GroupsHint),
	)
}

func (d *bulkDialog) onSubmit(_ app.Context, e app.Event) {
	e.PreventDefault()
	if d.Bulk.state != bulkAsking {
		return
	}
	names := splitGroups(d.names)
	wish := wish{mail: d.mayMail() && !d.shows}
	if d.takes {
		wish.take = names
	} else {
		wish.add = names
	}
	d.OnRun(wish)
}

// mayMail reports whether links could go by mail to some of the users.
func (d *bulkDialog) mayMail() bool {
	return d.Mails && d.Bulk.what == actInvite && slices.ContainsFunc(d.Bulk.users, func(user shared.Member) bool { return user.Email != "" })
}

// splitGroups reads names with commas between them.
func splitGroups(typed string) []string {
	var names []string
	for part := range strings.SplitSeq(typed, ",") {
		if name := strings.TrimSpace(part); name != "" {
			names = append(names, name)
		}
	}
	return names
}

func (d *bulkDialog) doneTitle() string {
	text, b := d.Context.Text.Users, d.Bulk
	if len(b.refused) == 0 {
		return d.Context.Count(text.LinksTitle, len(b.links))
	}
	count := len(b.changed)
	for _, refused := range b.refused {
		count += len(refused.users)
	}
	return message.Fill(text.DoneFor, "n", d.Context.Number(len(b.changed)), "count", d.Context.Number(count))
}

// renderRefused says for whom nothing was done, and why.
func (d *bulkDialog) renderRefused() app.UI {
	return Slot(app.If(len(d.Bulk.refused) > 0, func() app.UI {
		return app.Elem("div").ID(bulkID + "-refused").Class("notice notice-bad stack").Body(app.Range(d.Bulk.refused).Slice(func(i int) app.UI {
			refused := d.Bulk.refused[i]
			return app.Elem("div").Class("plain").Body(app.Elem("strong").Text(namesOf(refused.users)), app.Elem("span").Text(d.Context.sentence(refused.why)))
		}))
	}))
}

// renderLinks offers the new links as a file. They can't be shown again, so that the dialog closes by its
// buttons only.
func (d *bulkDialog) renderLinks() app.UI {
	text, hasLinks := d.Context.Text.Users, len(d.Bulk.links) > 0
	return app.Elem("div").Class("stack").Body(
		app.If(d.Bulk.mail, func() app.UI { return app.Elem("p").Text(label(hasLinks, text.MailedSome, text.MailedMany)) }),
		app.If(hasLinks, func() app.UI { return d.Context.linksOnce() }),
	)
}

func (d *bulkDialog) renderFoot() app.UI {
	text := d.Context.Text.Users
	return foot(
		app.If(len(d.Bulk.links) > 0, func() app.UI {
			return button(bulkID+"-save", "primary", "", false, d.onSave).Body(icon("install"), steady(d.saved, text.LinksSaved, text.LinksSave))
		}),
		button(bulkID+"-close", "", text.Close, false, d.onCancel),
	)
}

func (d *bulkDialog) onSave(app.Context, app.Event) {
	table := shared.LinksHead()
	for _, l := range d.Bulk.links {
		table += shared.LinksRow(l.user.Name, l.user.DisplayName, l.user.Email, l.link.URL, l.link.Expires)
	}
	browser.Download(d.Context.Text.Users.LinksFile+".csv", table)
	d.saved = true
}

func (d *bulkDialog) onEscape() {
	if d.Bulk.state == bulkAsking || d.Bulk.state == bulkDone && len(d.Bulk.links) == 0 {
		d.OnCancel()
	}
}

func (d *bulkDialog) onCancel(app.Context, app.Event) { d.OnCancel() }
