package ui

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/shared"
)

// organisation is a server with users, in pages of three.
type organisation struct {
	obliging
	names   []string // in their order
	refuses map[string]error
	changes []string // what was asked for, and for whom
}

func (o *organisation) Users(_ context.Context, q shared.MembersQuery) (page shared.Members, err error) {
	at := 0
	if q.After != "" {
		for at < len(o.names) && o.names[at] <= q.After {
			at++
		}
	}
	for ; at < len(o.names); at++ {
		if len(page.Users) == 3 {
			page.Next = o.names[at-1]
			break
		}
		page.Users = append(page.Users, shared.Member{User: shared.User{ID: o.names[at], DisplayName: strings.ToUpper(o.names[at])}})
	}
	page.Counts.All = len(o.names)
	return page, nil
}

func (o *organisation) ChangeMember(_ context.Context, id string, change shared.ChangeMember) (shared.Member, error) {
	o.changes = append(o.changes, id)
	member := shared.Member{User: shared.User{ID: id, DisplayName: strings.ToUpper(id)}}
	if change.Disabled != nil {
		member.Disabled = *change.Disabled
	}
	return member, o.refuses[id]
}

// InviteAgain gives links to all but those whom it refuses.
func (o *organisation) InviteAgain(_ context.Context, id string) (shared.EnrolmentLink, error) {
	o.changes = append(o.changes, id)
	return shared.EnrolmentLink{URL: "https://id.example.com/enrol?token=" + id}, o.refuses[id]
}

func shownIDs(p *UsersPanel) (ids []string) {
	for _, user := range p.users {
		ids = append(ids, user.ID)
	}
	return ids
}

// TestListStaysInPlace: while somebody reads the list, others add and remove users. No row moves.
func TestListStaysInPlace(t *testing.T) {
	for name, test := range map[string]struct {
		before, after string
		pages         int // that the reader has loaded
		want          string
		fresh         int
		more          string // after the next page, or after the new ones were asked for
	}{
		"one is new, ahead":           {"b c d", "a b c d", 1, "b c d", 1, "a b c"},
		"one is new, behind":          {"b c", "b c d", 1, "b c", 1, "b c d"},
		"one is new in a longer list": {"b c e f g", "b c d e f g", 1, "b c e", 1, "b c d"},
		"one is new on a later page":  {"b c e f g", "b c e f g h", 1, "b c e", 0, "b c e f g h"},
		"several are new":             {"b", "a b c d e f g", 1, "b", 6, "a b c"},
		"one was removed":             {"a b c d e", "a c d e", 1, "a c", 0, "a c d e"},
		"the last one was removed":    {"a b c d e", "a b d e", 1, "a b", 0, "a b d e"},
		"two pages, one is new":       {"a c d e f g h", "a b c d e f g h", 2, "a c d e f g", 1, "a b c"},
		"all were removed":            {"a b", "", 1, "", 0, ""},
		"one came and one went":       {"a b c", "b c d", 1, "b c", 1, "b c d"},
	} {
		t.Run(name, func(t *testing.T) {
			server := &organisation{names: strings.Fields(test.before)}
			p := &UsersPanel{Context: inEnglish(), Service: server, Account: shared.Account{User: shared.User{Role: shared.RoleAdministrator}}}
			var things []func(app.Context)
			for range test.pages - 1 {
				things = append(things, handled(p.onMore))
			}
			things = append(things, func(ctx app.Context) {
				server.names = strings.Fields(test.after)
				p.Changes++
				p.OnUpdate(ctx)
			}, func(ctx app.Context) {
				if got := strings.Join(shownIDs(p), " "); got != test.want || p.fresh != test.fresh {
					t.Errorf("shown are %q and %d are new, want %q and %d", got, p.fresh, test.want, test.fresh)
				}
				if p.fresh > 0 {
					p.onFresh(ctx, anEvent)
				} else if p.next != "" {
					p.onMore(ctx, anEvent)
				}
			})
			plays(t, p, things...)
			if got := strings.Join(shownIDs(p), " "); got != test.more || p.fresh != 0 {
				t.Errorf("then shown are %q, want %q", got, test.more)
			}
		})
	}
}

