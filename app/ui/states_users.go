package ui

import (
	"fmt"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// statesOfUsers are those of the list of users.
func statesOfUsers(in Context) map[string]app.UI {
	asks := func(what action) app.UI {
		return stateUsers(in, func(p *UsersPanel) {
			p.selected = map[string]bool{"u2": true, "u3": true, "u4": true}
			p.open, p.bulk = dialogBulk, bulk{what: what, users: p.fits(what)}
		})
	}
	return map[string]app.UI{
		"users":           stateUsers(in, func(p *UsersPanel) { p.next = "more" }),
		"users-fresh":     stateUsers(in, func(p *UsersPanel) { p.fresh, p.lit = 3, map[string]bool{"u2": true} }),
		"users-first-day": stateUsers(in, func(p *UsersPanel) { p.users, p.counts = p.users[:1], shared.MemberCounts{All: 1, Administrators: 1} }),
		"users-held":      stateUsers(in, func(p *UsersPanel) { p.users[5].HeldUntil = stateHeldUntil() }),
		"users-loading":   stateUsers(in, func(p *UsersPanel) { p.state = listLoading }),
		"users-failed":    stateUsers(in, func(p *UsersPanel) { p.state, p.failure = listFailed, stateInternal() }),
		"users-selected":  stateUsers(in, func(p *UsersPanel) { p.selected = map[string]bool{"u2": true, "u3": true, "u4": true} }),
		"users-by-last":   stateUsers(in, func(p *UsersPanel) { p.Filters = "sort=last-sign-in&in=group/sales" }),
		"users-import":    stateUsers(in, func(p *UsersPanel) { p.open = dialogImport }),
		"import-wrong": &importDialog{Context: in, state: importReady, people: shared.ImportedUsers{Wrong: 2, Rows: []shared.ImportRow{
			{Line: 2, Invite: shared.Invite{Name: "amy", DisplayName: "Amy Smith", Email: "amy@example.com", Groups: []string{"sales"}}},
			{Line: 3, Invite: shared.Invite{Name: "ann", DisplayName: "Ann"}, Problem: "Somebody has the user name ann already."},
			{Line: 5, Problem: "This line doesn't have as many cells as the first one."},
		}}},
		"import-ready":   &importDialog{Context: in, state: importReady, people: stateImported()},
		"import-mail":    &importDialog{Context: in, Mails: true, state: importReady, people: stateImported()},
		"import-mailed":  &importDialog{Context: in, Mails: true, state: importDone, people: stateImported()},
		"invite-mail":    &inviteDialog{Context: in, Mails: true, GivesRoles: true, who: shared.Invite{Email: "amy@example.com"}},
		"import-refused": &importDialog{Context: in, state: importChoosing, failure: shared.Errorf(shared.CodeInvalidRequest, "The first line must name the columns, and one of them must be called name.")},
		"import-done":    &importDialog{Context: in, state: importDone, people: stateImported()},
		"users-invite":   stateUsers(in, func(p *UsersPanel) { p.open = dialogInvite }),
		"users-auditor":  stateUsers(in, func(p *UsersPanel) { p.Account.User.Role = shared.RoleAuditor }),
		"users-helper": stateUsers(in, func(p *UsersPanel) {
			p.Account.User.Role, p.counts = shared.RoleHelper, shared.MemberCounts{Groups: map[string]int{"it": 3, "sales": 20}}
			p.selected = map[string]bool{"u2": true}
		}),
		"users-nobody":     stateUsers(in, func(p *UsersPanel) { p.users, p.Filters = nil, "find=smith&in=disabled" }),
		"users-offline":    stateUsers(stateOffline(in), func(p *UsersPanel) { p.next, p.selected = "more", map[string]bool{"u2": true} }),
		"users-invitation": stateUsers(in, func(p *UsersPanel) { p.open, p.link = dialogLink, shownLink{link: stateLink(), user: p.users[2]} }),
		"users-disable":    asks(actDisable),
		"users-enable":     asks(actEnable),
		"users-again":      asks(actInvite),
		"users-groups":     asks(actGroups),
		"users-again-mail": stateUsers(in, func(p *UsersPanel) {
			p.Account.MailOn, p.users[2].Email = true, "carl@example.com"
			p.open, p.bulk = dialogBulk, bulk{what: actInvite, users: p.users[2:3]}
		}),
		"users-working": stateUsers(in, func(p *UsersPanel) {
			p.open, p.bulk = dialogBulk, bulk{what: actDisable, users: p.users, state: bulkWorking, at: 2}
		}),
		"users-refused": stateUsers(in, func(p *UsersPanel) {
			p.open, p.bulk = dialogBulk, bulk{what: actDisable, users: p.users, state: bulkDone, result: result{changed: p.users[1:2], refused: []refused{
				{shared.Errorf(shared.CodeLastAdministrator, "This is the only administrator who can sign in. Make another one first."), p.users[:1]},
				{stateAway(), p.users[2:]},
			}}}
		}),
		"users-much":   stateUsers(in, func(p *UsersPanel) { p.users[1].Groups, p.users[2].DisplayName = stateGroups(), stateJapanese }),
		"users-lost":   &inviteDialog{Context: in, failure: mayBeDone(stateAway(), in.Text.Users.InviteLost)},
		"import-lost":  &importDialog{Context: in, state: importReady, people: stateImported(), failure: mayBeDone(stateAway(), in.Text.Import.Lost)},
		"import-ended": &importDialog{Context: stateEnded(in), state: importDone, people: stateImported()},
		"users-links-lost": stateUsers(in, func(p *UsersPanel) {
			p.open, p.bulk = dialogBulk, bulk{what: actInvite, users: p.users[1:3], state: bulkDone, result: result{
				changed: p.users[2:3], links: []memberLink{{p.users[2], stateLink()}},
				refused: []refused{{mayBeDone(stateAway(), in.Text.Link.Lost), p.users[1:2]}},
			}}
		}),
		"users-links": stateUsers(in, func(p *UsersPanel) {
			p.open, p.bulk = dialogBulk, bulk{what: actInvite, users: p.users[2:3], state: bulkDone, result: result{changed: p.users[2:3], links: []memberLink{{p.users[2], stateLink()}}}}
		}),
	}
}

// stateImported are more people than the dialog shows.
func stateImported() (people shared.ImportedUsers) {
	for i := range mostImportRows + 14 {
		name := fmt.Sprintf("user.number.%d", i+1)
		people.Rows = append(people.Rows, shared.ImportRow{Line: i + 2, Invite: shared.Invite{Name: name, DisplayName: "<img src=x onerror=alert(1)>", Email: name + "@example.com", Groups: []string{"it", "sales"}}})
	}
	return people
}

// stateJapanese is a name without a space in which a line could break.
const stateJapanese = "東京都千代田区情報システム管理課・山田太郎左衛門之介"

func stateGroups() (names []string) {
	for i := range 40 {
		names = append(names, fmt.Sprintf("department-%d", i+1))
	}
	return append(names, "a-group-with-a-very-long-name-that-has-no-space-in-it-0123456789")
}

func stateAway() error {
	return shared.Errorf(shared.CodeOffline, "The server can't be reached. Check your connection and try again.")
}

// stateEnded is for a page that stays after the session for what is shown once.
func stateEnded(in Context) Context {
	in.Ended, in.Offline = in.Text.Shell.Ended, in.Text.Shell.Ended
	return in
}

func stateOffline(in Context) Context {
	in.Offline = in.Text.Shell.Offline
	return in
}

// stateUsers is a UsersPanel with its list. Change puts it into a state.
func stateUsers(in Context, change func(*UsersPanel)) *UsersPanel {
	at := time.Date(2026, 11, 20, 18, 30, 0, 0, time.UTC)
	until := time.Date(2026, 11, 27, 19, 0, 0, 0, time.UTC)
	p := &UsersPanel{Context: in, Account: shared.Account{User: shared.User{ID: "u1", Role: shared.RoleAdministrator}, Product: "Keypeg"}, Page: func(id string) string { return "/users/" + id }, state: listReady, counts: stateCounts(), users: []shared.Member{
		{User: shared.User{ID: "u1", Name: "ann", DisplayName: "Ann Admin", Role: shared.RoleAdministrator}, HasPassword: true, Passkeys: 2, Created: at, LastSignIn: at},
		{User: shared.User{ID: "u2", Name: "carol.oestergaard-hernandez@subsidiary.contoso.example", DisplayName: "Carol Østergård-Hernández von und zu Habsburg-Lothringen"}, Passkeys: 1, Identities: 1, Created: at, LastSignIn: at, Email: "bob@mail.example", Groups: []string{"it", "sales", "works-council"}, LinkUntil: &until},
		{User: shared.User{ID: "u3", Name: "carl", DisplayName: "<img src=x onerror=alert(1)>"}, Invited: true, Created: at, LinkUntil: &until},
		{User: shared.User{ID: "u4", Name: "dora", DisplayName: "Dora", Disabled: true}, HasPassword: true, Created: at, LastSignIn: at},
		{User: shared.User{ID: "u5", Name: "eve", DisplayName: "Eve Novák"}, Invited: true, Created: at, Groups: []string{"sales"}},
		{User: shared.User{ID: "u6", Name: "frank", DisplayName: "Frank Okafor"}, HasPassword: true, Created: at, LastSignIn: at},
	}}
	change(p)
	return p
}

func stateCounts() shared.MemberCounts {
	return shared.MemberCounts{All: 248, WithPasskey: 149, WithoutPasskey: 80, PasswordOnly: 61, Invited: 14, Disabled: 5, Administrators: 4, Groups: map[string]int{"it": 3, "sales": 20}}
}

// statesOfUser are those of the page of one user.
func statesOfUser(in Context) map[string]app.UI {
	return map[string]app.UI{
		"user":              stateUser(in, func(*UserPage) {}),
		"user-loading":      stateUser(in, func(p *UserPage) { p.state = listLoading }),
		"user-failed":       stateUser(in, func(p *UserPage) { p.state, p.failure = listFailed, stateInternal() }),
		"user-auditor":      stateUser(in, func(p *UserPage) { p.user.May = shared.MayRead }),
		"user-helper":       stateUser(in, func(p *UserPage) { p.user.May, p.Events = shared.MayHelp, nil }),
		"user-self":         stateUser(in, func(p *UserPage) { p.ID = "u1" }),
		"user-held":         stateUser(in, func(p *UserPage) { p.user.HeldUntil = stateHeldUntil() }),
		"user-held-helper":  stateUser(in, func(p *UserPage) { p.user.HeldUntil, p.user.May, p.Events = stateHeldUntil(), shared.MayHelp, nil }),
		"user-held-refused": stateUser(in, func(p *UserPage) { p.user.HeldUntil, p.refused, p.failure = stateHeldUntil(), holdRow, stateInternal() }),
		"user-last":         stateUser(in, func(p *UserPage) { p.user.LastAdministrator, p.user.Role = true, shared.RoleAdministrator }),
		"user-invited": stateUser(in, func(p *UserPage) {
			until := time.Date(2026, 11, 27, 18, 30, 0, 0, time.UTC)
			p.user = shared.MemberDetails{Member: p.user.Member, May: shared.MayManage}
			p.user.Member = shared.Member{User: p.user.User, Created: p.user.Created, Invited: true, LinkUntil: &until}
		}),
		"user-ask": stateUser(in, func(p *UserPage) {
			p.asking = memberQuestion{
				title: message.Fill(in.Text.Users.RecoverTitle, "name", "Bob"), lead: message.Fill(in.Text.Users.RecoverAsk, "name", "Bob"), do: in.Text.Users.RecoverDo,
				certain: message.Fill(in.Text.Member.Certain, "name", "Bob"), run: func() {},
			}
		}),
		"user-ended":   stateUser(stateEnded(in), func(p *UserPage) { p.link = shownLink{link: stateLink(), user: p.user.Member} }),
		"user-offline": stateUser(stateOffline(in), func(*UserPage) {}),
		"user-lost":    stateUser(in, func(p *UserPage) { p.refused, p.failure = helpCard, mayBeDone(stateAway(), in.Text.Link.Lost) }),
		"user-nothing": stateUser(in, func(p *UserPage) {
			p.user.PasskeyList, p.user.IdentityList, p.user.Sessions, p.user.HasPassword, p.user.RecoveryCodes = nil, nil, nil, false, 0
		}),
		"user-much": stateUser(in, func(p *UserPage) {
			p.user.DisplayName, p.user.Groups, p.user.Helps = stateJapanese, stateGroups(), stateGroups()
			p.user.Name, p.user.Email = "carol.oestergaard-hernandez@subsidiary.contoso.example", "carol.oestergaard-hernandez@subsidiary.contoso.example"
			p.user.PasskeyList = nil
			for i := range 20 {
				p.user.PasskeyList = append(p.user.PasskeyList, shared.MemberPasskey{ID: fmt.Sprint("p", i), Name: fmt.Sprintf("A-passkey-with-a-long-name-without-a-space-in-it-%d", i+1), Created: stateTime()})
			}
		}),
		"user-refused":  stateUser(in, func(p *UserPage) { p.refused, p.failure = "member-password", stateInternal() }),
		"user-disabled": stateUser(in, func(p *UserPage) { p.user.Disabled = true }),
		"user-remove":   stateUser(in, func(p *UserPage) { p.asks("passkey-p1-do", "Phone", nil) }),
		"user-facts":    stateUser(in, func(p *UserPage) { p.editing = editFacts }),
		"user-access":   stateUser(in, func(p *UserPage) { p.editing, p.user.Role = editAccess, shared.RoleHelper }),
		"user-delete":   stateUser(in, func(p *UserPage) { p.editing = editDelete }),
		"user-link":     stateUser(in, func(p *UserPage) { p.link = shownLink{link: stateLink(), user: p.user.Member, recovery: true} }),
	}
}

// stateUser is a UserPage with its user. Change puts it into a state.
func stateUser(in Context, change func(*UserPage)) *UserPage {
	at := time.Date(2026, 11, 20, 18, 30, 0, 0, time.UTC)
	p := &UserPage{
		Context: in, Account: shared.Account{User: shared.User{ID: "u1", Role: shared.RoleAdministrator}}, ID: "u2", Users: "/users", state: listReady,
		Events: func(query string) string { return "/audit?" + query },
	}
	p.user = shared.MemberDetails{
		Member: shared.Member{
			User: shared.User{ID: "u2", Name: "bob@example.com", DisplayName: "Bob Builder"}, HasPassword: true, PasswordSet: at, Passkeys: 2, Identities: 1, Created: at, LastSignIn: at,
			Email: "bob@mail.example", Groups: []string{"it", "sales"}, Helps: []string{"sales"},
		},
		PasskeyList: []shared.MemberPasskey{
			{ID: "p1", Name: "Phone", Provider: "iCloud Keychain", Created: at, LastUsed: &at},
			{ID: "p2", Name: "<img src=x onerror=alert(1)>", Created: at, OnlyMethod: true},
		},
		IdentityList:  []shared.Identity{{ID: "i1", Provider: "Google", Name: "bob@gmail.example", Created: at}},
		RecoveryCodes: 3, InvitedBy: "Ann Admin", May: shared.MayManage, Sessions: stateSessions().Sessions[1:3],
	}
	p.activity = shared.Activity{Next: "more", Events: []shared.Event{
		{ID: "e1", Kind: shared.EventSignInFailed, Time: at, Browser: "Chrome", System: "Windows", Address: "192.0.2.1"},
		{ID: "e2", Kind: shared.EventGroupsChanged, Time: at, By: "Ann Admin", Change: "-group:it +group:sales"},
		{ID: "e3", Kind: shared.EventDisabled, Time: at, About: "Dora"},
	}}
	change(p)
	return p
}
