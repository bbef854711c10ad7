package mail_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// changes changes Ann's record, with what else belongs in the batch.
func (o *office) changes(change func(*store.User), more ...store.Op) {
	o.Helper()
	user, err := o.beneath.User(o.Context(), o.ann.ID)
	if err != nil {
		o.Fatal(err)
	}
	change(&user)
	o.apply(append(more, store.PutUser{User: user})...)
}

// changesAddress gives Ann another address, which isn't verified.
func (o *office) changesAddress(address string, client store.Client) {
	o.Helper()
	o.changes(func(user *store.User) { user.Email, user.EmailVerified = address, false }, o.event(shared.EventEmailChanged, client))
}

// arrives delivers, and checks to whom mails came since the last call.
func (o *office) arrives(want ...string) {
	o.Helper()
	o.delivers()
	var got []string
	for _, d := range o.relay.Has()[o.arrived:] {
		got = append(got, d.To)
	}
	o.arrived += len(got)
	slices.Sort(got)
	if slices.Sort(want); !slices.Equal(got, want) {
		o.Fatalf("mails came to %q, want %q", got, want)
	}
}

func TestWhoIsTold(t *testing.T) {
	here := store.Client{Browser: "Firefox", System: "Linux", Address: "192.0.2.1", Mark: "mark-of-here"}
	elsewhere := store.Client{Browser: "Chrome", System: "Windows", Address: "198.51.100.7", Mark: "mark-of-elsewhere"}

	t.Run("a sign-in is told once for each browser", func(t *testing.T) {
		onEveryStore(t, func(o *office) {
			// She signed in here before there were mails.
			if err := o.beneath.Apply(o.Context(), store.Batch{o.event(shared.EventSignedIn, here)}); err != nil {
				o.Fatal(err)
			}
			for range 3 {
				o.passes(time.Second)
				o.apply(o.event(shared.EventSignedIn, here))
			}
			o.sends(0)
			for range 3 {
				o.passes(time.Second)
				o.apply(o.event(shared.EventSignedIn, elsewhere))
			}
			o.sends(1)
			if raw := o.relay.Has()[0].Raw; !strings.Contains(raw, "198.51.100.7") {
				o.Errorf("the mail doesn't say from where:\n%s", raw)
			}
		})
	})

	const former = "ann@acme.example"
	t.Run("an address that isn't verified hears nothing", func(t *testing.T) {
		onEveryStore(t, func(o *office) {
			o.changes(func(user *store.User) { user.EmailVerified, user.EmailReserved = false, true }) // as an administrator gave it
			o.apply(o.event(shared.EventPasskeyAdded, here))
			o.apply(o.event(shared.EventDisabled, here))
			o.sends(0)
		})
	})

	t.Run("the former address hears of everything for a week", func(t *testing.T) {
		onEveryStore(t, func(o *office) {
			o.changesAddress("ann.miller@acme.example", here)
			o.arrives(former)
			if raw := o.relay.Has()[0].Raw; !strings.Contains(raw, "ann.miller@acme.example") {
				o.Errorf("the mail doesn't name the new address:\n%s", raw)
			}
			o.apply(o.event(shared.EventPasskeyAdded, here))
			o.arrives(former)
			o.apply(o.event(shared.EventSignedIn, elsewhere))
			o.arrives(former, "ann.miller@acme.example") // which is asked to be verified
			o.changes(func(user *store.User) { user.EmailVerified = true })
			o.apply(o.event(shared.EventPasskeyAdded, here))
			o.arrives(former, "ann.miller@acme.example")
			o.passes(7 * 24 * time.Hour)
			o.apply(o.event(shared.EventPasskeyRemoved, here))
			o.arrives("ann.miller@acme.example")
		})
	})

	t.Run("a second change doesn't make the former address forgotten", func(t *testing.T) {
		onEveryStore(t, func(o *office) {
			o.changesAddress("thief@evil.example", here)
			o.arrives(former)
			o.changes(func(user *store.User) { user.EmailVerified = true })
			o.changesAddress("thief2@evil.example", here)
			o.arrives(former, "thief@evil.example")
			o.changesAddress("", here)
			o.arrives(former, "thief@evil.example")
			o.passes(7*24*time.Hour - time.Second)
			o.apply(o.event(shared.EventRecoveryCodesMade, here))
			o.apply(o.event(shared.EventSignedIn, elsewhere))
			o.arrives(former, former, "thief@evil.example", "thief@evil.example")
		})
	})

	t.Run("each former address has its own week", func(t *testing.T) {
		onEveryStore(t, func(o *office) {
			const now = "ann.miller@acme.example"
			o.changesAddress(now, here)
			o.arrives(former)
			o.changes(func(user *store.User) { user.EmailVerified = true })
			o.passes(6 * 24 * time.Hour)
			o.changesAddress("thief@evil.example", here)
			o.arrives(former, now)
			o.apply(o.event(shared.EventPasskeyAdded, here))
			o.arrives(former, now)
			if user, err := o.beneath.User(o.Context(), o.ann.ID); err != nil {
				o.Fatal(err)
			} else if got, err := o.one.Addresses(o.Context(), user); err != nil || len(got) != 2 {
				o.Errorf("This wasn't me works for %q (%v)", got, err)
			}
			o.passes(2 * 24 * time.Hour)
			o.apply(o.event(shared.EventPasskeyRemoved, here))
			o.arrives(now)
		})
	})

	t.Run("a thief with many addresses doesn't make that of the user forgotten", func(t *testing.T) {
		onEveryStore(t, func(o *office) {
			for i := range 10 {
				o.changesAddress(fmt.Sprintf("thief%d@evil.example", i), here)
				o.changes(func(user *store.User) { user.EmailVerified = true })
			}
			o.delivers()
			o.arrived = len(o.relay.Has())
			o.apply(o.event(shared.EventPasskeyAdded, here))
			o.delivers()
			to := map[string]bool{}
			for _, d := range o.relay.Has()[o.arrived:] {
				to[d.To] = true
			}
			if !to[former] || len(to) != 9 { // with the present one
				o.Errorf("mails came to %v", to)
			}
		})
	})

	t.Run("an address that an administrator changed hears of that, and of nothing more", func(t *testing.T) {
		for by, change := range map[string]func(*office){
			"an administrator": func(o *office) {
				event := o.event(shared.EventEmailChanged, here)
				event.Event.By = store.NewUserID()
				o.changes(func(user *store.User) { user.Email, user.EmailVerified = "ann.miller@acme.example", false }, event)
			},
			"IT": func(o *office) { o.changesAddress("ann.miller@acme.example", store.Client{}) },
		} {
			t.Run(by, func(t *testing.T) {
				onEveryStore(t, func(o *office) {
					change(o)
					o.arrives(former)
					o.apply(o.event(shared.EventPasskeyAdded, here))
					o.arrives()
				})
			})
		}
	})

	t.Run("nothing is queued without an address, about others, or for an event that stands for several", func(t *testing.T) {
		onEveryStore(t, func(o *office) {
			bob := store.User{ID: store.NewUserID(), Name: "bob"}
			o.apply(store.PutUser{User: bob})
			o.apply(store.AddEvent{Event: store.NewEvent(o.now(), bob.ID, shared.EventPasskeyAdded, here)})
			about := o.event(shared.EventDisabled, here)
			about.Event.About = bob.ID
			o.apply(about)
			several := o.event(shared.EventPasskeyAdded, here)
			several.Event.Count = 51
			o.apply(several)
			o.apply(o.event(shared.EventSignInFailed, elsewhere))
			o.sends(0)
			if got := o.waiting(); len(got) > 0 {
				o.Errorf("the queue has %+v", got)
			}
		})
	})
}
