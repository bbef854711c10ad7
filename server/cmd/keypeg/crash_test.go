package main

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/passkey/passkeytest"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/storetest"
	"github.com/keypeg/keypeg/shared"
)

// TestKilled kills the program at random moments, while 32 people use it. After each
// restart everything is there that was answered; of a request without an answer there is
// all or nothing.
func TestKilled(t *testing.T) {
	rounds := 10
	if soaking {
		rounds = 500
	}
	p := newProgram(t, "--confirm-after", "24h")
	people := witnesses(p, "user", 32)

	answered := 0
	for round := range rounds {
		p.starts()
		var working sync.WaitGroup
		killed := make(chan struct{})
		for _, w := range people {
			working.Go(func() { w.works(killed) })
		}
		// A random moment, which a slow machine has later. Some requests are always under way.
		enough := 5 + rand.IntN(80)
		p.until("changes are answered", func() bool { return answersOf(people) >= enough || t.Failed() })
		p.ends(syscall.SIGKILL)
		close(killed)
		working.Wait()

		p.opens(func(db store.Store) {
			answered += answersOf(people)
			for _, w := range people {
				w.answered.Store(0)
				w.compares(db)
			}
			if err := storetest.Consistent(t.Context(), db, time.Now()); err != nil {
				t.Error(err)
			}
		})
		if t.Failed() {
			t.Fatalf("after round %d", round)
		}
	}
	t.Logf("%d rounds, %d answered changes", rounds, answered)
}

// witnesses are as many people, each signed in.
func witnesses(p *program, name string, n int) []*witness {
	p.Helper()
	people := make([]*witness, n)
	for i := range people {
		id, token := p.hasUser(fmt.Sprintf("%s%02d", name, i))
		people[i] = &witness{program: p, id: id, token: token, passkeys: map[string]*kept{}, sessions: map[string]bool{}}
	}
	return people
}

// witness is a person who remembers what was answered.
type witness struct {
	program   *program
	id, token string

	passkeys map[string]*kept // by id
	sessions map[string]bool  // tokens of passkey sign-ins: whether they are alive
	answered atomic.Int64
	doubts   bool // whether a fault of the server is an answer that may come

	pending pending
	device  *passkeytest.Device // of a pending add
}

// pending is what was asked and not answered when the program was killed.
type pending struct {
	add     bool
	signOut string // token
	rename  string // new name
	of      string // the passkey that is renamed
	remove  string // passkey id
}

func (w *witness) forgetsPending() { w.pending = pending{} }

type kept struct {
	name   string
	device *passkeytest.Device
	count  uint32 // of the last sign-in that was answered
}

// works does one thing after another until it shall stop or the program is gone.
func (w *witness) works(enough <-chan struct{}) {
	ctx := w.program.Context()
	for step := 0; ; step++ {
		select {
		case <-enough:
			w.forgetsPending()
			return
		default:
		}

		w.forgetsPending()
		var err error
		ids := slices.Collect(maps.Keys(w.passkeys))
		switch what := rand.IntN(10); {
		case len(ids) == 0 || (what == 0 && len(ids) < 5):
			w.pending.add, w.device = true, passkeytest.New(w.program.url)
			w.device.Counts = true
			var row shared.Passkey
			row, err = w.program.opensTab(w.device, w.token).steps.Register(ctx, "", "")
			if err == nil {
				w.passkeys[row.ID] = &kept{name: row.Name, device: w.device}
			}
		case what == 1 && len(ids) > 1:
			id := ids[0]
			w.pending.remove = id
			_, err = w.program.opensTab(nil, w.token).RemovePasskey(ctx, id, false)
			if err == nil {
				delete(w.passkeys, id)
			}
		case what <= 3:
			id, name := ids[0], fmt.Sprintf("name %d of %s", step, time.Now().Format("15:04:05.000"))
			w.pending.rename, w.pending.of = name, id
			_, err = w.program.opensTab(nil, w.token).RenamePasskey(ctx, id, name)
			if err == nil {
				w.passkeys[id].name = name
			}
		case what == 4 && w.alive() != "" || w.sessionsAlive() >= mostAlive:
			token := w.alive()
			w.pending.signOut = token
			_, err = w.program.opensTab(nil, token).SignOut(ctx, false)
			if err == nil {
				w.sessions[token] = false
			}
		default:
			passkey := w.passkeys[ids[0]]
			browser := w.program.opensTab(passkey.device, "")
			_, err = browser.steps.SignIn(ctx)
			if err == nil {
				w.sessions[browser.token()] = true
				passkey.count = passkey.device.Credentials()[0].SignCount
			}
		}
		if err != nil {
			code := shared.CodeOf(err)
			if code != shared.CodeOffline && !(w.doubts && code == shared.CodeInternal) {
				w.program.Errorf("%s was refused: %v", w.id, err)
			}
			return // the program is gone, or its database
		}
		w.answered.Add(1)
	}
}

