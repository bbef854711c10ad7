package account

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// Lists of users, for administrators, auditors, helpers and IT. Each page comes from an index, and
// looks at a bounded number of users. So it takes no longer in a large organisation.

const (
	usersPage = 50 // users on a page
	// mostLooked is how many users, or sign-ins, one request looks at to find those that fit two
	// conditions. After that the page is short, and its Next goes on.
	mostLooked = 2000
)

// ListQuery asks for a page of users. The zero value is the first page of all.
type ListQuery struct {
	Find  string // the beginnings of words of their names and addresses
	In    string // one of shared.MembersWithPasskey and so on, or ""
	Sort  string // shared.SortByName, shared.SortByLastSignIn, or ""
	After string // the next of the page before
	// Only lists the groups whose users may be listed, for a helper. Nil is no limit.
	Only []string
}

// categories are those of store.Counts, by what a query calls them.
var categories = map[string]string{
	"": "", shared.MembersWithPasskey: store.CountWithPasskey, shared.MembersWithoutPasskey: store.CountWithoutPasskey,
	shared.MembersPasswordOnly: store.CountPasswordOnly, shared.MembersOneDevice: store.CountOneDevice,
	shared.MembersInvited: store.CountInvited, shared.MembersDisabled: store.CountDisabled,
	shared.MembersAdministrators: store.CountAdministrators, shared.MembersHelpers: store.CountHelpers, shared.MembersAuditors: store.CountAuditors,
}

// Filters are what a query can be in, besides [shared.MembersOfGroup] and the name of a group.
var Filters = []string{
	shared.MembersWithPasskey, shared.MembersWithoutPasskey, shared.MembersPasswordOnly, shared.MembersOneDevice, shared.MembersInvited,
	shared.MembersDisabled, shared.MembersAdministrators, shared.MembersHelpers, shared.MembersAuditors,
}

// List returns a page of users, and what asks for the following page: "" at the end.
//
// Refusal: [shared.CodeInvalidRequest] for a filter, an order or a page that there isn't.
func (s *Service) List(ctx context.Context, q ListQuery) (page []store.User, next string, err error) {
	category, known := categories[q.In]
	if typed, is := strings.CutPrefix(q.In, shared.MembersOfGroup); is {
		group, err := CanonicalName(typed)
		category, known = store.CountGroup(group), err == nil
	}
	if !known {
		return nil, "", shared.Errorf(shared.CodeInvalidRequest, "There is no such filter.")
	}
	words := store.WordsOf(q.Find)
	if len(words) == 0 && shared.TrimInvisible(q.Find) != "" {
		return nil, "", nil // only signs: no word begins so
	}
	query := store.UserQuery{Find: words, In: category, After: q.After}
	fits := func(user store.User) bool {
		return (store.UserQuery{In: category}).Selects(user) && (q.Only == nil || shareGroup(q.Only, user.Groups))
	}
	switch q.Sort {
	case "", shared.SortByName:
		return s.listByName(ctx, query, q.Only, fits)
	case shared.SortByLastSignIn:
		return s.listByLastSignIn(ctx, q.After, func(user store.User) bool { return store.UserQuery{Find: words}.Selects(user) && fits(user) })
	}
	return nil, "", shared.Errorf(shared.CodeInvalidRequest, "There is no such order.")
}

// listByName reads an index, which knows the words, or else the groups of a helper, or else the
// category. With more conditions it loads more users than the page has.
func (s *Service) listByName(ctx context.Context, query store.UserQuery, only []string, fits func(store.User) bool) (page []store.User, next string, err error) {
	read := s.c.Store.Users
	switch {
	case len(query.Find) > 0:
		query.In = ""
	case only != nil:
		read = func(ctx context.Context, query store.UserQuery, limit int) ([]store.User, string, error) {
			return s.usersOfGroups(ctx, only, query.After, limit)
		}
	}
	for looked := 0; looked < mostLooked && len(page) < usersPage; {
		limit := usersPage - len(page)
		users, next, err := read(ctx, query, limit)
		if err != nil {
			return nil, "", fmt.Errorf("listing users: %w", err)
		}
		for _, user := range users {
			if fits(user) {
				page = append(page, user)
			}
		}
		query.After = next
		looked += len(users)
		if next == "" || len(users) < limit { // the end, or the store has looked at enough
			break
		}
	}
	return page, query.After, nil
}

