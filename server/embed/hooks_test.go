package embed_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/activity"
	"github.com/keypeg/keypeg/server/embed"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/memstore"
	"github.com/keypeg/keypeg/server/store/storetest/backends"
	"github.com/keypeg/keypeg/shared"
)

const (
	secret       = "a-secret-of-the-toolshop-0123456789"
	secretBefore = "the-secret-before-this-one-0123456789"
)

// toolshop is a program that takes hooks, beside two nodes of Keypeg.
type toolshop struct {
	*testing.T
	nodes  [2]*embed.Hooks
	stores [2]store.Store
	log    *strings.Builder

	program embed.Program // before the first hook

	mu     sync.Mutex
	clock  time.Time
	status int
	got    []string          // "passkey.added ann p1", in the order in which they came
	ids    map[string]string // of hooks, to their bodies
}

func (s *toolshop) now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.clock
}

func (s *toolshop) passes(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clock = s.clock.Add(d)
}

// takes holds the signature of a hook against the specification of Standard Webhooks, and answers.
func (s *toolshop) takes(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	id, at := r.Header.Get("Webhook-Id"), r.Header.Get("Webhook-Timestamp")
	var signatures []string
	for _, secret := range []string{secret, secretBefore} { // since a program may know either
		mac := hmac.New(sha256.New, []byte(secret))
		fmt.Fprintf(mac, "%s.%s.%s", id, at, body)
		signatures = append(signatures, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
	if want := strings.Join(signatures, " "); r.Header.Get("Webhook-Signature") != want || id == "" || at != fmt.Sprint(s.now().Unix()) {
		s.Errorf("a hook is signed %q, want %q", r.Header.Get("Webhook-Signature"), want)
	}
	var hook struct {
		Type      string
		Timestamp time.Time
		Data      struct{ UserID, PasskeyID, Except string }
	}
	if err := json.Unmarshal(body, &hook); err != nil || hook.Timestamp.IsZero() {
		s.Errorf("a hook says %s (%v)", body, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if before, again := s.ids[id]; again && before != string(body) {
		s.Errorf("the hook %s says %s, and said %s", id, body, before)
	}
	s.ids[id] = string(body)
	s.got = append(s.got, strings.TrimSpace(strings.Join([]string{hook.Type, hook.Data.UserID, hook.Data.PasskeyID, hook.Data.Except}, " ")))
	w.WriteHeader(s.status)
}

// received returns what has come since the last call.
func (s *toolshop) received() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	got := s.got
	s.got = nil
	return got
}

func (s *toolshop) answers(status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status = status
}

func (s *toolshop) delivers(node int, want ...string) {
	s.Helper()
	if err := s.nodes[node].Deliver(s.Context()); err != nil {
		s.Fatal(err)
	}
	if got := s.received(); !slices.Equal(got, want) {
		s.Errorf("got %q, want %q", got, want)
	}
}

// does applies a batch about a passkey of a user.
func (s *toolshop) does(node int, kind shared.EventKind, name string) {
	s.Helper()
	s.passes(time.Second)
	user, err := s.stores[node].User(s.Context(), recordOf(name))
	if err != nil {
		user = store.User{ID: recordOf(name), Name: name, Handle: []byte(name)}
	}
	event := store.NewEvent(s.now(), user.ID, kind, store.Client{})
	event.PasskeyID = "p1"
	if err := s.nodes[node].Store().Apply(s.Context(), store.Batch{store.PutUser{User: user}, store.AddEvent{Event: event}}); err != nil {
		s.Fatal(err)
	}
}

func recordOf(name string) string {
	hash := store.HashOf(name)
	return fmt.Sprintf("%x", hash[:16])
}

func (s *toolshop) node(on store.Store) *embed.Hooks {
	return embed.NewHooks(on, embed.Hooks{Program: func() embed.Program { return s.program }, Now: s.now, Log: slog.New(slog.NewTextHandler(s.log, nil))})
}

func onEveryStore(t *testing.T, test func(*toolshop)) {
	for name, open := range backends.Two {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &toolshop{T: t, clock: time.Now().Truncate(time.Second), status: 204, ids: map[string]string{}, log: &strings.Builder{}}
			s.stores[0], s.stores[1] = open(t, s.now)
			taking := httptest.NewServer(http.HandlerFunc(s.takes))
			t.Cleanup(taking.Close)
			s.program = embed.Program{Arrive: "https://tools.example.com/arrive", Hooks: taking.URL, Secrets: []string{secret, secretBefore}}
			for i := range s.nodes {
				s.nodes[i] = s.node(s.stores[i])
			}
			test(s)
		})
	}
}

func TestHooks(t *testing.T) {
	onEveryStore(t, func(s *toolshop) {
		s.does(0, shared.EventPasskeyAdded, "ann")
		s.does(0, shared.EventPasskeyRenamed, "ann")
		s.does(0, shared.EventConfirmed, "ann") // of which nobody is told
		s.does(1, shared.EventSignedIn, "bob")
		s.does(1, shared.EventPasskeyRemoved, "bob")
		s.passes(time.Second)
		if err := s.nodes[0].EndSessions(t.Context(), "bob", "p1", "his-session"); err != nil {
			t.Fatal(err)
		}
		s.delivers(1, "passkey.added ann p1", "passkey.renamed ann p1", "passkey.sign-in bob p1", "passkey.removed bob p1", "sessions.end bob p1 his-session")
		s.delivers(0)
	})
}

// TestHooksAreTriedAgain: a program that is away for a while gets every hook, and one that is away for a day is told of in the log.
func TestHooksAreTriedAgain(t *testing.T) {
	onEveryStore(t, func(s *toolshop) {
		s.does(0, shared.EventPasskeyAdded, "ann")
		for _, status := range []int{500, 404, 302, 503} {
			s.answers(status)
			s.delivers(0, "passkey.added ann p1")
			s.delivers(1) // not again at once
			s.passes(time.Hour)
		}
		s.answers(200)
		s.delivers(1, "passkey.added ann p1")
		s.delivers(0)
		if n := strings.Count(s.log.String(), "a hook couldn't be sent"); n != 1 {
			t.Errorf("the log tells %d times: %s", n, s.log)
		}

		s.answers(500)
		s.does(0, shared.EventPasskeyAdded, "bob")
		s.delivers(0, "passkey.added bob p1")
		s.passes(24*time.Hour + time.Second)
		s.delivers(1, "passkey.added bob p1")
		s.passes(time.Hour)
		s.delivers(1)
		if !strings.Contains(s.log.String(), "given up") {
			t.Errorf("the log tells nothing: %s", s.log)
		}
	})
}

// TestHooksOfABusyUser: the activity has one line for all that a user does all day. The program hears each time, of which
// passkey, and when.
func TestHooksOfABusyUser(t *testing.T) {
	onEveryStore(t, func(s *toolshop) {
		bounded := activity.New(s.nodes[0].Store(), 0, slog.New(slog.DiscardHandler)).Store()
		s.does(0, shared.EventPasskeyAdded, "ann")
		s.delivers(0, "passkey.added ann p1")
		clear(s.ids)
		user, err := s.stores[0].User(t.Context(), recordOf("ann"))
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		for i := range 60 {
			s.passes(time.Second)
			event := store.NewEvent(s.now(), user.ID, shared.EventPasskeyRenamed, store.Client{})
			event.PasskeyID = fmt.Sprint("p", i)
			if err := bounded.Apply(t.Context(), store.Batch{store.HasUser{ID: user.ID}, store.AddEvent{Event: event}}); err != nil {
				t.Fatal(err)
			}
			want = append(want, "passkey.renamed ann "+event.PasskeyID)
			if i > 50 {
				s.delivers(0, want...)
				want = nil
				if n := len(s.saying(fmt.Sprintf(`"timestamp":%q`, s.now().UTC().Format(time.RFC3339Nano)))); n != 1 {
					t.Errorf("%d hooks say that it was now", n)
				}
			}
		}
	})
}

// saying returns the hooks that say something.
func (s *toolshop) saying(text string) (found []string) {
	for _, body := range s.ids {
		if strings.Contains(body, text) {
			found = append(found, body)
		}
	}
	return found
}

// TestHooksAreBounded: a user who does the same thousands of times while the program is away doesn't fill the disk. What
// others do, and what they do else, is told.
func TestHooksAreBounded(t *testing.T) {
	s := &toolshop{T: t, clock: time.Now().Truncate(time.Second), log: &strings.Builder{}}
	s.stores[0] = memstore.New(s.now)
	s.program = embed.Program{Hooks: "http://127.0.0.1:1/", Secrets: []string{secret}}
	s.nodes[0] = s.node(s.stores[0])
	bounded := activity.New(s.nodes[0].Store(), 0, slog.New(slog.DiscardHandler)).Store()
	does := func(kind shared.EventKind, name string) {
		s.passes(time.Second)
		user := store.User{ID: recordOf(name), Name: name, Handle: []byte(name)}
		if known, err := s.stores[0].User(t.Context(), user.ID); err == nil {
			user = known
		}
		if err := bounded.Apply(t.Context(), store.Batch{store.PutUser{User: user}, store.AddEvent{Event: store.NewEvent(s.now(), user.ID, kind, store.Client{})}}); err != nil {
			t.Fatal(err)
		}
	}
	for range 5000 {
		does(shared.EventPasskeyRenamed, "ann")
	}
	does(shared.EventPasskeyRemoved, "ann")
	does(shared.EventPasskeyRenamed, "bob")
	waiting, err := embed.ListHooks(t.Context(), s.stores[0], 10_000)
	if err != nil {
		t.Fatal(err)
	}
	n := map[string]int{}
	for _, hook := range waiting {
		n[hook.Type+" "+hook.User]++
	}
	if hers := n["passkey.renamed ann"]; hers < 1000 || hers > 1300 || n["passkey.removed ann"] != 1 || n["passkey.renamed bob"] != 1 {
		t.Errorf("there wait %v", n)
	}
	if told := strings.Count(s.log.String(), "thousands"); told != 2 { // it took more than an hour
		t.Errorf("the log tells %d times: %s", told, s.log)
	}
}

// TestHooksOfTwoNodes: both look for hooks at the same time, and each is sent once.
func TestHooksOfTwoNodes(t *testing.T) {
	onEveryStore(t, func(s *toolshop) {
		want := []string{}
		for i := range 20 {
			s.does(i%2, shared.EventSignedIn, fmt.Sprint("user", i))
			want = append(want, fmt.Sprintf("passkey.sign-in user%d p1", i))
		}
		var all sync.WaitGroup
		for _, node := range s.nodes {
			all.Go(func() {
				if err := node.Deliver(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		got := s.received()
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("got %q", got)
		}
	})
}

// dying is the store of a node that dies after a number of batches.
type dying struct {
	store.Store
	after int
}

// Apply implements [store.Store].
func (d *dying) Apply(ctx context.Context, batch store.Batch) error {
	if d.after--; d.after < 0 {
		return errors.New("this node is dead")
	}
	return d.Store.Apply(ctx, batch)
}

// TestHooksOfADeadNode: a node dies after it has sent a hook, and before it has written that. Another one sends it again
// under the same id, but not while the first might still be at it.
func TestHooksOfADeadNode(t *testing.T) {
	onEveryStore(t, func(s *toolshop) {
		s.does(1, shared.EventPasskeyAdded, "ann")
		if err := s.node(&dying{s.stores[0], 1}).Deliver(t.Context()); err == nil {
			t.Fatal("the node hasn't died")
		}
		if got := s.received(); !slices.Equal(got, []string{"passkey.added ann p1"}) {
			t.Fatalf("before it died it has sent %q", got)
		}
		s.passes(10 * time.Second) // for as long as the program may take to answer
		s.delivers(1)
		s.passes(time.Minute)
		s.delivers(1, "passkey.added ann p1")
		if len(s.ids) != 1 {
			t.Errorf("one hook has the ids of %d", len(s.ids))
		}
		s.passes(time.Hour)
		s.delivers(1)
	})
}

// TestHooksAddress: the address of the hooks may have a secret in it, which no log gets.
func TestHooksAddress(t *testing.T) {
	onEveryStore(t, func(s *toolshop) {
		s.program.Hooks = "http://127.0.0.1:1/hooks/a-secret-of-the-address?key=another" // nobody listens there
		s.does(0, shared.EventPasskeyAdded, "ann")
		s.delivers(0)
		s.passes(24*time.Hour + time.Second)
		s.delivers(0)
		log := s.log.String()
		if !strings.Contains(log, "a hook couldn't be sent") || !strings.Contains(log, "given up") || !strings.Contains(log, "connection refused") || strings.Contains(log, "a-secret") || strings.Contains(log, "another") {
			t.Errorf("the log tells %s", log)
		}
	})
}

// TestHooksOfNobody: while nobody answers, one hook at a time finds that out, and the others lose no turn.
func TestHooksOfNobody(t *testing.T) {
	onEveryStore(t, func(s *toolshop) {
		there := s.program.Hooks
		s.program.Hooks = "http://127.0.0.1:1/" // nobody listens there
		for _, name := range []string{"ann", "bob", "cleo"} {
			s.does(0, shared.EventPasskeyAdded, name)
		}
		s.delivers(0)
		waiting, err := embed.ListHooks(t.Context(), s.stores[1], 10)
		if err != nil || len(waiting) != 3 || waiting[0].Tries != 1 || waiting[1].Tries+waiting[2].Tries != 0 {
			t.Errorf("%+v wait (%v)", waiting, err)
		}
		s.program.Hooks = there
		s.delivers(0, "passkey.added bob p1", "passkey.added cleo p1")
		s.passes(time.Minute)
		s.delivers(0, "passkey.added ann p1")

		// After a day all that wait are tried once more, also the one that nobody had tried.
		s.program.Hooks = "http://127.0.0.1:1/"
		s.does(0, shared.EventPasskeyAdded, "dave")
		s.does(0, shared.EventPasskeyAdded, "eve")
		s.delivers(0)
		s.program.Hooks = there
		s.passes(30 * time.Hour)
		s.delivers(1, "passkey.added dave p1", "passkey.added eve p1")
	})
}
