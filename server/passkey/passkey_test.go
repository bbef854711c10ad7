package passkey_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/activity"
	"github.com/keypeg/keypeg/server/passkey"
	"github.com/keypeg/keypeg/server/passkey/passkeytest"
	"github.com/keypeg/keypeg/server/policy"
	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/memstore"
	"github.com/keypeg/keypeg/server/store/storetest"
	"github.com/keypeg/keypeg/shared"
)

const origin = "https://id.example.com"

// world is an installation with its clock.
type world struct {
	t     testing.TB
	clock time.Time
	store *memstore.Store
	rules *passkey.Service

	activity *activity.Service
}

func newWorld(t testing.TB) *world { return newWorldAt(t, origin, "id.example.com") }

func newWorldAt(t testing.TB, origin, rpID string) *world {
	w := &world{t: t, clock: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)}
	now := func() time.Time { return w.clock }
	w.store = memstore.New(now)
	w.activity = activity.New(w.store, 0, slog.New(slog.DiscardHandler))
	rules, err := passkey.New(t.Context(), passkey.Config{
		Activity: w.activity, Now: now, RPID: rpID, RPName: "Keypeg", Origin: origin, Max: 4,
	})
	if err != nil {
		t.Fatal(err)
	}
	w.rules = rules
	return w
}

// person is a user with a device and a browser.
type person struct {
	*world
	id      string
	device  *passkeytest.Device
	browser passkey.Browser
	client  store.Client
}

func (w *world) person(name string) *person {
	w.t.Helper()
	user := store.User{ID: store.NewUserID(), Name: name, DisplayName: name, Handle: make([]byte, 64), Password: "a hash", Created: w.clock}
	rand.Read(user.Handle)
	if err := w.store.Apply(w.t.Context(), store.Batch{store.PutUser{User: user}}); err != nil {
		w.t.Fatal(err)
	}
	return &person{world: w, id: user.ID, device: passkeytest.New(origin), browser: passkey.Browser{Binding: store.HashOf("browser of " + name)}}
}

func (p *person) user() store.User {
	p.t.Helper()
	user, err := p.store.User(p.t.Context(), p.id)
	if err != nil {
		p.t.Fatal(err)
	}
	return user
}

// actor is the person, signed in.
func (p *person) actor() session.Actor {
	p.t.Helper()
	return session.Actor{User: p.user(), Session: store.Session{ID: p.browser.Binding}, Client: p.client, Methods: policy.Policy{}.Methods()}
}

func (p *person) begins() shared.Ceremony {
	p.t.Helper()
	begun, err := p.rules.BeginRegistration(p.t.Context(), p.actor(), p.browser, shared.BeginRegistration{})
	if err != nil {
		p.t.Fatal(err)
	}
	return begun
}

func (p *person) tries(begun shared.Ceremony, name string, lies ...passkeytest.Lie) (shared.Passkey, error) {
	p.t.Helper()
	credential, err := p.device.Create(begun.PublicKey, lies...)
	if err != nil {
		p.t.Fatal(err)
	}
	return p.rules.FinishRegistration(p.t.Context(), p.actor(), p.browser, shared.FinishRegistration{
		FinishCeremony: shared.FinishCeremony{Ticket: begun.Ticket, Credential: credential}, Name: name,
	}, nil)
}

// registers adds a passkey on a device of its own, so that several can be made.
func (p *person) registers(name string) shared.Passkey {
	p.t.Helper()
	added, err := p.tries(p.begins(), name)
	if err != nil {
		p.t.Fatalf("registering %q: %v", name, err)
	}
	return added
}

func (p *person) beginsSignIn() shared.Ceremony {
	p.t.Helper()
	begun, err := p.rules.BeginSignIn(p.t.Context(), p.browser, "")
	if err != nil {
		p.t.Fatal(err)
	}
	return begun
}

func nothingAlso(session.Actor, store.Passkey) (store.Batch, error) { return nil, nil }

