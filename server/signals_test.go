package server_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/passkey/passkeytest"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// hasTombstone checks what is kept of a passkey that was removed.
func (s *site) hasTombstone(credentialID []byte) {
	s.Helper()
	has, err := store.HasTombstone(s.Context(), s.store, credentialID)
	if err != nil || !has {
		s.Errorf("there is no tombstone of %x (%v)", credentialID, err)
	}
}

// saysUnknown checks whether a refusal lets the password manager forget the passkey.
func (s *site) saysUnknown(want bool, a answer) {
	s.Helper()
	var problem shared.Problem
	if err := json.Unmarshal(a.body, &problem); err != nil || problem.UnknownCredential != want {
		s.Errorf("want unknownCredential to be %t: %s", want, a)
	}
}

// TestSignals checks when a page may signal to a password manager what it can't take back.
func TestSignals(t *testing.T) {
	onEveryStore(t, func(s *site) {
		ann := s.user("ann")
		details := &shared.CurrentUserDetails{RPID: "localhost", Name: "ann", DisplayName: "ANN"}
		adds := func(name string) (shared.Passkey, *passkeytest.Device) {
			t.Helper()
			ann.device = passkeytest.New(origin)
			return ann.registers(name), ann.device
		}
		removes := func(p shared.Passkey) shared.PasskeyList {
			t.Helper()
			return into[shared.PasskeyList](ann, ann.sends("DELETE", shared.PathPasskey+p.ID, nil), 200)
		}
		maySignal := func(what string, got, want *shared.Signals) {
			t.Helper()
			if !reflect.DeepEqual(got, want) {
				encoded, _ := json.Marshal(got)
				t.Errorf("%s: may signal %s, want %+v", what, encoded, want)
			}
		}
		tries := func(device *passkeytest.Device) answer {
			t.Helper()
			v := s.visitor()
			v.device = device
			return v.signsInWithPasskey()
		}

		kept, keeps := adds("kept")
		details.UserID, details.RPID = ann.lists().UserHandle, ann.lists().RPID
		maySignal("after one was added", kept.Signals, &shared.Signals{CurrentUserDetails: details})
		gone, goes := adds("gone")
		if list := ann.sends("GET", shared.PathPasskeys, nil); strings.Contains(string(list.body), "signals") {
			t.Errorf("a list that is only shown: %s", list)
		}
		maySignal("after one was removed", removes(gone).Signals, &shared.Signals{
			UnknownCredential: &shared.UnknownCredential{RPID: details.RPID, CredentialID: gone.CredentialID}, CurrentUserDetails: details,
		})
		s.hasTombstone(goes.Credentials()[0].ID)
		a := tries(goes)
		ann.refused(a, 400, shared.CodePasskeyRemoved)
		s.saysUnknown(true, a)

		// A passkey of another server with this relying party id, or one that is newer than a
		// database which was set back.
		elsewhere := s.visitor()
		elsewhere.device = passkeytest.New(origin)
		begun := into[shared.Ceremony](ann, ann.sends("POST", shared.PathRegisterBegin, nil), 200)
		if _, err := elsewhere.device.Create(begun.PublicKey); err != nil {
			t.Fatal(err)
		}
		a = elsewhere.signsInWithPasskey()
		ann.refused(a, 400, shared.CodeCeremonyRefused)
		s.saysUnknown(false, a)

		// Nor does a signature that fails say anything of the passkey.
		wrong := s.visitor()
		wrong.device = keeps
		begun = into[shared.Ceremony](wrong, wrong.sends("POST", shared.PathSignInBegin, nil), 200)
		proof, err := keeps.Get(begun.PublicKey, passkeytest.WithSignature([]byte("wrong")))
		if err != nil {
			t.Fatal(err)
		}
		s.saysUnknown(false, wrong.sends("POST", shared.PathSignInFinish, shared.FinishCeremony{Ticket: begun.Ticket, Credential: proof}))

		// While signals are held back the proofs gather, and nothing is signalled.
		if err := store.AllowSignals(t.Context(), s.store, false); err != nil {
			t.Fatal(err)
		}
		later, lateDevice := adds("added while held")
		maySignal("while held, after one was added", later.Signals, nil)
		maySignal("while held, after one was removed", removes(later).Signals, nil)
		for _, device := range []*passkeytest.Device{goes, lateDevice} {
			a = tries(device)
			ann.refused(a, 400, shared.CodePasskeyRemoved)
			s.saysUnknown(false, a)
		}
		logged := len(s.log.String())
		s.restarts(func(*server.Config) {})
		if lines := s.log.String()[logged:]; !strings.Contains(lines, "level=WARN") || !strings.Contains(lines, "keypeg signals on") {
			t.Errorf("the log has no warning at the start: %s", lines)
		}
		if err := store.AllowSignals(t.Context(), s.store, true); err != nil {
			t.Fatal(err)
		}
		s.saysUnknown(true, tries(lateDevice))

		// What is kept are hashes.
		for key, value := range s.everything() {
			if strings.HasPrefix(key, "link") && (strings.Contains(value, "ann") || strings.Contains(value, gone.CredentialID)) {
				t.Errorf("%s tells of somebody: %s", key, value)
			}
		}
		into[shared.SignedIn](ann, tries(keeps), 200)
	})
}

// TestSignalsAtConfirmation removes a passkey while its user confirms with it.
func TestSignalsAtConfirmation(t *testing.T) {
	onEveryStore(t, func(s *site) {
		ann, elsewhere := s.user("ann"), s.visitor()
		added := ann.registers("Laptop")
		elsewhere.name = "ann"
		elsewhere.signsInWithPassword()
		elsewhere.device = ann.device
		begun := into[shared.Ceremony](elsewhere, elsewhere.sends("POST", shared.PathConfirmBegin, nil), 200)
		into[shared.PasskeyList](ann, ann.sends("DELETE", shared.PathPasskey+added.ID, nil), 200)
		a := elsewhere.sends("POST", shared.PathConfirmFinish, elsewhere.proves(begun))
		ann.refused(a, 400, shared.CodePasskeyRemoved)
		s.saysUnknown(true, a)
	})
}

// TestTombstoneOfARace adds a passkey for a user who is removed at that moment.
func TestTombstoneOfARace(t *testing.T) {
	onEveryStoreOfAHost(t, func(s *site, host *crib) {
		late := &interrupted{Store: s.config.Store}
		s.restarts(func(c *server.Config) { c.Store = late })
		laptop, phone := s.hostUser(host, "1"), s.hostUser(host, "1")
		laptop.registers("Laptop")
		late.first = func() error {
			phone.registers("Phone")
			return nil
		}
		if err := s.handler.RemovePasskeys(t.Context(), "1"); err != nil {
			t.Fatal(err)
		}
		for _, v := range []*visitor{laptop, phone} {
			s.hasTombstone(v.device.Credentials()[0].ID)
		}
		if n := s.count(store.KindUser); n != 0 {
			t.Errorf("%d users are left", n)
		}
	})
}
