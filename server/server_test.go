package server_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/passkey/passkeytest"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// members are the names in a JSON object, with those of objects in it.
func members(t *testing.T, body []byte) []string {
	t.Helper()
	var object map[string]json.RawMessage
	if err := json.Unmarshal(body, &object); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	var names []string
	for name, value := range object {
		names = append(names, name)
		if value[0] == '{' && name != "publicKey" {
			for _, inner := range members(t, value) {
				names = append(names, name+"."+inner)
			}
		}
	}
	slices.Sort(names)
	return names
}

func TestWire(t *testing.T) {
	onEveryStore(t, func(s *site) {
		ann := s.user("ann")
		shape := func(what string, a answer, status int, want ...string) {
			s.Helper()
			slices.Sort(want)
			if got := members(s.T, a.body); a.status != status || !reflect.DeepEqual(got, want) {
				s.Errorf("%s: %s with members %q, want %d with %q", what, a, got, status, want)
			}
			if kind := a.header.Get("Content-Type"); kind != "application/json" {
				s.Errorf("%s: type %q", what, kind)
			}
			if cache := a.header.Get("Cache-Control"); cache != "no-store" {
				s.Errorf("%s: Cache-Control %q", what, cache)
			}
		}
		row := []string{"id", "credentialId", "name", "created", "kind", "synced"}

		shape("account", ann.sends("GET", shared.PathAccount, nil), 200,
			"user", "user.id", "user.name", "user.displayName", "product", "contact", "passkeysOn", "phoneLinks", "rpId", "hasPassword", "passwordSet", "passwordsOn", "passwordOnly", "passkeys", "recoveryCodes", "signedInWith", "signedInAt")
		shape("an empty list", ann.sends("GET", shared.PathPasskeys, nil), 200, "passkeys", "hasPassword", "rpId", "userHandle", "endsSessions")
		shape("begin registration", ann.sends("POST", shared.PathRegisterBegin, nil), 200, "ticket", "publicKey")
		added := ann.finishesRegistration("Laptop")
		details := []string{"signals", "signals.currentUserDetails", "signals.currentUserDetails.rpId", "signals.currentUserDetails.userId",
			"signals.currentUserDetails.name", "signals.currentUserDetails.displayName"}
		shape("finish registration", added, 201, append(details, row...)...)
		id := into[shared.Passkey](ann, added, 201).ID
		shape("rename", ann.sends("PATCH", shared.PathPasskey+id, `{"name":"Phone","unknown":1}`), 200, row...)
		shape("sessions", ann.sends("GET", shared.PathSessions, nil), 200, "sessions")
		shape("end others", ann.sends("POST", shared.PathEndOthers, nil), 200, "sessions")
		shape("activity", ann.sends("GET", shared.PathActivity, nil), 200, "events")
		ann.refused(ann.sends("GET", shared.PathActivity+"?before=x", nil), 400, shared.CodeInvalidRequest)
		ann.refused(ann.sends("DELETE", shared.PathSession+"x", nil), 404, shared.CodeNotFound)
		ann.refused(ann.sends("POST", shared.PathPassword, `{"password":"short"}`), 422, shared.CodeInvalidPassword)
		if a := ann.sends("POST", shared.PathPassword, shared.ChangePassword{Password: password}); a.status != 204 {
			s.Errorf("change password: %s", a)
		}
		shape("begin confirmation", ann.sends("POST", shared.PathConfirmBegin, nil), 200, "ticket", "publicKey")
		confirmation := into[shared.Ceremony](ann, ann.sends("POST", shared.PathConfirmBegin, nil), 200)
		shape("finish confirmation", ann.sends("POST", shared.PathConfirmFinish, ann.proves(confirmation)), 200, "until")
		shape("confirm with a password", ann.sends("POST", shared.PathConfirmPassword, shared.PasswordConfirmation{Password: password}), 200, "until")
		shape("begin a silent registration", ann.sends("POST", shared.PathRegisterBegin, `{"mediation":"conditional"}`), 200, "ticket", "publicKey", "mediation")
		ann.refused(ann.sends("POST", shared.PathRegisterBegin, `{"mediation":"silent"}`), 400, shared.CodeInvalidRequest)
		shape("begin sign-in", ann.sends("POST", shared.PathSignInBegin, `{}`), 200, "ticket", "publicKey")
		shape("begin sign-in without a body", ann.sends("POST", shared.PathSignInBegin, nil), 200, "ticket", "publicKey")
		shape("begin sign-in by autofill", ann.sends("POST", shared.PathSignInBegin, `{"mediation":"conditional"}`), 200, "ticket", "publicKey", "mediation")
		shape("finish sign-in", ann.signsInWithPasskey(), 200, "user", "user.id", "user.name", "user.displayName")
		if rows := ann.lists().Passkeys; len(rows) != 1 || !rows[0].Current || rows[0].LastUsed == nil || rows[0].Name != "Phone" {
			s.Errorf("rows %+v", rows)
		}
		user, _ := s.store.UserByName(s.Context(), "ann")
		user.Role = shared.RoleAdministrator
		if err := s.store.Apply(s.Context(), store.Batch{store.PutUser{User: user}}); err != nil {
			s.Fatal(err)
		}
		link := []string{"url", "qr", "qr.size", "qr.path", "expires"}
		shape("phone link", ann.sends("POST", shared.PathPhoneLink, nil), 200, link...)
		counts := []string{"users", "counts"}
		for _, kind := range strings.Fields("all withPasskey withoutPasskey passwordOnly oneDevice invited disabled administrators helpers auditors") {
			counts = append(counts, "counts."+kind)
		}
		shape("users", ann.sends("GET", shared.PathUsers, nil), 200, counts...)
		invited := ann.sends("POST", shared.PathUsers, `{"name":"carl"}`)
		within := []string{"user", "user.id", "user.name", "user.displayName", "user.hasPassword", "user.passkeys", "user.identities", "user.invited", "user.invitedAt", "user.created", "user.linkUntil", "link"}
		for _, member := range link {
			within = append(within, "link."+member)
		}
		shape("invite", invited, 201, within...)
		carl := shared.PathUser + into[shared.Invited](ann, invited, 201).User.ID
		shape("invite again", ann.sends("POST", carl+shared.PathInvitation, nil), 200, link...)
		shape("recovery link", ann.sends("POST", carl+shared.PathRecoveryLink, nil), 200, link...)
		shape("disable", ann.sends("PATCH", carl, `{"disabled":true}`), 200,
			"id", "name", "displayName", "disabled", "hasPassword", "passkeys", "identities", "invited", "invitedAt", "created")
		shape("remove", ann.sends("DELETE", shared.PathPasskey+id, nil), 200, append(details, "passkeys", "hasPassword", "rpId", "userHandle", "endsSessions",
			"signals.unknownCredential", "signals.unknownCredential.rpId", "signals.unknownCredential.credentialId")...)
		if out := ann.sends("POST", shared.PathSignOut, nil); out.status != 204 || len(out.body) != 0 {
			s.Errorf("sign-out: %s", out)
		}
		ann.refused(ann.sends("GET", shared.PathAccount, nil), 401, shared.CodeUnauthenticated)
		shape("sign-in with a password", ann.sends("POST", shared.PathSignInPassword, shared.PasswordSignIn{Name: "ann", Password: password}), 200,
			"user", "user.id", "user.name", "user.displayName", "user.role")
	})
}

