package mail_test

import (
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/mail"
	"github.com/keypeg/keypeg/server/mail/mailtest"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/memstore"
	"github.com/keypeg/keypeg/server/store/storetest/backends"
	"github.com/keypeg/keypeg/shared"
)

// office is an organisation of two nodes with a mail server.
type office struct {
	*testing.T
	relay      *mailtest.Relay
	one, other *mail.Queue
	store      store.Store // as rules see it, on the first node
	beneath    store.Store
	accounts   *account.Service
	arrived    int // how many mails were looked at
	ann        store.User
	mu         sync.Mutex
	at         time.Time
	otherStore store.Store
}

func (o *office) now() time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.at
}

func (o *office) passes(d time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.at = o.at.Add(d)
}

func onEveryStore(t *testing.T, do func(*office)) {
	for kind, open := range backends.Two {
		t.Run(kind, func(t *testing.T) {
			o := &office{T: t, relay: mailtest.New(t, mail.StartTLS, ""), at: time.Date(2026, 11, 29, 9, 0, 0, 0, time.UTC)}
			o.beneath, o.otherStore = open(t, o.now)
			o.one = mail.NewQueue(o.beneath, acme, o.relay.Sender, o.now, slog.New(slog.DiscardHandler))
			o.other = mail.NewQueue(o.otherStore, acme, o.relay.Sender, o.now, slog.New(slog.DiscardHandler))
			o.store = o.one.Store(o.beneath)
			o.accounts = account.New(account.Config{Store: o.store, Now: o.now, Mails: o.one, Log: slog.New(slog.DiscardHandler)})
			o.one.Links, o.other.Links = o.accounts, o.accounts
			o.ann = store.User{ID: store.NewUserID(), Name: "ann", DisplayName: "Ann Miller", Email: "ann@acme.example", EmailVerified: true, LastSignIn: o.at.Add(-time.Hour)}
			o.apply(store.PutUser{User: o.ann})
			do(o)
		})
	}
}

func (o *office) apply(batch ...store.Op) {
	o.Helper()
	if err := o.store.Apply(o.Context(), batch); err != nil {
		o.Fatal(err)
	}
}

func (o *office) event(kind shared.EventKind, client store.Client) store.AddEvent {
	return store.AddEvent{Event: store.NewEvent(o.now(), o.ann.ID, kind, client)}
}

func (o *office) delivers() {
	o.Helper()
	if err := o.one.Deliver(o.Context()); err != nil {
		o.Fatal(err)
	}
}

// sends delivers, and checks how many mails the server has then.
func (o *office) sends(want int) {
	o.Helper()
	o.delivers()
	if got := o.relay.Has(); len(got) != want {
		o.Fatalf("the server has %d mails, want %d", len(got), want)
	}
}

func (o *office) waiting() []mail.Waiting {
	o.Helper()
	list, err := mail.List(o.Context(), o.beneath, 1000)
	if err != nil {
		o.Fatal(err)
	}
	return list
}

