package account

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// Sign-in by OpenID Connect. Whoever calls these has checked what the provider
// said; here it is decided who that is. An identity leads to the user who has it.
// An e-mail address never does: whoever can choose one at a provider could take an
// account over.

// Asserted is an identity that a provider just asserted.
type Asserted struct {
	Provider  Provider
	Subject   string
	Described                     // as far as the ID token does
	Claims    map[string][]string // what the ID token says, claim by claim
	// Describe asks the provider for what the ID token leaves out; nil where it is all.
	// It fails with an [shared.Error].
	Describe func(context.Context) (Described, error)

	// Spent is the provider's answer, which counts once; without an id where there
	// was none.
	Spent store.SpendTicket
}

// Described is what a provider says of a person. Nothing of it leads to an account
// that exists.
type Described struct {
	Name     string // may be empty
	Email    string // may be empty
	Verified bool   // the provider says that the e-mail address is the person's
}

// isOf tells whether an identity is the one that was asserted.
func (a Asserted) isOf(i store.Identity) bool {
	return i.Issuer == a.Provider.Issuer && i.Subject == a.Subject
}

// described asks the provider for the rest.
func (a Asserted) described(ctx context.Context) (Asserted, error) {
	if a.Describe == nil {
		return a, nil
	}
	said, err := a.Describe(ctx)
	if err != nil {
		return a, err
	}
	a.Described, a.Describe = said, nil
	return a, nil
}

// named asks for a name by which people know a new identity in the list on their start
// page, if the ID token has none. Without one it does as well.
func (a Asserted) named(ctx context.Context) Asserted {
	if a.called() != "" {
		return a
	}
	if named, err := a.described(ctx); err == nil {
		return named
	}
	return a
}

// called is what people may know the identity by.
func (a Asserted) called() string {
	if name := cleaned(a.Email); name != "" {
		return name
	}
	return cleaned(a.Name)
}

// cleaned is a provider's text by our rules for names: cut where it is too long, and
// nothing where it can't be shown.
func cleaned(text string) string {
	if runes := []rune(strings.Join(strings.Fields(text), " ")); len(runes) > shared.MaxNameLength {
		text = strings.TrimSpace(string(runes[:shared.MaxNameLength-1])) + "…"
	}
	clean, err := shared.CleanDisplayName(text)
	if err != nil {
		return ""
	}
	return clean
}

// signInName is the user name of a new user: their e-mail address. One that can't be
// a name, being too long for instance, is cut down to what stands before the @, with a
// mark that nobody else has. That has no @, and so is never somebody else's address.
func (a Asserted) signInName() string {
	if name, err := CanonicalName(a.Email); err == nil {
		return name
	}
	sum := store.HashOf(a.Provider.Issuer + " " + a.Subject)
	mark := "-" + hex.EncodeToString(sum[:4])
	local, _, _ := strings.Cut(plainAddress(a.Email), "@")
	runes := []rune(local)
	if name, err := CanonicalName(string(runes[:min(len(runes), shared.MaxNameLength-len(mark))]) + mark); err == nil {
		return name
	}
	return "user" + mark
}

// SignInWithIdentity begins a session of the user who has the identity, or of a new
// one where the provider's policy says so.
//
// Refusals: [shared.CodeNoAccount], [shared.CodeSignInRefused] for a disabled user,
// [shared.CodeNameTaken] where a new user's name is somebody else's already,
// [shared.CodeSSORefused] for an answer that was used before, and those of
// [Asserted.Describe].
func (s *Service) SignInWithIdentity(ctx context.Context, who session.Actor, a Asserted) (issued session.Issued, err error) {
	if err := a.mayBeUsed(); err != nil {
		return session.Issued{}, err
	}
	for attempt := 1; ; attempt++ {
		user, found, err := s.userOf(ctx, a)
		if err != nil {
			return session.Issued{}, err
		}
		if found {
			who.User = user
			issued, err = s.signInKnown(ctx, who, a)
		} else {
			issued, err = s.signInNew(ctx, who, a)
		}
		// Somebody else may have come with the same identity, or given it away, just
		// now. The second look finds how it stands.
		if attempt == 1 && (errors.Is(err, store.ErrIdentityExists) || errors.Is(err, errIdentityGone)) {
			continue
		}
		return issued, s.identityRefused(a, err)
	}
}