func (p *person) answers(begun shared.Ceremony, lies ...passkeytest.Lie) shared.FinishCeremony {
	p.t.Helper()
	credential, err := p.device.Get(begun.PublicKey, lies...)
	if err != nil {
		p.t.Fatal(err)
	}
	return shared.FinishCeremony{Ticket: begun.Ticket, Credential: credential}
}

func (p *person) signsIn(lies ...passkeytest.Lie) (who string, err error) {
	p.t.Helper()
	p.clock = p.clock.Add(time.Second) // events of one moment have no order
	err = p.rules.FinishSignIn(p.t.Context(), session.Actor{}, p.browser, p.answers(p.beginsSignIn(), lies...), func(a session.Actor, _ store.Passkey) (store.Batch, error) {
		who = a.User.Name
		return nil, nil
	})
	return who, err
}

func wants(t *testing.T, err error, code shared.Code) {
	t.Helper()
	if got := shared.CodeOf(err); got != code {
		t.Errorf("got code %q (%v), want %q", got, err, code)
	}
}

// TestOneLabel runs an installation at a host name without a dot, as in an intranet.
func TestOneLabel(t *testing.T) {
	for rpID, origin := range map[string]string{"intranet": "https://intranet", "keypeg": "https://keypeg:8443", "localhost": "http://localhost:8080"} {
		ann := newWorldAt(t, origin, rpID).person("ann")
		ann.device = passkeytest.New(origin)
		ann.registers("x")
		if kept := ann.user().Passkeys[0]; kept.RPID != rpID {
			t.Errorf("%s: the passkey is kept as one of %q", origin, kept.RPID)
		}
		if who, err := ann.signsIn(); who != "ann" || err != nil {
			t.Errorf("%s: signed in as %q (%v), want ann", origin, who, err)
		}
		begun, err := ann.rules.BeginConfirmation(t.Context(), ann.actor())
		if err != nil {
			t.Fatal(err)
		}
		if err := ann.rules.FinishConfirmation(t.Context(), ann.actor(), ann.answers(begun), nothingAlso); err != nil {
			t.Errorf("%s: confirming: %v", origin, err)
		}
		if _, err := ann.signsIn(passkeytest.WithRPID("example.com")); err == nil {
			t.Errorf("%s: a passkey of another relying party signed in", origin)
		}
	}
}

