package server_test

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// verifies gives a user a verified address.
func (s *scene) verifies(v *visitor, address string) {
	s.Helper()
	s.changes(v, func(user *store.User) { user.Email, user.EmailVerified = address, true })
}

// changes changes a user's record past the rules.
func (s *site) changes(v *visitor, change func(*store.User)) {
	s.Helper()
	user, err := s.store.UserByName(s.Context(), v.name)
	if err != nil {
		s.Fatal(err)
	}
	change(&user)
	if err := s.store.Apply(s.Context(), store.Batch{store.PutUser{User: user}}); err != nil {
		s.Fatal(err)
	}
}

// notMe is the token in a notice to a user.
func (s *scene) notMe(v *visitor, mail string) string {
	s.Helper()
	user := s.record(v)
	token, _, err := s.accounts.HoldToken(s.Context(), user.ID, user.Email, mail)
	if err != nil {
		s.Fatal(err)
	}
	s.secret("token of a notice", token)
	return token
}

// holds lets whoever reads the mails of a user hold their account, in a new browser.
func (s *scene) holds(v *visitor, mail string) *visitor {
	s.Helper()
	reader := s.visitor()
	reader.name, reader.device = v.name, v.device
	s.succeeds(reader.follows(shared.PageNotMe, s.notMe(v, mail)), http.StatusSeeOther)
	return reader
}

func (v *visitor) releases() answer { return v.sends("DELETE", shared.PathHold, nil) }