func (w *witness) answers() int { return int(w.answered.Load()) }

func answersOf(people []*witness) (n int) {
	for _, w := range people {
		n += w.answers()
	}
	return n
}

// mostAlive is fewer sessions than a user may have, so that none ends by itself.
const mostAlive = 50

func (w *witness) sessionsAlive() (n int) {
	for _, alive := range w.sessions {
		if alive {
			n++
		}
	}
	return n
}

func (w *witness) alive() string {
	for token, alive := range w.sessions {
		if alive {
			return token
		}
	}
	return ""
}

// compares looks at what is on disk, and takes over what happened unanswered.
func (w *witness) compares(db store.Store) {
	t := w.program
	t.Helper()
	user, err := db.User(t.Context(), w.id)
	if err != nil {
		t.Fatal(err)
	}

	there := map[string]bool{}
	for _, p := range user.Passkeys {
		there[p.ID] = true
		known := w.passkeys[p.ID]
		switch {
		case known == nil && w.pending.add:
			w.passkeys[p.ID] = &kept{name: p.Name, device: w.device}
			w.pending.add = false
		case known == nil:
			t.Errorf("%s has a passkey %q that nobody added, or that was removed", w.id, p.Name)
		case p.Name != known.name && (p.ID != w.pending.of || p.Name != w.pending.rename):
			t.Errorf("%s: a passkey is called %q, want %q", w.id, p.Name, known.name)
		case p.SignCount < known.count:
			t.Errorf("%s: a sign-in was answered with count %d, and %d is kept", w.id, known.count, p.SignCount)
		default:
			known.name = p.Name
		}
	}
	for id, p := range w.passkeys {
		if !there[id] && id != w.pending.remove {
			t.Errorf("%s has lost the passkey %q", w.id, p.name)
		}
		if !there[id] {
			delete(w.passkeys, id)
		}
	}

	sessions, err := db.Sessions(t.Context(), w.id, store.Hash{}, 100_000)
	if err != nil {
		t.Fatal(err)
	}
	ids := map[store.Hash]bool{}
	for _, session := range sessions {
		ids[session.ID] = true
	}
	for token, alive := range w.sessions {
		if got := ids[store.SessionID(token)]; got != alive && token != w.pending.signOut {
			t.Errorf("%s: a session is there: %t, want %t", w.id, got, alive)
		} else {
			w.sessions[token] = got
		}
	}

	// Each batch has an event, or is counted in one: a half of one would show here.
	events, err := db.Events(t.Context(), w.id, store.EventID{}, 1_000_000)
	if err != nil {
		t.Fatal(err)
	}
	count := map[shared.EventKind]int{}
	for _, event := range events {
		count[event.Kind] += max(int(event.Count), 1)
	}
	if got, want := len(user.Passkeys), count[shared.EventPasskeyAdded]-count[shared.EventPasskeyRemoved]; got != want {
		t.Errorf("%s has %d passkeys, and events of %d", w.id, got, want)
	}
	if got, want := len(sessions), 1+count[shared.EventSignedIn]-count[shared.EventSignedOut]; got != want {
		t.Errorf("%s has %d sessions, and events of %d", w.id, got, want)
	}
}