func TestRegister(t *testing.T) {
	t.Run("a passkey is there with its name, and signs in", func(t *testing.T) {
		ann := newWorld(t).person("ann")
		added := ann.registers("  Work   laptop ")
		if added.Name != "Work laptop" {
			t.Errorf("name %q, want %q", added.Name, "Work laptop")
		}
		if who, err := ann.signsIn(); who != "ann" || err != nil {
			t.Errorf("signed in as %q (%v), want ann", who, err)
		}
	})
	t.Run("the options ask for a discoverable passkey with user verification", func(t *testing.T) {
		ann := newWorld(t).person("ann")
		first := ann.registers("first")
		var options struct {
			RP        struct{ ID, Name string }
			User      struct{ ID, Name, DisplayName string }
			Challenge string
			Timeout   int
			Params    []struct{ Alg int }   `json:"pubKeyCredParams"`
			Exclude   []struct{ ID string } `json:"excludeCredentials"`
			Selection struct {
				ResidentKey      string
				UserVerification string
				Attachment       string `json:"authenticatorAttachment"`
			} `json:"authenticatorSelection"`
			Attestation string
		}
		if err := json.Unmarshal(ann.begins().PublicKey, &options); err != nil {
			t.Fatal(err)
		}
		if options.RP.ID != "id.example.com" || options.Timeout != 300000 || options.Attestation != "none" {
			t.Errorf("rp, timeout or attestation: %+v", options)
		}
		if s := options.Selection; s.ResidentKey != "required" || s.UserVerification != "required" || s.Attachment != "" {
			t.Errorf("selection: %+v", s)
		}
		if len(options.Exclude) != 1 || options.Exclude[0].ID != first.CredentialID {
			t.Errorf("excludeCredentials %v, want the one that is there", options.Exclude)
		}
		if len(options.Challenge) < 43 {
			t.Errorf("challenge %q has less than 32 bytes", options.Challenge)
		}
		if got, want := fmt.Sprint(options.Params), "[{-8} {-7} {-257}]"; got != want {
			t.Errorf("algorithms %s, want %s", got, want)
		}
	})
	t.Run("begin writes nothing", func(t *testing.T) {
		ann := newWorld(t).person("ann")
		before := ann.user()
		ann.begins()
		ann.beginsSignIn()
		if after := ann.user(); !reflect.DeepEqual(before, after) {
			t.Errorf("the record changed from %+v to %+v", before, after)
		}
	})
	t.Run("a blank name becomes the provider's, then the browser's, then Passkey; and gets a number", func(t *testing.T) {
		ann := newWorld(t).person("ann")
		onePassword := [16]byte{0xba, 0xda, 0x55, 0x66, 0xa7, 0xaa, 0x40, 0x1f, 0xbd, 0x96, 0x45, 0x61, 0x9a, 0x55, 0x12, 0x0d}
		ann.device.AAGUID = onePassword
		first := ann.registers("")
		ann.device.Forget()
		second := ann.registers("")
		ann.device.Forget()
		ann.device.AAGUID = [16]byte{}
		ann.client = store.Client{Browser: "Chrome", System: "Windows"}
		third := ann.registers(" ")
		ann.device.Forget()
		ann.client = store.Client{}
		fourth := ann.registers("")
		got := []string{first.Name, second.Name, third.Name, fourth.Name}
		want := []string{"1Password", "1Password 2", "Chrome on Windows", "Passkey"}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("names %q, want %q", got, want)
		}
	})
	t.Run("a bad name is refused and the ticket stays good", func(t *testing.T) {
		ann := newWorld(t).person("ann")
		begun := ann.begins()
		credential, err := ann.device.Create(begun.PublicKey)
		if err != nil {
			t.Fatal(err)
		}
		finish := func(name string) error {
			_, err := ann.rules.FinishRegistration(t.Context(), ann.actor(), ann.browser, shared.FinishRegistration{
				FinishCeremony: shared.FinishCeremony{Ticket: begun.Ticket, Credential: credential}, Name: name,
			}, nil)
			return err
		}
		wants(t, finish("right\u202eleft"), shared.CodeInvalidName)
		wants(t, finish("good"), "")
	})
	t.Run("no more than the most allowed", func(t *testing.T) {
		ann := newWorld(t).person("ann")
		for range 4 {
			ann.registers("")
			ann.device.Forget()
		}
		_, err := ann.rules.BeginRegistration(t.Context(), ann.actor(), ann.browser, shared.BeginRegistration{})
		wants(t, err, shared.CodeTooManyPasskeys)

		// All of them may be lost, and IT helps.
		ann.browser.SentByIT = true
		ann.registers("")
	})
	t.Run("a passkey that is there already is refused, unchanged", func(t *testing.T) {
		ann := newWorld(t).person("ann")
		ann.registers("first")
		id := ann.user().Passkeys[0].CredentialID
		_, err := ann.tries(withoutExclusions(t, ann.begins()), "second", passkeytest.WithCredentialID(id))
		wants(t, err, shared.CodePasskeyExists)
		if got := err.Error(); !strings.HasSuffix(got, ": This device has one already: “first”.") {
			t.Errorf("it says %q", err)
		}
		if n := len(ann.user().Passkeys); n != 1 {
			t.Errorf("%d passkeys, want 1", n)
		}
	})
	t.Run("the id of another user's is refused like any wrong answer", func(t *testing.T) {
		w := newWorld(t)
		ann, bob := w.person("ann"), w.person("bob")
		ann.registers("hers")
		before := ann.user()
		_, err := bob.tries(bob.begins(), "his", passkeytest.WithCredentialID(before.Passkeys[0].CredentialID))
		wants(t, err, shared.CodeCeremonyRefused)
		if !reflect.DeepEqual(before, ann.user()) || len(bob.user().Passkeys) != 0 {
			t.Error("something changed")
		}
	})
	t.Run("unknown transports are left out", func(t *testing.T) {
		ann := newWorld(t).person("ann")
		if _, err := ann.tries(ann.begins(), "x", passkeytest.WithTransports("usb", "<b>", "usb", strings.Repeat("x", 5000), "hybrid")); err != nil {
			t.Fatal(err)
		}
		if got := ann.user().Passkeys[0].Transports; !reflect.DeepEqual(got, []string{"usb", "hybrid"}) {
			t.Errorf("transports %q, want usb and hybrid", got)
		}
	})
}

