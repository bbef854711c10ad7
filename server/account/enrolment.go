package account

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// An enrolment link adds one sign-in method for one user, once. It begins no session. An
// invitation is for a user who has no method yet, a recovery link for a user who has lost
// all methods, and a phone link for a user who wants a passkey on another device. A user
// has at most one link of each kind: a new link replaces the earlier one. The store has the
// hash of its token.

// enrolmentLife is how long a link of each kind is valid.
var enrolmentLife = map[store.Method]time.Duration{
	store.MethodInvitation:   7 * 24 * time.Hour,
	store.MethodRecoveryLink: 30 * time.Minute,
	store.MethodPhoneLink:    5 * time.Minute,
}

// Link is a new link. The token is stored nowhere.
type Link struct {
	Token    string // "" if the link goes to its user by mail
	Expires  time.Time
	MailedTo string // the address, or ""
	Again    bool   // of a set-up link: an earlier one worked until now
}

// newLink returns a link, which somebody sees, and the operation that stores its hash.
func (s *Service) newLink(kind store.Method, userID, by string) (Link, store.Op) {
	link := Link{Token: newLinkToken(kind, userID), Expires: s.c.Now().Add(enrolmentLife[kind])}
	return link, enrolmentLinks.Put(store.Entry[linkHash]{
		Owner: userID, Key: string(kind), Value: linkHash{Hash: store.HashOf(link.Token), By: by},
		Version: store.AnyVersion, Expires: link.Expires,
	})
}

// Invite adds a user who has no sign-in method yet, and returns the link with which they
// add one. The link works once, within seven days. The actor has no user before.
func (s *Service) Invite(ctx context.Context, who session.Actor, fresh shared.Invite) (store.User, Link, error) {
	user, err := (&cleaner{s: s}).invited(ctx, who, fresh)
	if err != nil {
		return store.User{}, Link{}, err
	}
	who.User = user
	end, err := s.mayInvite(who, user, fresh.Mail)
	if err != nil {
		return store.User{}, Link{}, err
	}
	link, put := s.invitation(user, who.By.ID, fresh.Mail)
	for range store.Attempts {
		var condition store.Batch
		if condition, err = s.mayIf(ctx, who, user, func(by store.User) bool { return mayInviteAs(by, user) }); err != nil {
			break
		}
		batch := append(append(condition, store.PutUser{User: user}), put...)
		err = s.c.Store.Apply(ctx, append(batch, s.created(who)...))
		if !errors.Is(err, store.ErrStale) { // who acts was changed meanwhile
			break
		}
	}
	end(err == nil)
	if errors.Is(err, store.ErrEmailExists) {
		return store.User{}, Link{}, emailTaken(user.Email).Because(err)
	}
	if err != nil {
		return store.User{}, Link{}, nameTaken(err, user.Name)
	}
	user.Revision++ // as it is stored
	return user, link, nil
}

// invited returns the record of who is invited. Who helps one group invites into that.
func (c *cleaner) invited(ctx context.Context, who session.Actor, fresh shared.Invite) (store.User, error) {
	display, err := shared.CleanDisplayName(cmp.Or(fresh.DisplayName, fresh.Name))
	if err != nil {
		return store.User{}, err
	}
	user, err := c.s.newUser(fresh.Name, display)
	if err != nil {
		return store.User{}, err
	}
	if len(fresh.Groups) == 0 && who.By.Role == shared.RoleHelper && len(who.By.Helps) == 1 {
		fresh.Groups = who.By.Helps
	}
	wish, err := c.cleaned(ctx, shared.ChangeMember{Email: &fresh.Email, Groups: &fresh.Groups, Role: &fresh.Role, Helps: &fresh.Helps, Language: &fresh.Language})
	if err != nil {
		return store.User{}, err
	}
	switch isHelper := fresh.Role == shared.RoleHelper; {
	case isHelper && len(*wish.helps) == 0:
		return store.User{}, errHelpsNobody
	case !isHelper && len(*wish.helps) > 0:
		return store.User{}, errHelpsOnly
	}
	wish.apply(&user)
	user.Invited, user.InvitedBy = user.Created, who.By.ID
	return user, c.s.checkEmail(ctx, user, "")
}