func TestMaxPasskeys(t *testing.T) {
	onEveryStore(t, func(s *site) {
		s.restarts(func(c *server.Config) { c.MaxPasskeys = 2 })
		ann := s.user("ann")
		for _, name := range []string{"one", "two"} {
			ann.device = passkeytest.New(origin)
			ann.registers(name)
		}
		ann.refused(ann.sends("POST", shared.PathRegisterBegin, nil), 409, shared.CodeTooManyPasskeys)

		// Who has more than a new limit keeps them, and signs in with them.
		s.restarts(func(c *server.Config) { c.MaxPasskeys = 1 })
		if n := len(ann.lists().Passkeys); n != 2 {
			s.Errorf("%d passkeys are left", n)
		}
		into[shared.SignedIn](ann, ann.signsInWithPasskey(), 200)

		// Who can't remove the only passkey exchanges it.
		bob := s.user("bob")
		bob.registers("one")
		bob.refused(bob.sends("POST", shared.PathRegisterBegin, nil), 409, shared.CodeTooManyPasskeys)
		if err := s.accounts.RemovePassword(s.Context(), it(s, s.accounts, "bob")); err != nil {
			s.Fatal(err)
		}
		into[shared.SignedIn](bob, bob.signsInWithPasskey(), 200)
		old := bob.lists().Passkeys[0].ID
		bob.device = passkeytest.New(origin)
		bob.registers("two")
		bob.refused(bob.sends("POST", shared.PathRegisterBegin, nil), 409, shared.CodeTooManyPasskeys)
		if a := bob.sends("DELETE", shared.PathPasskey+old, nil); a.status != 200 {
			s.Errorf("the old one stays: %s", a)
		}
	})
}

// TestPasskeysOff checks that with passkeys off their paths say so, and passwords work.
func TestPasskeysOff(t *testing.T) {
	off := newSite(t, stores["memstore"], nil)
	off.changesRules(func(c *account.Config) { c.Policy.PasskeysOff = true })
	bob := off.user("bob")
	bob.refused(bob.sends("GET", shared.PathPasskeys, nil), 403, shared.CodePasskeysOff)
	bob.refused(bob.sends("POST", shared.PathSignInBegin, `{}`), 403, shared.CodePasskeysOff)
	if a := off.visitor().sends("GET", "/sign-in", nil); strings.Contains(string(a.body), "use-passkey") || strings.Contains(string(a.body), "webauthn") {
		t.Errorf("the sign-in page offers one: %s", a)
	}
}
