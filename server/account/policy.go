package account

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

var (
	errNoPasswords   = shared.Errorf(shared.CodePasswordsOff, "Nobody signs in with a password here. Use another way.")
	errNotByPassword = shared.Errorf(shared.CodePasswordsOff, "Only administrators sign in with a password here. Use another way.")
)

// passwordAllowed refuses with [shared.CodePasswordsOff] if the policy accepts no password of
// this user.
func (s *Service) passwordAllowed(user store.User) error {
	switch {
	case s.c.Policy.TakesPassword(user):
		return nil
	case s.c.Policy.TakesPasswords():
		return errNotByPassword
	default:
		return errNoPasswords
	}
}

// LockedOut is the error for a policy that would leave users without a sign-in method.
type LockedOut struct {
	Users []store.User // up to mostNamed of them, in byte order of their names
	More  int          // how many more there are
}

// mostNamed is how many users a [LockedOut] names.
const mostNamed = 20

func (e *LockedOut) orNil() error {
	if len(e.Users) == 0 {
		return nil
	}
	return e
}

// Error is a sentence for IT.
func (e *LockedOut) Error() string {
	return "with these settings no sign-in method would be left for: " + e.names()
}

func (e *LockedOut) names() string {
	names := make([]string, len(e.Users))
	for i, user := range e.Users {
		names[i] = user.Name
	}
	list := strings.Join(names, ", ")
	if e.More > 0 {
		list += fmt.Sprintf(", and %d more", e.More)
	}
	return list
}

// checkedPolicy has the policy that was last found to lock nobody out. The next start with
// the same policy reads no users.
var checkedPolicy = store.Collection[string]{Name: "checked-policy"}

// CheckPolicy fails with a [*LockedOut] if the policy leaves a user without a sign-in method
// who has some, and with [*ForeignPasskeys] if it lacks the domain of passkeys, unless IT has given
// that up. After a change of the policy, and while it lacks such a domain that was served before, it reads
// every user, otherwise none.
func (s *Service) CheckPolicy(ctx context.Context) error {
	policy := s.c.Policy.String()
	known, err := checkedPolicy.Get(ctx, s.c.Store, "", "")
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("looking up the last policy: %w", err)
	}
	more, failed := s.hasServedMore(ctx)
	if failed != nil {
		return failed
	}
	if err == nil && known.Value == policy && !more {
		return nil
	}

	domains, err := s.lookAtAll(ctx)
	if err != nil {
		return err
	}
	checked := store.Entry[string]{Value: policy, Version: store.AnyVersion}
	if err := s.c.Store.Apply(ctx, append(domains.served(s.c.Now()), checkedPolicy.Put(checked))); err != nil {
		return fmt.Errorf("remembering the policy: %w", err)
	}
	return nil
}

// LocksNobodyOut fails as [Service.CheckPolicy] does. It reads every user each time, and writes
// nothing.
func (s *Service) LocksNobodyOut(ctx context.Context) error {
	_, err := s.lookAtAll(ctx)
	return err
}

func (s *Service) lookAtAll(ctx context.Context) (*domainCount, error) {
	domains, err := newDomainCount(ctx, s.c.Store, s.c.Policy)
	if err != nil {
		return nil, err
	}
	var locked LockedOut
	err = eachUser(ctx, s.c.Store, func(user store.User) {
		domains.add(user)
		if s.c.Policy.LocksOut(user) {
			locked.add(user)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("checking the policy: %w", err)
	}
	if err := domains.foreign(); err != nil && s.c.Policy.RPID != "" {
		return nil, err
	}
	return domains, locked.orNil()
}

func (e *LockedOut) add(user store.User) {
	at, _ := slices.BinarySearchFunc(e.Users, user, func(a, b store.User) int { return strings.Compare(a.Name, b.Name) })
	e.Users = slices.Insert(e.Users, at, user)
	if len(e.Users) > mostNamed {
		e.Users = e.Users[:mostNamed]
		e.More++
	}
}