// withoutExclusions lets the device make a second passkey.
func withoutExclusions(t *testing.T, begun shared.Ceremony) shared.Ceremony {
	t.Helper()
	var options map[string]any
	if err := json.Unmarshal(begun.PublicKey, &options); err != nil {
		t.Fatal(err)
	}
	delete(options, "excludeCredentials")
	begun.PublicKey, _ = json.Marshal(options)
	return begun
}

// A passkey that was removed here may be forgotten by a password manager, and nothing else.
func TestUnknownCredential(t *testing.T) {
	elsewhere := passkeytest.WithOrigin("https://evil.test")
	for name, test := range map[string]struct {
		removed bool
		lie     passkeytest.Lie
		unknown bool
	}{
		"a passkey that was removed":           {true, func(*passkeytest.Answer) {}, true},
		"a passkey that was removed, far away": {true, elsewhere, false},
		"a passkey that nobody has":            {false, passkeytest.WithCredentialID([]byte("unknown")), false},
		"a signature that is wrong":            {false, passkeytest.WithSignature([]byte("signed")), false},
		"the user handle of somebody else":     {false, passkeytest.WithUserHandle(make([]byte, 64)), false},
	} {
		t.Run(name, func(t *testing.T) {
			ann := newWorld(t).person("ann")
			added := ann.registers("x")
			if test.removed {
				if _, err := ann.rules.Remove(t.Context(), ann.actor(), added.ID, false); err != nil {
					t.Fatal(err)
				}
			}
			_, err := ann.signsIn(test.lie)
			refusal, ok := errors.AsType[*shared.Error](err)
			if !ok || refusal.UnknownCredential != test.unknown {
				t.Errorf("got %#v, want a refusal with UnknownCredential %t", err, test.unknown)
			}
		})
	}
}

func TestSilentRegistration(t *testing.T) {
	silent := passkeytest.WithFlags(0, passkeytest.FlagUserPresent|passkeytest.FlagUserVerified)
	begins := func(p *person) shared.Ceremony {
		p.t.Helper()
		begun, err := p.rules.BeginRegistration(p.t.Context(), p.actor(), p.browser, shared.BeginRegistration{Mediation: "conditional"})
		if err != nil {
			p.t.Fatal(err)
		}
		return begun
	}
	t.Run("nobody needs to be there, and it is marked until somebody was", func(t *testing.T) {
		ann := newWorld(t).person("ann")
		added, err := ann.tries(begins(ann), "", silent)
		if err != nil || !added.Unverified {
			t.Fatalf("added %+v (%v), want it unverified", added, err)
		}
		if _, err := ann.signsIn(passkeytest.WithFlags(0, passkeytest.FlagUserVerified)); shared.CodeOf(err) != shared.CodeUserNotVerified {
			t.Errorf("signing in unverified: %v, want a refusal", err)
		}
		if _, err := ann.signsIn(); err != nil {
			t.Fatal(err)
		}
		if row := ann.rules.List(ann.actor()).Passkeys[0]; row.Unverified {
			t.Errorf("still unverified after a verified sign-in: %+v", row)
		}
	})
	t.Run("only a ticket for it lets that through", func(t *testing.T) {
		ann := newWorld(t).person("ann")
		_, err := ann.tries(ann.begins(), "", silent)
		wants(t, err, shared.CodeCeremonyRefused)
		if n := len(ann.user().Passkeys); n != 0 {
			t.Errorf("%d passkeys", n)
		}
	})
	t.Run("its other checks are those of any registration", func(t *testing.T) {
		ann := newWorld(t).person("ann")
		_, err := ann.tries(begins(ann), "", silent, passkeytest.WithOrigin("https://evil.test"))
		wants(t, err, shared.CodeCeremonyRefused)
	})
	t.Run("no other mediation is known", func(t *testing.T) {
		ann := newWorld(t).person("ann")
		_, err := ann.rules.BeginRegistration(t.Context(), ann.actor(), ann.browser, shared.BeginRegistration{Mediation: "required"})
		wants(t, err, shared.CodeInvalidRequest)
	})
}

