package account

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// Groups are names on users, and nothing else.

const (
	mostGroups    = 20  // of a user
	mostGroupsAll = 200 // of an organisation, since each has a count
)

var errManyGroups = shared.Errorf(shared.CodeConflict, "A user can be in at most %d groups.", mostGroups)

// canonicalGroups returns names of groups in their order, each once. They follow the rules of user
// names.
//
// Refusals: [shared.CodeInvalidName], and [shared.CodeConflict] for too many.
func canonicalGroups(typed []string) ([]string, error) {
	var groups []string
	for _, name := range typed {
		group, err := CanonicalName(name)
		if err != nil {
			return nil, shared.Errorf(shared.CodeInvalidName, "No group can be called %s. A group's name is like a user name: without spaces, at most %d characters.", name, shared.MaxNameLength).Because(err)
		}
		groups = append(groups, group)
	}
	slices.Sort(groups)
	groups = slices.Compact(groups)
	if len(groups) > mostGroups {
		return nil, errManyGroups
	}
	return groups, nil
}

// haveRoom refuses groups that would be too many for the organisation. Two requests at the same
// time may exceed the limit a little, which does no harm.
func (c *cleaner) haveRoom(ctx context.Context, groups []string) error {
	if len(groups) == 0 {
		return nil
	}
	if c.groups == nil {
		counts, err := c.s.c.Store.Counts(ctx)
		if err != nil {
			return fmt.Errorf("counting groups: %w", err)
		}
		c.groups = counts.Groups()
	}
	known := maps.Clone(c.groups)
	for _, group := range groups {
		known[group]++
	}
	if len(known) > mostGroupsAll {
		return shared.Errorf(shared.CodeConflict, "There can be at most %d groups.", mostGroupsAll)
	}
	c.groups = known
	return nil
}

// Counts returns how many users there are of each category.
func (s *Service) Counts(ctx context.Context) (store.Counts, error) { return s.c.Store.Counts(ctx) }
