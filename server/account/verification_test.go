package account_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// TestProviderVerifies checks whose word verifies an e-mail address: that of a provider which knows
// who reads it.
func TestProviderVerifies(t *testing.T) {
	const google, own, everybodys = "https://accounts.google.com", "https://login.example.com", "https://gitlab.com"
	for what, row := range map[string]struct {
		issuer, says string
		unverified   bool
		hd           []string
		verifies     bool
	}{
		"the organisation's own provider":       {issuer: own, says: "ann@example.com", verifies: true},
		"in other letters":                      {issuer: own, says: "Ann@EXAMPLE.com", verifies: true},
		"of another address":                    {issuer: own, says: "bob@example.com"},
		"that doesn't know":                     {issuer: own, says: "ann@example.com", unverified: true},
		"that says nothing":                     {issuer: own},
		"at which anybody may have an account":  {issuer: everybodys, says: "ann@example.com"},
		"Google, of an organisation's account":  {issuer: google, says: "ann@example.com", hd: []string{"example.com"}, verifies: true},
		"Google, of somebody's private account": {issuer: google, says: "ann@example.com"},
	} {
		t.Run(what, func(t *testing.T) {
			for way, use := range map[string]func(*world, store.User, account.Claims) error{
				"signing in": func(w *world, user store.User, c account.Claims) error {
					if err := w.LinkIdentity(t.Context(), w.Actor(user), again(c.Provider, "1")); err != nil {
						return err
					}
					_, err := w.SignInWithIdentity(t.Context(), session.Actor{}, c)
					return err
				},
				"linking": func(w *world, user store.User, c account.Claims) error {
					return w.LinkIdentity(t.Context(), w.Actor(user), c)
				},
			} {
				t.Run(way, func(t *testing.T) {
					w := newWorld(t)
					user, address := w.add("ann"), "ann@example.com"
					if err := w.ChangeProfile(t.Context(), w.Actor(user), shared.ChangeProfile{Email: &address}); err != nil {
						t.Fatal(err)
					}
					user, _ = w.store.User(t.Context(), user.ID)
					says := claims(account.Provider{ID: "p", Name: "P", Issuer: row.issuer}, "1", row.says, map[string][]string{"hd": row.hd})
					says.EmailVerified = !row.unverified
					if err := use(w, user, says); err != nil {
						t.Fatal(err)
					}
					after, _ := w.store.User(t.Context(), user.ID)
					if after.EmailVerified != row.verifies || after.Email != address {
						t.Errorf("the address %s is verified: %v", after.Email, after.EmailVerified)
					}
				})
			}
		})
	}
	t.Run("not of an address that another user has", func(t *testing.T) {
		w := newWorld(t)
		p := account.Provider{ID: "p", Name: "P", Issuer: own, CreateUsers: true, Domains: []string{"example.com"}}
		bob, address := w.add("bob"), "ann@example.com"
		issued, err := w.SignInWithIdentity(t.Context(), session.Actor{}, claims(p, "1", address, nil))
		if err != nil || issued.User.Email != address || !issued.User.EmailVerified {
			t.Fatalf("a new user has %q, verified: %v (%v)", issued.User.Email, issued.User.EmailVerified, err)
		}
		var kinds []shared.EventKind
		events, err := w.store.Events(t.Context(), issued.User.ID, store.EventID{}, 9)
		w.wants(err, "")
		for _, e := range events {
			kinds = append(kinds, e.Kind)
		}
		want := []shared.EventKind{shared.EventSignedIn, shared.EventEmailVerified, shared.EventIdentityLinked, shared.EventAccountCreated}
		if !slices.Equal(kinds, want) {
			t.Errorf("the events are %v, newest first, want %v", kinds, want)
		}
		bob.Email = address // from before
		if err := w.store.Apply(t.Context(), store.Batch{store.PutUser{User: bob}}); err != nil {
			t.Fatal(err)
		}
		bob, _ = w.store.User(t.Context(), bob.ID)
		if err := w.LinkIdentity(t.Context(), w.Actor(bob), claims(p, "2", address, nil)); err != nil {
			t.Fatal(err)
		}
		if bob, _ = w.store.User(t.Context(), bob.ID); bob.EmailVerified || len(bob.Identities) != 1 {
			t.Errorf("got %+v", bob)
		}
	})
}

