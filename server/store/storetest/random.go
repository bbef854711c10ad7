package storetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// random is the claim that what a backend derives from its records is right after any batches.
func random(b *suite) {
	b.claim("after random batches, the order and the counts are those of a full scan", func(f *fixture) {
		dice := rand.New(rand.NewPCG(18, 1))
		for i := range 2500 { // of four operations each
			f.passes(time.Duration(dice.IntN(100)) * time.Second)
			if err := RandomBatch(f.Context(), f, dice, f.now()); err != nil {
				f.Fatal(err)
			}
			if i%500 == 499 {
				f.fails("", Consistent(f.Context(), f, f.now()), nil)
			}
		}
		f.passes(store.EventsKept - 40*time.Hour) // some have expired then
		f.fails("later", Consistent(f.Context(), f, f.now()), nil)
	})
}

// RandomBatch applies a batch of operations on one of 50 users, drawn by the dice: sign-ins,
// changes, new names that another may have, removals, items, and events that are late or replaced.
// A refusal is no error.
func RandomBatch(ctx context.Context, s store.Store, dice *rand.Rand, now time.Time) error {
	id := UserID(dice.IntN(50))
	user, err := s.User(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		user, err = store.User{ID: id, Name: "user " + id}, nil
	}
	if err != nil {
		return err
	}

	if dice.IntN(10) == 0 {
		user.Name = fmt.Sprint("renamed ", dice.IntN(20))
	}
	user.Role, user.Disabled = shared.Roles[dice.IntN(len(shared.Roles))], dice.IntN(5) == 0
	user.DisplayName = []string{"", "Ann Random", "Änne van der Ran"}[dice.IntN(3)]
	user.Groups = [][]string{nil, {"sales"}, {"it", "sales"}}[dice.IntN(3)]
	if user.Email = ""; dice.IntN(2) == 0 {
		user.Email, user.EmailVerified, user.EmailReserved = fmt.Sprintf("r%d@example.com", dice.IntN(60)), dice.IntN(2) > 0, dice.IntN(2) > 0
	}
	user.Password = []string{"", "$argon2id$"}[dice.IntN(2)]
	user.Passkeys = nil
	for i := range dice.IntN(3) {
		user.Passkeys = append(user.Passkeys, store.Passkey{ID: fmt.Sprint("p", i), CredentialID: []byte(fmt.Sprint(id, i)), Flags: byte(dice.IntN(16))})
	}
	if user.Invited = (time.Time{}); dice.IntN(2) == 0 {
		user.Invited = now.Add(-time.Duration(dice.IntN(1500)) * time.Hour)
	}
	if user.FirstPasskey = (time.Time{}); dice.IntN(2) == 0 {
		user.FirstPasskey = now.Add(-time.Duration(dice.IntN(1500)) * time.Minute)
	}
	at := now
	if dice.IntN(10) == 0 {
		at = now.Add(-time.Duration(dice.IntN(100)) * time.Hour)
	}
	event := store.NewEvent(at, id, []shared.EventKind{shared.EventSignedIn, shared.EventSignedIn, shared.EventPasskeyAdded, shared.EventSignInFailed}[dice.IntN(4)],
		store.Client{Browser: []string{"Firefox", "Chrome", ""}[dice.IntN(3)]})
	if event.Kind == shared.EventSignInFailed {
		event.Reason = append(slices.Clone(shared.FailureReasons), "", "unheard of")[dice.IntN(len(shared.FailureReasons)+2)]
	}
	event.Method = []store.Method{store.MethodPasskey, store.MethodPassword, store.MethodSSO}[dice.IntN(3)]
	if last, err := s.Events(ctx, id, store.EventID{}, 20); err != nil {
		return err
	} else if len(last) > 0 && dice.IntN(10) == 0 {
		old := last[len(last)-1]
		event.ID, event.Time, event.Expires = old.ID, old.Time, old.Expires
	}

	if dice.IntN(5) == 0 {
		event.Count = uint64(dice.IntN(30))
	}

	batch := store.Batch{store.PutUser{User: user}, store.AddEvent{Event: event}, store.SpendTicket(store.NewTicketID(now), now.Add(5*time.Minute))}
	session := store.Session{ID: SessionID(id, fmt.Sprint(dice.IntN(1000))), UserID: id, Seen: now, Expires: now.Add(time.Duration(dice.IntN(72)) * time.Hour)}
	switch dice.IntN(20) {
	case 0:
		batch = store.Batch{store.RemoveUser{ID: id}}
	case 1:
		batch = append(batch, store.EndSessions{UserID: id})
	case 2, 3:
		batch = append(batch, store.PutItem{Item: store.Item{Owner: id, Collection: "note", Key: fmt.Sprint(dice.IntN(5)), Value: []byte("1"), Version: store.AnyVersion, Expires: now.Add(time.Hour)}})
	case 4:
		batch = append(batch, store.RemoveItem{Owner: id, Collection: "note", Key: fmt.Sprint(dice.IntN(5)), Version: store.AnyVersion})
	default:
		batch = append(batch, store.AddSession{Session: session, Most: 3})
	}
	err = s.Apply(ctx, batch)
	if errors.Is(err, store.ErrExists) || errors.Is(err, store.ErrStale) {
		return nil
	}
	return err
}