func TestHold(t *testing.T) {
	const heldSince = "because somebody chose “This wasn't me” in a mail"
	begins := func(s *scene) {
		s.mailsOn()
		s.verifies(s.ann, "ann@example.com")
		s.promotes(s.bob)
	}
	t.Run("the button of the page holds the account, and opening the page doesn't", func(t *testing.T) {
		onEveryStoreScene(t, func(s *scene) {
			begins(s)
			token, reader := s.notMe(s.ann, "one"), s.visitor()
			s.changesOnly(nil, func() {
				if page := reader.opens(shared.PageNotMe, token); page.status != 200 || !strings.Contains(string(page.body), "“ann”") || !strings.Contains(string(page.body), shared.PageActivity) {
					s.Errorf("got %s", page)
				}
			})
			made := s.made(s.beginsAdding(s.ann)) // by somebody who is in the account already
			phone := s.addsPhone(s.ann)
			recovery := s.watches(into[shared.EnrolmentLink](s.bob, s.bob.sends("POST", shared.PathUser+s.record(s.ann).ID+shared.PathRecoveryLink, nil), 200))
			pressed := s.succeeds(reader.presses(shared.PageNotMe), http.StatusSeeOther)
			if done := s.succeeds(reader.sends("GET", pressed.header.Get("Location"), nil), 200); !strings.Contains(string(done.body), "New ways to sign in are stopped") {
				s.Errorf("got %s", done)
			}
			reader.isNobody()
			s.isDead(phone)
			s.isDead(recovery)
			if until := s.record(s.ann).HeldUntil; !until.Equal(s.now().Add(7*24*time.Hour).Truncate(time.Microsecond)) || s.events(s.ann)[shared.EventHeld] != 1 {
				s.Errorf("it is held until %v", until)
			}
			if account := into[shared.Account](s.ann, s.ann.sends("GET", shared.PathAccount, nil), 200); account.HeldUntil.IsZero() {
				s.Errorf("the account is %+v", account)
			}
			if got := s.queued(); !slices.Contains(got, "held") {
				s.Errorf("the queue has %q", got)
			}

			if held := s.refusesAs(403, shared.CodeHeld, "", s.ann.finishes(shared.PathRegisterFinish, made)); !strings.Contains(string(held.body), heldSince) {
				s.Errorf("got %s", held)
			}
			for path, body := range map[string]any{
				shared.PathRegisterBegin: nil, shared.PathRecoveryCodes: nil, shared.PathPhoneLink: nil,
				shared.PathPassword: shared.ChangePassword{Password: "another battery staple"},
			} {
				s.refusesAs(403, shared.CodeHeld, "", s.ann.finishes(path, body))
			}
			ofAnn := shared.PathUser + s.record(s.ann).ID
			if held := s.refusesAs(403, shared.CodeHeld, "", s.bob.finishes(ofAnn+shared.PathRecoveryLink, nil)); !strings.Contains(string(held.body), "An administrator has to allow it again first.") {
				s.Errorf("got %s", held)
			}
			for what, do := range map[string]error{
				"a password": s.accounts.SetPassword(t.Context(), it(t, s.accounts, "ann"), "another battery staple"),
				"a link":     second(s.accounts.NewRecoveryLink(t.Context(), it(t, s.accounts, "ann"))),
			} {
				if shared.CodeOf(do) != shared.CodeHeld {
					s.Errorf("IT makes %s: %v", what, do)
				}
			}
			// Everybody gets in as before, and can take away.
			s.succeeds(s.signsIn(s.ann), 200)
			s.ann.signsInWithPassword()
			s.succeeds(s.ann.sends("DELETE", shared.PathPasskey+s.ann.lists().Passkeys[0].ID, nil), 200)
			s.succeeds(s.ann.sends("POST", shared.PathEndOthers, nil), 200)

			s.passes(7 * 24 * time.Hour)
			s.ann.signsInWithPassword()
			s.succeeds(s.adds(s.ann), 201)
			if account := into[shared.Account](s.ann, s.ann.sends("GET", shared.PathAccount, nil), 200); !account.HeldUntil.IsZero() {
				s.Errorf("the account is %+v", account)
			}
		})
	})
	t.Run("its user ends it with a confirmation, in a browser that shows that they read the mail", func(t *testing.T) {
		onEveryStoreScene(t, func(s *scene) {
			begins(s)
			reader := s.holds(s.ann, "one")
			thief := s.elsewhere(s.ann) // who knows the password
			s.refusesAs(403, shared.CodeHeld, "the token", thief.releases)
			s.refusesForm(404, "This link was used already", func() answer { return thief.opens(shared.PageRelease, s.notMe(s.ann, "two")) })
			reader.refused(reader.releases(), 401, shared.CodeUnauthenticated)
			reader.signsInWithPassword()
			s.passes(10 * time.Minute)
			s.refusesAs(403, shared.CodeConfirmRequired, "", reader.releases)
			reader.signsInWithPassword()
			s.succeeds(reader.releases(), http.StatusNoContent)
			if s.events(s.ann)[shared.EventReleased] != 1 {
				s.Error("there is no event")
			}
			s.succeeds(s.adds(reader), 201)

			again := s.holds(s.ann, "three")
			s.refusesAs(403, shared.CodeHeld, "", reader.releases)
			again.signsInWithPassword()
			s.succeeds(again.releases(), http.StatusNoContent)
			s.succeeds(again.releases(), http.StatusNoContent) // nothing is left to do
		})
	})
	t.Run("or by the link of the mail about it", func(t *testing.T) {
		onEveryStoreScene(t, func(s *scene) {
			begins(s)
			s.holds(s.ann, "one")
			user := s.record(s.ann)
			token, _, err := s.accounts.ReleaseToken(t.Context(), user.ID, user.Email, "two")
			if err != nil {
				s.Fatal(err)
			}
			s.secret("token of a mail", token)
			opened := s.ann.sends("GET", shared.PageRelease+"?token="+url.QueryEscape(token), nil)
			if opened.status != http.StatusSeeOther || opened.header.Get("Location") != shared.PageHome {
				s.Errorf("got %s", opened)
			}
			s.succeeds(s.ann.releases(), http.StatusNoContent)
			s.holds(s.ann, "three")
			s.refusesForm(404, "This link was used already", func() answer { return s.ann.opens(shared.PageRelease, token) })
			s.verifies(s.bob, "bob@example.com")
			his, _, err := s.accounts.ReleaseToken(t.Context(), s.record(s.bob).ID, "bob@example.com", "four")
			if err != nil {
				s.Fatal(err)
			}
			s.secret("token of a mail", his)
			s.ann.sends("GET", shared.PageRelease+"?token="+url.QueryEscape(his), nil)
			s.refusesAs(403, shared.CodeHeld, "another user's", s.ann.releases)
		})
	})
	t.Run("another administrator, or IT, ends it", func(t *testing.T) {
		onEveryStoreScene(t, func(s *scene) {
			begins(s)
			s.promotes(s.ann)
			s.holds(s.ann, "one")
			hold := func(v *visitor) answer {
				return v.sends("DELETE", shared.PathUser+s.record(s.ann).ID+shared.PathHoldOf, nil)
			}
			s.refusesAs(409, shared.CodeConflict, "", func() answer { return hold(s.ann) })
			details := into[shared.MemberDetails](s.bob, hold(s.bob), 200)
			if !details.HeldUntil.IsZero() || s.events(s.ann)[shared.EventReleased] != 1 || s.events(s.bob)[shared.EventReleased] != 1 {
				s.Errorf("got %+v", details)
			}
			s.holds(s.ann, "two")
			if err := s.accounts.ReleaseFor(t.Context(), it(t, s.accounts, "ann")); err != nil {
				s.Fatal(err)
			}
			// So somebody without a way in gets one in two steps.
			if _, err := s.accounts.NewRecoveryLink(t.Context(), it(t, s.accounts, "ann")); err != nil {
				s.Error(err)
			}
		})
	})
	t.Run("a held user who has lost everything", func(t *testing.T) {
		onEveryStoreScene(t, func(s *scene) {
			begins(s)
			codes := s.makesCodes(s.ann)
			s.holds(s.ann, "one")
			v := s.visitor()
			s.succeeds(v.recovers("ann", codes[0]), 200) // codes that they had get them in
		})
	})
}

