package ui

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/browser"
	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// stage mounts a component outside of a browser, where go-app itself calls no OnMount.
type stage struct {
	app.Compo

	actor app.Composer
	ctx   app.Context
}

func (s *stage) OnPreRender(ctx app.Context) {
	s.ctx = ctx
	if actor, mounts := s.actor.(app.Mounter); mounts {
		actor.OnMount(ctx)
	}
}

func (s *stage) Render() app.UI { return s.actor }

// plays mounts a component and does things with it, one after the other. Each one ends, with
// its requests to the server, before the next one begins.
func plays(t *testing.T, actor app.Composer, things ...func(app.Context)) {
	t.Helper()
	engine, on := app.NewTestEngine(), &stage{actor: actor}
	if err := engine.Load(on); err != nil {
		t.Fatal(err)
	}
	engine.ConsumeAll()
	for _, do := range things {
		on.ctx.Dispatch(do)
		engine.ConsumeAll()
	}
	if leaves, ok := actor.(app.Dismounter); ok {
		leaves.OnDismount()
	}
	if app.HTMLString(actor) == "" {
		t.Error("nothing is shown")
	}
}

// anEvent is an event of the browser.
var anEvent = app.Event{Value: app.Window()}

// handled returns a thing to do: the handler of an event.
func handled(handler app.EventHandler) func(app.Context) {
	return func(ctx app.Context) { handler(ctx, anEvent) }
}

// done returns a thing to do: a callback of a component.
func done(f func()) func(app.Context) { return func(app.Context) { f() } }

// obliging is a server that does everything it is asked for, or fails each time with err.
type obliging struct{ err error }

func (o obliging) Passkeys(context.Context) (shared.PasskeyList, error) {
	return shared.PasskeyList{}, o.err
}
func (o obliging) Register(context.Context, string, shared.Hint) (shared.Passkey, error) {
	return shared.Passkey{ID: "new"}, o.err
}
func (o obliging) Try(context.Context, string) (shared.Passkey, error) {
	return shared.Passkey{ID: "new"}, o.err
}
func (o obliging) Rename(context.Context, string, string) (shared.Passkey, error) {
	return shared.Passkey{}, o.err
}
func (o obliging) Remove(context.Context, string, bool) (shared.PasskeyList, error) {
	return shared.PasskeyList{}, o.err
}
func (o obliging) ConfirmWithPasskey(context.Context) error          { return o.err }
func (o obliging) ConfirmWithPassword(context.Context, string) error { return o.err }
func (o obliging) SignInWithPasskey(context.Context) error           { return o.err }
func (o obliging) Link(context.Context, string) error                { return o.err }
func (o obliging) Unlink(context.Context, string) error              { return o.err }
func (o obliging) ChangePassword(context.Context, string) error      { return o.err }
func (o obliging) ChangeMember(context.Context, string, shared.ChangeMember) (shared.Member, error) {
	return shared.Member{}, o.err
}
func (o obliging) MakeRecoveryCodes(context.Context) (shared.RecoveryCodes, error) {
	return shared.RecoveryCodes{Codes: []string{"ABCDE-FGHIJ"}}, o.err
}
func (o obliging) Sessions(context.Context) (shared.SessionList, error) {
	return shared.SessionList{}, o.err
}
func (o obliging) EndSession(context.Context, string) (shared.SessionList, error) {
	return shared.SessionList{}, o.err
}
func (o obliging) EndOtherSessions(context.Context) (shared.SessionList, error) {
	return shared.SessionList{}, o.err
}
func (o obliging) Programs(context.Context) (shared.ProgramList, error) {
	return shared.ProgramList{Programs: []shared.Program{{ID: "g"}}}, o.err
}
func (o obliging) EndProgram(context.Context, string) (shared.ProgramList, error) {
	return shared.ProgramList{}, o.err
}
func (o obliging) Activity(context.Context, string) (shared.Activity, error) {
	return shared.Activity{Events: []shared.Event{{ID: "e"}}}, o.err
}
func (o obliging) RemovePassword(context.Context) error { return nil }
func (o obliging) Release(context.Context) error        { return o.err }
func (o obliging) Users(context.Context, shared.MembersQuery) (shared.Members, error) {
	return shared.Members{}, o.err
}
func (o obliging) Invite(context.Context, shared.Invite) (shared.Invited, error) {
	return shared.Invited{}, o.err
}
func (o obliging) ImportUsers(context.Context, shared.ImportUsers) (shared.ImportedUsers, error) {
	return shared.ImportedUsers{}, o.err
}
func (o obliging) InviteAgain(context.Context, string) (shared.EnrolmentLink, error) {
	return shared.EnrolmentLink{}, o.err
}
func (o obliging) InviteAgainByMail(context.Context, string) (shared.EnrolmentLink, error) {
	return shared.EnrolmentLink{}, o.err
}
func (o obliging) WithdrawLinks(context.Context, string) (shared.Member, error) {
	return shared.Member{}, nil
}
func (o obliging) MakeRecoveryLink(context.Context, string) (shared.EnrolmentLink, error) {
	return shared.EnrolmentLink{}, o.err
}

