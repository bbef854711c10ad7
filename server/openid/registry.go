package openid

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/keypeg/keypeg/server/internal/shown"
	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// Limits of a [Registry].
const (
	// MostClients bounds the clients in the store. Two additions at the same time may exceed it a little, which does
	// no harm.
	MostClients = 1000
	// SecretOverlap is how long the old secret of a client is usually accepted beside a new one.
	SecretOverlap = 7 * 24 * time.Hour
	// LongestOverlap is how long it can be accepted at most.
	LongestOverlap = 90 * 24 * time.Hour
	// MostSecrets bounds the secrets of a client that are accepted at the same time.
	MostSecrets = 10
)

// The errors of a [Registry] that callers compare with errors.Is. A client that isn't there is [store.ErrNotFound].
var (
	// ErrTaken means that another client has the id.
	ErrTaken = errors.New("openid: the id of the client is taken")
	// ErrConfigured means that a client can be changed in the configuration file only.
	ErrConfigured = errors.New("openid: the client is in the configuration file")
	// ErrNoSecret means that a client doesn't authenticate with a secret.
	ErrNoSecret = errors.New("openid: the client has no secret")
	// ErrSecrets means that a client has [MostSecrets].
	ErrSecrets = errors.New("openid: the client has too many secrets")
	// ErrFull means that there are [MostClients].
	ErrFull = errors.New("openid: there are too many clients")
)

// refusal is a sentence for IT, which is one of the errors above.
type refusal struct {
	is       error
	sentence string
}

func refuse(is error, sentence string, arguments ...any) error {
	return refusal{is, fmt.Sprintf(sentence, arguments...)}
}

func (r refusal) Error() string { return r.sentence }
func (r refusal) Unwrap() error { return r.is }

func refuseConfigured(id string) error {
	return refuse(ErrConfigured, "the client %s is in the configuration file: change it there", id)
}

// clients has the clients that are not in the configuration file, by their ids.
var clients = store.Collection[Client]{Name: "openid-client"}

// Registry has the clients of one organisation: those of the configuration file, and those in the store, which can be
// changed while the server runs. It is safe for concurrent use, on any number of nodes.
//
// Its errors are sentences for IT, except those of the store.
type Registry struct {
	store      store.Store
	configured map[string]Client
	now        store.Clock
}

// NewRegistry returns the Registry of an organisation. The clients of the configuration have been checked with
// [Client.Check], and have different ids.
func NewRegistry(s store.Store, configured []Client, now store.Clock) *Registry {
	r := &Registry{s, map[string]Client{}, now}
	for _, c := range configured {
		c.Configured = true
		r.configured[c.ID] = c
	}
	return r
}

// CheckConfigured refuses clients for [NewRegistry] that have one id, or no secret though they authenticate with one, or that
// [Client.Check] refuses. Its errors are for whoever configures a server.
func CheckConfigured(configured []Client) error {
	var ids []string
	for _, c := range configured {
		checked, err := c.Check()
		switch {
		case err != nil:
			return fmt.Errorf("the client %s: %w", shown.Quoted(c.ID), err)
		case slices.Contains(ids, c.ID):
			return fmt.Errorf("there are two clients %s", c.ID)
		case checked.Authentication != c.Authentication || checked.Algorithm != c.Algorithm:
			return fmt.Errorf("the client %s has no defaults: use what Client.Check returns", c.ID)
		case c.UsesSecret() && len(c.Secrets) == 0:
			return fmt.Errorf("the client %s has no secret", c.ID)
		}
		ids = append(ids, c.ID)
	}
	return nil
}

// Client returns a client. Configured ones come first. It fails with [store.ErrNotFound].
func (r *Registry) Client(ctx context.Context, id string) (Client, error) {
	if c, is := r.configured[id]; is {
		return c, nil
	}
	entry, err := r.stored(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return Client{}, refuse(store.ErrNotFound, "there is no client %s", shown.Quoted(id))
	}
	return clientOf(entry), err
}

// stored returns a client of the store. A text from outside that can't be an id is none.
func (r *Registry) stored(ctx context.Context, id string) (store.Entry[Client], error) {
	if CheckClientID(id) != nil {
		return store.Entry[Client]{}, store.ErrNotFound
	}
	return clients.Get(ctx, r.store, "", id)
}

func clientOf(entry store.Entry[Client]) Client {
	c := entry.Value
	c.ID = entry.Key
	return c
}