func TestSignIn(t *testing.T) {
	t.Run("a used answer can't be used again", func(t *testing.T) {
		ann := newWorld(t).person("ann")
		ann.registers("x")
		answer := ann.answers(ann.beginsSignIn())
		wants(t, ann.rules.FinishSignIn(t.Context(), session.Actor{}, ann.browser, answer, nothingAlso), "")
		wants(t, ann.rules.FinishSignIn(t.Context(), session.Actor{}, ann.browser, answer, nothingAlso), shared.CodeCeremonyRefused)
	})
	t.Run("of many finishes of one ticket exactly one succeeds", func(t *testing.T) {
		ann := newWorld(t).person("ann")
		ann.registers("x")
		answer := ann.answers(ann.beginsSignIn())
		var succeeded sync.Map
		var all sync.WaitGroup
		for i := range 32 {
			all.Go(func() {
				if ann.rules.FinishSignIn(t.Context(), session.Actor{}, ann.browser, answer, nothingAlso) == nil {
					succeeded.Store(i, true)
				}
			})
		}
		all.Wait()
		n := 0
		succeeded.Range(func(any, any) bool { n++; return true })
		if n != 1 {
			t.Errorf("%d succeeded, want 1", n)
		}
	})
	t.Run("a ticket older than five minutes has expired", func(t *testing.T) {
		w := newWorld(t)
		ann := w.person("ann")
		ann.registers("x")
		answer := ann.answers(ann.beginsSignIn())
		w.clock = w.clock.Add(5 * time.Minute)
		wants(t, ann.rules.FinishSignIn(t.Context(), session.Actor{}, ann.browser, answer, nothingAlso), shared.CodeCeremonyExpired)
	})
	t.Run("a ticket serves one browser and one purpose", func(t *testing.T) {
		w := newWorld(t)
		ann := w.person("ann")
		ann.registers("x")
		answer := ann.answers(ann.beginsSignIn())
		other := passkey.Browser{Binding: store.HashOf("another browser")}
		wants(t, ann.rules.FinishSignIn(t.Context(), session.Actor{}, other, answer, nothingAlso), shared.CodeCeremonyRefused)
		wants(t, ann.rules.FinishConfirmation(t.Context(), ann.actor(), answer, nothingAlso), shared.CodeCeremonyRefused)

		confirmation, err := ann.rules.BeginConfirmation(t.Context(), ann.actor())
		if err != nil {
			t.Fatal(err)
		}
		wants(t, ann.rules.FinishSignIn(t.Context(), session.Actor{}, ann.browser, ann.answers(confirmation), nothingAlso), shared.CodeCeremonyRefused)
		registration := ann.begins()
		answer = ann.answers(ann.beginsSignIn())
		answer.Ticket = registration.Ticket
		wants(t, ann.rules.FinishSignIn(t.Context(), session.Actor{}, ann.browser, answer, nothingAlso), shared.CodeCeremonyRefused)
	})
	t.Run("an altered ticket, and one of another installation, are refused", func(t *testing.T) {
		ann, elsewhere := newWorld(t).person("ann"), newWorld(t).person("ann")
		ann.registers("x")
		answer := ann.answers(ann.beginsSignIn())
		for _, ticket := range []string{"", "x", "%", answer.Ticket[:len(answer.Ticket)-4] + "AAAA", elsewhere.beginsSignIn().Ticket, strings.Repeat("A", 1<<16)} {
			wants(t, ann.rules.FinishSignIn(t.Context(), session.Actor{}, ann.browser, shared.FinishCeremony{Ticket: ticket, Credential: answer.Credential}, nothingAlso), shared.CodeCeremonyRefused)
		}
	})
	t.Run("a counter that doesn't grow is refused and becomes an event, one that stays zero is fine", func(t *testing.T) {
		ann := newWorld(t).person("ann")
		ann.device.Counts = true
		ann.registers("x")
		for range 3 {
			if _, err := ann.signsIn(); err != nil {
				t.Fatal(err)
			}
		}
		_, err := ann.signsIn(passkeytest.WithSignCount(3))
		wants(t, err, shared.CodePasskeyCopied)
		ann.activity.Flush(t.Context())
		events, err := ann.store.Events(t.Context(), ann.id, store.EventID{}, 1)
		if err != nil || events[0].Kind != shared.EventCounterFell {
			t.Errorf("newest event %+v (%v), want %s", events, err, shared.EventCounterFell)
		}
	})
	t.Run("a passkey that is no longer backed up signs in, and becomes an event", func(t *testing.T) {
		ann := newWorld(t).person("ann")
		ann.device.BackupEligible, ann.device.BackedUp = true, true
		if added := ann.registers("x"); !added.Synced {
			t.Error("not shown as synced")
		}
		ann.device.BackedUp = false
		if _, err := ann.signsIn(); err != nil {
			t.Fatal(err)
		}
		if row := ann.rules.List(ann.actor()).Passkeys[0]; row.Synced {
			t.Error("still shown as synced")
		}
		events, err := ann.store.Events(t.Context(), ann.id, store.EventID{}, 1)
		if err != nil || events[0].Kind != shared.EventBackupChanged {
			t.Errorf("newest event %+v (%v), want %s", events, err, shared.EventBackupChanged)
		}
	})
	t.Run("a disabled user doesn't get in", func(t *testing.T) {
		ann := newWorld(t).person("ann")
		ann.registers("x")
		user := ann.user()
		user.Disabled = true
		if err := ann.store.Apply(t.Context(), store.Batch{store.PutUser{User: user}}); err != nil {
			t.Fatal(err)
		}
		_, err := ann.signsIn()
		wants(t, err, shared.CodeAccountDisabled)
	})
	t.Run("a removed passkey doesn't get in", func(t *testing.T) {
		ann := newWorld(t).person("ann")
		added := ann.registers("x")
		if _, err := ann.rules.Remove(t.Context(), ann.actor(), added.ID, false); err != nil {
			t.Fatal(err)
		}
		_, err := ann.signsIn()
		wants(t, err, shared.CodePasskeyRemoved)
	})
	t.Run("the caller's operations are written in the same batch or not at all", func(t *testing.T) {
		ann := newWorld(t).person("ann")
		ann.registers("x")
		begun := store.Session{ID: storetest.SessionID(ann.id, "first"), UserID: ann.id, Expires: ann.clock.Add(time.Hour)}
		also := func(session.Actor, store.Passkey) (store.Batch, error) {
			return store.Batch{store.AddSession{Session: begun}}, nil
		}
		answer := ann.answers(ann.beginsSignIn())
		wants(t, ann.rules.FinishSignIn(t.Context(), session.Actor{}, ann.browser, answer, also), "")
		if _, err := ann.store.Session(t.Context(), begun.ID); err != nil {
			t.Errorf("no session: %v", err)
		}

		begun.ID = storetest.SessionID(ann.id, "second")
		wants(t, ann.rules.FinishSignIn(t.Context(), session.Actor{}, ann.browser, answer, also), shared.CodeCeremonyRefused)
		if _, err := ann.store.Session(t.Context(), begun.ID); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a refused sign-in left a session (%v)", err)
		}
	})
}