// SignInByAutofill waits for a user who never picks a passkey.
func (o obliging) SignInByAutofill(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

// TestSparse sets only the required fields of each exported component, and does everything
// after which a component calls back. In a host program each panic would end the whole app.
func TestSparse(t *testing.T) {
	sparse := Context{Text: &message.English, Formats: inEnglish().Formats}
	for name, err := range map[string]error{
		"the server does it":          nil,
		"the session has ended":       shared.Errorf(shared.CodeUnauthenticated, "Please sign in."),
		"a confirmation is asked for": shared.Errorf(shared.CodeConfirmRequired, "Please confirm that it's you."),
		"the server refuses":          shared.Errorf(shared.CodeConflict, "Somebody was faster."),
	} {
		t.Run(name, func(t *testing.T) {
			server := obliging{err}
			t.Run("UserMenu", func(t *testing.T) {
				m := &UserMenu{}
				plays(t, m, handled(m.onButton), handled(m.onKey), done(func() { m.chosen(MenuItem{}) }), done(func() { m.open(-1) }), handled(m.onOutside))
			})
			t.Run("SignInPanel", func(t *testing.T) {
				p := &SignInPanel{Context: sparse, Service: server}
				plays(t, p, handled(p.onPassword), handled(p.onPasskey))
			})
			t.Run("Confirm", func(t *testing.T) {
				c := &Confirm{Context: sparse}
				plays(t, c, handled(c.onCancel), done(c.onEscape), handled(c.onRecovery), handled(c.onSignInAgain))
				c = &Confirm{Context: sparse, Service: server, HasPasskey: true}
				plays(t, c, handled(c.onPasskey), handled(c.onPassword), handled(c.onCancel))
			})
			t.Run("PasskeysPanel", func(t *testing.T) {
				p := &PasskeysPanel{Context: sparse, Service: server}
				plays(t, p, handled(p.onAdd), handled(p.onRegister), handled(p.onTry), done(func() { p.rename("new", "Name") }), handled(p.onClose), done(p.onEscape))
			})
			t.Run("PasskeysOff", func(t *testing.T) {
				p := &PasskeysOff{Context: sparse}
				plays(t, p, handled(p.onClose), done(p.onEscape))
			})
			t.Run("SessionsPanel", func(t *testing.T) {
				p := &SessionsPanel{Context: sparse, Service: server}
				plays(t, p, handled(p.onEndOthers))
			})
			t.Run("ProgramsPart", func(t *testing.T) {
				p := &ProgramsPart{Context: sparse, Service: server}
				plays(t, p, done(func() { p.asked = "g" }), done(p.end), done(p.cancel))
			})
			t.Run("ActivityPanel", func(t *testing.T) {
				p := &ActivityPanel{Context: sparse, Service: server, Alarms: server}
				plays(t, p, done(func() { p.notMe(shared.Event{ID: "e", PasskeyID: "new"}) }), done(p.endAlarm))
				advice := p.renderAdvice().(*adviceDialog)
				plays(t, advice, handled(advice.onPasskey))
			})
			t.Run("MethodsCard", func(t *testing.T) {
				c := &MethodsCard{Context: sparse, Service: server}
				plays(t, c, done(func() { c.makeCodes() }), done(func() { c.unlink("i") }), done(c.release))
			})
			t.Run("UsersPanel", func(t *testing.T) {
				p := &UsersPanel{Context: sparse, Service: server}
				plays(t, p, done(func() { p.load(loadMore) }), done(func() { p.run(wish{}) }))
			})
			t.Run("Message", func(t *testing.T) {
				Message{}.onButton(app.Context{}, anEvent)
			})
		})
	}
}

// TestServerComesBack: a list that couldn't be loaded is loaded when the page notices that the
// server is back.
func TestServerComesBack(t *testing.T) {
	away := shared.Errorf(shared.CodeOffline, "The server can't be reached.")
	server := &returning{users: stateUsers(inEnglish(), func(*UsersPanel) {}).users}
	sessions := &SessionsPanel{Context: inEnglish(), Service: server}
	programs := &ProgramsPart{Context: inEnglish(), Service: server}
	activity := &ActivityPanel{Context: inEnglish(), Service: server, Alarms: server}
	users := &UsersPanel{Context: inEnglish(), Service: server}
	for name, list := range map[string]struct {
		panel  app.Composer
		learns func(app.Context)
		state  *listState
		rows   func() int
	}{
		"sessions": {sessions, func(ctx app.Context) { sessions.Changes++; sessions.OnUpdate(ctx) }, &sessions.state, func() int { return len(sessions.list.Sessions) }},
		"programs": {programs, func(ctx app.Context) { programs.Changes++; programs.OnUpdate(ctx) }, &programs.state, func() int { return len(programs.list) }},
		"activity": {activity, func(ctx app.Context) { activity.Changes++; activity.OnUpdate(ctx) }, &activity.state, func() int { return len(activity.events) }},
		"users":    {users, func(ctx app.Context) { users.Changes++; users.OnUpdate(ctx) }, &users.state, func() int { return len(users.users) }},
	} {
		t.Run(name, func(t *testing.T) {
			server.err = away
			plays(t, list.panel, func(app.Context) {
				if *list.state != listFailed {
					t.Errorf("while the server is away: state %v", *list.state)
				}
				server.err = nil
			}, list.learns)
			if *list.state != listReady || list.rows() == 0 {
				t.Errorf("once it is back: state %v with %d rows", *list.state, list.rows())
			}
		})
	}
}

// returning is a server that fails with err, and has lists when err is nil.
type returning struct {
	obliging
	users []shared.Member
}

func (r *returning) Sessions(context.Context) (shared.SessionList, error) {
	return stateSessions(), r.err
}

func (r *returning) Users(context.Context, shared.MembersQuery) (shared.Members, error) {
	return shared.Members{Users: r.users}, r.err
}

// asked is a service that records its requests with their languages.
type asked struct {
	obliging
	in chan string
}

func (a asked) ask(ctx context.Context, what string) { a.in <- what + " in " + browser.Language(ctx) }

func (a asked) Passkeys(ctx context.Context) (shared.PasskeyList, error) {
	a.ask(ctx, "list")
	return stateKeys(), nil
}
func (a asked) Rename(ctx context.Context, id, name string) (shared.Passkey, error) {
	a.ask(ctx, "rename")
	return shared.Passkey{ID: id, Name: name}, nil
}
func (a asked) ConfirmWithPassword(ctx context.Context, _ string) error {
	a.ask(ctx, "confirm")
	return nil
}
func (a asked) SignInWithPasskey(ctx context.Context) error { a.ask(ctx, "sign in"); return a.err }
func (a asked) SignInByAutofill(ctx context.Context) error {
	a.ask(ctx, "autofill")
	return a.obliging.SignInByAutofill(ctx)
}

// TestLanguageOfRefusals: requests have the language that is on the screen, also after it has
// changed.
func TestLanguageOfRefusals(t *testing.T) {
	german := Context{Text: &message.German, Formats: inEnglish().Formats}
	service := asked{in: make(chan string, 100), obliging: obliging{shared.Errorf(shared.CodeConflict, "No.")}}
	panel := &PasskeysPanel{Context: german, Service: service}
	plays(t, panel, done(func() { panel.rename("a", "Name") }), done(func() {
		panel.Context.Text = &message.French
		panel.rename("b", "Name")
	}))
	confirm := &Confirm{Context: german, Service: service, HasPassword: true}
	plays(t, confirm, handled(confirm.onPassword))
	form := &SignInPanel{Context: german, Service: service, Password: func(ctx context.Context, _, _ string) error {
		service.ask(ctx, "password")
		return service.err
	}}
	plays(t, form, handled(form.onPasskey), handled(form.onPassword))
	left := []string{"list in de", "rename in de", "rename in fr", "confirm in de", "autofill in de", "sign in in de", "password in de"}
	for len(left) > 0 {
		got := <-service.in
		left = slices.DeleteFunc(left, func(want string) bool { return want == got })
		if strings.HasSuffix(got, " in ") {
			t.Errorf("%sno language", got)
		}
	}
}

// TestConfirm: the dialog calls the callback of its parent that fits the service's answer.
func TestConfirm(t *testing.T) {
	for name, test := range map[string]struct {
		err  error
		want string
	}{
		"confirmed":  {nil, "confirmed"},
		"refused":    {shared.Errorf(shared.CodeSignInRefused, "This password is not right."), ""},
		"ended":      {shared.Errorf(shared.CodeUnauthenticated, "Please sign in."), "signed out"},
		"closed off": {shared.Errorf(shared.CodeSuspended, "This organisation is switched off. Please ask IT."), "signed out"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, how := range []string{"a password", "a passkey"} {
				called := ""
				c := &Confirm{
					Context: inEnglish(), Service: obliging{test.err}, HasPasskey: true, HasPassword: true,
					OnConfirmed: func() { called += "confirmed" }, OnSignedOut: func() { called += "signed out" }, OnCancel: func() { called += "cancelled" },
				}
				plays(t, c, handled(map[string]app.EventHandler{"a password": c.onPassword, "a passkey": c.onPasskey}[how]))
				if called != test.want {
					t.Errorf("%s: got %q, want %q", how, called, test.want)
				}
			}
		})
	}
}

// TestSessionEndsWhileConfirming: the panel calls OnSignedOut when its dialog notices the end.
func TestSessionEndsWhileConfirming(t *testing.T) {
	out := 0
	p := &PasskeysPanel{
		Context: inEnglish(), Service: obliging{shared.Errorf(shared.CodeConfirmRequired, "Please confirm that it's you.")},
		Confirms: obliging{shared.Errorf(shared.CodeUnauthenticated, "Please sign in.")}, OnSignedOut: func() { out++ },
	}
	plays(t, p, func(app.Context) { p.list = stateKeys() }, done(func() { p.rename("a", "Name") }))
	if p.paused == nil {
		t.Fatal("no confirmation is asked for")
	}
	confirm := p.renderConfirm(p.Context, p.Confirms, true, true)
	dialog := &Confirm{}
	for _, shown := range app.FilterUIElems(confirm) {
		dialog = shown.(*Confirm)
	}
	plays(t, dialog, handled(dialog.onPasskey))
	if out != 1 {
		t.Errorf("OnSignedOut was called %d times, want once", out)
	}
}
