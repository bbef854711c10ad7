package account

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

const setupLinkLife = 30 * time.Minute

var (
	errSetUpAlready = shared.Errorf(shared.CodeNotFound, "This installation is set up already. Sign in, or ask an administrator for an account.")
	errNoSetupLink  = shared.Errorf(shared.CodeNotFound, "This set-up link is not valid any more. Print a new one with keypeg setup-link.")
)

// NewSetupLink returns a link that makes the first administrator. The link works once, within
// 30 minutes. It replaces an earlier link, and says so.
//
// Refusal: [shared.CodeNotFound] while there is an administrator.
func (s *Service) NewSetupLink(ctx context.Context) (Link, error) {
	if err := s.notSetUp(ctx); err != nil {
		return Link{}, err
	}
	_, err := setupLinks.Get(ctx, s.c.Store, "", "")
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return Link{}, fmt.Errorf("looking for a set-up link: %w", err)
	}
	link := Link{Token: rand.Text(), Expires: s.c.Now().Add(setupLinkLife), Again: err == nil}
	put := setupLinks.Put(store.Entry[linkHash]{Value: linkHash{Hash: store.HashOf(link.Token)}, Version: store.AnyVersion, Expires: link.Expires})
	if err := s.c.Store.Apply(ctx, store.Batch{put}); err != nil {
		return Link{}, fmt.Errorf("storing a set-up link: %w", err)
	}
	return link, nil
}

func (s *Service) notSetUp(ctx context.Context) error {
	done, err := s.c.Store.HasAdministrator(ctx)
	if err != nil {
		return fmt.Errorf("looking for an administrator: %w", err)
	}
	if done {
		return errSetUpAlready
	}
	return nil
}

// CheckSetupLink refuses with [shared.CodeNotFound] a link that can't be used.
func (s *Service) CheckSetupLink(ctx context.Context, token string) error {
	_, err := s.setupLink(ctx, token)
	return err
}

// setupLink returns the link with this token, or refuses as [Service.CheckSetupLink] does.
func (s *Service) setupLink(ctx context.Context, token string) (store.Entry[linkHash], error) {
	if err := s.notSetUp(ctx); err != nil {
		return store.Entry[linkHash]{}, err
	}
	link, err := s.linkOf(ctx, setupLinks, "", "", token)
	if errors.Is(err, errNoLink) {
		return link, errNoSetupLink
	}
	return link, err
}

// SetUp makes the first administrator and signs them in. The batch that does it also
// deletes the link, so of any number of tries one succeeds. A name or password that breaks
// the rules leaves the link as it is.
//
// There is at most one link, and none is made while there is an administrator. So whoever
// deletes the link knows that there is no administrator yet.
func (s *Service) SetUp(ctx context.Context, who session.Actor, token string, first NewUser) (session.Issued, error) {
	link, err := s.setupLink(ctx, token)
	if err != nil {
		return session.Issued{}, err
	}
	first.Role = shared.RoleAdministrator
	user, err := s.make(ctx, first)
	if err != nil {
		return session.Issued{}, err
	}
	who.User = user
	created := s.created(who) // before the sign-in, as people read it
	who.User.LastSignIn = s.c.Now()
	issued, batch := s.sessions.Open(who, session.SignIn{Method: store.MethodSetupLink})
	if err := s.setUp(ctx, who, link, append(batch, created...)...); err != nil {
		return session.Issued{}, err
	}
	issued.User.Revision++ // as it is stored
	return issued, nil
}

// SetUpByLink is [Service.SetUp] for a policy without passwords. The first administrator
// gets an invitation, and adds a passkey with it. If they lose the invitation, IT invites
// them again.
func (s *Service) SetUpByLink(ctx context.Context, who session.Actor, token, name, displayName string) (Link, error) {
	setup, err := s.setupLink(ctx, token)
	if err != nil {
		return Link{}, err
	}
	display, err := shared.CleanDisplayName(displayName)
	if err != nil {
		return Link{}, err
	}
	user, err := s.newUser(name, display)
	if err != nil {
		return Link{}, err
	}
	user.Role, user.Invited = shared.RoleAdministrator, user.Created
	link, put := s.newLink(store.MethodInvitation, user.ID, "")
	who.User = user
	return link, s.setUp(ctx, who, setup, append(s.created(who), put)...)
}

// setUp stores the first administrator, who is the actor's user, deletes the link, and
// applies the other operations in the same batch.
func (s *Service) setUp(ctx context.Context, who session.Actor, link store.Entry[linkHash], also ...store.Op) error {
	err := s.c.Store.Apply(ctx, append(store.Batch{
		setupLinks.Remove(link),
		store.PutUser{User: who.User},
	}, also...))
	if setupLinks.Changed(err) {
		return errNoSetupLink
	}
	if err != nil {
		return nameTaken(err, who.User.Name)
	}
	return nil
}