func TestConfirm(t *testing.T) {
	t.Run("a user's own passkey confirms", func(t *testing.T) {
		ann := newWorld(t).person("ann")
		ann.registers("x")
		begun, err := ann.rules.BeginConfirmation(t.Context(), ann.actor())
		if err != nil {
			t.Fatal(err)
		}
		wants(t, ann.rules.FinishConfirmation(t.Context(), ann.actor(), ann.answers(begun), nothingAlso), "")
	})
	t.Run("another user's doesn't", func(t *testing.T) {
		w := newWorld(t)
		ann, bob := w.person("ann"), w.person("bob")
		ann.registers("hers")
		bob.registers("his")
		begun, err := ann.rules.BeginConfirmation(t.Context(), ann.actor())
		if err != nil {
			t.Fatal(err)
		}
		var options map[string]any
		if err := json.Unmarshal(begun.PublicKey, &options); err != nil {
			t.Fatal(err)
		}
		delete(options, "allowCredentials") // bob's device looks for his own
		begun.PublicKey, _ = json.Marshal(options)
		wants(t, ann.rules.FinishConfirmation(t.Context(), ann.actor(), bob.answers(begun), nothingAlso), shared.CodeCeremonyRefused)
	})
	t.Run("without a passkey there is nothing to confirm with", func(t *testing.T) {
		ann := newWorld(t).person("ann")
		_, err := ann.rules.BeginConfirmation(t.Context(), ann.actor())
		wants(t, err, shared.CodeNotFound)
	})
}

