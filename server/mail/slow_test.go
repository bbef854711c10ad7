package mail_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/mail"
	"github.com/keypeg/keypeg/server/mail/mailtest"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/memstore"
	"github.com/keypeg/keypeg/shared"
)

// inNoTime runs a test with a mail server in made-up time, which passes while all wait.
func inNoTime(t *testing.T, do func(*testing.T, *mailtest.Relay)) {
	synctest.Test(t, func(t *testing.T) {
		relay := mailtest.Piped(t)
		mail.DialBy(t, relay.Dial)
		do(t, relay)
		time.Sleep(time.Hour) // the server wakes up, and ends
	})
}

// slow has a server wait before it greets, before it answers to two commands, and before it says
// that it takes a mail.
func slow(relay *mailtest.Relay, greeting, command, answer time.Duration) {
	relay.Greets = func() { time.Sleep(greeting) }
	relay.Refuses = func(name, _ string) error {
		if name != "DATA" {
			time.Sleep(command)
		}
		return nil
	}
	relay.Accepts = func(mailtest.Mail) { time.Sleep(answer) }
}

// TestSlowServers: servers may take the time that RFC 5321, 4.5.3.2 gives them.
func TestSlowServers(t *testing.T) {
	for _, test := range []struct {
		name                      string
		greeting, command, answer time.Duration
		stage                     mail.Stage // "" if the mail is sent
	}{
		{"one that greets late", 280 * time.Second, 0, 0, ""},
		{"one that answers late to commands", 0, 280 * time.Second, 0, ""},
		{"one that looks into mails", 0, 0, 580 * time.Second, ""},
		{"one that is slow throughout", 3 * time.Minute, 3 * time.Minute, 580 * time.Second, ""},
		{"one that doesn't greet", 6 * time.Minute, 0, 0, mail.StageConnect},
		{"one that doesn't answer to a command", 0, 6 * time.Minute, 0, mail.StageConnect},
		{"one that is slow without end", 4 * time.Minute, 4 * time.Minute, 0, mail.StageConnect},
		{"one that doesn't say whether it takes the mail", 0, 0, 11 * time.Minute, mail.StageAnswer},
	} {
		t.Run(test.name, func(t *testing.T) {
			inNoTime(t, func(t *testing.T, relay *mailtest.Relay) {
				slow(relay, test.greeting, test.command, test.answer)
				err := relay.Send(t.Context(), acme.Test("one", "ann@acme.example"))
				if test.stage == "" {
					if err != nil || len(relay.Has()) != 1 {
						t.Errorf("got %v, and the server has %d mails", err, len(relay.Has()))
					}
					return
				}
				trouble, is := errors.AsType[*mail.Trouble](err)
				if !is || trouble.Stage != test.stage || trouble.Permanent || strings.Contains(trouble.Error(), "refuse") {
					t.Errorf("got %#v: %v", trouble, err)
				}
			})
		})
	}
}

// aQueue is a queue with a mail to ann.
func aQueue(t *testing.T, relay *mailtest.Relay) (*mail.Queue, store.Store) {
	t.Helper()
	s := memstore.New(time.Now)
	queue := mail.NewQueue(s, acme, relay.Sender, time.Now, slog.New(slog.DiscardHandler))
	queue.Links = account.New(account.Config{Store: s, Now: time.Now, Mails: queue, Log: slog.New(slog.DiscardHandler)})
	ann := store.User{ID: store.NewUserID(), Name: "ann", Email: "ann@acme.example", EmailVerified: true}
	for _, op := range []store.Op{store.PutUser{User: ann}, store.AddEvent{Event: store.NewEvent(time.Now(), ann.ID, shared.EventPasskeyAdded, store.Client{})}} {
		if err := queue.Store(s).Apply(t.Context(), store.Batch{op}); err != nil {
			t.Fatal(err)
		}
	}
	return queue, s
}

// TestSlowOnce: a server that is slow gets a mail once, also if several nodes run.
func TestSlowOnce(t *testing.T) {
	inNoTime(t, func(t *testing.T, relay *mailtest.Relay) {
		slow(relay, 4*time.Minute, 2*time.Minute, 9*time.Minute)
		queue, s := aQueue(t, relay)
		ctx, cancel := context.WithCancel(t.Context())
		go queue.Run(ctx)
		go queue.Run(ctx)
		time.Sleep(24 * time.Hour)
		cancel()
		synctest.Wait()
		waiting, err := mail.List(t.Context(), s, 10)
		if err != nil || len(waiting) > 0 || len(relay.Has()) != 1 {
			t.Errorf("the server has %d mails, and %+v waits (%v)", len(relay.Has()), waiting, err)
		}
	})
}

// TestStopWhileSlow: a program that stops doesn't wait for a slow server, and loses no mail.
func TestStopWhileSlow(t *testing.T) {
	for _, test := range []struct {
		name                      string
		greeting, command, answer time.Duration
		within                    time.Duration
		tries                     int
	}{
		{"before it greets", time.Minute, 0, 0, 0, 0},
		{"before it answers to a command", 0, time.Minute, 0, 0, 0},
		{"while it looks into the mail", 0, 0, time.Minute, 5 * time.Second, 1},
		{"just before it takes the mail", 0, 0, 32 * time.Second, 2 * time.Second, -1},
	} {
		t.Run(test.name, func(t *testing.T) {
			inNoTime(t, func(t *testing.T, relay *mailtest.Relay) {
				slow(relay, test.greeting, test.command, test.answer)
				queue, s := aQueue(t, relay)
				ctx, cancel := context.WithCancel(t.Context())
				ended := make(chan struct{})
				go func() { queue.Run(ctx); close(ended) }()
				time.Sleep(30 * time.Second)
				stops := time.Now()
				cancel()
				<-ended
				if took := time.Since(stops); took != test.within { // in made-up time
					t.Errorf("it stops after %s", took)
				}
				waiting, err := mail.List(t.Context(), s, 10)
				if err != nil {
					t.Fatal(err)
				}
				switch {
				case test.tries < 0:
					if len(waiting) > 0 || len(relay.Has()) != 1 {
						t.Errorf("%+v waits, and the server has %d mails", waiting, len(relay.Has()))
					}
				case len(waiting) != 1 || waiting[0].Tries != test.tries || waiting[0].Next == nil:
					t.Errorf("%+v waits", waiting)
				case test.tries == 0 && waiting[0].Next.After(time.Now()):
					t.Errorf("the next try is at %s", waiting[0].Next)
				}
			})
		})
	}
}
