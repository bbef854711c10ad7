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

// Sign-in by OpenID Connect. The caller has checked the ID token; this file decides
// which user that is. An identity (issuer and subject) leads to the user who has it. An
// e-mail address never does: a person who can choose their address at a provider could
// take an account over.

// SignInWithIdentity begins a session of the user who has the identity, or of a new
// one where the provider's policy says so.
//
// Refusals: [shared.CodeNoAccount], [shared.CodeSignInRefused] for a disabled user,
// [shared.CodeNameTaken] where another user has the name of the new user already,
// [shared.CodeSSORefused] for a ticket that is spent already, and those of
// [Claims.UserInfo].
func (s *Service) SignInWithIdentity(ctx context.Context, who session.Actor, claims Claims) (issued session.Issued, err error) {
	if err := claims.checkMembership(); err != nil {
		return session.Issued{}, err
	}
	for attempt := 1; ; attempt++ {
		user, found, err := s.userOf(ctx, claims)
		if err != nil {
			return session.Issued{}, err
		}
		if found {
			who.User = user
			issued, err = s.signInExisting(ctx, who, claims)
		} else {
			issued, err = s.signInNew(ctx, who, claims)
		}
		// Another request may have linked or unlinked the same identity just now, or verified the
		// same address. The second attempt sees that.
		if attempt == 1 && (errors.Is(err, store.ErrIdentityExists) || errors.Is(err, store.ErrEmailExists) || errors.Is(err, errIdentityGone)) {
			continue
		}
		return issued, s.identityRefused(claims, err)
	}
}

// checkMembership refuses a person who isn't one of those that IT lets in by the
// provider's claims, whether they have an account or not. Signing in, linking and
// confirming all begin with it.
func (c Claims) checkMembership() error {
	if err := c.checkRequired(); err != nil {
		return shared.Errorf(shared.CodeNoAccount, "You signed in at %s with an account that can't be used here. Please choose another account there.", c.Provider.Name).Because(err)
	}
	return nil
}

var errIdentityGone = errors.New("the user doesn't have the identity any more")

// userOf finds the user who has the identity of these claims.
func (s *Service) userOf(ctx context.Context, claims Claims) (user store.User, found bool, err error) {
	user, err = s.c.Store.UserByIdentity(ctx, claims.Provider.Issuer, claims.Subject)
	if errors.Is(err, store.ErrNotFound) {
		return store.User{}, false, nil
	}
	if err != nil {
		return store.User{}, false, fmt.Errorf("looking up an identity: %w", err)
	}
	return user, true, nil
}

func (s *Service) signInExisting(ctx context.Context, who session.Actor, claims Claims) (issued session.Issued, err error) {
	if slices.ContainsFunc(who.User.Identities, func(i store.Identity) bool { return claims.isOf(i) && i.Name == "" && i.LastUsed.IsZero() }) {
		claims = claims.withIdentityName(ctx) // IT linked it, by the subject alone
	}
	err = s.change(ctx, who.User, func(user store.User) (store.Batch, error) {
		if user.Disabled {
			return nil, shared.Errorf(shared.CodeSignInRefused, "Your account is disabled. Please ask IT.").Because(errors.New("the account is disabled"))
		}
		if !user.Has(claims.Provider.Issuer, claims.Subject) {
			return nil, errIdentityGone
		}
		for i := range user.Identities {
			if mine := &user.Identities[i]; claims.isOf(*mine) {
				mine.LastUsed = s.c.Now()
				if name := claims.identityName(); name != "" {
					mine.Name = name
				}
			}
		}
		user.LastSignIn = s.c.Now()
		verified, err := s.verifiedBy(ctx, claims, &user, who)
		if err != nil {
			return nil, err
		}
		var batch store.Batch
		who.User = user
		issued, batch = s.sessions.Open(who, claims.signIn())
		return append(append(verified, batch...), store.PutUser{User: user}, claims.SpendTicket), nil
	})
	return issued, err
}

