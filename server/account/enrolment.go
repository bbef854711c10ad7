package account

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// An enrolment link gives its bearer one thing, once: a new sign-in method for one user. It
// begins no session. An invitation is for who has no method yet, a recovery link
// for who has lost theirs, and a phone link for who wants a passkey on another
// device. Of each there is at most one for a user: an earlier one is dead from then
// on. The store has the hash of its token.

// enrolmentLife is how long a link of each kind can be used.
var enrolmentLife = map[store.Method]time.Duration{
	store.MethodInvitation:   7 * 24 * time.Hour,
	store.MethodRecoveryLink: 30 * time.Minute,
	store.MethodPhoneLink:    5 * time.Minute,
}

// Link is a new link. The token is nowhere else.
type Link struct {
	Token   string
	Expires time.Time
}

// newLink returns a link and what writes it.
func (s *Service) newLink(kind store.Method, userID string) (Link, store.Op) {
	link := Link{Token: string(kind) + "." + userID + "." + rand.Text(), Expires: s.Now().Add(enrolmentLife[kind])}
	return link, store.PutLink{Link: store.Link{
		Key: enrolmentKey(kind, userID), Hash: store.HashOf(link.Token), Expires: link.Expires,
	}}
}

const enrolmentKeys = "enrol/" // what the key of every enrolment link begins with

func enrolmentKey(kind store.Method, userID string) string {
	return enrolmentKeys + string(kind) + "/" + userID
}

// IsLinkOfAPerson reports whether the link under a key is one that somebody was given, to
// set up an account or an installation with.
func IsLinkOfAPerson(key string) bool {
	return key == setupLinkKey || strings.HasPrefix(key, enrolmentKeys)
}

// Invite adds a user who has no sign-in method yet, and returns the link with which they
// choose one, once, within seven days. There is no user whom the actor acts for before.
//
// Refusals: [shared.CodeInvalidName] and [shared.CodeNameTaken].
func (s *Service) Invite(ctx context.Context, who session.Actor, fresh shared.Invite) (store.User, Link, error) {
	display, err := shared.CleanDisplayName(cmp.Or(fresh.DisplayName, fresh.Name))
	if err != nil {
		return store.User{}, Link{}, err
	}
	user, err := s.newUser(fresh.Name, display)
	if err != nil {
		return store.User{}, Link{}, err
	}
	user.Admin = fresh.Admin
	who.User = user

	link, put := s.newLink(store.MethodInvitation, user.ID)
	err = s.Store.Apply(ctx, store.Batch{
		store.PutUser{User: user}, put, s.event(who, shared.EventAccountCreated),
	})
	if err != nil {
		return store.User{}, Link{}, nameTaken(err, user.Name)
	}
	user.Revision++ // as it is stored
	return user, link, nil
}

// InviteAgain makes a new link for the actor's user, who has no sign-in method yet.
//
// Refusals: [shared.CodeConflict] for a user who has, or who is disabled.
func (s *Service) InviteAgain(ctx context.Context, who session.Actor) (Link, error) {
	if who.Methods.Count(who.User) > 0 {
		return Link{}, shared.Errorf(shared.CodeConflict, "%s has a way to sign in already. Make a recovery link instead.", who.User.DisplayName)
	}
	return s.giveLink(ctx, who, store.MethodInvitation, s.event(who, shared.EventInvited))
}

// NewRecoveryLink makes a link for the actor's user, who has lost every sign-in method. It
// works once, within 30 minutes, and the user's activity tells of it.
//
// Refusals: [shared.CodeConflict] for a disabled user.
func (s *Service) NewRecoveryLink(ctx context.Context, who session.Actor) (Link, error) {
	return s.giveLink(ctx, who, store.MethodRecoveryLink, s.event(who, shared.EventRecoveryLinkMade))
}

// RecoveryLinkUntil tells how long somebody can get in by a recovery link; nil if
// there is none.
func (s *Service) RecoveryLinkUntil(ctx context.Context, user store.User) (*time.Time, error) {
	return until(s.openLinks(ctx, user, store.MethodRecoveryLink))
}

// LinkUntil tells how long somebody can get into a user's account by a link that an
// administrator made; nil if they can't.
func (s *Service) LinkUntil(ctx context.Context, user store.User) (*time.Time, error) {
	switch {
	case user.Disabled:
		return nil, nil
	case s.Policy.Methods().Count(user) > 0:
		return s.RecoveryLinkUntil(ctx, user) // an invitation is dead from then on
	}
	return until(s.openLinks(ctx, user, linksOfAdministrators...))
}

