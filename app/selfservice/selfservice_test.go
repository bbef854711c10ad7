package selfservice

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/browser"
	"github.com/keypeg/keypeg/app/ceremony"
	"github.com/keypeg/keypeg/app/ui"
	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

var (
	_ ui.PasskeyService = (*Service)(nil)
	_ ui.ConfirmService = (*Service)(nil)
	_ ui.SignInService  = (*Service)(nil)
)

// answers are those of a server, by method and path.
type answers map[string]any

func (a answers) Send(_ context.Context, method, path string, _ []byte) (int, []byte, error) {
	answer, found := a[method+" "+path]
	if !found {
		return 404, []byte(`{"code":"not_found","detail":"Nothing."}`), nil
	}
	encoded, err := json.Marshal(answer)
	return 200, encoded, err
}

func TestService(t *testing.T) {
	ann := shared.User{ID: "1", Name: "ann", DisplayName: "Ann"}
	no := shared.Errorf(shared.CodeSignInRefused, "%s", "No.")
	s := With(answers{"GET " + shared.PathAccount: shared.Account{User: ann}}, browser.Authenticator{}, func(_ context.Context, password string) error {
		if password != "right" {
			return no
		}
		return nil
	})
	if s.User() != (shared.User{}) {
		t.Errorf("before anybody is known, it is %+v", s.User())
	}
	if account, err := s.Account(t.Context()); err != nil || account.User != ann || s.User() != ann {
		t.Errorf("got %+v, %+v (%v)", account, s.User(), err)
	}
	if err := s.ConfirmWithPassword(t.Context(), "wrong"); !errors.Is(err, no) {
		t.Errorf("a wrong password: %v", err)
	}
	if err := s.ConfirmWithPassword(t.Context(), "right"); err != nil {
		t.Errorf("the right password: %v", err)
	}
	if failure, ok := errors.AsType[*ceremony.Failure](s.SignInByAutofill(t.Context())); !ok || failure.Reason != ceremony.NotSupported {
		t.Errorf("autofill outside of a browser: %v", failure)
	}
	for _, password := range []Password{nil, s.password} {
		with := With(answers{"GET " + shared.PathPasskeys: shared.PasskeyList{HasPassword: true}}, browser.Authenticator{}, password)
		if list, err := with.Passkeys(t.Context()); err != nil || list.HasPassword != (password != nil) {
			t.Errorf("with a way to ask for the password %t, got %+v (%v)", password != nil, list, err)
		}
	}
	if _, ok := any(s).(ui.PhoneLinker); ok {
		t.Error("a host's server makes no links, and its panel would offer them")
	}
}

// knows is a follower that has heard who is signed in.
func knows(account shared.Account) follower { return follower{known: true, account: account} }

func TestMenu(t *testing.T) {
	s := New(nil)
	for name, test := range map[string]struct {
		menu     Menu
		has, not []string
	}{
		"nobody is known": {Menu{}, []string{"menu-place"}, []string{"button"}},
		"somebody is signed in": {
			Menu{follower: knows(shared.Account{User: shared.User{DisplayName: "<b>Ann</b>"}})},
			[]string{"user-menu-button", "&lt;b&gt;Ann&lt;/b&gt;"}, []string{"<dialog", "<b>"},
		},
		"the panel is open":                     {Menu{panel: FragmentPasskeys, follower: knows(shared.Account{PasskeysOn: true})}, []string{"<dialog", "Loading"}, []string{"on my phone"}},
		"the form is open":                      {Menu{panel: FragmentAdd, follower: knows(shared.Account{PasskeysOn: true})}, []string{"<dialog"}, nil},
		"the activity is open":                  {Menu{panel: FragmentActivity, follower: knows(shared.Account{Contact: "desk 12"})}, []string{"<dialog", "activity-title", "desk 12"}, []string{"passkeys-title"}},
		"a panel is wanted and nobody is known": {Menu{panel: FragmentActivity}, nil, []string{"<dialog", "button"}},
		"passkeys are off":                      {Menu{panel: FragmentPasskeys, follower: knows(shared.Account{Contact: "desk 12"})}, []string{"<dialog", "desk 12"}, []string{"Loading"}},
	} {
		test.menu.Service = s
		got := goapp.HTMLString(&test.menu)
		for _, text := range test.has {
			if !strings.Contains(got, text) {
				t.Errorf("when %s, there is no %q in\n%s", name, text, got)
			}
		}
		for _, text := range test.not {
			if strings.Contains(got, text) {
				t.Errorf("when %s, there is %q in\n%s", name, text, got)
			}
		}
	}
}

// TestOffer checks who is offered a passkey.
func TestOffer(t *testing.T) {
	ann := shared.User{ID: "1"}
	for name, test := range map[string]struct {
		offer Offer
		due   bool
	}{
		"nobody is known":             {Offer{account: shared.Account{PasskeysOn: true}}, false},
		"somebody has no passkey":     {Offer{account: shared.Account{User: ann, PasskeysOn: true}}, true},
		"in German":                   {Offer{Text: &message.German, account: shared.Account{User: ann, PasskeysOn: true}}, true},
		"somebody has one":            {Offer{account: shared.Account{User: ann, PasskeysOn: true, Passkeys: 1}}, false},
		"somebody has chosen to rest": {Offer{rests: true, account: shared.Account{User: ann, PasskeysOn: true}}, false},
		"passkeys are off":            {Offer{account: shared.Account{User: ann}}, false},
	} {
		got := goapp.HTMLString(&test.offer)
		title := textOr(test.offer.Text).Home.OfferTitle
		if strings.Contains(got, title) != test.due {
			t.Errorf("when %s, it is offered %t, want %t:\n%s", name, !test.due, test.due, got)
		}
	}
}