// mayBeUsed refuses a person whom the provider doesn't say to be one of those that IT
// let in, whether we know them or not. Everything that an identity is good for begins
// with it.
func (a Asserted) mayBeUsed() error {
	if err := a.isMember(); err != nil {
		return shared.Errorf(shared.CodeNoAccount, "You signed in at %s with an account that can't be used here. Please choose another account there.", a.Provider.Name).Because(err)
	}
	return nil
}

var errIdentityGone = errors.New("the user doesn't have the identity any more")

// userOf finds who has an identity.
func (s *Service) userOf(ctx context.Context, a Asserted) (user store.User, found bool, err error) {
	user, err = s.Store.UserByIdentity(ctx, a.Provider.Issuer, a.Subject)
	if errors.Is(err, store.ErrNotFound) {
		return store.User{}, false, nil
	}
	if err != nil {
		return store.User{}, false, fmt.Errorf("looking up an identity: %w", err)
	}
	return user, true, nil
}

func (s *Service) signInKnown(ctx context.Context, who session.Actor, a Asserted) (issued session.Issued, err error) {
	if slices.ContainsFunc(who.User.Identities, func(i store.Identity) bool { return a.isOf(i) && i.Name == "" && i.LastUsed.IsZero() }) {
		a = a.named(ctx) // IT has linked it
	}
	err = s.change(ctx, who.User, func(user store.User) (store.Batch, error) {
		if user.Disabled {
			return nil, shared.Errorf(shared.CodeSignInRefused, "Your account is disabled.").Because(errors.New("the account is disabled"))
		}
		if !user.Has(a.Provider.Issuer, a.Subject) {
			return nil, errIdentityGone
		}
		for i := range user.Identities {
			if mine := &user.Identities[i]; a.isOf(*mine) {
				mine.LastUsed = s.Now()
				if name := a.called(); name != "" {
					mine.Name = name
				}
			}
		}
		var batch store.Batch
		who.User = user
		issued, batch = s.Sessions.Open(who, a.signIn())
		return append(batch, store.PutUser{User: user}, a.Spent), nil
	})
	return issued, err
}

// signInNew makes a user. It alone asks the provider for more than the ID token has.
func (s *Service) signInNew(ctx context.Context, who session.Actor, a Asserted) (session.Issued, error) {
	if a.Provider.CreateUsers {
		var err error
		if a, err = a.described(ctx); err != nil {
			return session.Issued{}, err
		}
	}
	if err := a.mayCreate(); err != nil {
		return session.Issued{}, shared.Errorf(shared.CodeNoAccount, "%s knows you, but you have no account here yet.", a.Provider.Name).Because(err)
	}
	user, err := s.newUser(a.signInName(), cleaned(a.Name))
	if err != nil {
		return session.Issued{}, err
	}
	user.Identities = []store.Identity{s.newIdentity(a)}
	user.Identities[0].LastUsed = s.Now()
	who.User = user

	issued, batch := s.Sessions.Open(who, a.signIn())
	batch = append(batch, store.PutUser{User: user}, a.Spent,
		s.told(who, shared.EventAccountCreated), s.toldOf(a.Provider, who, shared.EventIdentityLinked))
	err = s.Store.Apply(ctx, batch)
	if errors.Is(err, store.ErrNameExists) {
		return session.Issued{}, shared.Errorf(shared.CodeNameTaken,
			"There is an account with the name %s already. Sign in to it another way, and link %s there.", user.Name, a.Provider.Name).Because(err)
	}
	issued.User.Revision++ // as it is stored
	return issued, err
}

// identityRefused translates what the store refused.
func (s *Service) identityRefused(a Asserted, err error) error {
	switch {
	case err == nil || shared.CodeOf(err) != "":
		return err
	case errors.Is(err, store.ErrTicketSpent):
		return shared.Errorf(shared.CodeSSORefused, "Signing in with %s didn't work. Please try again.", a.Provider.Name).Because(err)
	default:
		return fmt.Errorf("storing what an OpenID provider said: %w", err)
	}
}

