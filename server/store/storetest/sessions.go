package storetest

import (
	"time"

	"github.com/keypeg/keypeg/server/store"
)

func sessions(b *suite) {
	full := func(f *fixture) store.Session {
		return store.Session{
			ID: SessionID(id1, "a"), UserID: id1, Method: store.MethodPasskey, PasskeyID: "p1",
			Client:  store.Client{Browser: "Chrome", System: "Linux", Address: "::1", Mark: "0123456789abcdef"},
			Created: f.now(), Seen: f.now(), Authenticated: f.now(), Expires: f.now().Add(time.Hour),
			Proof: store.Proof{Method: store.MethodPasskey, PasskeyID: "p2", UserVerified: true}, First: SessionID(id1, "z"),
		}
	}
	b.claim("a session comes back whole until it ends", func(f *fixture) {
		f.apply(store.AddSession{Session: full(f)})
		got, err := f.Session(f.Context(), SessionID(id1, "a"))
		f.fails("reading", err, nil)
		f.is("session", got, full(f))
		f.apply(store.EndSession{ID: got.ID})
		_, err = f.Session(f.Context(), got.ID)
		f.fails("after its end", err, store.ErrNotFound)
		f.apply(store.EndSession{ID: got.ID}) // ending it again is nothing
	})
	b.claim("a session comes with its user, or not at all", func(f *fixture) {
		session := full(f)
		f.apply(store.AddSession{Session: session})
		_, _, err := f.SessionUser(f.Context(), session.ID)
		f.fails("without a user", err, store.ErrNotFound)
		f.apply(store.PutUser{User: ann()})
		got, owner, err := f.SessionUser(f.Context(), session.ID)
		f.fails("reading", err, nil)
		f.is("session", got, session)
		f.is("user", owner, f.user(id1))
		_, _, err = f.SessionUser(f.Context(), SessionID(id1, "b"))
		f.fails("another id", err, store.ErrNotFound)
		f.passes(time.Hour)
		_, _, err = f.SessionUser(f.Context(), session.ID)
		f.fails("after its end", err, store.ErrNotFound)
	})
	b.claim("a session that has expired is not found", func(f *fixture) {
		s := full(f)
		f.apply(store.AddSession{Session: s})
		f.passes(time.Hour - time.Microsecond)
		_, err := f.Session(f.Context(), s.ID)
		f.fails("just before", err, nil)
		f.passes(time.Microsecond)
		_, err = f.Session(f.Context(), s.ID)
		f.fails("on time", err, store.ErrNotFound)
		f.refuses(store.ErrNotFound, store.ReplaceSession{Old: s.ID, Session: s})
		s.Expires = f.now().Add(time.Hour)
		f.apply(store.AddSession{Session: s}) // its place is free
	})
	b.claim("where there is room for some only, the least recently seen make it", func(f *fixture) {
		add := func(id string, userID string, most int) {
			f.passes(time.Second)
			s := full(f)
			s.ID, s.UserID = SessionID(userID, id), userID
			f.apply(store.AddSession{Session: s, Most: most})
		}
		left := func(userID string) (ids []string) {
			for _, id := range []string{"a", "b", "c", "d", "e", "f", "g", "hers"} {
				if _, err := f.Session(f.Context(), SessionID(userID, id)); err == nil {
					ids = append(ids, id)
				}
			}
			return ids
		}
		add("hers", id2, 3)
		add("a", id1, 0)
		add("b", id1, 3)
		add("c", id1, 3)
		f.is("with room", left(id1), []string{"a", "b", "c"})

		f.passes(time.Second)
		seen, err := f.Session(f.Context(), SessionID(id1, "a"))
		f.fails("reading", err, nil)
		seen.Seen = f.now()
		f.apply(store.ReplaceSession{Old: seen.ID, Session: seen})
		add("d", id1, 3)
		f.is("with one too many", left(id1), []string{"a", "c", "d"})
		add("e", id1, 0)
		f.is("without a bound", left(id1), []string{"a", "c", "d", "e"})
		add("f", id1, 3)
		f.is("with two too many", left(id1), []string{"d", "e", "f"})
		add("g", id1, 1)
		f.is("with room for one", left(id1), []string{"g"})
		f.is("of somebody else", left(id2), []string{"hers"})

		listed, err := f.Sessions(f.Context(), id1, store.Hash{}, 9)
		f.fails("listing", err, nil)
		f.is("listed", len(listed), 1)
	})
	b.claim("a session id is given once", func(f *fixture) {
		f.apply(store.AddSession{Session: full(f)})
		f.refuses(store.ErrSessionExists, store.AddSession{Session: full(f)})
	})
	b.claim("a replaced session has its new id only", func(f *fixture) {
		old := full(f)
		f.apply(store.AddSession{Session: old})
		fresh := old
		fresh.ID = SessionID(id1, "b")
		f.apply(store.ReplaceSession{Old: old.ID, Session: fresh})
		_, err := f.Session(f.Context(), old.ID)
		f.fails("the old id", err, store.ErrNotFound)
		got, err := f.Session(f.Context(), fresh.ID)
		f.fails("the new id", err, nil)
		f.is("the new session", got, fresh)
		listed, _ := f.Sessions(f.Context(), id1, store.Hash{}, 9)
		f.is("listed", listed, []store.Session{fresh})
	})
	b.claim("a session replaced by itself lives longer", func(f *fixture) {
		s := full(f)
		f.apply(store.AddSession{Session: s})
		s.Expires = s.Expires.Add(time.Hour)
		f.apply(store.ReplaceSession{Old: s.ID, Session: s})
		f.passes(90 * time.Minute)
		_, err := f.Session(f.Context(), s.ID)
		f.fails("after its first end", err, nil)
	})
	b.claim("a session that was ended can't be replaced back to life, nor another's place be taken", func(f *fixture) {
		s, other := full(f), full(f)
		other.ID = SessionID(id1, "other")
		f.refuses(store.ErrNotFound, store.ReplaceSession{Old: s.ID, Session: s})
		f.apply(store.AddSession{Session: s}, store.AddSession{Session: other})
		f.refuses(store.ErrSessionExists, store.ReplaceSession{Old: s.ID, Session: other})
	})
	b.claim("all of a user's sessions end but the one excepted, or those of one passkey", func(f *fixture) {
		add := func(token, user, passkey string) store.Hash {
			s := full(f)
			s.ID, s.UserID, s.PasskeyID = SessionID(user, token), user, passkey
			f.apply(store.AddSession{Session: s})
			return s.ID
		}
		lives := func(id store.Hash) bool {
			_, err := f.Session(f.Context(), id)
			return err == nil
		}
		mine, p1, p2, hers := add("mine", id1, ""), add("p1", id1, "p1"), add("p2", id1, "p2"), add("hers", id2, "p1")
		f.apply(store.EndSessions{UserID: id1, Passkey: "p1"})
		f.is("lives", []bool{lives(mine), lives(p1), lives(p2), lives(hers)}, []bool{true, false, true, true})
		f.apply(store.EndSessions{UserID: id1, Except: mine})
		f.is("lives", []bool{lives(mine), lives(p2), lives(hers)}, []bool{true, false, true})
		f.apply(store.EndSessions{UserID: id1})
		f.is("lives", []bool{lives(mine), lives(hers)}, []bool{false, true})
	})
}