// TestTold: an offer learns who is signed in, as long as it is there.
func TestTold(t *testing.T) {
	var known told
	calls := [2]int{}
	stop := known.watch(func() { calls[0]++ })
	known.watch(func() { calls[1]++ })
	known.tell(shared.Account{Passkeys: 1})
	if calls != [2]int{1, 1} || known.account.Passkeys != 1 {
		t.Errorf("after %v calls it is %+v", calls, known.account)
	}
	stop()
	known.tell(shared.Account{})
	if calls != [2]int{1, 2} || known.account.Passkeys != 0 {
		t.Errorf("after %v calls it is %+v", calls, known.account)
	}
}

// stage mounts a menu outside of a browser, where go-app itself calls no OnMount.
type stage struct {
	goapp.Compo

	menu *Menu
	ctx  goapp.Context
}

func (s *stage) OnPreRender(ctx goapp.Context) {
	s.ctx = ctx
	s.menu.OnMount(ctx)
}

func (s *stage) Render() goapp.UI { return s.menu }

// server answers who is signed in, and counts the requests.
type server struct {
	user  string // "" for nobody
	away  bool
	asked int
}

func (s *server) Send(context.Context, string, string, []byte) (int, []byte, error) {
	s.asked++
	switch {
	case s.away:
		return 0, nil, errors.New("no network")
	case s.user == "":
		return 401, []byte(`{"code":"unauthenticated","detail":"Please sign in."}`), nil
	}
	return 200, []byte(`{"user":{"displayName":"` + s.user + `"},"passkeysOn":true}`), nil
}

// TestMenuListens uses a menu with only its required field. The menu asks only when something
// may have changed, and not while nobody is signed in.
func TestMenuListens(t *testing.T) {
	s := &server{}
	menu := &Menu{Service: With(s, browser.Authenticator{}, nil)}
	on, engine := &stage{menu: menu}, goapp.NewTestEngine()
	if err := engine.Load(on); err != nil {
		t.Fatal(err)
	}
	engine.ConsumeAll()
	sends := func(state browser.LiveState) func() { return func() { menu.onLive(state) } }
	for _, step := range []struct {
		what    string
		happens func()
		name    string // that is shown
		asked   int
		listens bool
	}{
		{"nobody is signed in", func() {}, "", 1, false},
		{"the page is drawn again", func() { menu.OnUpdate(on.ctx) }, "", 1, false},
		{"Ann signs in", func() { s.user = "Ann"; menu.Changes++; menu.OnUpdate(on.ctx) }, "Ann", 2, true},
		{"the stream is there", sends(browser.LiveConnected), "Ann", 2, true},
		{"she gets another name", func() { s.user = "Ann Miller"; menu.onLive(browser.LiveChanged) }, "Ann Miller", 3, true},
		{"the server goes away", func() { s.away = true; menu.onLive(browser.LiveLost) }, "Ann Miller", 4, true},
		{"and is back", func() { s.away = false; menu.onLive(browser.LiveConnected) }, "Ann Miller", 5, true},
		{"she opens the panel", func() { menu.open(FragmentPasskeys) }, "Ann Miller", 5, true},
		{"her session ends", func() { s.user = ""; menu.onLive(browser.LiveLost) }, "", 6, false},
		{"the server is away when Bob signs in", func() { s.user, s.away = "Bob", true; menu.Changes++; menu.OnUpdate(on.ctx) }, "", 7, true},
		{"and comes back", func() { s.away = false; menu.onLive(browser.LiveConnected) }, "Bob", 8, true},
		{"he leaves the page", menu.OnDismount, "Bob", 8, false},
	} {
		on.ctx.Dispatch(func(goapp.Context) { step.happens() })
		engine.ConsumeAll()
		if shown := goapp.HTMLString(&Menu{Service: menu.Service, follower: menu.follower}); strings.Contains(shown, "menu-name") != (step.name != "") || !strings.Contains(shown, step.name) {
			t.Errorf("%s: the name isn't %q in\n%s", step.what, step.name, shown)
		}
		if s.asked != step.asked || menu.stop != nil != step.listens {
			t.Errorf("%s: the server was asked %d times and is listened to %t, want %d and %t", step.what, s.asked, menu.stop != nil, step.asked, step.listens)
		}
	}
}

func TestMenuSignsInAgain(t *testing.T) {
	again := 0
	menu := &Menu{Service: New(nil), follower: knows(shared.Account{PasskeysOn: true}), SignInAgain: func() { again++ }}
	menu.renderPasskeys().(*ui.PasskeysPanel).Context.SignInAgain()
	if again != 1 {
		t.Errorf("SignInAgain was called %d times, want once", again)
	}
}

func TestMenuItems(t *testing.T) {
	out := 0
	menu := &Menu{Text: &message.German, Items: []ui.MenuItem{{ID: "tools", Label: "Werkzeuge"}}}
	for _, want := range [][]string{{"Passkeys", "Aktivität", "Werkzeuge"}, {"Passkeys", "Werkzeuge", "Abmelden"}} {
		var labels []string
		items := menu.renderName().(*ui.UserMenu).Items
		for _, item := range items {
			labels = append(labels, item.Label)
		}
		if !slices.Equal(labels, want) {
			t.Errorf("the menu has %q, want %q", labels, want)
		}
		if menu.SignOut != nil {
			items[len(items)-1].OnSelect()
		}
		menu.SignOut, menu.NoActivity = func() { out++ }, true
	}
	if out != 1 {
		t.Errorf("SignOut was called %d times, want once", out)
	}
}
