package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/keypeg/keypeg/server/passkey/passkeytest"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// scene is an installation with two users, who have a password and a passkey
// each. Ann is signed in with both in her browser; what Bob sends is hostile.
type scene struct {
	*site
	ann, bob *visitor
	writes   *watched

	mu      sync.Mutex
	secrets map[string]string // what it is -> its value
}

func newScene(t *testing.T, open func(*testing.T, store.Clock) store.Store) *scene {
	s := &scene{secrets: map[string]string{}, writes: &watched{}}
	s.site = newSite(t, func(t *testing.T, now store.Clock) store.Store {
		s.writes.Store = open(t, now)
		return s.writes
	}, nil)
	s.ann, s.bob = s.user("ann"), s.user("bob")
	s.ann.registers("hers")
	s.bob.registers("his")
	return s
}

// watched is a store that remembers what was written.
type watched struct {
	store.Store
	mu      sync.Mutex
	written store.Batch
}

func (w *watched) Apply(ctx context.Context, batch store.Batch) error {
	err := w.Store.Apply(ctx, batch)
	if err == nil {
		w.mu.Lock()
		w.written = append(w.written, batch...)
		w.mu.Unlock()
	}
	return err
}

func (w *watched) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.written)
}

func (w *watched) since(n int) store.Batch {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.written[n:])
}

// everything is the whole store.
func (s *site) everything() map[string]string {
	s.Helper()
	s.handler.FlushFailures(s.Context()) // which are written after the answer
	all := map[string]string{}
	for _, kind := range store.Kinds {
		records, err := s.store.Records(s.Context(), kind, nil, 10_000)
		if err != nil {
			s.Fatal(err)
		}
		for _, record := range records {
			name := fmt.Sprintf("%s %x", kind, record.Key)
			switch op := record.Op.(type) {
			case store.AddEvent:
				name = fmt.Sprintf("event %s of %x", op.Event.Kind, record.Key)
			case store.PutItem:
				name = fmt.Sprintf("item of %s: %q of %q", op.Item.Collection, op.Item.Key, op.Item.Owner)
			}
			all[name] = string(record.Encode()) // has every property and every text as it is, for a tenth of what %+v takes
		}
	}
	return all
}

// changesOnly checks that nothing happens to the store but events of these kinds.
func (s *scene) changesOnly(allowed []shared.EventKind, do func()) {
	s.Helper()
	before, n := s.everything(), s.writes.count()
	do()

	after := s.everything()
	isAllowed := func(key string) bool {
		return slices.ContainsFunc(allowed, func(kind shared.EventKind) bool {
			return strings.HasPrefix(key, fmt.Sprintf("event %s of ", kind))
		})
	}
	for key, value := range after {
		if before[key] != value && !isAllowed(key) {
			s.Errorf("the store has changed: %s\n was %q\n is  %q", key, before[key], value)
		}
	}
	for key := range before {
		if _, there := after[key]; !there {
			s.Errorf("the store has lost %s", key)
		}
	}
	for _, op := range s.writes.since(n) {
		if _, is := op.(store.HasUser); is {
			continue // it writes nothing
		}
		if add, is := op.(store.AddEvent); !is || !slices.Contains(allowed, add.Event.Kind) {
			s.Errorf("it was written: %T", op)
		}
	}
}

const (
	notVerified = "This passkey could not be verified. Please try again."
	tooLong     = "That took longer than five minutes. Please try again."
)

// refuses checks that a finished ceremony is refused in the one way that tells
// nothing, for the cause that the log has, and changes nothing but the events.
func (s *scene) refuses(cause string, do func() answer, allowed ...shared.EventKind) {
	s.Helper()
	a := s.refusesAs(400, shared.CodeCeremonyRefused, cause, do, allowed...)
	var problem shared.Problem
	if err := json.Unmarshal(a.body, &problem); err != nil || problem.Detail != notVerified {
		s.Errorf("the refusal tells more than it should: %s", a)
	}
}