// TestManyMailsToOneAddress: many users write down the same address. It isn't flooded, and whose it is
// isn't kept from it.
func TestManyMailsToOneAddress(t *testing.T) {
	const address = "victim@example.com"
	w, mails := newPost(t)
	takes := func(name, address string) store.User {
		t.Helper()
		user, err := w.UserByName(t.Context(), name)
		w.wants(err, "")
		w.wants(w.ChangeProfile(t.Context(), w.Actor(user), shared.ChangeProfile{Email: &address}), "")
		user, err = w.UserByName(t.Context(), name)
		w.wants(err, "")
		return user
	}
	for i := range 4 {
		name := fmt.Sprint("mallory", i)
		w.add(name)
		w.signedIn(name)
		user := takes(name, address)
		for range 4 {
			w.wants(w.SendVerification(t.Context(), w.Actor(user)), "")
		}
	}
	if mails[address] != 20 {
		t.Fatalf("%d mails went to it", mails[address])
	}
	w.add("ann")
	w.signedIn("ann")
	ann := takes("ann", address)
	if ann.Email != address || mails[address] != 20 {
		t.Errorf("ann has %q, and %d mails went to it", ann.Email, mails[address])
	}
	w.wants(w.SendVerification(t.Context(), w.Actor(ann)), shared.CodeTooManyAttempts)
	w.passes(2*time.Minute + 30*time.Second)
	if err := w.SendVerification(t.Context(), w.Actor(ann)); err == nil || !strings.Contains(err.Error(), "Please try again in a minute.") {
		t.Errorf("half a minute too early: %v", err)
	}
	w.passes(30 * time.Second)
	w.wants(w.SendVerification(t.Context(), w.Actor(ann)), "")
	_, _, err := w.Invite(t.Context(), session.Actor{}, shared.Invite{Name: "bob", Email: address, Mail: true})
	if w.wants(err, ""); mails[address] != 22 {
		t.Errorf("%d mails went to it", mails[address])
	}
}

// TestVerificationToken: a mail that nobody needs any more isn't sent.
func TestVerificationToken(t *testing.T) {
	for what, change := range map[string]func(*store.User){
		"":                          func(*store.User) {},
		"the address is verified":   func(u *store.User) { u.EmailVerified = true },
		"the user is disabled":      func(u *store.User) { u.Disabled = true },
		"the user has another one":  func(u *store.User) { u.Email = "anna@example.com" },
		"the user has none":         func(u *store.User) { u.Email = "" },
		"the same in other letters": func(u *store.User) { u.Email = "Ann@Example.com" },
	} {
		w := newWorld(t)
		user := w.add("ann")
		user.Email = "ann@example.com"
		change(&user)
		w.wants(w.store.Apply(t.Context(), store.Batch{store.PutUser{User: user}}), "")
		_, _, err := w.VerificationToken(t.Context(), user.ID, "ann@example.com", "mail")
		if isNeeded := what == "" || what == "the same in other letters"; isNeeded != (err == nil) || err != nil && !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s: got %v", what, err)
		}
	}
	w := newWorld(t)
	if _, _, err := w.VerificationToken(t.Context(), store.NewUserID(), "ann@example.com", "mail"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the user was removed: got %v", err)
	}
}

// TestProvidersAddressIsReserved: where no mails are sent, an address that a provider gave is its user's
// alone, unless somebody had it before.
func TestProvidersAddressIsReserved(t *testing.T) {
	p := account.Provider{ID: "p", Name: "P", Issuer: "https://gitlab.com", CreateUsers: true, Domains: []string{"example.com"}}
	for what, row := range map[string]struct {
		mails, taken, reserved bool
	}{
		"without mails":            {reserved: true},
		"of another user":          {taken: true},
		"with mails, by its link":  {mails: true},
		"with mails, of another's": {mails: true, taken: true},
	} {
		t.Run(what, func(t *testing.T) {
			w := newWorld(t)
			if row.mails {
				w, _ = newPost(t)
			}
			address, bob := "ann@example.com", w.add("bob")
			gives := func() error {
				_, err := w.Change(t.Context(), w.it("bob"), shared.ChangeMember{Email: &address}, false)
				return err
			}
			if row.taken {
				w.wants(gives(), "")
			}
			says := claims(p, "1", address, nil)
			issued, err := w.SignInWithIdentity(t.Context(), session.Actor{}, says)
			if w.wants(err, ""); issued.User.Email != address || issued.User.EmailVerified || issued.User.EmailReserved != row.reserved {
				t.Errorf("the new user is %+v", issued.User)
			}
			if !row.taken && row.reserved {
				w.wants(gives(), shared.CodeEmailTaken)
			}
			if holder, err := w.store.UserByEmail(t.Context(), address); row.taken && (err != nil || holder.ID != bob.ID) {
				t.Errorf("it is %s's (%v)", holder.Name, err)
			}
		})
	}
}
