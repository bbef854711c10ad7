package audit

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// Filter is what somebody typed to select events.
type Filter shared.AuditQuery

// query is a Filter that was understood.
type query struct {
	kinds   []shared.EventKind
	user    string // an id
	removed bool   // there is no such user any more
	by      string // an id, or one of shared.ByAdministrators and the others
	from    time.Time
	network netip.Prefix
	before  store.EventMark // the zero value is the newest
}

// understand reads a Filter.
//
// Refusals: [shared.CodeInvalidRequest] for a filter that doesn't exist, and [shared.CodeNotFound]
// for a user whom nobody is, or several are.
func (f Filter) understand(ctx context.Context, s store.Store) (q query, err error) {
	if q.kinds, err = kindsOf(f.Kind); err != nil {
		return q, err
	}
	if q.network, err = networkOf(f.Address); err != nil {
		return q, err
	}
	if q.from, err = momentOf(f.From); err != nil {
		return q, err
	}
	to, err := momentOf(f.To)
	if err != nil {
		return q, err
	}
	if !to.IsZero() && !q.from.Before(to) {
		return q, shared.Errorf(shared.CodeInvalidRequest, "These times are the wrong way round: the first must be before the second.")
	}
	if q.before, err = markOf(f.Before); err != nil {
		return q, err
	}
	if until := store.MarkOf(to); !to.IsZero() && (q.before == store.EventMark{} || until.Compare(q.before) < 0) {
		q.before = until
	}
	if q.user, q.removed, err = findUser(ctx, s, f.User); err != nil {
		return q, err
	}
	q.by = f.By
	if !slices.Contains([]string{shared.ByAdministrators, shared.ByUsers, shared.ByCommandLine}, f.By) {
		q.by, _, err = findUser(ctx, s, f.By)
	}
	return q, err
}

// kindsOf reads kinds of events, and groups of kinds, with commas between.
func kindsOf(text string) (kinds []shared.EventKind, err error) {
	for name := range strings.SplitSeq(text, ",") {
		found := len(kinds)
		for kind, group := range shared.EventGroups {
			if name == string(kind) || name == string(group) {
				kinds = append(kinds, kind)
			}
		}
		if name != "" && len(kinds) == found {
			return nil, shared.Errorf(shared.CodeInvalidRequest, "There is no such kind of event.")
		}
	}
	slices.Sort(kinds)
	return slices.Compact(kinds), nil
}

// networkOf reads an IP address, or a network such as 192.0.2.0/24.
func networkOf(text string) (netip.Prefix, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return netip.Prefix{}, nil
	}
	if network, err := netip.ParsePrefix(text); err == nil {
		return network.Masked(), nil
	}
	address, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Prefix{}, shared.Errorf(shared.CodeInvalidRequest, "This is no IP address.").Because(err)
	}
	return netip.PrefixFrom(address.WithZone(""), address.BitLen()), nil
}

// momentOf reads a time, or a day, which begins in UTC.
func momentOf(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil && at.Year() >= 1970 && at.Year() <= 2200 { // what an event's id can say
			return at, nil
		}
	}
	return time.Time{}, shared.Errorf(shared.CodeInvalidRequest, "This is no time. Write it as in 2026-11-29 or 2026-11-29T08:00:00Z.")
}

// textOf writes a mark as the Next of a page.
func textOf(mark store.EventMark) string { return hex.EncodeToString(mark.ID[:]) + mark.UserID }

// markOf reads the Next of a page. An empty text is the zero mark.
func markOf(text string) (mark store.EventMark, err error) {
	const digits = 2 * len(mark.ID)
	if text == "" {
		return mark, nil
	}
	wrong := shared.Errorf(shared.CodeInvalidRequest, "There is no such page.")
	if len(text) < digits || !store.IsUserID(text[digits:]) {
		return mark, wrong
	}
	if _, err := hex.Decode(mark.ID[:], []byte(text[:digits])); err != nil || mark.ID == (store.EventID{}) {
		return store.EventMark{}, wrong
	}
	mark.UserID = text[digits:]
	return mark, nil
}

// findUser finds a user by their id, user name, e-mail address, or the beginnings of words of
// these. Removed says that a text is the id of no user: it may be one's who was removed.
func findUser(ctx context.Context, s store.Store, text string) (id string, removed bool, err error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return "", false, nil
	}
	if store.IsUserID(text) {
		_, err := s.User(ctx, text)
		if errors.Is(err, store.ErrNotFound) {
			return text, true, nil
		}
		return text, false, err
	}
	for _, by := range []struct {
		canonical func(string) (string, error)
		find      func(context.Context, string) (store.User, error)
	}{{account.CanonicalName, s.UserByName}, {account.CanonicalEmail, s.UserByEmail}} {
		whole, err := by.canonical(text)
		if err != nil {
			continue // words, or the beginning of one
		}
		user, err := by.find(ctx, whole)
		if !errors.Is(err, store.ErrNotFound) {
			return user.ID, false, err
		}
	}
	words := store.WordsOf(text)
	if len(words) == 0 {
		return "", false, shared.Errorf(shared.CodeNotFound, "Nobody is called that.")
	}
	found, next, err := s.Users(ctx, store.UserQuery{Find: words}, 2)
	switch {
	case err != nil:
		return "", false, fmt.Errorf("finding a user by words: %w", err)
	case len(found) == 0 && next == "":
		return "", false, shared.Errorf(shared.CodeNotFound, "Nobody is called that.")
	case len(found) != 1 || next != "":
		return "", false, shared.Errorf(shared.CodeNotFound, "Several users are called that. Write the whole user name.")
	}
	return found[0].ID, false, nil
}

// selects reports whether the query selects an event, apart from where the query begins and ends.
func (q query) selects(v store.Event) bool {
	user, by := whose(v)
	switch {
	case len(q.kinds) > 0 && !slices.Contains(q.kinds, v.Kind):
		return false
	case q.user != "" && user != q.user:
		return false
	case q.network.IsValid() && !q.isFrom(v.Client.Address):
		return false
	}
	switch q.by {
	case "":
		return true
	case shared.ByAdministrators:
		return by != ""
	case shared.ByUsers:
		return by == "" && v.Client != (store.Client{})
	case shared.ByCommandLine:
		return by == "" && v.Client == (store.Client{})
	default:
		return by == q.by
	}
}

func (q query) isFrom(text string) bool {
	address, err := netip.ParseAddr(text)
	return err == nil && q.network.Contains(address.Unmap().WithZone(""))
}

// whose returns the ids of the user to whom an event happened, and of the other user who did it.
// Either is "" if there is none.
func whose(v store.Event) (user, by string) {
	switch {
	case v.About == "":
		user, by = v.UserID, v.By
	case v.UserID == store.Organisation:
		user, by = v.About, v.By
	default: // of whoever did it
		user, by = v.About, v.UserID
	}
	if user == store.Organisation {
		user = ""
	}
	return user, by
}