// linksOfAdministrators are those that one makes for somebody else.
var linksOfAdministrators = []store.Method{store.MethodInvitation, store.MethodRecoveryLink}

// linksIntoAccounts are all that give their bearer a way into somebody's account.
var linksIntoAccounts = append([]store.Method{store.MethodPhoneLink}, linksOfAdministrators...)

// openLinks returns those links of a user that have neither been used nor expired.
func (s *Service) openLinks(ctx context.Context, user store.User, kinds ...store.Method) (open []store.Link, err error) {
	for _, kind := range kinds {
		link, err := s.Store.Link(ctx, enrolmentKey(kind, user.ID))
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("looking for a link: %w", err)
		}
		open = append(open, link)
	}
	return open, nil
}

// until is when the last of the links expires.
func until(links []store.Link, err error) (last *time.Time, _ error) {
	for _, link := range links {
		if last == nil || link.Expires.After(*last) {
			last = &link.Expires
		}
	}
	return last, err
}

// WithdrawLinks makes the links dead that an administrator made for the actor's user, and
// reports whether there were any. The user's activity tells of it.
func (s *Service) WithdrawLinks(ctx context.Context, who session.Actor) (withdrew bool, err error) {
	for range store.Attempts {
		open, err := s.openLinks(ctx, who.User, linksOfAdministrators...)
		if err != nil || len(open) == 0 {
			return false, err
		}
		batch := store.Batch{s.event(who, shared.EventLinkWithdrawn)}
		for _, link := range open {
			batch = append(batch, store.TakeLink{Key: link.Key, Hash: link.Hash})
		}
		err = s.Store.Apply(ctx, batch)
		if errors.Is(err, store.ErrNotFound) {
			continue // it was used, or another one took its place, since we looked
		}
		if err != nil {
			return false, fmt.Errorf("withdrawing a link: %w", err)
		}
		return true, nil
	}
	return false, busy(errors.New("links change all the time"))
}

// NewPhoneLink makes a link with which the signed-in user adds a passkey on another
// device, once, within five minutes. It fails with [shared.CodeUnauthenticated] if the
// session has ended meanwhile.
func (s *Service) NewPhoneLink(ctx context.Context, who session.Actor) (Link, error) {
	link, err := s.giveLink(ctx, who, store.MethodPhoneLink, store.ReplaceSession{Old: who.Session.ID, Session: who.Session})
	if errors.Is(err, store.ErrNotFound) {
		return Link{}, session.ErrEnded
	}
	return link, err
}

// endPhoneLink makes a phone link dead, if there is one. It belongs into each batch that
// ends sessions for whoever may have been in one without leave: they may have made a link
// with it, which would give them a passkey.
func (s *Service) endPhoneLink(userID string) store.Op {
	return s.endLink(store.MethodPhoneLink, userID)
}

// endLink makes a link dead, if there is one. An expired link is as good as none, and needs
// neither a look before nor a second try.
func (s *Service) endLink(kind store.Method, userID string) store.Op {
	return store.PutLink{Link: store.Link{Key: enrolmentKey(kind, userID), Expires: s.Now()}}
}

// giveLink writes a link with its user's record: of a link and a change that shuts the user
// out at the same time, the second knows of the first.
func (s *Service) giveLink(ctx context.Context, who session.Actor, kind store.Method, also store.Op) (link Link, err error) {
	err = s.change(ctx, who.User, func(user store.User) (store.Batch, error) {
		if user.Disabled {
			return nil, shared.Errorf(shared.CodeConflict, "The account of %s is disabled. Enable it first.", user.DisplayName)
		}
		var put store.Op
		link, put = s.newLink(kind, user.ID)
		return store.Batch{put, store.PutUser{User: user}, also}, nil
	})
	if err != nil {
		return Link{}, err
	}
	return link, nil
}

// Enrolment is what a link is good for.
type Enrolment struct {
	Kind    store.Method // MethodInvitation, MethodRecoveryLink or MethodPhoneLink
	User    store.User
	Expires time.Time
	// TakesPassword tells whether the bearer may choose a password. Who adds a phone
	// adds a passkey and nothing else.
	TakesPassword bool

	take store.TakeLink
}

