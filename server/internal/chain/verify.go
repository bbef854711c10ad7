package chain

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// Wrong is what is wrong with an event, or with the chain.
type Wrong string

// The values of [Wrong].
const (
	Removed Wrong = "removed" // the chain has a line of it
	Changed Wrong = "changed" // the line is of another content
	Added   Wrong = "added"   // the chain has no line of it
	Broken  Wrong = "broken"  // of the chain: a block is missing or was changed
	Unknown Wrong = "unknown" // of the chain: it doesn't lead to the hash that was kept
)

// Finding is an event, or a part of the chain, that isn't as it was sealed.
type Finding struct {
	What  Wrong            `json:"what"`
	Time  time.Time        `json:"time,omitzero"` // of the event
	Event string           `json:"event,omitempty"`
	Kind  shared.EventKind `json:"kind,omitempty"` // "" for an event that is gone
	User  string           `json:"user,omitempty"` // an id; the first half of it for a user who is gone
	Block uint64           `json:"block,omitempty"`
}

// Report is what [Verify] found.
type Report struct {
	Events    int       `json:"events"`    // that are as they were sealed
	Erased    int       `json:"erased"`    // lines of users who were removed
	Expired   int       `json:"expired"`   // lines of events that were kept long enough
	NotSealed int       `json:"notSealed"` // events of the last minutes
	Since     time.Time `json:"since,omitzero"`
	Head      Hash      `json:"head"` // the newest hash
	Findings  []Finding `json:"findings"`
	More      int       `json:"more,omitempty"` // findings that aren't listed
}

const (
	// mostFindings bounds how many findings are listed.
	mostFindings = 1000
	// verifyStep is how many events are read at once.
	verifyStep = 1000
)

// Verify compares all events with the chain. Kept, unless it is zero, is a hash that the chain must
// have reached once. It reads while others write, so it looks again before it reports a finding.
func Verify(ctx context.Context, s store.Store, now store.Clock, kept Hash) (Report, error) {
	const looks = 3
	var report Report
	for look := range looks {
		v := verifier{store: s, now: now(), kept: kept, lines: map[place]sealedLine{}, gone: map[half][]place{}, removed: map[half]bool{}, salts: map[string][]byte{}}
		if err := v.verify(ctx); err != nil {
			return Report{}, fmt.Errorf("verifying the events: %w", err)
		}
		if look > 0 { // only what stays wrong
			v.Findings = slices.DeleteFunc(v.Findings, func(f Finding) bool { return !slices.Contains(report.Findings, f) && report.More == 0 })
		}
		if report = v.Report; len(report.Findings) == 0 {
			break
		}
	}
	return report, nil
}

// verifier compares events and lines from the newest to the oldest. It reads a block when the events
// have come to the time of its newest line, so few lines are in memory.
type verifier struct {
	Report
	store store.Store
	now   time.Time
	kept  Hash

	head    head
	next    *block // the oldest block that was read; nil if there is no older one
	known   bool   // kept was found
	lines   map[place]sealedLine
	gone    map[half][]place // lines of users who don't exist
	removed map[half]bool    // users whose removal is an event
	salts   map[string][]byte
}

type sealedLine struct {
	hash [16]byte
	kept int64
}

func (v *verifier) verify(ctx context.Context) error {
	v.Findings = []Finding{}
	if err := v.begin(ctx); err != nil {
		return err
	}
	for before, more := (store.EventMark{}), true; more; {
		events, err := v.store.AllEvents(ctx, store.EventQuery{Before: before}, verifyStep)
		if err != nil {
			return err
		}
		more = len(events) == verifyStep
		oldest := time.Time{}
		if more {
			before = events[len(events)-1].Mark()
			oldest = before.ID.Time()
		}
		if err := v.readBlocks(ctx, oldest); err != nil {
			return err
		}
		for _, event := range events {
			if err := v.compare(ctx, event); err != nil {
				return err
			}
		}
		if err := v.missing(ctx, oldest); err != nil {
			return err
		}
	}
	v.end()
	return nil
}

// begin reads the newest block.
func (v *verifier) begin(ctx context.Context) error {
	newest, err := heads.Get(ctx, v.store, "", "")
	if errors.Is(err, store.ErrNotFound) {
		last, err := lastBlock(ctx, v.store, ^uint64(0))
		if err != nil || last == nil {
			return err // there is no chain yet
		}
		v.finds(Finding{What: Broken, Block: last.Number + 1})
		v.head = head{block: block{Number: last.Number + 1, Since: v.now}, To: v.now}
		return v.readOlder(ctx, &v.head.block)
	}
	if err != nil {
		return err
	}
	v.head = newest.Value
	hashes, err := v.take(&v.head.block)
	if err != nil {
		return err
	}
	v.Head, v.next = hashes[len(hashes)-1], &v.head.block
	return nil
}

// take takes the lines of a block, of which newer ones of the same events count.
func (v *verifier) take(b *block) ([]Hash, error) {
	lines, err := readLines(b.Lines)
	if err != nil {
		v.finds(Finding{What: Broken, Block: b.Number})
		return []Hash{b.Before}, nil
	}
	for _, l := range slices.Backward(lines) {
		if _, newer := v.lines[l.place]; !newer {
			v.lines[l.place] = sealedLine{l.hash, b.Kept}
		}
	}
	hashes := b.hashes(lines)
	v.known = v.known || slices.Contains(hashes, v.kept)
	return hashes, nil
}