func TestRename(t *testing.T) {
	w := newWorld(t)
	ann, bob := w.person("ann"), w.person("bob")
	first := ann.registers("first")
	ann.device.Forget()
	second := ann.registers("second")
	rename := func(p *person, id, name string) error {
		_, err := p.rules.Rename(t.Context(), p.actor(), id, name)
		return err
	}
	t.Run("the passkey has the new name", func(t *testing.T) {
		wants(t, rename(ann, first.ID, " Phone "), "")
		who := ann.actor()
		who.Session.PasskeyID = first.ID
		if got := ann.rules.List(who).Passkeys[0]; got.Name != "Phone" || !got.Current {
			t.Errorf("row %+v, want Phone, used for this session", got)
		}
	})
	t.Run("a name that another of them has is refused, in any case", func(t *testing.T) {
		wants(t, rename(ann, second.ID, "PHONE"), shared.CodeNameTaken)
		wants(t, rename(ann, first.ID, "phone"), "")
	})
	t.Run("a blank or bad name is refused", func(t *testing.T) {
		for _, name := range []string{"", " ", "a\x00b", "a\u200bb", strings.Repeat("x", 65), "\xff"} {
			wants(t, rename(ann, first.ID, name), shared.CodeInvalidName)
		}
	})
	t.Run("a passkey of somebody else looks missing", func(t *testing.T) {
		wants(t, rename(bob, first.ID, "mine"), shared.CodeNotFound)
		wants(t, rename(bob, "no such id", "mine"), shared.CodeNotFound)
	})
}