// signInNew makes a user of the claims. It needs the e-mail address, so it asks the
// provider for what the ID token leaves out.
func (s *Service) signInNew(ctx context.Context, who session.Actor, claims Claims) (session.Issued, error) {
	if claims.Provider.CreateUsers {
		var err error
		if claims, err = claims.withUserInfo(ctx); err != nil {
			return session.Issued{}, err
		}
	}
	if err := claims.checkCreation(); err != nil {
		return session.Issued{}, shared.Errorf(shared.CodeNoAccount, "%s knows you, but you have no account here yet. Please ask IT for one.", claims.Provider.Name).Because(err)
	}
	user, err := s.newUser(claims.newUserName(), cleanName(claims.Name))
	if err != nil {
		return session.Issued{}, err
	}
	user.Identities = []store.Identity{s.newIdentity(claims)}
	user.Identities[0].LastUsed = s.c.Now()
	if user.Email, err = CanonicalEmail(claims.Email); err != nil {
		user.Email = "" // it can be set later
	}
	who.User = user

	// People read these events in the order in which they are made.
	created, linked := s.created(who), s.identityEvent(claims.Provider, who, shared.EventIdentityLinked)
	verified, err := s.verifiedBy(ctx, claims, &user, who)
	if err != nil {
		return session.Issued{}, err
	}
	if s.c.Mails == nil && user.Email != "" { // as in a profile; another user's own stays theirs
		if user.EmailReserved, err = s.isFreeEmail(ctx, user); err != nil {
			return session.Issued{}, err
		}
	}
	who.User = user
	who.User.LastSignIn = s.c.Now()
	issued, batch := s.sessions.Open(who, claims.signIn())
	batch = append(append(batch, verified...), store.PutUser{User: who.User}, claims.SpendTicket)
	batch = append(append(batch, created...), linked)
	err = s.c.Store.Apply(ctx, batch)
	if errors.Is(err, store.ErrNameExists) {
		return session.Issued{}, shared.Errorf(shared.CodeNameTaken,
			"There is an account with the name %s already. Sign in to it another way, and link %s there.", user.Name, claims.Provider.Name).Because(err)
	}
	issued.User.Revision++ // as it is stored
	return issued, err
}

// identityRefused translates an error of the store.
func (s *Service) identityRefused(claims Claims, err error) error {
	switch {
	case err == nil || shared.CodeOf(err) != "":
		return err
	case store.IsSpent(err):
		return shared.Errorf(shared.CodeSSORefused, "Signing in with %s didn't work. Please try again.", claims.Provider.Name).Because(fmt.Errorf("spent ticket: %w", err))
	default:
		return fmt.Errorf("storing a sign-in at an OpenID provider: %w", err)
	}
}

func (c Claims) signIn() session.SignIn {
	return session.SignIn{Method: store.MethodSSO, Provider: c.Provider.ID, ProviderName: c.Provider.Name}
}

// identityEvent is an event about an identity at a provider.
func (s *Service) identityEvent(p Provider, who session.Actor, kind shared.EventKind) store.AddEvent {
	add := s.event(who, kind)
	add.Event.Provider = p.Name
	return add
}

// unlinked returns the operations that store a user without an identity, and record it.
func (s *Service) unlinked(p Provider, who session.Actor, user store.User) store.Batch {
	return append(store.Batch{store.PutUser{User: user}}, s.recorded(who, shared.EventIdentityUnlinked, func(event *store.Event) { event.Provider = p.Name })...)
}

func (s *Service) newIdentity(claims Claims) store.Identity {
	var id [12]byte
	rand.Read(id[:])
	return store.Identity{ID: hex.EncodeToString(id[:]), Issuer: claims.Provider.Issuer, Subject: claims.Subject, Name: claims.identityName(), Created: s.c.Now()}
}

// ConfirmIdentity confirms with an identity that the signed-in user has.
//
// Refusals: [shared.CodeNoAccount] for an identity that may not be used any more, and
// [shared.CodeSSORefused] for another user's identity and for a ticket that is spent
// already.
func (s *Service) ConfirmIdentity(ctx context.Context, who session.Actor, claims Claims) (session.Issued, error) {
	if err := claims.checkMembership(); err != nil {
		return session.Issued{}, err
	}
	if !who.User.Has(claims.Provider.Issuer, claims.Subject) {
		return session.Issued{}, shared.Errorf(shared.CodeSSORefused, "You signed in at %s as somebody else. Please try again.", claims.Provider.Name)
	}
	issued, batch := s.sessions.Confirm(who, claims.signIn())
	err := s.c.Store.Apply(ctx, append(batch, claims.SpendTicket))
	if errors.Is(err, store.ErrNotFound) {
		return session.Issued{}, session.ErrEnded
	}
	return issued, s.identityRefused(claims, err)
}

// mostIdentities bounds the identities of one user, so that the user's record stays small.
const mostIdentities = 20