func (a Asserted) signIn() session.SignIn {
	return session.SignIn{Method: store.MethodSSO, Provider: a.Provider.ID, ProviderName: a.Provider.Name}
}

// toldOf is told, of what is done with an identity at a provider.
func (s *Service) toldOf(p Provider, who session.Actor, kind shared.EventKind) store.AddEvent {
	told := s.told(who, kind)
	told.Event.Provider = p.Name
	return told
}

func (s *Service) newIdentity(a Asserted) store.Identity {
	var id [12]byte
	rand.Read(id[:])
	return store.Identity{ID: hex.EncodeToString(id[:]), Issuer: a.Provider.Issuer, Subject: a.Subject, Name: a.called(), Created: s.Now()}
}

// ConfirmIdentity confirms with an identity that the signed-in user has.
//
// Refusals: [shared.CodeNoAccount] for one that may not be used any more, and
// [shared.CodeSSORefused] for somebody else's identity and for an answer that was used
// before.
func (s *Service) ConfirmIdentity(ctx context.Context, who session.Actor, a Asserted) (session.Issued, error) {
	if err := a.mayBeUsed(); err != nil {
		return session.Issued{}, err
	}
	if !who.User.Has(a.Provider.Issuer, a.Subject) {
		return session.Issued{}, shared.Errorf(shared.CodeSSORefused, "You signed in at %s as somebody else. Please try again.", a.Provider.Name)
	}
	issued, batch := s.Sessions.Confirm(who, a.signIn())
	err := s.Store.Apply(ctx, append(batch, a.Spent))
	if errors.Is(err, store.ErrNotFound) {
		return session.Issued{}, session.ErrEnded
	}
	return issued, s.identityRefused(a, err)
}

// mostIdentities is how many a user may have, so that the record stays small.
const mostIdentities = 20

// LinkIdentity gives the signed-in user an identity, so that they can sign in with
// it. One that they have already stays as it is.
//
// Refusals: [shared.CodeNoAccount] for one that may not be used, [shared.CodeIdentityTaken]
// if another user has it, and [shared.CodeSSORefused] for an answer that was used before.
func (s *Service) LinkIdentity(ctx context.Context, who session.Actor, a Asserted) error {
	if err := a.mayBeUsed(); err != nil {
		return err
	}
	a = a.named(ctx)
	err := s.link(ctx, who, a)
	if errors.Is(err, store.ErrIdentityExists) {
		return shared.Errorf(shared.CodeIdentityTaken, "This sign-in at %s belongs to another account.", a.Provider.Name).Because(err)
	}
	return s.identityRefused(a, err)
}

// link writes an identity. A user who has it already only hears that it is
// there, so that a second try does no harm.
func (s *Service) link(ctx context.Context, who session.Actor, a Asserted) error {
	return s.change(ctx, who.User, func(user store.User) (store.Batch, error) {
		var spent store.Batch
		if a.Spent.Ticket.ID != [16]byte{} {
			spent = store.Batch{a.Spent}
		}
		if user.Has(a.Provider.Issuer, a.Subject) {
			return spent, nil
		}
		if len(user.Identities) >= mostIdentities {
			return nil, shared.Errorf(shared.CodeConflict, "An account can have at most %d sign-ins at providers.", mostIdentities)
		}
		user.Identities = append(user.Identities, s.newIdentity(a))
		return append(spent, store.PutUser{User: user}, s.toldOf(a.Provider, who, shared.EventIdentityLinked)), nil
	})
}

