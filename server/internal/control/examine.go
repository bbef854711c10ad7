package control

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/embed"
	"github.com/keypeg/keypeg/server/internal/probe"
	"github.com/keypeg/keypeg/server/openid"
	"github.com/keypeg/keypeg/server/policy"
	"github.com/keypeg/keypeg/server/store"
)

// Examination is what keypeg doctor learns of an organisation's records. The key is the server's own: whoever
// may ask for it may read the database too.
type Examination struct {
	Key      []byte        `json:"key"`            // of package probe; nil if no server of this version has run
	Read     time.Duration `json:"read"`           // how long a read took, the fastest of some
	Clock    time.Time     `json:"clock,omitzero"` // of a database on another machine
	Users    int           `json:"users"`          // all of them
	Passkeys int           `json:"passkeys"`       // all of them
	// Domains are the relying party ids of the settings and of the passkeys.
	Domains []account.Domain `json:"domains"`
	// LockedOut are users without a way to sign in, the first few, and Locked how many there are.
	LockedOut []string `json:"lockedOut,omitempty"`
	Locked    int      `json:"locked,omitempty"`
	// Clients are the programs in the store, besides those of the settings.
	Clients []RegisteredClient `json:"clients,omitempty"`
	// Hooks are those that wait, the oldest first; at most [mostHooks].
	Hooks []embed.WaitingHook `json:"hooks,omitempty"`
}

// mostLockedOut is how many users are named.
const mostLockedOut = 5

// Examine reads every user of an organisation, and writes nothing. The policy is that of the settings that
// the caller has, which a running server may not have yet.
var Examine = Ask(&userCommands, "/examine", func(ctx context.Context, a Accounts, p policy.Policy) (found Examination, err error) {
	return ExamineStore(ctx, a.Store, p)
})

// ExamineStore is [Examine] for a store that may be open for reading only.
func ExamineStore(ctx context.Context, db store.Store, p policy.Policy) (found Examination, err error) {
	if found.Read, err = reads(ctx, db); err != nil {
		return found, fmt.Errorf("reading the database: %w", err)
	}
	if clock, has := store.As[store.Clocked](db); has {
		if found.Clock, err = clock.Clock(ctx); err != nil {
			return found, fmt.Errorf("asking the database for the time: %w", err)
		}
	}
	if found.Key, err = store.Secret(ctx, db, probe.SecretName); err != nil && !errors.Is(err, store.ErrNotFound) {
		return found, fmt.Errorf("reading the database: %w", err)
	}
	clients, err := openid.NewRegistry(db, nil, time.Now).List(ctx)
	if err != nil {
		return found, err
	}
	for _, c := range clients {
		found.Clients = append(found.Clients, clientOf(c))
	}
	if found.Hooks, err = embed.ListHooks(ctx, db, mostHooks); err != nil {
		return found, err
	}
	found.Domains, err = account.DomainsIn(ctx, db, p, func(user store.User) { found.add(user, p) })
	return found, err
}

// fewReads is how often a database is read to learn how fast it is: one read may have waited for a busy machine.
const fewReads = 5

// reads returns how long the fastest of some reads took.
func reads(ctx context.Context, db store.Store) (fastest time.Duration, err error) {
	for n := range fewReads {
		begin := time.Now()
		if _, err := db.HasAdministrator(ctx); err != nil {
			return 0, err
		}
		if took := time.Since(begin); n == 0 || took < fastest {
			fastest = took
		}
	}
	return fastest, nil
}

func (e *Examination) add(user store.User, p policy.Policy) {
	e.Users++
	e.Passkeys += len(user.Passkeys)
	if p.LocksOut(user) {
		if e.Locked++; len(e.LockedOut) < mostLockedOut {
			e.LockedOut = append(e.LockedOut, user.Name)
		}
	}
}