// TestPasswordOfHeldUser: where a user may end a hold, they change a password that an intruder may know,
// and the hold goes on.
func TestPasswordOfHeldUser(t *testing.T) {
	onEveryStoreScene(t, func(s *scene) {
		s.mailsOn()
		s.verifies(s.ann, "ann@example.com")
		reader, other := s.holds(s.ann, "one"), shared.ChangePassword{Password: "another battery staple"}
		reader.signsInWithPassword()
		may := func(v *visitor) bool {
			return into[shared.Account](v, v.sends("GET", shared.PathAccount, nil), 200).MayRelease
		}
		thief := s.elsewhere(s.ann) // who knows the password
		if may(thief) || !may(reader) {
			s.Errorf("the thief may: %v, who reads the mails may: %v", may(thief), may(reader))
		}
		s.refusesAs(403, shared.CodeHeld, "", func() answer { return thief.sends("POST", shared.PathPassword, other) })
		s.succeeds(reader.sends("POST", shared.PathPassword, other), http.StatusNoContent)
		thief.refused(thief.sends("GET", shared.PathAccount, nil), 401, shared.CodeUnauthenticated)
		if !may(reader) || s.record(s.ann).HeldUntil.IsZero() {
			s.Error("it was ended")
		}
		s.refusesAs(403, shared.CodeHeld, "", func() answer { return reader.sends("POST", shared.PathRecoveryCodes, nil) })

		s.changes(s.ann, func(user *store.User) { user.Password = "" })
		s.refusesAs(403, shared.CodeHeld, "", func() answer { return reader.sends("POST", shared.PathPassword, other) }) // it would be a new way
		s.succeeds(reader.releases(), http.StatusNoContent)
		if may(reader) {
			s.Error("there is nothing left to end")
		}
	})
}

func second[T any](_ T, err error) error { return err }