func TestRemove(t *testing.T) {
	remove := func(p *person, id string) (shared.PasskeyList, error) {
		return p.rules.Remove(p.t.Context(), p.actor(), id, false)
	}
	withoutPassword := func(p *person) {
		p.t.Helper()
		user := p.user()
		user.Password = ""
		if err := p.store.Apply(p.t.Context(), store.Batch{store.PutUser{User: user}}); err != nil {
			p.t.Fatal(err)
		}
	}
	t.Run("the other sessions that began with it end, if asked, and no others", func(t *testing.T) {
		for _, asked := range []bool{false, true} {
			ann := newWorld(t).person("ann")
			bob := ann.world.person("bob")
			id := ann.registers("x").ID
			sessions, batch := map[string]store.Session{}, store.Batch{}
			begins := func(name, user, passkey string) {
				sessions[name] = store.Session{ID: storetest.SessionID(user, name), UserID: user, PasskeyID: passkey, Created: ann.clock, Expires: ann.clock.Add(time.Hour)}
				batch = append(batch, store.AddSession{Session: sessions[name]})
			}
			begins("here", ann.id, id)
			begins("there", ann.id, id)
			begins("with another", ann.id, "another")
			begins("Bob's", bob.id, id)
			if err := ann.store.Apply(t.Context(), batch); err != nil {
				t.Fatal(err)
			}
			who := ann.actor()
			who.Session = sessions["here"]
			if _, err := ann.rules.Remove(t.Context(), who, id, asked); err != nil {
				t.Fatal(err)
			}
			for name, gone := range map[string]bool{"here": false, "there": asked, "with another": false, "Bob's": false} {
				_, err := ann.store.Session(t.Context(), sessions[name].ID)
				if errors.Is(err, store.ErrNotFound) != gone {
					t.Errorf("asked %t: the session %s: %v, want gone %t", asked, name, err, gone)
				}
			}
		}
	})
	t.Run("the passkey is gone, and the answer has those that are left", func(t *testing.T) {
		ann := newWorld(t).person("ann")
		first := ann.registers("first")
		ann.device.Forget()
		second := ann.registers("second")
		left, err := remove(ann, first.ID)
		if err != nil || len(left.Passkeys) != 1 || left.Passkeys[0].ID != second.ID {
			t.Errorf("left %+v (%v), want the second", left.Passkeys, err)
		}
		_, err = remove(ann, first.ID)
		wants(t, err, shared.CodeNotFound)
	})
	t.Run("the last passkey goes while a password is left", func(t *testing.T) {
		ann := newWorld(t).person("ann")
		_, err := remove(ann, ann.registers("only").ID)
		wants(t, err, "")
	})
	t.Run("the last sign-in method stays", func(t *testing.T) {
		ann := newWorld(t).person("ann")
		only := ann.registers("only")
		withoutPassword(ann)
		if row := ann.rules.List(ann.actor()).Passkeys[0]; !row.OnlyMethod {
			t.Error("the row doesn't say so")
		}
		_, err := remove(ann, only.ID)
		wants(t, err, shared.CodeLastMethod)
	})
	t.Run("of two removals of the last two at the same time at most one succeeds", func(t *testing.T) {
		for range 50 {
			ann := newWorld(t).person("ann")
			ids := []string{ann.registers("a").ID}
			ann.device.Forget()
			ids = append(ids, ann.registers("b").ID)
			withoutPassword(ann)
			var both sync.WaitGroup
			who := ann.actor()
			for _, id := range ids {
				both.Go(func() { ann.rules.Remove(context.Background(), who, id, false) })
			}
			both.Wait()
			if n := len(ann.user().Passkeys); n != 1 {
				t.Fatalf("%d passkeys left, want 1", n)
			}
		}
	})
	t.Run("a passkey of somebody else looks missing", func(t *testing.T) {
		w := newWorld(t)
		ann, bob := w.person("ann"), w.person("bob")
		hers := ann.registers("hers")
		_, err := remove(bob, hers.ID)
		wants(t, err, shared.CodeNotFound)
		if n := len(ann.user().Passkeys); n != 1 {
			t.Errorf("%d passkeys left, want 1", n)
		}
	})
}

func BenchmarkBeginSignIn(b *testing.B) {
	ann := newWorld(b).person("ann")
	for b.Loop() {
		ann.beginsSignIn()
	}
}

// BenchmarkFinishSignIn doesn't count the making of an answer: each is ready before.
func BenchmarkFinishSignIn(b *testing.B) {
	ann := newWorld(b).person("ann")
	ann.registers("Laptop")
	for b.Loop() {
		b.StopTimer()
		answer := ann.answers(ann.beginsSignIn())
		b.StartTimer()
		if err := ann.rules.FinishSignIn(b.Context(), session.Actor{}, ann.browser, answer, nothingAlso); err != nil {
			b.Fatal(err)
		}
	}
}