// LinkIdentity links an identity with the signed-in user, so that they can sign in with
// it. An identity that they have already stays as it is.
//
// Refusals: [shared.CodeNoAccount] for an identity that may not be used,
// [shared.CodeIdentityTaken] if another user has it, [shared.CodeHeld], and
// [shared.CodeSSORefused] for a ticket that is spent already.
func (s *Service) LinkIdentity(ctx context.Context, who session.Actor, claims Claims) error {
	if err := claims.checkMembership(); err != nil {
		return err
	}
	claims = claims.withIdentityName(ctx)
	err := s.link(ctx, who, claims)
	if errors.Is(err, store.ErrIdentityExists) {
		return shared.Errorf(shared.CodeIdentityTaken, "This sign-in at %s belongs to another account. Choose another one there, or sign in to that account.", claims.Provider.Name).Because(err)
	}
	return s.identityRefused(claims, err)
}

// link adds the identity to the user. It succeeds without a change if the user has it
// already, so that a second try does no harm.
func (s *Service) link(ctx context.Context, who session.Actor, claims Claims) error {
	return s.change(ctx, who.User, func(user store.User) (store.Batch, error) {
		var spent store.Batch
		if claims.SpendTicket != nil {
			spent = store.Batch{claims.SpendTicket}
		}
		if user.Has(claims.Provider.Issuer, claims.Subject) {
			return spent, nil
		}
		if err := who.MayAddMethod(user, s.c.Now()); err != nil {
			return nil, err
		}
		if len(user.Identities) >= mostIdentities {
			return nil, shared.Errorf(shared.CodeConflict, "An account can have at most %d sign-ins at providers.", mostIdentities)
		}
		user.Identities = append(user.Identities, s.newIdentity(claims))
		verified, err := s.verifiedBy(ctx, claims, &user, who)
		if err != nil {
			return nil, err
		}
		return append(append(spent, verified...), store.PutUser{User: user}, s.identityEvent(claims.Provider, who, shared.EventIdentityLinked)), nil
	})
}

// UnlinkIdentity removes an identity of the actor's user.
//
// Refusals: [shared.CodeNotFound], and [shared.CodeLastMethod].
func (s *Service) UnlinkIdentity(ctx context.Context, who session.Actor, id string) error {
	return s.changeFor(ctx, who, RightManage, func(user store.User) (store.Batch, error) {
		at := slices.IndexFunc(user.Identities, func(i store.Identity) bool { return i.ID == id })
		if at < 0 {
			return nil, shared.Errorf(shared.CodeNotFound, "This sign-in isn't linked any more.")
		}
		p := s.providerAt(user.Identities[at].Issuer)
		user.Identities = slices.Delete(user.Identities, at, at+1)
		if who.Methods.Count(user) == 0 {
			return nil, shared.Errorf(shared.CodeLastMethod, "This is the only way to sign in that is left. Add another first.")
		}
		return s.unlinked(p, who, user), nil
	})
}

// Provider finds a provider by its name in the configuration.
func (s *Service) Provider(id string) (p Provider, found bool) {
	at := slices.IndexFunc(s.c.Providers, func(p Provider) bool { return p.ID == id })
	if at < 0 {
		return Provider{}, false
	}
	return s.c.Providers[at], true
}

func noProvider(id string) error {
	return shared.Errorf(shared.CodeNotFound, "The configuration has no provider %s.", id)
}

// LinkUser links an identity at a configured provider with the actor's user. It is for IT,
// who looks the subject up at the provider.
//
// Refusals: [shared.CodeNotFound] for the provider, [shared.CodeInvalidRequest] for a text
// that can't be a subject, and [shared.CodeIdentityTaken].
func (s *Service) LinkUser(ctx context.Context, who session.Actor, providerID, subject string) error {
	p, found := s.Provider(providerID)
	if !found {
		return noProvider(providerID)
	}
	if subject = strings.TrimSpace(subject); !store.IsSubject(subject) {
		return shared.Errorf(shared.CodeInvalidRequest, "A subject has at most 255 ASCII characters.")
	}
	err := s.link(ctx, who, Claims{Provider: p, Subject: subject})
	if errors.Is(err, store.ErrIdentityExists) {
		return shared.Errorf(shared.CodeIdentityTaken, "The subject %s of %s belongs to another user.", subject, p.Name).Because(err)
	}
	return err
}

// UnlinkUser removes every identity at a provider from the actor's user. It is for IT.
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
		return s.unlinked(p, who, user), nil
	})
}

// providerAt returns the provider of an issuer. If it isn't configured any more, the
// result has no ID, and the issuer's address as its name.
func (s *Service) providerAt(issuer string) Provider {
	for _, p := range s.c.Providers {
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
