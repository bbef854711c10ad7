package account

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

const (
	setupLinkKey  = "setup"
	setupLinkLife = 30 * time.Minute
)

var (
	errSetUpAlready = shared.Errorf(shared.CodeNotFound, "This installation is set up already. Sign in, or ask an administrator for an account.")
	errNoSetupLink  = shared.Errorf(shared.CodeNotFound, "This set-up link is not valid any more. Print a new one with keypeg setup-link.")
)

// NewSetupLink returns the token of a link that makes the first administrator:
// once, within 30 minutes. An earlier link is dead from then on. While there is
// an administrator it fails with [shared.CodeNotFound].
func (s *Service) NewSetupLink(ctx context.Context) (token string, err error) {
	if err := s.notSetUp(ctx); err != nil {
		return "", err
	}
	token = newToken()
	link := store.Link{Key: setupLinkKey, Hash: store.HashOf(token), Expires: s.Now().Add(setupLinkLife)}
	if err := s.Store.Apply(ctx, store.Batch{store.PutLink{Link: link}}); err != nil {
		return "", fmt.Errorf("storing a set-up link: %w", err)
	}
	return token, nil
}

func (s *Service) notSetUp(ctx context.Context) error {
	done, err := s.Store.HasAdministrator(ctx)
	if err != nil {
		return fmt.Errorf("looking for an administrator: %w", err)
	}
	if done {
		return errSetUpAlready
	}
	return nil
}

// CheckSetupLink fails with [shared.CodeNotFound] and a sentence, unless this
// link can be used.
func (s *Service) CheckSetupLink(ctx context.Context, token string) error {
	if err := s.notSetUp(ctx); err != nil {
		return err
	}
	link, err := s.Store.Link(ctx, setupLinkKey)
	if errors.Is(err, store.ErrNotFound) || (err == nil && link.Hash != store.HashOf(token)) {
		return errNoSetupLink
	}
	return err
}

// SetUp makes the first administrator and signs them in. One batch takes the
// link, so of any number of tries one succeeds. A name or password that breaks
// the rules leaves the link as it is.
//
// There is one link at a time, and none is made while there is an administrator;
// so taking it is proof enough that there still is none.
func (s *Service) SetUp(ctx context.Context, token string, first NewUser, client store.Client) (Opened, error) {
	if err := s.CheckSetupLink(ctx, token); err != nil {
		return Opened{}, err
	}
	first.Admin = true
	user, err := s.make(ctx, first)
	if err != nil {
		return Opened{}, err
	}

	created := store.NewEvent(s.Now(), user.ID, shared.EventAccountCreated, client)
	opened, batch := s.Open(user, SignIn{Method: store.MethodSetupLink, Client: client}, store.Hash{})
	batch = append(batch,
		store.TakeLink{Key: setupLinkKey, Hash: store.HashOf(token)},
		store.PutUser{User: user},
		store.AddEvent{Event: created},
	)
	err = s.Store.Apply(ctx, batch)
	if errors.Is(err, store.ErrNotFound) {
		return Opened{}, errNoSetupLink
	}
	if err != nil {
		return Opened{}, nameTaken(err, user.Name)
	}
	opened.User.Revision++ // as it is stored
	return opened, nil
}
