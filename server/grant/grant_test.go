package grant_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/grant"
	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/storetest/backends"
	"github.com/keypeg/keypeg/shared"
)

const grafana, wiki = grant.Client + "grafana", grant.Gate + "wiki"

// office is an installation with two nodes.
type office struct {
	*testing.T
	stores   [2]store.Store
	sessions *session.Service
	one, two *grant.Service
	told     chan grant.Ended
	refuses  atomic.Bool // the program that is told
	refused  chan struct{}

	mu    sync.Mutex
	clock time.Time
}

func (o *office) now() time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.clock
}

func (o *office) passes(d time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.clock = o.clock.Add(d)
}

func onEveryStore(t *testing.T, test func(*office)) {
	for name, open := range backends.Two {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := &office{T: t, clock: time.Now().Truncate(time.Second).UTC(), told: make(chan grant.Ended, 100), refused: make(chan struct{}, 100)}
			o.stores[0], o.stores[1] = open(t, o.now)
			o.sessions = session.New(session.Config{Store: o.stores[0], Now: o.now})
			o.one, o.two = o.node(0), o.node(1)
			test(o)
		})
	}
}

func (o *office) node(i int) *grant.Service {
	s, err := grant.New(o.Context(), grant.Config{
		Store: o.stores[i], Sessions: session.New(session.Config{Store: o.stores[i], Now: o.now}), Now: o.now, Log: slog.New(slog.DiscardHandler),
		Tell: func(_ context.Context, ended grant.Ended) error {
			if o.refuses.Load() {
				o.refused <- struct{}{}
				return errors.New("it is away")
			}
			o.told <- ended
			return nil
		},
	})
	if err != nil {
		o.Fatal(err)
	}
	return s
}

// signsIn begins a session of a new user.
func (o *office) signsIn(name string) session.Actor {
	o.Helper()
	user := store.User{ID: store.NewUserID(), Name: name, Handle: []byte(name), Password: "a hash", LastSignIn: o.now()}
	o.applies(store.PutUser{User: user})
	user.Revision = 1
	return o.signsInAgain(user)
}

func (o *office) signsInAgain(user store.User) session.Actor {
	o.Helper()
	who := session.Actor{User: user}
	issued, batch := o.sessions.Open(who, session.SignIn{Method: store.MethodPasskey, PasskeyID: "p", UserVerified: true})
	o.applies(batch...)
	who.Session = issued.Session
	return who
}

func (o *office) confirms(who session.Actor) session.Actor {
	o.Helper()
	issued, batch := o.sessions.Confirm(who, session.SignIn{Method: store.MethodPassword})
	o.applies(batch...)
	who.Session = issued.Session
	return who
}

func (o *office) applies(batch ...store.Op) {
	o.Helper()
	if err := o.stores[0].Apply(o.Context(), batch); err != nil {
		o.Fatal(err)
	}
}

func (o *office) code(who session.Actor, c grant.Code) string {
	o.Helper()
	code, err := o.one.Code(who, c)
	if err != nil {
		o.Fatal(err)
	}
	return code
}

func (o *office) exchanges(code string) (grant.Standing, string) {
	o.Helper()
	on, _, token, err := o.two.Exchange(o.Context(), code, anybody)
	if err != nil {
		o.Fatal(err)
	}
	return on, token
}

