package server

import (
	"context"
	"errors"
	"net/url"
	"slices"

	"github.com/keypeg/keypeg/server/forwardauth"
	"github.com/keypeg/keypeg/server/grant"
	"github.com/keypeg/keypeg/server/internal/programs"
	"github.com/keypeg/keypeg/server/openid"
	"github.com/keypeg/keypeg/server/store"
)

// openGrants prepares for what users let programs do.
func (s *Server) openGrants(ctx context.Context) (err error) {
	s.grants, err = grant.New(ctx, grant.Config{
		Store: s.activity.Store(), Sessions: s.sessions, Now: s.c.Now, Log: s.c.Log,
		Tell: func(context.Context, grant.Ended) error { return errors.New("no program is told of sessions") },
	})
	return err
}

// programs is the feature with which users see their programs.
func (s *Server) programs() programs.Programs {
	return programs.Programs{Grants: s.grants, About: s.aboutProgram, Now: s.c.Now, Gates: s.gates}
}

// aboutProgram returns the name of a program and the host where it is, by the id that grants have. It fails
// with [store.ErrNotFound] for one that isn't registered any more.
func (s *Server) aboutProgram(ctx context.Context, id string) (name, host string, err error) {
	if clientID, is := grant.IsClient(id); is {
		client, err := s.registry.Client(ctx, clientID)
		return client.Name, hostOf(client), err
	}
	if gate, is := grant.IsGate(id); is {
		if at := slices.IndexFunc(s.c.Gates, func(g forwardauth.Gate) bool { return g.Name == gate }); at >= 0 {
			return s.c.Gates[at].Title, s.c.Gates[at].Host, nil
		}
	}
	return "", "", store.ErrNotFound
}

// hostOf returns the host where a client is: that of its start page, or else of an address to which it is
// sent. An app has none.
func hostOf(c openid.Client) string {
	for _, address := range append([]string{c.Home}, c.Redirects...) {
		if parsed, err := url.Parse(address); err == nil && parsed.Scheme == "https" {
			return parsed.Host
		}
	}
	return ""
}

// countPrograms returns how many programs the user signs in to.
func (s *Server) countPrograms(ctx context.Context, userID string) (int, error) {
	if s.grants == nil {
		return 0, nil // a host has the sign-in
	}
	all, err := s.grants.Programs(ctx, userID)
	return len(all), err
}