// InviteAgain makes a new invitation for the actor's user, who has no sign-in method yet.
//
// Refusals: [shared.CodeConflict] for a user who has one, or who is disabled; and if it goes by mail
// those of [Service.Invite].
func (s *Service) InviteAgain(ctx context.Context, who session.Actor, mailed bool) (Link, error) {
	if _, err := s.may(ctx, who, RightHelp, who.User); err != nil {
		return Link{}, err
	}
	end, err := s.mayInvite(who, who.User, mailed)
	if err != nil {
		return Link{}, err
	}
	link, err := s.giveLink(ctx, who, store.MethodInvitation, mailed, s.recorded(who, shared.EventInvited)...)
	end(err == nil)
	return link, err
}

// NewRecoveryLink makes a link for the actor's user, who has lost all sign-in methods. It
// works once, within 30 minutes, and the user's activity shows it.
//
// Refusals: [shared.CodeConflict] for a disabled user.
func (s *Service) NewRecoveryLink(ctx context.Context, who session.Actor) (Link, error) {
	return s.giveLink(ctx, who, store.MethodRecoveryLink, false, s.recorded(who, shared.EventRecoveryLinkMade)...)
}

// RecoveryLinkUntil returns when the user's recovery link expires, or nil if there is none.
func (s *Service) RecoveryLinkUntil(ctx context.Context, user store.User) (*time.Time, error) {
	return s.lastOf(ctx, user, store.MethodRecoveryLink)
}

// LinkUntil returns when the last of the user's links that an administrator made expires,
// or nil if no such link works.
func (s *Service) LinkUntil(ctx context.Context, user store.User) (*time.Time, error) {
	if s.c.Policy.Methods().Count(user) > 0 {
		return s.RecoveryLinkUntil(ctx, user) // an invitation doesn't work for a user who has a method
	}
	return s.lastOf(ctx, user, linksOfAdministrators...)
}

// linksOfAdministrators are the kinds of links that an administrator makes for another
// user.
var linksOfAdministrators = []store.Method{store.MethodInvitation, store.MethodRecoveryLink}

// linksIntoAccounts are all kinds of links that lead into a user's account.
var linksIntoAccounts = append([]store.Method{store.MethodPhoneLink}, linksOfAdministrators...)

