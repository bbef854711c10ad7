package grant

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/keypeg/keypeg/server/store"
)

// Ended says which session of a program has ended.
type Ended struct {
	Program string
	UserID  string
	Session store.Hash // the id with which it began; see [SID]
	Since   time.Time  // when that was noticed first
	Given   time.Time  // when the program got its last grant under it
}

// promised is a program that is told when a session ends. Its user may be removed before the session, so it
// belongs to the organisation. The key is the id of the user, and a hash of session and program: however
// often a program signs somebody in under one session, it is told once. What the user ends while the session lasts
// has a key of its own, so that the next sign-in to the program takes back no notice that is still on its way.
type promised struct {
	Program string     `json:"program"`
	Session store.Hash `json:"session"`
	Given   time.Time  `json:"given"`
	// Ended is when it was noticed that the session has ended; zero until then.
	Ended time.Time `json:"ended,omitzero"`
	Tries int       `json:"tries,omitempty"`
	// Next is when the program is told again, or when another node may do so.
	Next time.Time `json:"next,omitzero"`
}

var promises = store.Collection[promised]{Name: "session-notice"}

const (
	// toldFor is how long a program is told again that doesn't answer.
	toldFor = 24 * time.Hour
	// claimed is how long one node tries, and the others wait.
	claimed = 30 * time.Second
	// looksEvery is how often all promises are looked at, for sessions that ended by themselves.
	looksEvery = 10 * time.Minute
	// atOnce bounds how many programs are told at the same time.
	atOnce = 32
	// mostWoken bounds how many users wait to be looked at. When there are more, all are.
	mostWoken = 10_000
	// mostSilent bounds how many programs are remembered that didn't answer.
	mostSilent = 1000
)

// again is how long to wait after each failed try. The last one repeats.
var again = []time.Duration{2 * time.Second, 10 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour}

// promise returns the operation that promises to tell a program when the session of a grant ends.
func promise(g Grant, ends time.Time) store.Op {
	return promises.Put(store.Entry[promised]{
		Key: promiseKey(g.UserID, g.Session, g.Program), Value: promised{Program: g.Program, Session: g.Session, Given: g.Since},
		Version: store.AnyVersion, Expires: ends.Add(toldFor),
	})
}

// promised adds a promise to a batch, unless there is one: a refresh reads it, and seldom writes it.
func (s *Service) promised(ctx context.Context, batch store.Batch, on Standing) (store.Batch, error) {
	_, err := promises.Get(ctx, s.c.Store, "", promiseKey(on.UserID, on.Session, on.Program))
	if errors.Is(err, store.ErrNotFound) {
		return append(batch, promise(on.Grant, on.Under.Created.Add(s.c.Sessions.Lifetime()))), nil
	}
	return batch, err
}

// promiseKey returns the key of a promise. More tells apart what is kept of one session and program.
func promiseKey(userID string, of store.Hash, program string, more ...string) string {
	id := store.HashOf(strings.Join(append([]string{of.String(), program}, more...), " "))
	return userID + hex.EncodeToString(id[:16])
}

// due returns the operations by which a program is told at once of each session of a user. The session lasts, so the
// program may sign the user in again before it has been told. As a logout token names no more than the session, that
// sign-in then ends too: better once more than not at all.
func (s *Service) due(ctx context.Context, userID, program string) (batch store.Batch, err error) {
	err = s.eachPromise(ctx, userID, func(e store.Entry[promised]) error {
		if e.Value.Program == program && e.Value.Ended.IsZero() {
			batch = append(batch, promises.Remove(e))
			e.Value.Ended = s.c.Now().UTC()
			e.Key, e.Version = promiseKey(userID, e.Value.Session, program, "ended"), store.AnyVersion
			e.Expires = e.Value.Ended.Add(toldFor)
			batch = append(batch, promises.Put(e))
		}
		return nil
	})
	return batch, err
}

// eachPromise calls do with the promises about a user, or about all users if userID is "".
func (s *Service) eachPromise(ctx context.Context, userID string, do func(store.Entry[promised]) error) error {
	after := userID
	for {
		page, err := promises.List(ctx, s.c.Store, "", after, most)
		if err != nil {
			return fmt.Errorf("listing whom to tell: %w", err)
		}
		for _, e := range page {
			if !strings.HasPrefix(e.Key, userID) {
				return nil
			}
			if err := do(e); err != nil {
				return err
			}
		}
		if len(page) < most {
			return nil
		}
		after = page[len(page)-1].Key
	}
}

// notices are the users who wait to be looked at.
type notices struct {
	wake chan struct{}

	mu    sync.Mutex
	users map[string]struct{}
	all   bool
	// silent are programs that didn't answer a moment ago: they are told later, so that one that
	// hangs holds up no other.
	silent map[string]time.Time // until when
}

func newNotices() *notices {
	return &notices{wake: make(chan struct{}, 1), users: map[string]struct{}{}, all: true, silent: map[string]time.Time{}}
}

