package ui

import (
	"context"
	"slices"
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/browser"
	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// importDialog invites the people of a table. The server looks at the file that was chosen, the dialog
// shows whom it would invite and which line is wrong, and then all of them are invited, or nobody.
type importDialog struct {
	app.Compo

	Context  Context
	Mails    bool // the server sends mails
	OnImport func(people shared.ImportUsers, done func(shared.ImportedUsers, error))
	OnCancel func()

	state   importState
	table   string
	people  shared.ImportedUsers
	failure error
	shows   bool // the links shall be shown, and not mailed
	saved   bool // the links were saved
	chosen  int  // how many files were chosen; an answer about an earlier one is ignored
	self    app.Context
}

type importState int

const (
	importChoosing importState = iota
	importLooking              // the server looks at the file
	importReady                // whom it would invite is shown
	importWorking
	importDone
)

const (
	importID     = "import"
	importFileID = "import-file"
	// mostImportRows is how many people are shown, and how many wrong lines.
	mostImportRows = 50
)

// OnMount opens the dialog.
func (d *importDialog) OnMount(ctx app.Context) {
	d.self = ctx
	showModal(ctx, importID)
	focus(ctx, importFileID)
}

func (d *importDialog) Render() app.UI {
	text, users := d.Context.Text.Import, d.Context.Text.Users
	if d.state == importDone {
		return dialog(importID, d.Context.Count(text.Done, len(d.people.Rows)), d.onEscape,
			app.If(d.mails(), func() app.UI { return app.Elem("p").Text(label(d.hasLinks(), users.MailedSome, users.MailedMany)) }),
			app.If(d.hasLinks(), func() app.UI { return d.Context.linksOnce() }),
			foot(
				app.If(d.hasLinks(), func() app.UI {
					return button("import-save", "primary", "", false, d.onSave).Body(icon("install"), steady(d.saved, users.LinksSaved, users.LinksSave))
				}),
				button("import-close", "", users.Close, false, d.onCancel),
			),
		).Class("wide-dialog")
	}
	working, do := d.state == importWorking, users.Invite
	if n := len(d.people.Rows) - d.people.Wrong; n > 0 {
		do = d.Context.Count(text.Do, n)
	}
	return dialog(importID, text.Title, d.onEscape,
		app.Elem("p").ID("import-lead").Text(text.Lead),
		field(text.File,
			app.ElemSelfClosing("input").ID(importFileID).Attr("type", "file").Attr("accept", ".csv,.txt,text/csv,text/plain,text/tab-separated-values").
				Attr("disabled", working).Aria("describedby", "import-lead").OnChange(d.onFile),
		),
		d.Context.notice(d.failure),
		Slot(app.If(d.state == importLooking, func() app.UI { return waiting(text.Looking) })),
		Slot(app.If(len(d.people.Rows) > 0, d.renderPeople)),
		Slot(app.If(d.mayMail(), func() app.UI { return byMail(users.ByMailMany, !d.shows, working, func(on bool) { d.shows = !on }) })),
		foot(
			button("import-cancel", "", users.Cancel, working, d.onCancel),
			d.Context.button("import-ok", "primary", "", d.state != importReady || d.people.Wrong > 0 || d.Context.Offline != "", d.onOK).
				Body(steady(working, users.Working, do)),
		),
	).Class("wide-dialog")
}

// renderPeople shows what is wrong with which line, and whom the others would invite.
func (d *importDialog) renderPeople() app.UI {
	text := d.Context.Text.Import
	var wrong, good []shared.ImportRow
	for _, row := range d.people.Rows {
		if row.Problem != "" {
			wrong = append(wrong, row)
		} else {
			good = append(good, row)
		}
	}
	return app.Elem("div").Class("stack").Body(
		app.If(len(wrong) > 0, func() app.UI {
			return app.Elem("div").ID("import-wrong").Class("notice notice-bad stack").Attr("role", "alert").Body(
				app.Elem("p").Text(d.Context.Count(text.Wrong, len(wrong))),
				app.Elem("ul").Class("plain").Body(app.Range(wrong[:min(len(wrong), mostImportRows)]).Slice(func(i int) app.UI {
					return app.Elem("li").Body(
						app.Elem("strong").Body(app.Text(message.Fill(text.Line, "n", d.Context.Number(wrong[i].Line))+" "), app.Elem("bdi").Text(wrong[i].Name)),
						app.Elem("span").Text(" "+wrong[i].Problem),
					)
				})),
				d.renderMore(len(wrong)),
			)
		}),
		app.If(len(d.people.Ignored) > 0, func() app.UI {
			return app.Elem("p").ID("import-ignored").Class("notice").Text(message.Fill(text.Ignored, "columns", strings.Join(d.people.Ignored, ", ")))
		}),
		app.If(len(good) > 0, func() app.UI {
			return app.Elem("div").Class("plain").Body(
				app.If(len(wrong) == 0, func() app.UI {
					return app.Elem("p").Attr("role", "status").Text(d.Context.Count(text.All, len(good)))
				}),
				d.renderTable(good), d.renderMore(len(good)),
			)
		}),
	)
}

// renderMore says how many rows aren't shown.
func (d *importDialog) renderMore(n int) app.UI {
	return app.If(n > mostImportRows, func() app.UI {
		return app.Elem("p").Text(d.Context.Count(d.Context.Text.Import.More, n-mostImportRows))
	})
}

func (d *importDialog) renderTable(rows []shared.ImportRow) app.UI {
	text := d.Context.Text
	head := func(title string) app.UI { return app.Elem("th").Attr("scope", "col").Text(title) }
	// It scrolls in itself, and the keyboard has to reach it for that.
	return app.Elem("div").Class("rows scrolls").TabIndex(0).Attr("role", "region").Aria("label", text.Import.Title).Body(app.Elem("table").ID("import-people").Body(
		app.Elem("thead").Body(app.Elem("tr").Body(head(text.Users.UserName), head(text.Users.ColumnName), head(text.Member.Email), head(text.Users.ColumnGroups))),
		app.Elem("tbody").Body(app.Range(rows[:min(len(rows), mostImportRows)]).Slice(func(i int) app.UI {
			row := rows[i]
			return app.Elem("tr").Body(
				app.Elem("th").Attr("scope", "row").Text(row.Name), app.Elem("td").Text(row.DisplayName),
				app.Elem("td").Text(row.Email), app.Elem("td").Text(strings.Join(row.Groups, ", ")),
			)
		})),
	))
}

// onFile has the server look at the file.
func (d *importDialog) onFile(app.Context, app.Event) {
	d.chosen++
	chosen := d.chosen
	d.state, d.people, d.failure = importLooking, shared.ImportedUsers{}, nil
	d.self.Async(func() {
		table, err := browser.ChosenFile(context.WithoutCancel(d.self), importFileID, shared.MaxTable)
		d.self.Dispatch(func(app.Context) {
			switch {
			case chosen != d.chosen:
			case err != nil || table == "":
				d.state, d.failure = importChoosing, err
			default:
				d.table = table
				d.OnImport(shared.ImportUsers{Table: table, DryRun: true}, func(people shared.ImportedUsers, err error) {
					if chosen == d.chosen {
						d.looked(people, err)
					}
				})
			}
		})
	})
}

func (d *importDialog) looked(people shared.ImportedUsers, err error) {
	d.state, d.people, d.failure = importReady, people, err
	if err != nil {
		d.state = importChoosing
		return
	}
	if people.Wrong == 0 {
		focus(d.self, "import-ok")
	}
}

func (d *importDialog) onOK(app.Context, app.Event) {
	d.state, d.failure = importWorking, nil
	d.OnImport(shared.ImportUsers{Table: d.table, Mail: d.mails()}, func(people shared.ImportedUsers, err error) {
		if err != nil {
			d.state, d.failure = importReady, err
			return
		}
		d.state, d.people = importDone, people
		focus(d.self, label(d.hasLinks(), "import-save", "import-close"))
	})
}

// mayMail reports whether links could go by mail to some of the people.
func (d *importDialog) mayMail() bool {
	return d.Mails && slices.ContainsFunc(d.people.Rows, func(row shared.ImportRow) bool { return row.Email != "" })
}

func (d *importDialog) mails() bool { return d.mayMail() && !d.shows }

// hasLinks reports whether there are links to be saved.
func (d *importDialog) hasLinks() bool {
	return !d.mails() || slices.ContainsFunc(d.people.Rows, func(row shared.ImportRow) bool { return row.Email == "" })
}

func (d *importDialog) onSave(app.Context, app.Event) {
	browser.Download(d.Context.Text.Users.LinksFile+".csv", d.people.Links)
	d.saved = true
}

// onEscape closes the dialog, unless links would be lost.
func (d *importDialog) onEscape() {
	if d.state != importWorking && (d.state != importDone || !d.hasLinks()) {
		d.OnCancel()
	}
}

func (d *importDialog) onCancel(app.Context, app.Event) { d.OnCancel() }