// openLinks returns those links of a user that have neither been used nor expired. One that doesn't stand
// now may do so again.
func (s *Service) openLinks(ctx context.Context, user store.User, kinds ...store.Method) (open []store.Entry[linkHash], err error) {
	for _, kind := range kinds {
		link, err := enrolmentLinks.Get(ctx, s.c.Store, user.ID, string(kind))
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

// lastOf returns when the last of a user's links that stand expires, or nil if none does.
func (s *Service) lastOf(ctx context.Context, user store.User, kinds ...store.Method) (last *time.Time, err error) {
	open, err := s.openLinks(ctx, user, kinds...)
	if err != nil {
		return nil, err
	}
	for _, link := range open {
		_, err := s.stands(ctx, link.Value, user)
		if errors.Is(err, errFallen) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if last == nil || link.Expires.After(*last) {
			last = &link.Expires
		}
	}
	return last, nil
}

// WithdrawLinks deletes the links that an administrator made for the actor's user, and
// reports whether there were any. The user's activity shows it.
func (s *Service) WithdrawLinks(ctx context.Context, who session.Actor) (withdrew bool, err error) {
	err = s.changeFor(ctx, who, RightHelp, func(user store.User) (store.Batch, error) {
		open, err := s.openLinks(ctx, user, linksOfAdministrators...)
		if withdrew = len(open) > 0; err != nil || !withdrew {
			return nil, err
		}
		// A link is made and used together with its user's record, so none is missed.
		batch := append(store.Batch{store.PutUser{User: user}}, s.recorded(who, shared.EventLinkWithdrawn)...)
		for _, kind := range linksOfAdministrators {
			batch = append(batch, endLink(kind, user.ID))
		}
		return batch, nil
	})
	return withdrew && err == nil, err
}

// NewPhoneLink makes a link with which the signed-in user adds a passkey on another device.
// It works once, within five minutes.
//
// Refusal: [shared.CodeUnauthenticated] if the session has ended meanwhile.
func (s *Service) NewPhoneLink(ctx context.Context, who session.Actor) (Link, error) {
	link, err := s.giveLink(ctx, who, store.MethodPhoneLink, false, store.ReplaceSession{Old: who.Session.ID, Session: who.Session})
	if errors.Is(err, store.ErrNotFound) {
		return Link{}, session.ErrEnded
	}
	return link, err
}

// endPhoneLink ends the user's phone link, if there is one. It belongs in each batch that
// ends sessions because an intruder may have been in one: the intruder may have made a link
// there, and would get a passkey with it.
func endPhoneLink(userID string) store.Op { return endLink(store.MethodPhoneLink, userID) }

// endLink ends a link, if there is one.
func endLink(kind store.Method, userID string) store.Op {
	return enrolmentLinks.Remove(store.Entry[linkHash]{Owner: userID, Key: string(kind), Version: store.AnyVersion})
}

// giveLink stores a link together with its user's record. So if the user is disabled at the
// same time, one of the two batches is retried and sees the other.
func (s *Service) giveLink(ctx context.Context, who session.Actor, kind store.Method, mailed bool, also ...store.Op) (link Link, err error) {
	err = s.changeFor(ctx, who, RightHelp, func(user store.User) (store.Batch, error) {
		if user.Disabled {
			return nil, shared.Errorf(shared.CodeConflict, "The account of %s is disabled. Enable it first.", user.DisplayName)
		}
		if err := who.MayAddMethod(user, s.c.Now()); err != nil {
			return nil, err
		}
		batch := make(store.Batch, 1)
		link, batch[0] = s.newLink(kind, user.ID, who.By.ID)
		if kind == store.MethodInvitation {
			if who.Methods.Count(user) > 0 {
				return nil, shared.Errorf(shared.CodeConflict, "%s has a way to sign in already. Make a recovery link instead.", user.DisplayName)
			}
			link, batch = s.invitation(user, who.By.ID, mailed && user.Email != "")
			if user.Invited.IsZero() {
				user.Invited, user.InvitedBy = s.c.Now(), who.By.ID
			}
		}
		return append(append(batch, store.PutUser{User: user}), also...), nil
	})
	if err != nil {
		return Link{}, err
	}
	return link, nil
}

// Enrolment describes a valid link.
type Enrolment struct {
	Kind    store.Method // MethodInvitation, MethodRecoveryLink or MethodPhoneLink
	User    store.User
	Expires time.Time
	// TakesPassword reports whether the bearer may choose a password. A phone link adds
	// only a passkey.
	TakesPassword bool

	link store.Entry[linkHash]
}

// Enrolment describes the link with this token, without using it.
//
// Refusal: [shared.CodeNotFound] for a link that can't be used.
func (s *Service) Enrolment(ctx context.Context, token string) (Enrolment, error) {
	kind, rest, _ := strings.Cut(token, ".")
	userID, _, _ := strings.Cut(rest, ".")
	e := Enrolment{Kind: store.Method(kind)}

	if enrolmentLife[e.Kind] == 0 || !store.IsUserID(userID) {
		return Enrolment{}, e.Gone(errors.New("no link looks like this"))
	}
	var err error
	e.link, err = s.linkOf(ctx, enrolmentLinks, userID, kind, token)
	if err == nil {
		e.Expires = e.link.Expires
		e.User, err = s.c.Store.User(ctx, userID)
	}
	if err == nil {
		_, err = s.stands(ctx, e.link.Value, e.User)
	}
	if errors.Is(err, errNoLink) || errors.Is(err, errFallen) || errors.Is(err, store.ErrNotFound) { // or its user was removed just now
		return Enrolment{}, e.Gone(err)
	}
	if err != nil {
		return Enrolment{}, fmt.Errorf("looking up a link: %w", err)
	}
	e.TakesPassword = e.Kind != store.MethodPhoneLink && s.c.Policy.TakesPassword(e.User)
	if e.Kind == store.MethodInvitation && s.c.Policy.Methods().Count(e.User) > 0 {
		return Enrolment{}, e.Gone(errors.New("the user has a sign-in method already"))
	}
	return e, nil
}

var errDisabled = errors.New("the account is disabled")

// Gone is the refusal of a link that can't be used. It doesn't say why.
func (e Enrolment) Gone(cause error) error {
	if e.Kind == store.MethodPhoneLink {
		return shared.Errorf(shared.CodeNotFound, "This code was used already, or is older than five minutes. Show a new one on your other device.").Because(cause)
	}
	return shared.Errorf(shared.CodeNotFound, "This link was used already, or is too old. Ask for a new one.").Because(cause)
}

// Enrol returns what uses the link: a function that changes the user and returns the
// operations for the batch in which the user gets a passkey. With a password, the user gets
// that too. Enrol itself writes nothing. The actor is the bearer of the link, who acts for
// its user.
//
// Refusals: [shared.CodeInvalidPassword], [shared.CodePasswordsOff] where the policy
// accepts no password of this user, and [shared.CodeInvalidRequest] for a password with a
// phone link.
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
		condition, err := s.stands(ctx, e.link.Value, *user)
		if errors.Is(err, errFallen) {
			return nil, e.Gone(err)
		}
		if err != nil {
			return nil, err
		}
		if err := who.MayAddMethod(*user, s.c.Now()); err != nil {
			return nil, err
		}
		used := s.event(who, shared.EventLinkUsed)
		used.Event.Method = e.Kind
		verified, err := s.verifiedByMail(ctx, e.link.Value, user, who)
		if err != nil {
			return nil, err
		}
		batch := append(append(condition, verified...), enrolmentLinks.Remove(e.link), used)
		if hash != "" {
			s.setPassword(user, hash)
			batch = append(batch, s.event(who, shared.EventPasswordChanged))
		}
		if e.Kind == store.MethodRecoveryLink {
			// An intruder may have the lost device, with a session on it.
			batch = append(batch, store.EndSessions{UserID: user.ID}, endPhoneLink(user.ID))
		}
		return batch, nil
	}, nil
}

// EnrolPassword sets the password of the link's user, and uses the link.
//
// Refusals: those of [Service.Enrol], and [shared.CodeNotFound] if another request has used
// the link first.
func (s *Service) EnrolPassword(ctx context.Context, who session.Actor, e Enrolment, password string) error {
	if password == "" {
		password = " " // too short
	}
	enrol, err := s.Enrol(ctx, who, e, password)
	if err != nil {
		return err
	}
	who.User = e.User
	return s.Enrolled(e, s.change(ctx, e.User, func(user store.User) (store.Batch, error) {
		failed := who.FailedBefore(s.c.Now())
		batch, err := enrol(&user)
		return append(append(failed, batch...), store.PutUser{User: user}), err
	}))
}

// Enrolled translates the error of the batch that uses a link. If another request has used
// the link first, or its user doesn't exist any more, the refusal says that the link is
// gone.
func (s *Service) Enrolled(e Enrolment, err error) error {
	switch {
	case enrolmentLinks.Changed(err), errors.Is(err, store.ErrNotFound):
		return e.Gone(err)
	case errors.Is(err, store.ErrEmailExists): // verified by somebody else at the same moment
		return busy(err)
	}
	return err
}