// Look makes [Service.Run] look whether sessions of a user have ended. It never waits. A hub calls it for each
// user of whom something has changed, on any node.
func (s *Service) Look(userID string) {
	n := s.notices
	n.mu.Lock()
	if len(n.users) < mostWoken {
		n.users[userID] = struct{}{}
	} else {
		n.all = true
	}
	n.mu.Unlock()
	n.signal()
}

func (n *notices) signal() {
	select {
	case n.wake <- struct{}{}:
	default: // it is awake
	}
}

// take returns who waits.
func (n *notices) take() (users map[string]struct{}, all bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	users, all = n.users, n.all
	n.users, n.all = map[string]struct{}{}, false
	return users, all
}

func (n *notices) isSilent(program string, now time.Time) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return now.Before(n.silent[program])
}

func (n *notices) hasFailed(program string, until time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.silent) >= mostSilent {
		clear(n.silent)
	}
	n.silent[program] = until
}

func (n *notices) lookAtAll() {
	n.mu.Lock()
	n.all = true
	n.mu.Unlock()
	n.signal()
}

// Run tells programs of sessions that have ended, until ctx ends.
func (s *Service) Run(ctx context.Context) {
	var telling sync.WaitGroup
	defer telling.Wait()
	turns := make(chan struct{}, atOnce)
	every := time.NewTicker(looksEvery)
	defer every.Stop()
	for {
		users, all := s.notices.take()
		if all {
			users = map[string]struct{}{"": {}}
		}
		for userID := range users {
			err := s.eachPromise(ctx, userID, func(e store.Entry[promised]) error {
				is, err := s.hasEnded(ctx, e)
				if err != nil || !is {
					return err
				}
				select {
				case turns <- struct{}{}:
				case <-ctx.Done():
					return ctx.Err()
				}
				telling.Go(func() {
					defer func() { <-turns }()
					s.tell(ctx, e)
				})
				return nil
			})
			if err != nil && ctx.Err() == nil {
				s.c.Log.Warn("whether sessions of programs have ended couldn't be looked up", "cause", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-every.C:
			s.notices.lookAtAll()
		case <-s.notices.wake:
		}
	}
}

// hasEnded reports whether a program is to be told now.
func (s *Service) hasEnded(ctx context.Context, e store.Entry[promised]) (bool, error) {
	if !e.Value.Ended.IsZero() {
		return !s.c.Now().Before(e.Value.Next), nil
	}
	_, err := s.standing(ctx, Grant{Session: e.Value.Session})
	if errors.Is(err, ErrInvalid) {
		return true, nil
	}
	return false, err
}

// tell tells a program, unless another node does, and keeps how that went.
func (s *Service) tell(ctx context.Context, e store.Entry[promised]) {
	now := s.c.Now().UTC()
	log := s.c.Log.With("program", e.Value.Program)
	if e.Value.Ended.IsZero() {
		e.Value.Ended = now
	}
	e.Value.Next = now.Add(claimed)
	e.Expires = e.Value.Ended.Add(toldFor)
	if !e.Expires.After(now) {
		log.Warn("a program wasn't told that a session has ended, because it didn't answer for a day")
		s.keep(ctx, promises.Remove(e))
		return
	}
	if !s.keep(ctx, promises.Put(e)) {
		return // another node was faster
	}
	stored, err := promises.Get(ctx, s.c.Store, "", e.Key)
	if err != nil || !stored.Value.Next.Equal(e.Value.Next) {
		return // the user has ended the program once more since
	}
	e.Version = stored.Version
	if e.Value.Tries > 0 || !s.notices.isSilent(e.Value.Program, now) {
		ended := Ended{Program: e.Value.Program, UserID: e.Key[:len(store.Organisation)], Session: e.Value.Session, Since: e.Value.Ended, Given: e.Value.Given}
		if err = s.c.Tell(ctx, ended); err == nil {
			s.keep(ctx, promises.Remove(e))
			return
		}
		s.notices.hasFailed(e.Value.Program, now.Add(claimed))
		log.Warn("a program couldn't be told that a session has ended", "try", e.Value.Tries+1, "cause", err)
	}
	wait := again[min(e.Value.Tries, len(again)-1)]
	e.Value.Tries++
	e.Value.Next = s.c.Now().UTC().Add(wait)
	s.keep(ctx, promises.Put(e))
	time.AfterFunc(wait, func() { s.Look(e.Key[:len(store.Organisation)]) })
}

// keep writes what became of a promise, and reports whether it was unchanged before. What can't be written is
// done again later.
func (s *Service) keep(ctx context.Context, op store.Op) bool {
	err := s.c.Store.Apply(context.WithoutCancel(ctx), store.Batch{op})
	if err != nil && !promises.Changed(err) {
		s.c.Log.Warn("what a program was told couldn't be stored", "cause", err)
	}
	return err == nil
}