// UnlinkIdentity takes an identity of the signed-in user away.
//
// Refusals: [shared.CodeNotFound], and [shared.CodeLastMethod].
func (s *Service) UnlinkIdentity(ctx context.Context, who session.Actor, id string) error {
	return s.change(ctx, who.User, func(user store.User) (store.Batch, error) {
		at := slices.IndexFunc(user.Identities, func(i store.Identity) bool { return i.ID == id })
		if at < 0 {
			return nil, shared.Errorf(shared.CodeNotFound, "This sign-in isn't linked any more.")
		}
		p := s.providerAt(user.Identities[at].Issuer)
		user.Identities = slices.Delete(user.Identities, at, at+1)
		if who.Methods.Count(user) == 0 {
			return nil, shared.Errorf(shared.CodeLastMethod, "This is the only way to sign in that is left. Add another first.")
		}
		return store.Batch{store.PutUser{User: user}, s.toldOf(p, who, shared.EventIdentityUnlinked)}, nil
	})
}

// Provider finds a provider by its name in the configuration.
func (s *Service) Provider(id string) (p Provider, found bool) {
	at := slices.IndexFunc(s.Providers, func(p Provider) bool { return p.ID == id })
	if at < 0 {
		return Provider{}, false
	}
	return s.Providers[at], true
}

func noProvider(id string) error {
	return shared.Errorf(shared.CodeNotFound, "The configuration has no provider %s.", id)
}

// LinkUser gives the actor's user an identity at a provider of the configuration, for IT, who
// knows the subject from there.
//
// Refusals: [shared.CodeNotFound] for the provider, [shared.CodeInvalidRequest] for what
// can't be a subject, and [shared.CodeIdentityTaken].
func (s *Service) LinkUser(ctx context.Context, who session.Actor, providerID, subject string) error {
	p, found := s.Provider(providerID)
	if !found {
		return noProvider(providerID)
	}
	if subject = strings.TrimSpace(subject); !store.IsSubject(subject) {
		return shared.Errorf(shared.CodeInvalidRequest, "A subject has at most 255 ASCII characters.")
	}
	err := s.link(ctx, who, Asserted{Provider: p, Subject: subject})
	if errors.Is(err, store.ErrIdentityExists) {
		return shared.Errorf(shared.CodeIdentityTaken, "The subject %s of %s belongs to another user.", subject, p.Name).Because(err)
	}
	return err
}

// UnlinkUser takes every identity at a provider from the actor's user, for IT.
//
// Refusals: [shared.CodeNotFound], and [shared.CodeLastMethod].
func (s *Service) UnlinkUser(ctx context.Context, who session.Actor, providerID string) error {
	p, found := s.Provider(providerID)
	if !found {
		return noProvider(providerID)
	}
	return s.change(ctx, who.User, func(user store.User) (store.Batch, error) {
		before := len(user.Identities)
		user.Identities = slices.DeleteFunc(user.Identities, func(i store.Identity) bool { return i.Issuer == p.Issuer })
		switch {
		case len(user.Identities) == before:
			return nil, shared.Errorf(shared.CodeNotFound, "%s has no sign-in at %s.", user.Name, p.Name)
		case who.Methods.Count(user) == 0:
			return nil, shared.Errorf(shared.CodeLastMethod, "%s has no other way to sign in.", user.Name)
		}
		return store.Batch{store.PutUser{User: user}, s.toldOf(p, who, shared.EventIdentityUnlinked)}, nil
	})
}

// providerAt is the provider of an issuer. One that isn't configured any more has no
// ID, and its address for a name.
func (s *Service) providerAt(issuer string) Provider {
	for _, p := range s.Providers {
		if p.Issuer == issuer {
			return p
		}
	}
	return Provider{Name: strings.TrimPrefix(issuer, "https://"), Issuer: issuer}
}

// providerName is what people call a provider of the configuration; of one that isn't in it
// any more, its name there.
func (s *Service) providerName(id string) string {
	if p, found := s.Provider(id); found {
		return p.Name
	}
	return id
}

// Identities lists how providers know the actor's user.
func (s *Service) Identities(who session.Actor) []shared.Identity {
	var list []shared.Identity
	for _, i := range who.User.Identities {
		p := s.providerAt(i.Issuer)
		list = append(list, shared.Identity{
			ID: i.ID, Provider: p.Name, ProviderID: p.ID, Name: i.Name, Created: i.Created,
			OnlyMethod: who.Methods.IsLastIdentity(who.User, i),
		})
	}
	return list
}