func (s *scene) refusesAs(status int, code shared.Code, cause string, do func() answer, allowed ...shared.EventKind) (a answer) {
	s.Helper()
	switch code { // of passkeys that their users have proved, so that nobody else writes it
	case shared.CodeUserNotVerified, shared.CodePasskeyElsewhere, shared.CodeNotDiscoverable, shared.CodeAuthenticatorRefused, shared.CodePasskeyChanged:
		allowed = append(allowed, shared.EventPasskeyFailed)
	}
	logged := len(s.log.String())
	s.changesOnly(allowed, func() {
		s.Helper()
		a = do()
	})
	s.ann.refused(a, status, code)
	if lines := s.log.String()[logged:]; !strings.Contains(lines, cause) {
		s.Errorf("the log doesn't name the cause %q:\n%s", cause, lines)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for what, secret := range s.secrets {
		if bytes.Contains(a.body, []byte(secret)) {
			s.Errorf("the refusal holds the %s: %s", what, a)
		}
	}
	return a
}

// refusesForm is refusesAs for a form, which is answered with a page.
func (s *scene) refusesForm(status int, sentence string, do func() answer) {
	s.Helper()
	s.changesOnly(nil, func() {
		s.Helper()
		if a := do(); a.status != status || !strings.Contains(string(a.body), sentence) || !strings.HasPrefix(a.header.Get("Content-Type"), "text/html") {
			s.Errorf("got %s, want a page with %d and %q", a, status, sentence)
		}
	})
}

// keepsSecrets checks that the log holds nothing that was secret in a test, and no fault of
// ours.
func (s *scene) keepsSecrets() {
	s.Helper()
	for name, v := range map[string]*visitor{"Ann": s.ann, "Bob": s.bob} {
		s.secret(name+"'s session", v.token())
	}
	s.secret("password", password)
	log := s.log.String()
	for what, secret := range s.secrets {
		if strings.Contains(log, secret) {
			s.Errorf("the log holds the %s", what)
		}
	}
	if strings.Contains(log, "level=ERROR") || strings.Contains(log, "panic") {
		s.Errorf("a request made a fault of ours:\n%s", log)
	}
}

func (s *scene) secret(what, value string) {
	if value == "" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.secrets[fmt.Sprint(what, " ", len(s.secrets))] = value
}

// The three ceremonies, in halves. A ceremony is begun by its user's browser.

func (s *scene) begins(v *visitor, path string, body any) shared.Ceremony {
	s.Helper()
	begun := into[shared.Ceremony](v, v.sends("POST", path, body), 200)
	s.secret("ticket", begun.Ticket)
	s.secret("challenge", challengeOf(s, begun))
	return begun
}

func challengeOf(s *scene, begun shared.Ceremony) string {
	s.Helper()
	var options struct{ Challenge string }
	if err := json.Unmarshal(begun.PublicKey, &options); err != nil || len(options.Challenge) < 22 {
		s.Fatalf("options without a challenge of 16 bytes (%v): %s", err, begun.PublicKey)
	}
	return options.Challenge
}

func (s *scene) beginsSignIn(v *visitor) shared.Ceremony {
	return s.begins(v, shared.PathSignInBegin, shared.BeginSignIn{})
}

func (s *scene) beginsConfirmation(v *visitor) shared.Ceremony {
	return s.begins(v, shared.PathConfirmBegin, nil)
}

// beginsAdding asks for options that any device takes: what it has already isn't
// named.
func (s *scene) beginsAdding(v *visitor) shared.Ceremony {
	begun := s.begins(v, shared.PathRegisterBegin, nil)
	begun.PublicKey = without(s, begun.PublicKey, "excludeCredentials")
	return begun
}

func without(t testing.TB, options json.RawMessage, member string) json.RawMessage {
	t.Helper()
	var members map[string]json.RawMessage
	if err := json.Unmarshal(options, &members); err != nil {
		t.Fatal(err)
	}
	delete(members, member)
	changed, err := json.Marshal(members)
	if err != nil {
		t.Fatal(err)
	}
	return changed
}

// proof is an assertion by this device, with its lies.
func (s *scene) proof(device *passkeytest.Device, begun shared.Ceremony, lies ...passkeytest.Lie) shared.FinishCeremony {
	s.Helper()
	credential, err := device.Get(begun.PublicKey, lies...)
	if err != nil {
		s.Fatal(err)
	}
	return shared.FinishCeremony{Ticket: begun.Ticket, Credential: credential}
}

// made is a new passkey on a new device, with its lies.
func (s *scene) made(begun shared.Ceremony, lies ...passkeytest.Lie) shared.FinishCeremony {
	s.Helper()
	return s.madeOn(passkeytest.New(origin), begun, lies...)
}

func (s *scene) madeOn(device *passkeytest.Device, begun shared.Ceremony, lies ...passkeytest.Lie) shared.FinishCeremony {
	s.Helper()
	credential, err := device.Create(begun.PublicKey, lies...)
	if err != nil {
		s.Fatal(err)
	}
	return shared.FinishCeremony{Ticket: begun.Ticket, Credential: credential}
}

func (v *visitor) finishes(path string, what any) func() answer {
	return func() answer { return v.sends("POST", path, what) }
}

// Whole ceremonies of Ann's, with a lie. Each is refused for its cause, and then
// the truth is refused too: the ticket is spent.

const again = "ticket failed before"

func (s *scene) signInFails(cause string, lies ...passkeytest.Lie) {
	s.Helper()
	s.assertionFails(s.beginsSignIn(s.ann), shared.PathSignInFinish, cause, lies...)
}

func (s *scene) confirmationFails(cause string, lies ...passkeytest.Lie) {
	s.Helper()
	s.assertionFails(s.beginsConfirmation(s.ann), shared.PathConfirmFinish, cause, lies...)
}

func (s *scene) assertionFails(begun shared.Ceremony, path, cause string, lies ...passkeytest.Lie) {
	s.Helper()
	s.refuses(cause, s.ann.finishes(path, s.proof(s.ann.device, begun, lies...)))
	s.refuses(again, s.ann.finishes(path, s.proof(s.ann.device, begun)))
}

func (s *scene) addingFails(cause string, lies ...passkeytest.Lie) {
	s.Helper()
	begun := s.beginsAdding(s.ann)
	s.refuses(cause, s.ann.finishes(shared.PathRegisterFinish, s.made(begun, lies...)))
	s.refuses(again, s.ann.finishes(shared.PathRegisterFinish, s.made(begun)))
}

// everywhereFails is for lies that fit each ceremony.
func (s *scene) everywhereFails(cause string, lies ...passkeytest.Lie) {
	s.Helper()
	s.signInFails(cause, lies...)
	s.confirmationFails(cause, lies...)
	s.addingFails(cause, lies...)
}

// signInIsExplained, confirmationIsExplained and addingIsExplained check that whoever holds
// the passkey reads what is wrong with it, and that the ticket is spent.
func (s *scene) signInIsExplained(status int, code shared.Code, cause, sentence string, lies ...passkeytest.Lie) {
	s.Helper()
	begun := s.beginsSignIn(s.ann)
	s.isExplained(status, code, cause, sentence, shared.PathSignInFinish, s.proof(s.ann.device, begun, lies...), s.proof(s.ann.device, begun))
}

func (s *scene) confirmationIsExplained(status int, code shared.Code, cause, sentence string, lies ...passkeytest.Lie) {
	s.Helper()
	begun := s.beginsConfirmation(s.ann)
	s.isExplained(status, code, cause, sentence, shared.PathConfirmFinish, s.proof(s.ann.device, begun, lies...), s.proof(s.ann.device, begun))
}

func (s *scene) addingIsExplained(status int, code shared.Code, cause, sentence string, lies ...passkeytest.Lie) {
	s.Helper()
	begun := s.beginsAdding(s.ann)
	s.isExplained(status, code, cause, sentence, shared.PathRegisterFinish, s.made(begun, lies...), s.made(begun))
}

func (s *scene) isExplained(status int, code shared.Code, cause, sentence, path string, lie, truth shared.FinishCeremony) {
	s.Helper()
	a := s.refusesAs(status, code, cause, s.ann.finishes(path, lie))
	if !strings.Contains(string(a.body), sentence) {
		s.Errorf("the refusal lacks %q: %s", sentence, a)
	}
	s.refuses(again, s.ann.finishes(path, truth))
}

// succeeds checks that the truth, or something as good, is taken.
func (s *scene) succeeds(a answer, status int) answer {
	s.Helper()
	if a.status != status {
		s.Errorf("got %s, want %d\n%s", a, status, s.log)
	}
	return a
}

func (s *scene) signsIn(v *visitor, lies ...passkeytest.Lie) answer {
	s.Helper()
	return v.finishes(shared.PathSignInFinish, s.proof(v.device, s.beginsSignIn(v), lies...))()
}

func (s *scene) adds(v *visitor, lies ...passkeytest.Lie) answer {
	s.Helper()
	return v.finishes(shared.PathRegisterFinish, s.made(s.beginsAdding(v), lies...))()
}

// both sends two requests at once.
func both(first, second func() answer) (a, b answer) {
	var together sync.WaitGroup
	together.Go(func() { a = first() })
	together.Go(func() { b = second() })
	together.Wait()
	return a, b
}

// oneOf checks that exactly one of two got what it wanted.
func (s *scene) oneOf(a, b answer, good, refused int) {
	s.Helper()
	got := []int{a.status, b.status}
	slices.Sort(got)
	want := []int{good, refused}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		s.Errorf("got %s and %s, want one %d and one %d", a, b, good, refused)
	}
}

func (s *scene) record(v *visitor) store.User {
	s.Helper()
	user, err := s.store.UserByName(s.Context(), v.name)
	if err != nil {
		s.Fatal(err)
	}
	return user
}

// events counts a user's by kind.
func (s *scene) events(v *visitor) map[shared.EventKind]int {
	s.Helper()
	s.handler.FlushFailures(s.Context())
	counts := map[shared.EventKind]int{}
	events, err := s.store.Events(s.Context(), s.record(v).ID, store.EventID{}, 1000)
	if err != nil {
		s.Fatal(err)
	}
	for _, event := range events {
		counts[event.Kind] += int(max(1, event.Count))
	}
	return maps.Clone(counts)
}

// elsewhere is another browser of the same user, signed in.
func (s *scene) elsewhere(v *visitor) *visitor {
	s.Helper()
	other := s.visitor()
	other.name, other.device = v.name, v.device
	other.signsInWithPassword()
	return other
}
