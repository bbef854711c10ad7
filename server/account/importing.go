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

// MostInvited is how many people are invited together. Their batch has some four operations for each,
// and other changes wait for it.
const MostInvited = 1000

// ErrMany is the refusal of more.
var ErrMany = shared.Errorf(shared.CodeTooLarge, "A table can have at most %d people. Divide it, or ask IT to import it.", MostInvited)

// An invitation of a table goes by mail to whoever has an address, if that is wanted; the others get
// a link that is shown.

// Invitation is a user who was invited, and the link with which they choose how to sign in.
type Invitation struct {
	User store.User
	Link Link
}

// InviteAll invites people, all of them or nobody. No two may have the same name or address. If somebody
// can't be invited, it returns what [Service.CheckInvitations] does. It is for administrators and IT.
//
// Refusals of the whole: [shared.CodeNotAllowed], [shared.CodeMailOff], and [shared.CodeTooLarge] for more than
// [MostInvited].
func (s *Service) InviteAll(ctx context.Context, who session.Actor, people []shared.Invite) (made []Invitation, refusals []error, err error) {
	for range store.Attempts {
		users, condition, refusals, err := s.invitable(ctx, who, people)
		if err != nil || refusals != nil {
			return nil, refusals, err
		}
		made, batch := make([]Invitation, len(users)), condition
		for i, user := range users {
			link, put := s.invitation(user, who.By.ID, people[i].Mail && user.Email != "")
			batch = append(append(batch, store.PutUser{User: user}), put...)
			who.User = user
			batch = append(batch, s.created(who)...)
			made[i] = Invitation{User: user, Link: link}
			made[i].User.Revision++ // as it is stored
		}
		err = s.c.Store.Apply(ctx, batch)
		switch {
		case err == nil:
			return made, nil, nil
		case !errors.Is(err, store.ErrStale) && !errors.Is(err, store.ErrExists):
			return nil, nil, fmt.Errorf("storing %d new users: %w", len(users), err)
		}
		// Who acts was changed meanwhile, or somebody took a name.
	}
	return nil, nil, busy(errors.New("names are taken all the time"))
}

// CheckInvitations returns what is wrong with each of the people, in their order: nil for who could be
// invited. It returns no list if all could be. It writes nothing.
func (s *Service) CheckInvitations(ctx context.Context, who session.Actor, people []shared.Invite) (refusals []error, err error) {
	_, _, refusals, err = s.invitable(ctx, who, people)
	return refusals, err
}

// invitable returns the records of people, and the operations on which a batch with them stands.
func (s *Service) invitable(ctx context.Context, who session.Actor, people []shared.Invite) (users []store.User, condition store.Batch, refusals []error, err error) {
	if len(people) > MostInvited {
		return nil, nil, nil, ErrMany
	}
	if condition, err = s.may(ctx, who, RightManage, store.User{}); err != nil {
		return nil, nil, nil, err
	}
	if s.c.Mails == nil && slices.ContainsFunc(people, func(fresh shared.Invite) bool { return fresh.Mail }) {
		return nil, nil, nil, errMailOff
	}
	rules, differ := cleaner{s: s}, others{}
	users, wrong := make([]store.User, len(people)), make([]error, len(people))
	anyWrong := false
	for i, fresh := range people {
		users[i], err = rules.invited(ctx, who, fresh)
		if err == nil {
			err = s.isFree(ctx, users[i])
		}
		if err == nil {
			err = differ.from(users[i])
		}
		if err != nil && shared.CodeOf(err) == "" {
			return nil, nil, nil, err
		}
		wrong[i], anyWrong = err, anyWrong || err != nil
	}
	if anyWrong {
		return nil, nil, wrong, nil
	}
	return users, condition, nil, nil
}

// isFree refuses a new user whose name somebody has.
func (s *Service) isFree(ctx context.Context, user store.User) error {
	_, err := s.c.Store.UserByName(ctx, user.Name)
	switch {
	case err == nil:
		return NameTaken(user.Name)
	case errors.Is(err, store.ErrNotFound):
		return nil
	}
	return fmt.Errorf("looking for a user name: %w", err)
}

// others are the names and the addresses of people who are invited together.
type others map[string]bool

// from refuses a user who has the name or the address of an earlier one, and remembers both.
func (o others) from(user store.User) error {
	name, address := "name "+user.Name, "address "+user.UniqueEmail()
	switch {
	case o[name]:
		return NameTaken(user.Name)
	case o[address] && user.UniqueEmail() != "":
		return emailTaken(user.Email)
	}
	o[name], o[address] = true, true
	return nil
}