// TestHeldEverywhere sends every request of the API while all accounts are held. None of them gives
// anybody a way to sign in.
func TestHeldEverywhere(t *testing.T) {
	for _, r := range rows {
		for as, of := range map[string]whose{"uma": self, "root": member} {
			c := newCast(t)
			for _, v := range c.people {
				if v != nil && v.name != "" {
					c.changes(v, func(user *store.User) { user.HeldUntil = c.now().Add(time.Hour) })
				}
			}
			before := c.methods()
			a, _ := c.sendsRow(r, as, of)
			if r.pattern == "PATCH "+ofUser || strings.HasPrefix(r.pattern, "POST "+shared.PathUsers) || strings.HasPrefix(r.pattern, "POST "+shared.PathImport) {
				continue // who is new isn't held
			}
			for name, after := range c.methods() {
				for _, has := range after {
					if !slices.Contains(before[name], has) {
						t.Errorf("%s %s by %s gives %s %s: %s", r.pattern, r.body, as, name, has, a)
					}
				}
			}
		}
	}
}

// methods are the ways to sign in of everybody, and the links to one.
func (c *cast) methods() map[string][]string {
	c.Helper()
	all := map[string][]string{}
	for name, v := range c.people {
		if v == nil || v.name == "" {
			continue
		}
		user, err := c.store.UserByName(c.Context(), name)
		if errors.Is(err, store.ErrNotFound) {
			continue // removed
		}
		if err != nil {
			c.Fatal(err)
		}
		var has []string
		if user.Password != "" {
			has = append(has, "password "+user.Password)
		}
		for _, p := range user.Passkeys {
			has = append(has, "passkey "+p.ID)
		}
		for _, i := range user.Identities {
			has = append(has, "identity "+i.ID)
		}
		for _, code := range user.RecoveryCodes {
			has = append(has, "code "+code.String())
		}
		items, err := c.store.Items(c.Context(), user.ID, "enrolment-link", "", 10)
		if err != nil {
			c.Fatal(err)
		}
		for _, item := range items {
			has = append(has, "link "+string(item.Value))
		}
		all[name] = has
	}
	return all
}

// holdClaims are about the links of notices.
var holdClaims = []claim{
	{"a link of a notice holds an account once, while its reader gets mails, and does nothing else", func(s *scene) {
		s.mailsOn()
		s.changes(s.ann, func(user *store.User) { user.Email = "ann@example.com" })
		verifying := s.toVerify(s.ann, "two")
		s.verifies(s.ann, "ann@example.com")
		gone := func(page, token string) {
			s.Helper()
			s.refusesForm(404, "This link was used already, or is too old.", func() answer { return s.visitor().follows(page, token) })
		}
		token := s.notMe(s.ann, "one")
		for _, hostile := range hostileTokens(token) {
			gone(shared.PageNotMe, hostile)
			gone(shared.PageRelease, hostile)
		}
		gone(shared.PageVerify, token)
		gone(shared.PageRelease, token)
		gone(shared.PageEnrol, "notme."+s.record(s.ann).ID+"."+token)
		gone(shared.PageNotMe, verifying)
		s.refusesForm(404, "This link was used already", func() answer { return s.visitor().presses(shared.PageNotMe) })

		s.changes(s.ann, func(user *store.User) { user.Email = "anna@example.com" }) // an administrator mends it
		gone(shared.PageNotMe, token)
		s.changes(s.ann, func(user *store.User) { user.Email, user.EmailVerified = "ann@example.com", false })
		gone(shared.PageNotMe, token)
		s.changes(s.ann, func(user *store.User) { user.EmailVerified = true })

		first, second := s.visitor(), s.visitor()
		for _, v := range []*visitor{first, second} {
			s.changesOnly(nil, func() { s.succeeds(v.opens(shared.PageNotMe, token), 200) })
		}
		a, b := both(func() answer { return first.presses(shared.PageNotMe) }, func() answer { return second.presses(shared.PageNotMe) })
		s.oneOf(a, b, 303, 404)
		gone(shared.PageNotMe, token)
		gone(shared.PageNotMe, s.notMe(s.ann, "one")) // a copy of the same mail

		old := s.notMe(s.ann, "three")
		s.passes(7 * 24 * time.Hour)
		gone(shared.PageNotMe, old)
	}},
}