// Enrolment looks at a link. It fails with [shared.CodeNotFound] and a sentence,
// unless the link can be used.
func (s *Service) Enrolment(ctx context.Context, token string) (Enrolment, error) {
	kind, rest, _ := strings.Cut(token, ".")
	userID, _, _ := strings.Cut(rest, ".")
	e := Enrolment{Kind: store.Method(kind), take: store.TakeLink{Key: enrolmentKey(store.Method(kind), userID), Hash: store.HashOf(token)}}

	if enrolmentLife[e.Kind] == 0 || !isUserID(userID) {
		return Enrolment{}, e.gone(errors.New("no link looks like this"))
	}
	link, err := s.Store.Link(ctx, e.take.Key)
	if errors.Is(err, store.ErrNotFound) || (err == nil && link.Hash != e.take.Hash) {
		return Enrolment{}, e.gone(errors.New("no such link"))
	}
	if err != nil {
		return Enrolment{}, fmt.Errorf("looking up a link: %w", err)
	}
	e.Expires = link.Expires
	if e.User, err = s.Store.User(ctx, userID); err != nil {
		return Enrolment{}, fmt.Errorf("loading the user of a link: %w", err)
	}
	e.TakesPassword = e.Kind != store.MethodPhoneLink && s.Policy.TakesPassword(e.User)
	switch {
	case e.User.Disabled:
		return Enrolment{}, e.gone(errDisabled)
	case e.Kind == store.MethodInvitation && s.Policy.Methods().Count(e.User) > 0:
		return Enrolment{}, e.gone(errors.New("the user has a sign-in method already"))
	}
	return e, nil
}

var errDisabled = errors.New("the account is disabled")

// gone is the one answer to a link that can't be used, whatever is wrong with it.
func (e Enrolment) gone(cause error) error {
	if e.Kind == store.MethodPhoneLink {
		return shared.Errorf(shared.CodeNotFound, "This code was used already, or is older than five minutes. Show a new one on your other device.").Because(cause)
	}
	return shared.Errorf(shared.CodeNotFound, "This link was used already, or is too old. Ask for a new one.").Because(cause)
}

// Enrol uses a link up. It returns what belongs into the batch that gives the user a
// passkey; with a password, they get that too. Nothing is written yet. The actor is whoever
// bears the link, and acts for its user.
//
// Refusals: [shared.CodeInvalidPassword], [shared.CodePasswordsOff] where the policy
// takes none of the user, and [shared.CodeInvalidRequest] for one by a phone link.
func (s *Service) Enrol(ctx context.Context, who session.Actor, e Enrolment, password string) (func(*store.User) (store.Batch, error), error) {
	who.User = e.User
	hash := ""
	if password != "" {
		if e.Kind == store.MethodPhoneLink {
			return nil, shared.Errorf(shared.CodeInvalidRequest, "The request can't be read.").Because(errors.New("a password by a phone link"))
		}
		var err error
		if hash, err = s.newPassword(ctx, e.User, password); err != nil {
			return nil, err
		}
	}

	return func(user *store.User) (store.Batch, error) {
		if user.Disabled {
			return nil, e.gone(errDisabled)
		}
		used := s.event(who, shared.EventLinkUsed)
		used.Event.Method = e.Kind
		batch := store.Batch{e.take, used}
		if hash != "" {
			user.Password = hash
			batch = append(batch, s.event(who, shared.EventPasswordChanged))
		}
		if e.Kind == store.MethodRecoveryLink {
			// What was lost may be in somebody's hands, with a session in it.
			batch = append(batch, store.EndSessions{UserID: user.ID}, s.endPhoneLink(user.ID))
		}
		return batch, nil
	}, nil
}

// EnrolPassword gives the user of a link a password, and uses the link up.
//
// Refusals: those of [Service.Enrol], and [shared.CodeNotFound] if somebody else was
// faster with the link.
func (s *Service) EnrolPassword(ctx context.Context, who session.Actor, e Enrolment, password string) error {
	if password == "" {
		password = " " // too short
	}
	enrol, err := s.Enrol(ctx, who, e, password)
	if err != nil {
		return err
	}
	return s.Enrolled(e, s.change(ctx, e.User, func(user store.User) (store.Batch, error) {
		batch, err := enrol(&user)
		return append(batch, store.PutUser{User: user}), err
	}))
}

// Enrolled translates how the batch ended that uses a link up: of a link that somebody else
// used first, or whose user has vanished, it says that it is gone.
func (s *Service) Enrolled(e Enrolment, err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return e.gone(err)
	}
	return err
}
