package grant_test

import (
	"context"
	"flag"
	"sync"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/grant"
	"github.com/keypeg/keypeg/server/store"
)

var rounds = flag.Int("exchanges", 20, "how many rounds of 64 exchanges of one code are made")

// runs lets both nodes tell programs, until the test ends.
func (o *office) runs() {
	ctx, stop := context.WithCancel(o.Context())
	done := make(chan struct{}, 2)
	for _, node := range []*grant.Service{o.one, o.two} {
		go func() { node.Run(ctx); done <- struct{}{} }()
	}
	o.Cleanup(func() { stop(); <-done; <-done })
}

// notices makes both nodes look at a user, as a change does.
func (o *office) notices(user store.User) {
	o.one.Look(user.ID)
	o.two.Look(user.ID)
}

func (o *office) isTold(what string, want grant.Ended) {
	o.Helper()
	select {
	case got := <-o.told:
		if got.Program != want.Program || got.UserID != want.UserID || got.Session != want.Session {
			o.Errorf("%s: told %+v, want %+v", what, got, want)
		}
	case <-time.After(2 * time.Minute):
		o.Fatalf("%s: nobody was told", what)
	}
}

// isToldLater lets time pass until a program is told of a user that refused before. When the next try is depends on when the
// refusal is noted.
func (o *office) isToldLater(what string, want grant.Ended, user store.User) {
	o.Helper()
	for late := time.Now().Add(2 * time.Minute); len(o.told) == 0 && time.Now().Before(late); time.Sleep(10 * time.Millisecond) {
		o.passes(3 * time.Second)
		o.notices(user)
	}
	o.isTold(what, want)
}

func (o *office) isToldNoMore() {
	o.Helper()
	select {
	case got := <-o.told:
		o.Errorf("told %+v too", got)
	default:
	}
}

func TestTold(t *testing.T) {
	onEveryStore(t, func(o *office) {
		o.runs()
		ann, bob := o.signsIn("ann"), o.signsIn("bob")
		o.exchanges(o.code(ann, lasting))
		o.exchanges(o.code(ann, lasting)) // twice under one session is one notice
		o.exchanges(o.code(bob, lasting))
		quiet := lasting
		quiet.Program, quiet.Told = wiki, false
		o.exchanges(o.code(ann, quiet))
		first := ann.Session.ID
		ann = o.confirms(ann)
		o.notices(ann.User)

		o.applies(store.EndSession{ID: ann.Session.ID})
		o.notices(ann.User)
		o.isTold("after a sign-out", grant.Ended{Program: grafana, UserID: ann.User.ID, Session: first})

		o.applies(store.RemoveUser{ID: bob.User.ID})
		o.notices(bob.User)
		o.isTold("after the user was removed", grant.Ended{Program: grafana, UserID: bob.User.ID, Session: bob.Session.ID})

		ann = o.signsInAgain(ann.User)
		o.exchanges(o.code(ann, lasting))
		o.fails("ending", o.one.End(o.Context(), ann, grafana), nil)
		o.isTold("after End", grant.Ended{Program: grafana, UserID: ann.User.ID, Session: ann.Session.ID})
		o.isToldNoMore()
	})
}

// TestToldAgain: a program that is away is told when it is back, also by a node that was started since.
func TestToldAgain(t *testing.T) {
	onEveryStore(t, func(o *office) {
		o.refuses.Store(true)
		ctx, stop := context.WithCancel(o.Context())
		done := make(chan struct{})
		ann := o.signsIn("ann")
		o.exchanges(o.code(ann, lasting))
		go func() { o.one.Run(ctx); close(done) }()
		o.applies(store.EndSession{ID: ann.Session.ID})
		o.one.Look(ann.User.ID)
		select {
		case <-o.refused:
		case <-time.After(2 * time.Minute):
			o.Fatal("nobody tried to tell it")
		}
		stop()
		<-done
		o.isToldNoMore()

		o.refuses.Store(false)
		o.passes(time.Minute)
		o.runs()
		o.isTold("by another node", grant.Ended{Program: grafana, UserID: ann.User.ID, Session: ann.Session.ID})
	})
}

func TestNotToldForEver(t *testing.T) {
	onEveryStore(t, func(o *office) {
		ann := o.signsIn("ann")
		o.exchanges(o.code(ann, lasting))
		o.passes(32 * 24 * time.Hour) // longer than a session lasts, and a day
		o.runs()
		o.notices(ann.User)
		bob := o.signsIn("bob")
		o.exchanges(o.code(bob, lasting))
		o.applies(store.EndSession{ID: bob.Session.ID})
		o.notices(bob.User)
		o.isTold("of bob alone", grant.Ended{Program: grafana, UserID: bob.User.ID, Session: bob.Session.ID})
	})
}

// meeting is a store in which something happens, once, before a node's batch, or behind its claim to tell a program.
type meeting struct {
	store.Store
	once           sync.Once
	before, behind func()
}

// Apply implements [store.Store].
func (m *meeting) Apply(ctx context.Context, batch store.Batch) error {
	if m.before != nil {
		m.once.Do(m.before)
	}
	err := m.Store.Apply(ctx, batch)
	if err == nil && m.behind != nil {
		m.once.Do(m.behind)
	}
	return err
}

// TestToldOfTheNextEnd: a program that signs the user in again, at the moment when it is told that they have ended it, is
// told of the end of that too.
func TestToldOfTheNextEnd(t *testing.T) {
	onEveryStore(t, func(o *office) {
		ann := o.signsIn("ann")
		o.exchanges(o.code(ann, lasting))
		o.fails("ending", o.one.End(o.Context(), ann, grafana), nil)
		o.passes(time.Second)
		code, again := o.code(ann, lasting), make(chan struct{})
		usual := o.stores[0]
		o.stores[0] = &meeting{Store: usual, behind: func() { o.exchanges(code); close(again) }}
		node := o.node(0)
		o.stores[0] = usual
		ctx, stop := context.WithCancel(o.Context())
		done := make(chan struct{})
		go func() { node.Run(ctx); close(done) }()
		defer func() { stop(); <-done }()
		<-again
		o.applies(store.EndSession{ID: ann.Session.ID})
		node.Look(ann.User.ID)
		for late := time.After(2 * time.Minute); ; {
			select {
			case got := <-o.told:
				if got.Given.Equal(o.now()) {
					return
				}
			case <-late:
				o.Fatal("nobody was told of the second end")
			}
		}
	})
}

// TestToldOfEachEnd: a program that is away when the user ends it is told of that when it is back, though it has signed
// them in again meanwhile.
func TestToldOfEachEnd(t *testing.T) {
	onEveryStore(t, func(o *office) {
		o.refuses.Store(true)
		ann := o.signsIn("ann")
		o.exchanges(o.code(ann, lasting))
		o.runs()
		o.fails("ending", o.one.End(o.Context(), ann, grafana), nil)
		select {
		case <-o.refused:
		case <-time.After(2 * time.Minute):
			o.Fatal("nobody tried to tell it")
		}
		o.passes(time.Second)
		o.exchanges(o.code(ann, lasting))
		o.refuses.Store(false)
		want := grant.Ended{Program: grafana, UserID: ann.User.ID, Session: ann.Session.ID}
		o.isToldLater("of the first end", want, ann.User)
		o.applies(store.EndSession{ID: ann.Session.ID})
		o.passes(time.Minute)
		o.notices(ann.User)
		o.isTold("of the end of the session", want)
	})
}