// List returns all clients, sorted by their names.
func (r *Registry) List(ctx context.Context) ([]Client, error) {
	stored, err := r.listed(ctx)
	if err != nil {
		return nil, err
	}
	all := slices.Collect(maps.Values(r.configured))
	for _, c := range stored {
		if _, hidden := r.configured[c.ID]; !hidden {
			all = append(all, c)
		}
	}
	slices.SortFunc(all, func(a, b Client) int {
		return cmp.Or(cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), cmp.Compare(a.ID, b.ID))
	})
	return all, nil
}

// Hidden returns the ids of clients in the store that nobody can use, because the configuration file has others with
// these ids.
func (r *Registry) Hidden(ctx context.Context) (ids []string, err error) {
	for _, id := range slices.Sorted(maps.Keys(r.configured)) {
		switch _, err := r.stored(ctx, id); {
		case err == nil:
			ids = append(ids, id)
		case !errors.Is(err, store.ErrNotFound):
			return nil, fmt.Errorf("looking for hidden clients: %w", err)
		}
	}
	return ids, nil
}

// listed returns the clients of the store, sorted by their ids.
func (r *Registry) listed(ctx context.Context) (all []Client, err error) {
	const page = 100
	for after := ""; ; {
		entries, err := clients.List(ctx, r.store, "", after, page)
		if err != nil {
			return nil, fmt.Errorf("listing clients: %w", err)
		}
		for _, entry := range entries {
			all = append(all, clientOf(entry))
		}
		if len(entries) < page {
			return all, nil
		}
		after = entries[page-1].Key
	}
}

// Add registers a client, and returns it as it is stored, with its secret. The secret is "" if the client doesn't
// authenticate with one. It is told here only: the store has its hash.
//
// It fails with [Invalid], [ErrTaken] and [ErrFull].
func (r *Registry) Add(ctx context.Context, who session.Actor, c Client) (added Client, secret string, err error) {
	if c, err = c.Check(); err != nil {
		return Client{}, "", err
	}
	if _, is := r.configured[c.ID]; is {
		return Client{}, "", refuse(ErrTaken, "there is a client %s in the configuration file: choose another id", c.ID)
	}
	all, err := r.listed(ctx)
	if err != nil {
		return Client{}, "", err
	}
	if len(all) >= MostClients {
		return Client{}, "", refuse(ErrFull, "there are %d clients, and there can't be more: remove those that nobody uses", len(all))
	}
	c.Created, c.Secrets, c.Configured = r.now().UTC(), nil, false
	c.Changed = c.Created
	if c.UsesSecret() {
		secret = c.renewSecret(c.Created, 0)
	}
	batch := store.Batch{clients.Put(store.Entry[Client]{Key: c.ID, Value: c})}
	err = r.store.Apply(ctx, append(batch, recorded(who, shared.EventClientAdded, c, redirectsChanged(Client{}, c), c.Created)...))
	if clients.Changed(err) {
		err = refuse(ErrTaken, "there is a client %s already: choose another id", c.ID)
	}
	if err != nil {
		return Client{}, "", err
	}
	return c, secret, nil
}

// Change replaces everything of a client but its secrets and the time of its registration, and returns it as it is
// stored. A client that has no secret and needs one from now on gets it from [Registry.Rotate].
//
// It fails with [Invalid], [ErrConfigured] and [store.ErrNotFound].
func (r *Registry) Change(ctx context.Context, who session.Actor, c Client) (changed Client, err error) {
	return r.Edit(ctx, who, c.ID, func(stored *Client) error {
		*stored = c
		return nil
	})
}

// Edit is Change for whoever changes what there is. Do gets the client as it is stored, and runs again if somebody else
// has changed it meanwhile. Its error is returned, and then nothing changes.
//
// It fails as Change does.
func (r *Registry) Edit(ctx context.Context, who session.Actor, id string, do func(*Client) error) (changed Client, err error) {
	err = r.change(ctx, who, id, shared.EventClientChanged, func(stored *Client) error {
		c := *stored
		c.ID = id
		if err := do(&c); err != nil {
			return err
		}
		if c, err = c.Check(); err != nil {
			return err
		}
		c.Created, c.Changed, c.Secrets = stored.Created, r.now().UTC(), stored.Secrets
		if !c.UsesSecret() {
			c.Secrets = nil
		}
		c.Configured = false
		*stored, changed = c, c
		return nil
	})
	return changed, err
}

