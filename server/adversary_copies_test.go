package server_test

import (
	"strings"

	"github.com/keypeg/keypeg/server/passkey/passkeytest"
	"github.com/keypeg/keypeg/shared"
)

// copyClaims are about the flags and the counter, which show that a passkey was copied.
var copyClaims = []claim{
	{"a backup of a passkey that can't be backed up is refused", func(s *scene) {
		s.everywhereFails("Backup", passkeytest.WithFlags(passkeytest.FlagBackedUp, passkeytest.FlagBackupEligible))
	}},
	{"a passkey may become one that can be backed up, and never the reverse", func(s *scene) {
		const be, bs = passkeytest.FlagBackupEligible, passkeytest.FlagBackedUp
		for i, begins := range []func(*visitor) shared.Ceremony{s.beginsSignIn, s.beginsConfirmation} {
			finish := []string{shared.PathSignInFinish, shared.PathConfirmFinish}[i]
			carol := s.user([]string{"carol", "dora"}[i])
			carol.registers("local at first")
			synced := passkeytest.WithFlags(be|bs, 0)
			s.succeeds(carol.finishes(finish, s.proof(carol.device, begins(carol), synced))(), 200)
			if flags := s.record(carol).Passkeys[0].Flags; flags&(be|bs) != be|bs {
				s.Errorf("flags %08b are stored", flags)
			}
			if n := s.events(carol)[shared.EventBackupChanged]; n != 1 || !carol.lists().Passkeys[0].Synced {
				s.Errorf("%d events, rows %+v", n, carol.lists().Passkeys)
			}

			for _, turn := range []string{"first", "again"} {
				proof := s.proof(carol.device, begins(carol))
				a := s.refusesAs(400, shared.CodePasskeyChanged, "Backup", carol.finishes(finish, proof))
				if !strings.Contains(string(a.body), "has changed this passkey") {
					s.Errorf("%s: it doesn't say what to do: %s", turn, a)
				}
			}
			s.succeeds(carol.finishes(finish, s.proof(carol.device, begins(carol), synced))(), 200)
			// Without the key, it is an answer like any other.
			s.refuses("", carol.finishes(finish, s.proof(carol.device, begins(carol), passkeytest.WithSignature([]byte("wrong")))))
		}
	}},
	{"a backup may end, and the activity has it", func(s *scene) {
		carol := s.user("carol")
		carol.device.BackupEligible, carol.device.BackedUp = true, true
		carol.registers("synced")
		carol.device.BackedUp = false
		s.succeeds(s.signsIn(carol), 200)
		if flags := s.record(carol).Passkeys[0].Flags; flags&passkeytest.FlagBackedUp != 0 || flags&passkeytest.FlagBackupEligible == 0 {
			s.Errorf("flags %08b are stored", flags)
		}
		if n := s.events(carol)[shared.EventBackupChanged]; n != 1 || carol.lists().Passkeys[0].Synced {
			s.Errorf("%d events, rows %+v", n, carol.lists().Passkeys)
		}
	}},
	{"a counter that falls is refused for a passkey of one device, and noted for a synced one", func(s *scene) {
		s.succeeds(s.signsIn(s.ann, passkeytest.WithSignCount(5)), 200)
		for i, count := range []uint32{5, 4, 0} {
			for path, begins := range map[string]func(*visitor) shared.Ceremony{shared.PathSignInFinish: s.beginsSignIn, shared.PathConfirmFinish: s.beginsConfirmation} {
				proof := s.proof(s.ann.device, begins(s.ann), passkeytest.WithSignCount(count))
				a := s.refusesAs(400, shared.CodePasskeyCopied, "counter", s.ann.finishes(path, proof), shared.EventCounterFell)
				if !strings.Contains(string(a.body), "may have been copied") || !strings.Contains(string(a.body), "remove it") {
					s.Errorf("it doesn't say what to do: %s", a)
				}
			}
			if n := s.events(s.ann)[shared.EventCounterFell]; n != 2*(i+1) {
				s.Errorf("count %d: %d events", count, n)
			}
		}
		s.succeeds(s.signsIn(s.ann, passkeytest.WithSignCount(6)), 200)

		carol := s.user("carol")
		carol.device.BackupEligible = true
		carol.registers("synced")
		s.succeeds(s.signsIn(carol, passkeytest.WithSignCount(50)), 200)
		for i, count := range []uint32{0, 50, 49} {
			s.succeeds(s.signsIn(carol, passkeytest.WithSignCount(count)), 200)
			confirmed := carol.finishes(shared.PathConfirmFinish, s.proof(carol.device, s.beginsConfirmation(carol), passkeytest.WithSignCount(count)))
			s.succeeds(confirmed(), 200)
			if kept := s.record(carol).Passkeys[0].SignCount; kept != 50 {
				s.Errorf("count %d: %d is kept", count, kept)
			}
			if n := s.events(carol)[shared.EventCounterDiffers]; n != 2*(i+1) {
				s.Errorf("count %d: %d events", count, n)
			}
		}
		s.succeeds(s.signsIn(carol, passkeytest.WithSignCount(51)), 200)
		if events, kept := s.events(carol), s.record(carol).Passkeys[0].SignCount; kept != 51 || events[shared.EventCounterFell] != 0 {
			s.Errorf("%d is kept, events %v", kept, events)
		}
	}},
	{"a counter that stays zero is accepted", func(s *scene) {
		for range 3 {
			s.succeeds(s.signsIn(s.ann), 200)
		}
		if n := s.events(s.ann)[shared.EventCounterFell]; n != 0 {
			s.Errorf("%d events", n)
		}
	}},
}
