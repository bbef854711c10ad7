package account

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// What users may do for others, by their role. A rule in which one user acts for another decides
// with the record of the one who acts, and its batch stands on that record: if the role is taken
// away at the same moment, either the act is written before, or it isn't written at all.

// Right is something that a role allows.
type Right int

// The rights. Each includes those before it.
const (
	RightRead   Right = iota + 1 // read everything of a user
	RightHelp                    // links, sessions, disabling, a lost passkey
	RightManage                  // everything
)

// MayWith returns the greatest right of by over a user, or 0 for none. Nobody has a right over
// themselves by it but administrators and auditors.
func MayWith(by, user store.User) Right {
	switch {
	case by.Disabled:
		return 0
	case by.Role == shared.RoleAdministrator:
		return RightManage
	case by.Role == shared.RoleAuditor:
		return RightRead
	case by.Role == shared.RoleHelper && by.ID != user.ID && user.Role == shared.RoleNone && shareGroup(by.Helps, user.Groups):
		return RightHelp
	}
	return 0
}

// mayInviteAs reports whether by may invite a user. A helper invites into the groups that they help.
func mayInviteAs(by, user store.User) bool {
	elsewhere := func(group string) bool { return !slices.Contains(by.Helps, group) }
	return MayWith(by, user) >= RightHelp && (by.Role != shared.RoleHelper || !slices.ContainsFunc(user.Groups, elsewhere))
}

// MayRead refuses who may not read about a user.
//
// Refusal: [shared.CodeNotAllowed].
func MayRead(by, user store.User) error {
	if MayWith(by, user) < RightRead {
		return errNotYours
	}
	return nil
}

func shareGroup(some, others []string) bool {
	return slices.ContainsFunc(some, func(group string) bool { return slices.Contains(others, group) })
}

var (
	errNoRole      = shared.Errorf(shared.CodeInvalidRequest, "There is no such role.")
	errNotYours    = shared.Errorf(shared.CodeNotAllowed, "Your role doesn't allow this for this user. Ask an administrator.")
	errHelpsNobody = shared.Errorf(shared.CodeInvalidRequest, "A helper helps the users of some groups: name at least one.")
	errHelpsOnly   = shared.Errorf(shared.CodeInvalidRequest, "Only a helper has groups to help.")
	errYourself    = shared.Errorf(shared.CodeConflict, "You can't do this to your own account. Ask another administrator.")
)

// may refuses who has not the right over a user. It returns the operations that make the batch
// stand on that. IT, and users who act for themselves, need no right.
//
// Refusal: [shared.CodeNotAllowed].
func (s *Service) may(ctx context.Context, who session.Actor, need Right, user store.User) (store.Batch, error) {
	return s.mayIf(ctx, who, user, func(by store.User) bool { return MayWith(by, user) >= need })
}

// mayIf is may with another rule for who acts.
func (s *Service) mayIf(ctx context.Context, who session.Actor, user store.User, allows func(by store.User) bool) (store.Batch, error) {
	if who.By.ID == "" {
		return nil, nil
	}
	by, err := s.c.Store.User(ctx, who.By.ID)
	if errors.Is(err, store.ErrNotFound) {
		return nil, errNotYours
	}
	if err != nil {
		return nil, fmt.Errorf("reading the record of who acts: %w", err)
	}
	if !allows(by) {
		return nil, errNotYours
	}
	if by.ID == user.ID {
		return nil, nil // the batch writes this record
	}
	return store.Batch{store.HasUser{ID: by.ID, Revision: by.Revision}}, nil
}

// changeFor is change for an act that needs a right over the user. A user who was removed is a refusal.
func (s *Service) changeFor(ctx context.Context, who session.Actor, need Right, fn func(store.User) (store.Batch, error)) error {
	err := s.change(ctx, who.User, func(user store.User) (store.Batch, error) {
		condition, err := s.may(ctx, who, need, user)
		if err != nil {
			return nil, err
		}
		batch, err := fn(user)
		return append(condition, batch...), err
	})
	if errors.Is(err, store.ErrNotFound) {
		return errNoUser.Because(err) // removed meanwhile
	}
	return err
}

// recorded returns the operations that record what the actor does: see [session.Actor.Recorded]. Say
// adds to each event what it is about.
func (s *Service) recorded(who session.Actor, kind shared.EventKind, say ...func(*store.Event)) store.Batch {
	batch := who.Recorded(kind, s.c.Now())
	for i, op := range batch {
		add := op.(store.AddEvent)
		for _, say := range say {
			say(&add.Event)
		}
		batch[i] = add
	}
	return batch
}