func TestQueue(t *testing.T) {
	t.Run("what isn't written isn't told", func(t *testing.T) {
		onEveryStore(t, func(o *office) {
			stale := o.ann
			stale.Revision = 77
			if err := o.store.Apply(o.Context(), store.Batch{store.PutUser{User: stale}, o.event(shared.EventPasskeyAdded, store.Client{})}); err == nil {
				o.Fatal("the batch was written")
			}
			o.sends(0)
			o.apply(o.event(shared.EventPasskeyAdded, store.Client{}))
			o.sends(1)
			o.sends(1)
		})
	})

	t.Run("a server that is away for an hour loses nothing", func(t *testing.T) {
		onEveryStore(t, func(o *office) {
			o.relay.Stops()
			for range 12 {
				o.apply(o.event(shared.EventPasskeyAdded, store.Client{}))
				o.delivers()
				o.passes(5 * time.Minute)
			}
			if got := o.waiting(); len(got) != 12 || got[0].Tries == 0 || !strings.Contains(got[0].Trouble, "nothing listens") {
				o.Fatalf("the queue has %d mails: %+v", len(got), got)
			}
			o.relay.Starts()
			o.passes(30 * time.Minute)
			o.sends(12)
			if got := o.waiting(); len(got) > 0 {
				o.Errorf("the queue still has %+v", got)
			}
		})
	})

	t.Run("IT has mails tried again at once", func(t *testing.T) {
		onEveryStore(t, func(o *office) {
			retries := func(want int) {
				o.Helper()
				if got, err := mail.Retry(o.Context(), o.otherStore, o.now()); err != nil || got != want {
					o.Errorf("%d mails are tried again (%v), want %d", got, err, want)
				}
			}
			o.relay.Stops()
			const many = 101 // more than are read at once
			for range many {
				o.apply(o.event(shared.EventPasskeyAdded, store.Client{}))
			}
			o.delivers()
			o.relay.Starts()
			o.delivers() // most wait for nothing but the one that failed
			o.sends(many - 1)
			retries(1)
			o.sends(many)
			retries(0)
			o.apply(o.event(shared.EventPasskeyAdded, store.Client{}))
			o.relay.Accepts = func(mailtest.Mail) { retries(0) } // while the one of them is tried
			o.sends(many + 1)
			retries(0)
		})
	})

	t.Run("two nodes send each mail once", func(t *testing.T) {
		onEveryStore(t, func(o *office) {
			const mails = 20
			for range mails {
				o.apply(o.event(shared.EventPasskeyAdded, store.Client{}))
			}
			var both sync.WaitGroup
			for _, node := range []*mail.Queue{o.one, o.other, o.one, o.other} {
				both.Go(func() {
					if err := node.Deliver(o.Context()); err != nil {
						o.Error(err)
					}
				})
			}
			both.Wait()
			o.sends(mails)
			seen := map[string]bool{}
			for _, d := range o.relay.Has() {
				_, id, _ := strings.Cut(d.Header(), "Message-ID: ")
				id, _, _ = strings.Cut(id, "\r\n")
				if seen[id] || id == "" {
					o.Errorf("the mail %s was sent twice", id)
				}
				seen[id] = true
			}
		})
	})

	t.Run("a mail is given up after a day, and IT sees why", func(t *testing.T) {
		onEveryStore(t, func(o *office) {
			o.relay.Stops()
			o.apply(o.event(shared.EventPasskeyAdded, store.Client{}))
			for range 50 {
				o.delivers()
				o.passes(30 * time.Minute)
			}
			got := o.waiting()
			if len(got) != 1 || got[0].Next != nil || got[0].Tries < 40 || got[0].Trouble == "" {
				o.Fatalf("got %+v", got)
			}
			o.relay.Starts()
			o.sends(0)
		})
	})

	t.Run("an unknown recipient doesn't keep others waiting", func(t *testing.T) {
		onEveryStore(t, func(o *office) {
			o.relay.Refuses = func(command, to string) error {
				if command == "RCPT" && strings.HasPrefix(to, "ann@") {
					return &smtp.SMTPError{Code: 550, Message: "no such user"}
				}
				return nil
			}
			bob := store.User{ID: store.NewUserID(), Name: "bob", Email: "bob@acme.example", EmailVerified: true}
			o.apply(store.PutUser{User: bob})
			o.apply(o.event(shared.EventPasskeyAdded, store.Client{}))
			o.passes(time.Second)
			o.apply(store.AddEvent{Event: store.NewEvent(o.now(), bob.ID, shared.EventPasskeyAdded, store.Client{})})
			o.sends(1)
			if got := o.waiting(); len(got) != 1 || got[0].Next != nil || got[0].User != o.ann.ID {
				o.Errorf("the queue has %+v", got)
			}
		})
	})

	t.Run("mails go with their user", func(t *testing.T) {
		onEveryStore(t, func(o *office) {
			o.apply(o.event(shared.EventPasskeyAdded, store.Client{}))
			o.apply(store.RemoveUser{ID: o.ann.ID})
			o.sends(0)
			if got := o.waiting(); len(got) > 0 {
				o.Errorf("the queue has %+v", got)
			}
		})
	})
}

// TestOff checks that a store without mails is the store itself.
func TestOff(t *testing.T) {
	s := memstore.New(time.Now)
	if got := mail.NewQueue(s, acme, mail.Sender{}, time.Now, slog.New(slog.DiscardHandler)).Store(s); got != store.Store(s) {
		t.Errorf("got %s", fmt.Sprintf("%T", got))
	}
}