// TestBulk does something for three users, for one of whom it is refused.
func TestBulk(t *testing.T) {
	refusal := shared.Errorf(shared.CodeConflict, "Somebody was faster.")
	away := shared.Errorf(shared.CodeOffline, "The server can't be reached.")
	for name, test := range map[string]struct {
		refuses  map[string]error
		asked    []string
		refused  string
		selected []string
	}{
		"all are done":             {nil, []string{"a", "b", "c"}, "", nil},
		"one is refused":           {map[string]error{"b": refusal}, []string{"a", "b", "c"}, "B: Somebody was faster.", []string{"b"}},
		"the server is away":       {map[string]error{"b": away}, []string{"a", "b"}, "B, C: The server can't be reached.", []string{"b", "c"}},
		"two for the same reason":  {map[string]error{"a": refusal, "c": refusal}, []string{"a", "b", "c"}, "A, C: Somebody was faster.", []string{"a", "c"}},
		"a confirmation is needed": {map[string]error{"b": shared.Errorf(shared.CodeConfirmRequired, "Please confirm that it's you.")}, []string{"a", "b"}, "", []string{"b", "c"}},
	} {
		t.Run(name, func(t *testing.T) {
			server := &organisation{names: []string{"a", "b", "c"}, refuses: test.refuses}
			p := &UsersPanel{Context: inEnglish(), Service: server, Account: shared.Account{User: shared.User{ID: "z", Role: shared.RoleAdministrator}}}
			plays(t, p, func(app.Context) {
				for _, id := range server.names {
					p.onSelect(id, true)
				}
				p.open, p.bulk = dialogBulk, bulk{what: actDisable, users: p.fits(actDisable)}
				p.run(wish{})
			}, func(app.Context) {
				if p.paused != nil { // nobody confirms
					p.notConfirmed()
				}
			})
			if !slices.Equal(server.changes, test.asked) {
				t.Errorf("asked for %q, want %q", server.changes, test.asked)
			}
			var selected []string
			for _, user := range p.chosen() {
				selected = append(selected, user.ID)
			}
			if !slices.Equal(selected, test.selected) {
				t.Errorf("still selected are %q, want %q", selected, test.selected)
			}
			refused := ""
			for _, r := range p.bulk.refused {
				refused += fmt.Sprintf("%s: %v", namesOf(r.users), p.Context.sentence(r.why))
			}
			if refused != test.refused {
				t.Errorf("refused: %q, want %q", refused, test.refused)
			}
			if isOpen := p.open == dialogBulk; isOpen != (selected != nil) {
				t.Errorf("the dialog is open: %t", isOpen)
			}
		})
	}
}

// TestLinksOutlive: links are shown once, so that what ends the work in the middle doesn't take those
// that came.
func TestLinksOutlive(t *testing.T) {
	for name, test := range map[string]struct {
		ends error
		says string
	}{
		"nobody confirms":       {shared.Errorf(shared.CodeConfirmRequired, "Please confirm that it's you."), inEnglish().Text.Failure.ConfirmDenied},
		"the session has ended": {shared.Errorf(shared.CodeUnauthenticated, "Please sign in."), "Please sign in."},
		"the server is away":    {shared.Errorf(shared.CodeOffline, "The server can't be reached."), "The server can't be reached. " + inEnglish().Text.Link.Lost},
	} {
		t.Run(name, func(t *testing.T) {
			server, left := &organisation{names: []string{"a", "b", "c"}, refuses: map[string]error{"b": test.ends}}, false
			p := &UsersPanel{
				Context: inEnglish(), Service: server, Account: shared.Account{User: shared.User{ID: "z", Role: shared.RoleAdministrator}},
				OnSignedOut: func() { left = true },
			}
			plays(t, p, func(app.Context) {
				for i := range p.users {
					p.users[i].Invited = true
					p.onSelect(p.users[i].ID, true)
				}
				p.open, p.bulk = dialogBulk, bulk{what: actInvite, users: p.fits(actInvite)}
				p.run(wish{})
			}, func(app.Context) {
				if p.paused != nil {
					p.notConfirmed()
				}
			})
			if left || p.open != dialogBulk || p.bulk.state != bulkDone || len(p.bulk.links) != 1 || p.bulk.links[0].user.ID != "a" {
				t.Errorf("left the page: %t; the dialog has the state %d and the links %v", left, p.bulk.state, p.bulk.links)
			}
			if len(p.bulk.refused) != 1 || namesOf(p.bulk.refused[0].users) != "B, C" || p.Context.sentence(p.bulk.refused[0].why) != test.says {
				t.Errorf("refused are %v", p.bulk.refused)
			}
			if d := (&bulkDialog{Context: p.Context, Bulk: p.bulk}); d.doneTitle() != "Done for 1 of 3" {
				t.Errorf("the title is %q", d.doneTitle())
			}
		})
	}
}