func (o *office) fails(what string, got, want error) {
	o.Helper()
	if !errors.Is(got, want) || want == nil && got != nil {
		o.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func anybody(grant.Code, store.User) error   { return nil }
func anyGrant(grant.Grant, store.User) error { return nil }

var lasting = grant.Code{Program: grafana, Scopes: []string{"openid", "profile"}, Redirect: "r", Bound: "b", Nonce: "n", Lasting: true, Told: true}

func TestExchange(t *testing.T) {
	onEveryStore(t, func(o *office) {
		ann := o.signsIn("ann")
		code := o.code(ann, lasting)
		if list, err := o.one.Programs(o.Context(), ann.User.ID); err != nil || len(list) > 0 {
			o.Errorf("before the exchange there are %v (%v)", list, err)
		}
		refusal := errors.New("wrong redirect")
		_, _, _, err := o.one.Exchange(o.Context(), code, func(grant.Code, store.User) error { return refusal })
		o.fails("a refused exchange", err, refusal)

		on, token := o.exchanges(code)
		if on.User.ID != ann.User.ID || on.Program != grafana || on.Under.ID != ann.Session.ID || token == "" || on.Proof.PasskeyID != "p" {
			o.Errorf("got %+v", on)
		}
		reference, err := o.one.Reference(on.Grant)
		o.fails("a reference", err, nil)
		_, err = o.two.Find(o.Context(), reference)
		o.fails("finding it", err, nil)

		_, _, _, err = o.one.Exchange(o.Context(), code, anybody)
		o.fails("a second exchange", err, grant.ErrReused)
		_, err = o.two.Find(o.Context(), reference)
		o.fails("what the first got, after the second", err, grant.ErrInvalid)
		_, _, err = o.one.Refresh(o.Context(), token, false, anyGrant)
		o.fails("its refresh token", err, grant.ErrInvalid)

		for what, wrong := range map[string]string{
			"empty": "", "altered": code[:len(code)-2] + "AA", "a reference": reference, "a refresh token": token, "long": strings.Repeat("A", 100_000),
		} {
			_, _, _, err = o.one.Exchange(o.Context(), wrong, anybody)
			o.fails(what, err, grant.ErrInvalid)
		}
	})
}

func TestExchangeLater(t *testing.T) {
	onEveryStore(t, func(o *office) {
		ann := o.signsIn("ann")
		late, inTime := o.code(ann, lasting), o.code(ann, lasting)
		o.passes(grant.CodeLife - time.Second)
		o.exchanges(inTime)
		o.passes(time.Second)
		_, _, _, err := o.one.Exchange(o.Context(), late, anybody)
		o.fails("after a minute", err, grant.ErrInvalid)

		code := o.code(ann, lasting)
		confirmed := o.confirms(ann)
		on, _ := o.exchanges(code)
		if on.Under.ID != confirmed.Session.ID || on.Proof.Method != store.MethodPasskey {
			o.Errorf("after a confirmation got %+v", on)
		}
		code = o.code(confirmed, lasting)
		o.applies(store.EndSession{ID: confirmed.Session.ID})
		_, _, _, err = o.one.Exchange(o.Context(), code, anybody)
		o.fails("after the session", err, grant.ErrInvalid)
	})
}

func TestOneExchangeOfMany(t *testing.T) {
	onEveryStore(t, func(o *office) {
		for round := range *rounds {
			ann := o.signsIn(fmt.Sprint("ann", round))
			code := o.code(ann, lasting)
			var got atomic.Int32
			var all sync.WaitGroup
			for i := range 64 {
				all.Go(func() {
					node := []*grant.Service{o.one, o.two}[i%2]
					switch _, _, _, err := node.Exchange(o.Context(), code, anybody); {
					case err == nil:
						got.Add(1)
					case !errors.Is(err, grant.ErrInvalid):
						o.Error(err)
					}
				})
			}
			all.Wait()
			if n := got.Load(); n != 1 {
				o.Fatalf("round %d: %d of 64 exchanges got tokens", round, n)
			}
		}
	})
}

func TestRefresh(t *testing.T) {
	onEveryStore(t, func(o *office) {
		ann := o.signsIn("ann")
		_, first := o.exchanges(o.code(ann, lasting))
		token := first
		for range 3 {
			o.passes(time.Hour)
			on, next, err := o.one.Refresh(o.Context(), token, false, anyGrant)
			o.fails("refreshing", err, nil)
			if next == token || on.Authenticated.Equal(o.now()) {
				o.Errorf("got the same token, or a sign-in that never was: %s", on.Authenticated)
			}
			token = next
			ann = o.confirms(ann)
		}
		refusal := errors.New("another client")
		_, _, err := o.one.Refresh(o.Context(), token, false, func(grant.Grant, store.User) error { return refusal })
		o.fails("a refused refresh", err, refusal)
		_, _, err = o.two.Refresh(o.Context(), first, false, anyGrant)
		o.fails("an old one", err, grant.ErrReused)
		_, _, err = o.two.Refresh(o.Context(), token, false, anyGrant)
		o.fails("the newest, after that", err, grant.ErrInvalid)

		_, token = o.exchanges(o.code(ann, lasting))
		o.applies(store.EndSession{ID: ann.Session.ID})
		_, _, err = o.one.Refresh(o.Context(), token, false, anyGrant)
		o.fails("after the session", err, grant.ErrInvalid)
	})
}

func TestOneRefreshOfMany(t *testing.T) {
	onEveryStore(t, func(o *office) {
		for round := range 10 {
			ann := o.signsIn(fmt.Sprint("ann", round))
			_, token := o.exchanges(o.code(ann, lasting))
			var got atomic.Int32
			var all sync.WaitGroup
			for i := range 16 {
				all.Go(func() {
					switch _, _, err := []*grant.Service{o.one, o.two}[i%2].Refresh(o.Context(), token, false, anyGrant); {
					case err == nil:
						got.Add(1)
					case !errors.Is(err, grant.ErrInvalid):
						o.Error(err)
					}
				})
			}
			all.Wait()
			if n := got.Load(); n != 1 {
				o.Fatalf("%d of 16 refreshes got tokens", n)
			}
		}
	})
}

func TestLasting(t *testing.T) {
	onEveryStore(t, func(o *office) {
		ann, bob := o.signsIn("ann"), o.signsIn("bob")
		away := lasting
		away.Scopes = []string{"openid", shared.ScopeOffline}
		_, hers := o.exchanges(o.code(ann, away))
		_, his := o.exchanges(o.code(bob, lasting))
		for range 4 { // of which each is shorter than the idle time
			o.passes(20 * time.Hour)
			var err error
			_, hers, err = o.one.Refresh(o.Context(), hers, false, anyGrant)
			o.fails("with offline_access", err, nil)
		}
		_, _, err := o.one.Refresh(o.Context(), his, false, anyGrant)
		o.fails("without it, when bob was away for long", err, grant.ErrInvalid)
	})
}

func TestPrograms(t *testing.T) {
	onEveryStore(t, func(o *office) {
		ann, bob := o.signsIn("ann"), o.signsIn("bob")
		for _, scopes := range [][]string{{"profile"}, {"profile", "email"}} {
			o.fails("allowing", o.one.Allow(o.Context(), ann, grant.Allowed{Program: grafana, Scopes: scopes}), nil)
		}
		on, token := o.exchanges(o.code(ann, lasting))
		o.exchanges(o.code(ann, grant.Code{Program: wiki, Lasting: true}))
		o.exchanges(o.code(bob, lasting))

		list, err := o.two.Programs(o.Context(), ann.User.ID)
		o.fails("listing", err, nil)
		if len(list) != 2 || list[0].ID != grafana || list[1].ID != wiki || fmt.Sprint(list[0].Allowed, list[0].Given) != "[profile email] [openid profile]" || list[0].Used.IsZero() || list[1].Allowed != nil {
			o.Errorf("got %+v", list)
		}

		o.fails("ending", o.two.End(o.Context(), ann, grafana), nil)
		reference, _ := o.one.Reference(on.Grant)
		_, err = o.one.Find(o.Context(), reference)
		o.fails("its grant", err, grant.ErrInvalid)
		_, _, err = o.one.Refresh(o.Context(), token, false, anyGrant)
		o.fails("its refresh token", err, grant.ErrInvalid)
		if again := o.one.End(o.Context(), ann, grafana); shared.CodeOf(again) != shared.CodeNotFound {
			o.Errorf("ending it again: %v", again)
		}
		if list, _ := o.one.Programs(o.Context(), ann.User.ID); len(list) != 1 || list[0].ID != wiki {
			o.Errorf("left %+v", list)
		}
		if list, _ := o.one.Programs(o.Context(), bob.User.ID); len(list) != 1 {
			o.Errorf("bob has %+v", list)
		}
		o.passes(91 * 24 * time.Hour)
		if list, _ := o.one.Programs(o.Context(), ann.User.ID); len(list) != 0 {
			o.Errorf("a program that wasn't used for long is in the list: %+v", list)
		}
	})
}

// TestEndBeforeExchange: what the user decided before they ended a program gets it nothing any more, and what they decide
// afterwards does.
func TestEndBeforeExchange(t *testing.T) {
	onEveryStore(t, func(o *office) {
		ann, bob := o.signsIn("ann"), o.signsIn("bob")
		for _, who := range []session.Actor{ann, bob} {
			o.fails("allowing", o.one.Allow(o.Context(), who, grant.Allowed{Program: grafana, Scopes: []string{"profile"}}), nil)
		}
		onDevice := lasting
		onDevice.ID = grant.NewID(o.now()) // a device gets its code when it asks next
		before, his, elsewhere := o.code(ann, lasting), o.code(bob, lasting), o.code(ann, grant.Code{Program: wiki, Lasting: true})
		o.passes(time.Second)
		o.fails("ending", o.two.End(o.Context(), ann, grafana), nil)
		o.passes(time.Second)
		for what, code := range map[string]string{"a code": before, "that of a device": o.code(ann, onDevice)} {
			_, _, _, err := o.one.Exchange(o.Context(), code, anybody)
			o.fails(what+" from before", err, grant.ErrInvalid)
		}
		if list, _ := o.one.Programs(o.Context(), ann.User.ID); len(list) != 0 {
			o.Errorf("the program is back: %+v", list)
		}
		o.exchanges(his)
		o.exchanges(elsewhere)
		o.exchanges(o.code(ann, lasting))
		o.exchanges(o.code(ann, lasting))
	})
}

// TestEndWhileExchanging: whichever is later of End and the exchange of a code, nothing is left.
func TestEndWhileExchanging(t *testing.T) {
	onEveryStore(t, func(o *office) {
		for _, often := range []bool{false, true} { // whether the program has signed the user in a moment ago
			ann := o.signsIn(fmt.Sprint("ann", often))
			o.fails("allowing", o.one.Allow(o.Context(), ann, grant.Allowed{Program: grafana, Scopes: []string{"profile"}}), nil)
			if often {
				o.exchanges(o.code(ann, lasting))
			}
			code := o.code(ann, lasting)
			o.passes(time.Second)
			usual := o.stores[0]
			o.stores[0] = &meeting{Store: usual, before: func() { o.fails("ending", o.two.End(o.Context(), ann, grafana), nil) }}
			_, _, _, err := o.node(0).Exchange(o.Context(), code, anybody)
			o.stores[0] = usual
			o.fails("an exchange", err, grant.ErrInvalid)
		}
	})
}

func TestMostGrants(t *testing.T) {
	onEveryStore(t, func(o *office) {
		ann := o.signsIn("ann")
		_, first := o.exchanges(o.code(ann, lasting))
		var last string
		for range 100 {
			o.passes(time.Second)
			_, last = o.exchanges(o.code(ann, lasting))
		}
		_, _, err := o.one.Refresh(o.Context(), first, false, anyGrant)
		o.fails("the grant that was used least recently", err, grant.ErrInvalid)
		_, _, err = o.one.Refresh(o.Context(), last, false, anyGrant)
		o.fails("the newest", err, nil)
	})
}
