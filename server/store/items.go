package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
	"unicode/utf8"

	jsonv2 "github.com/go-json-experiment/json"
	jsonv1 "github.com/go-json-experiment/json/v1"
)

// likeV1 decodes as encoding/json does, which has encoded, in two thirds of its time: checks of other programs'
// requests decode an item each.
var likeV1 = jsonv1.DefaultOptionsV1()

// Item is a record of a [Collection]. Owner, collection and key together name it.
type Item struct {
	// Owner is the id of the user to whom the item belongs. It lies beside the user's record
	// and goes with the user. No store looks whether there is the user: who puts an item writes
	// the user in the same batch, or gives it an end. "" is for an item of the whole
	// organisation.
	Owner      string
	Collection string // 1 to [MostCollection] bytes of UTF-8, without zero bytes
	Key        string // at most [MostKey] bytes of UTF-8, without zero bytes
	Value      []byte // JSON
	// Version is another one after each write, and never one that an item had before. 0 means
	// that there is no such item.
	Version uint64
	Expires time.Time // zero for never
}

// Limits of an [Item], in bytes.
const (
	MostCollection = 64
	MostKey        = 512
)

// AnyVersion in an operation means whatever is stored, also nothing.
const AnyVersion = math.MaxUint64

// ItemChanged is the error of an operation on an item that has another version: it was
// written, removed or has expired since it was read.
type ItemChanged struct{ Collection, Key string }

// Error implements error.
func (e *ItemChanged) Error() string {
	return fmt.Sprintf("store: the item %q of %s was changed meanwhile", e.Key, e.Collection)
}

func checkItem(owner, collection, key string) error {
	if owner != "" {
		if err := checkUserID(owner); err != nil {
			return err
		}
	}
	for _, text := range []string{collection, key} {
		if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
			return fmt.Errorf("%w: a name of an item with other characters than UTF-8", ErrInvalid)
		}
	}
	if collection == Tickets.Name && (owner != "" || !isTicketKey(key)) {
		return fmt.Errorf("%w: %q is no ticket of the organisation", ErrInvalid, key)
	}
	if collection == "" || len(collection) > MostCollection || len(key) > MostKey {
		return fmt.Errorf("%w: a name of an item of a forbidden length", ErrInvalid)
	}
	return nil
}

// Collection is a kind of items, whose values are V as JSON. Each room of the server that
// keeps something has one or more, as a package variable, and is the only one that uses them:
//
//	var grants = store.Collection[grant]{Name: "grant"}
//
// A field of V keeps its JSON name and its meaning for ever. A new field is added with
// omitempty, so that older values are read as before.
type Collection[V any] struct {
	Name string // unique in the program
}

// Entry is an [Item] of a [Collection] with its decoded value.
type Entry[V any] struct {
	Owner, Key string
	Value      V
	Version    uint64
	Expires    time.Time
}

// Get returns the entry under a key. It fails with [ErrNotFound].
func (c Collection[V]) Get(ctx context.Context, s Store, owner, key string) (Entry[V], error) {
	item, err := s.Item(ctx, owner, c.Name, key)
	if err != nil {
		return Entry[V]{}, err
	}
	return c.decode(item)
}

// Has reports whether there is an entry under a key.
func (c Collection[V]) Has(ctx context.Context, s Store, owner, key string) (bool, error) {
	_, err := s.Item(ctx, owner, c.Name, key)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// List returns up to limit entries of an owner, as [Store.Items] does.
func (c Collection[V]) List(ctx context.Context, s Store, owner, after string, limit int) ([]Entry[V], error) {
	items, err := s.Items(ctx, owner, c.Name, after, limit)
	if err != nil {
		return nil, err
	}
	entries := make([]Entry[V], len(items))
	for i, item := range items {
		if entries[i], err = c.decode(item); err != nil {
			return nil, err
		}
	}
	return entries, nil
}

// Put returns the operation that writes an entry, if the stored one has its version.
func (c Collection[V]) Put(e Entry[V]) PutItem {
	value, err := json.Marshal(e.Value)
	if err != nil {
		panic(fmt.Sprintf("store: a value of %s can't be JSON: %v", c.Name, err)) // a fault of the type V
	}
	return PutItem{Item{Owner: e.Owner, Collection: c.Name, Key: e.Key, Value: value, Version: e.Version, Expires: e.Expires}}
}

// Remove returns the operation that removes an entry, if the stored one has its version.
func (c Collection[V]) Remove(e Entry[V]) RemoveItem {
	return RemoveItem{Owner: e.Owner, Collection: c.Name, Key: e.Key, Version: e.Version}
}

// Holds reports whether an item is of this collection.
func (c Collection[V]) Holds(item Item) bool { return item.Collection == c.Name }

// Changed reports whether err says that an item of this collection was changed meanwhile.
func (c Collection[V]) Changed(err error) bool {
	changed, is := errors.AsType[*ItemChanged](err)
	return is && changed.Collection == c.Name
}

func (c Collection[V]) decode(item Item) (Entry[V], error) {
	e := Entry[V]{Owner: item.Owner, Key: item.Key, Version: item.Version, Expires: item.Expires}
	if err := jsonv2.Unmarshal(item.Value, &e.Value, likeV1); err != nil {
		return Entry[V]{}, fmt.Errorf("%w: the item %q of %s: %w", errDamaged, item.Key, c.Name, err)
	}
	return e, nil
}