// readBlocks reads the blocks that may have lines of events since a time.
func (v *verifier) readBlocks(ctx context.Context, since time.Time) error {
	for v.next != nil && !v.next.Since.Before(since) {
		if err := v.readOlder(ctx, v.next); err != nil {
			return err
		}
	}
	return nil
}

// readOlder reads the block before another one.
func (v *verifier) readOlder(ctx context.Context, newer *block) error {
	v.next, v.Since = nil, newer.Since
	if newer.Number == 0 {
		v.Since = time.Time{}
		return nil
	}
	entry, err := blocks.Get(ctx, v.store, "", blockKey(newer.Number-1))
	if errors.Is(err, store.ErrNotFound) {
		if newer.expires(newer.Since).After(v.now) {
			v.finds(Finding{What: Broken, Block: newer.Number - 1})
		}
		v.next, err = lastBlock(ctx, v.store, newer.Number-1)
		if err != nil || v.next == nil {
			return err
		}
		_, err = v.take(v.next)
		return err
	}
	if err != nil {
		return err
	}
	b := &entry.Value
	hashes, err := v.take(b)
	if err != nil {
		return err
	}
	if b.Number != newer.Number-1 || hashes[len(hashes)-1] != newer.Before && newer.Before != (Hash{}) {
		v.finds(Finding{What: Broken, Block: newer.Number - 1})
	}
	v.next = b
	return nil
}

// compare compares an event with its line.
func (v *verifier) compare(ctx context.Context, event store.Event) error {
	if event.Kind == shared.EventAccountRemoved && event.About != "" {
		v.removed[halfOf(event.About)] = true
	}
	at := placeOf(event)
	sealed, has := v.lines[at]
	delete(v.lines, at)
	if !has && !event.ID.Time().Before(v.head.To) {
		v.NotSealed++
		return nil
	}
	salt, err := v.salt(ctx, event.UserID)
	if err != nil {
		return err
	}
	if has && lineOf(event, salt).hash == sealed.hash {
		v.Events++
		return nil
	}
	if salt == nil && event.UserID != store.Organisation {
		if user, err := userOf(ctx, v.store, at.user); err != nil || user == "" {
			v.gone[at.user] = append(v.gone[at.user], at) // written while the user was removed
			return err
		}
	}
	key, _ := mark(event.Mark()).MarshalText()
	waits, err := late.Has(ctx, v.store, "", string(key))
	switch {
	case err != nil:
		return err
	case waits:
		v.NotSealed++
	case has:
		v.finds(finding(Changed, event))
	default:
		v.finds(finding(Added, event))
	}
	return nil
}

func finding(what Wrong, event store.Event) Finding {
	return Finding{What: what, Time: event.ID.Time(), Event: fmt.Sprintf("%x", event.ID), Kind: event.Kind, User: event.UserID}
}

// salt returns the salt of a user, or nil if it is gone: then no line of the user is right.
func (v *verifier) salt(ctx context.Context, userID string) ([]byte, error) {
	salt, known := v.salts[userID]
	if known || userID == store.Organisation {
		return salt, nil
	}
	found, err := salts.Get(ctx, v.store, userID, "")
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	if len(v.salts) > mostMarked {
		clear(v.salts)
	}
	v.salts[userID] = found.Value
	return found.Value, nil
}

// missing looks at the lines since a time that no event had.
func (v *verifier) missing(ctx context.Context, since time.Time) error {
	for at, sealed := range v.lines {
		if !at.id.Time().After(since) { // the next events may be of the same moment
			continue
		}
		delete(v.lines, at)
		if !at.id.Time().Add(time.Duration(sealed.kept) * time.Second).After(v.now) {
			v.Expired++
			continue
		}
		userID, err := userOf(ctx, v.store, at.user)
		switch {
		case err != nil:
			return err
		case userID == "":
			v.gone[at.user] = append(v.gone[at.user], at)
		default:
			v.finds(Finding{What: Removed, Time: at.id.Time(), Event: fmt.Sprintf("%x", at.id), User: userID})
		}
	}
	return nil
}

// userOf returns the id that begins with a half, if there is such a user or it is the organisation.
func userOf(ctx context.Context, s store.Store, h half) (string, error) {
	if h.ofOrganisation() {
		return store.Organisation, nil
	}
	found, err := s.Records(ctx, store.KindUser, []byte(h.text()+strings.Repeat("0", 2*len(h))), 1)
	if err != nil || len(found) == 0 || !strings.HasPrefix(string(found[0].Key), h.text()) {
		return "", err
	}
	return string(found[0].Key), nil
}

// end judges the lines of users who are gone.
func (v *verifier) end() {
	for user, places := range v.gone {
		if v.removed[user] {
			v.Erased += len(places)
			continue
		}
		for _, at := range places {
			v.finds(Finding{What: Removed, Time: at.id.Time(), Event: fmt.Sprintf("%x", at.id), User: user.text()})
		}
	}
	if v.kept != (Hash{}) && !v.known {
		v.finds(Finding{What: Unknown})
	}
	slices.SortFunc(v.Findings, func(a, b Finding) int {
		return cmp.Or(b.Time.Compare(a.Time), cmp.Compare(a.Event, b.Event), cmp.Compare(a.Block, b.Block))
	})
}

func (v *verifier) finds(f Finding) {
	if len(v.Findings) == mostFindings {
		v.More++
		return
	}
	v.Findings = append(v.Findings, f)
}