// Rotate gives a client a new secret, and returns it. It is told here only. The old ones are accepted for the time of overlap
// at most, or not any more if that is 0. One that was replaced before ends when it was to end, if that is sooner: the answer
// of the rotation before may have been lost, and then the program still uses that one.
//
// It fails with [ErrConfigured], [ErrNoSecret], [ErrSecrets] and [store.ErrNotFound].
func (r *Registry) Rotate(ctx context.Context, who session.Actor, id string, overlap time.Duration) (secret string, err error) {
	if overlap < 0 || overlap > LongestOverlap {
		return "", fmt.Errorf("the old secret can stay for 0 to %d days", LongestOverlap/(24*time.Hour))
	}
	err = r.change(ctx, who, id, shared.EventClientSecretRotated, func(stored *Client) error {
		if !stored.UsesSecret() {
			return refuse(ErrNoSecret, "the client %s has no secret: it authenticates with %s", id, stored.Authentication)
		}
		stored.Changed = r.now().UTC()
		secret = stored.renewSecret(stored.Changed, overlap)
		if len(stored.Secrets) > MostSecrets {
			return refuse(ErrSecrets, "the client %s has %d secrets that are accepted: wait until one has ended, or end all of them with an overlap of 0s", id, MostSecrets)
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	return secret, nil
}

// Remove removes a client from the store, also one that the configuration file hides: see [Registry.Hidden].
//
// It fails with [ErrConfigured] and [store.ErrNotFound].
func (r *Registry) Remove(ctx context.Context, who session.Actor, id string) error {
	return r.apply(ctx, id, func(entry store.Entry[Client]) (store.Batch, error) {
		removed := clientOf(entry)
		batch := store.Batch{clients.Remove(entry)}
		return append(batch, recorded(who, shared.EventClientRemoved, removed, redirectsChanged(removed, Client{}), r.now())...), nil
	})
}

// change changes a client of the store, and records that. Do runs again if somebody else has changed the client meanwhile.
func (r *Registry) change(ctx context.Context, who session.Actor, id string, kind shared.EventKind, do func(*Client) error) error {
	if _, is := r.configured[id]; is {
		return refuseConfigured(id)
	}
	return r.apply(ctx, id, func(entry store.Entry[Client]) (store.Batch, error) {
		before := clientOf(entry)
		if err := do(&entry.Value); err != nil {
			return nil, err
		}
		after := clientOf(entry)
		return append(store.Batch{clients.Put(entry)}, recorded(who, kind, after, redirectsChanged(before, after), r.now())...), nil
	})
}

// apply applies what do makes of the stored entry of a client, and starts again if that was changed meanwhile.
func (r *Registry) apply(ctx context.Context, id string, do func(store.Entry[Client]) (store.Batch, error)) error {
	for attempt := 1; ; attempt++ {
		entry, err := r.stored(ctx, id)
		_, isConfigured := r.configured[id]
		switch {
		case errors.Is(err, store.ErrNotFound) && isConfigured:
			return refuseConfigured(id)
		case errors.Is(err, store.ErrNotFound):
			return refuse(store.ErrNotFound, "there is no client %s", shown.Quoted(id))
		case err != nil:
			return fmt.Errorf("reading a client: %w", err)
		}
		batch, err := do(entry)
		if err != nil {
			return err
		}
		err = r.store.Apply(ctx, batch)
		if !clients.Changed(err) || attempt == store.Attempts {
			return err
		}
	}
}

// secretPrefix lets people and programs that search for secrets see whose secret it is.
const secretPrefix = "kp_"

// renewSecret gives the client another secret. Those that are accepted end after the time of overlap, unless they end sooner.
func (c *Client) renewSecret(now time.Time, overlap time.Duration) string {
	var random [32]byte
	rand.Read(random[:])
	secret := secretPrefix + base64.RawURLEncoding.EncodeToString(random[:])
	kept := []Secret{{Hash: store.HashOf(secret), Since: now}}
	ends := now.Add(overlap)
	for _, old := range c.Secrets {
		if old.Until.IsZero() || old.Until.After(ends) {
			old.Until = ends
		}
		if old.Until.After(now) {
			kept = append(kept, old)
		}
	}
	c.Secrets = kept
	return secret
}