// usersOfGroups returns users who are in any of some groups, by name. What was read of a group ends
// at its next: behind the smallest of them, a user may be missing.
func (s *Service) usersOfGroups(ctx context.Context, groups []string, after string, limit int) (users []store.User, next string, err error) {
	for _, group := range groups {
		some, until, err := s.c.Store.Users(ctx, store.UserQuery{In: store.CountGroup(group), After: after}, limit)
		if err != nil {
			return nil, "", err
		}
		users = append(users, some...)
		if until != "" && (next == "" || until < next) {
			next = until
		}
	}
	slices.SortFunc(users, func(a, b store.User) int { return strings.Compare(a.Name, b.Name) })
	users = slices.CompactFunc(users, func(a, b store.User) bool { return a.Name == b.Name })
	if next != "" {
		users = slices.DeleteFunc(users, func(user store.User) bool { return user.Name > next })
	}
	if len(users) > limit {
		users = users[:limit]
		next = users[limit-1].Name
	}
	return users, next, nil
}

// listByLastSignIn walks through the sign-ins of all, newest first. That of a user which the record
// names is the last one. So no sign-in writes an index.
func (s *Service) listByLastSignIn(ctx context.Context, after string, fits func(store.User) bool) (page []store.User, next string, err error) {
	query := store.EventQuery{Kinds: []shared.EventKind{shared.EventSignedIn}}
	if query.Before, err = parseMark(after); err != nil {
		return nil, "", err
	}
	for looked := 0; looked < mostLooked; {
		events, err := s.c.Store.AllEvents(ctx, query, usersPage+1)
		if err != nil {
			return nil, "", fmt.Errorf("listing sign-ins: %w", err)
		}
		for _, event := range events {
			if len(page) == usersPage {
				return page, textOfMark(query.Before), nil
			}
			user, found, err := s.ofLastSignIn(ctx, event)
			if err != nil {
				return nil, "", err
			}
			if found && fits(user) {
				page = append(page, user)
			}
			query.Before = event.Mark()
		}
		if len(events) <= usersPage {
			return page, "", nil
		}
		looked += len(events)
	}
	return page, textOfMark(query.Before), nil
}

// ofLastSignIn returns the user of an event, if it is their last sign-in.
func (s *Service) ofLastSignIn(ctx context.Context, event store.Event) (user store.User, is bool, err error) {
	user, err = s.UserByID(ctx, event.UserID)
	if shared.CodeOf(err) == shared.CodeNotFound {
		return store.User{}, false, nil
	}
	return user, user.LastSignIn.Equal(event.LastTime()), err
}

func textOfMark(mark store.EventMark) string {
	return hex.EncodeToString(mark.ID[:]) + "." + mark.UserID
}

func parseMark(text string) (mark store.EventMark, err error) {
	if text == "" {
		return mark, nil
	}
	id, user, _ := strings.Cut(text, ".")
	raw, err := hex.DecodeString(id)
	if err != nil || len(raw) != len(mark.ID) || !store.IsUserID(user) {
		return mark, shared.Errorf(shared.CodeInvalidRequest, "There is no such page.")
	}
	copy(mark.ID[:], raw)
	mark.UserID = user
	return mark, nil
}

// MemberCounts returns how many users there are of each kind. Only lists the groups whose names may
// be told, for a helper. Nil is no limit.
func (s *Service) MemberCounts(ctx context.Context, only []string) (shared.MemberCounts, error) {
	counts, err := s.c.Store.Counts(ctx)
	if err != nil {
		return shared.MemberCounts{}, fmt.Errorf("counting users: %w", err)
	}
	if only != nil {
		groups := counts.Groups()
		for name := range groups {
			if !slices.Contains(only, name) {
				delete(groups, name)
			}
		}
		return shared.MemberCounts{Groups: groups}, nil
	}
	return memberCounts(counts), nil
}

func memberCounts(counts store.Counts) shared.MemberCounts {
	return shared.MemberCounts{
		All:         counts[store.CountWithPasskey] + counts[store.CountWithoutPasskey] + counts[store.CountInvited] + counts[store.CountDisabled],
		WithPasskey: counts[store.CountWithPasskey], WithoutPasskey: counts[store.CountWithoutPasskey],
		PasswordOnly: counts[store.CountPasswordOnly], OneDevice: counts[store.CountOneDevice],
		Invited: counts[store.CountInvited], Disabled: counts[store.CountDisabled],
		Administrators: counts[store.CountAdministrators], Helpers: counts[store.CountHelpers], Auditors: counts[store.CountAuditors],
		Groups: counts.Groups(),
	}
}
