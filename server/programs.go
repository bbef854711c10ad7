package server

import (
	"context"
	"net/netip"
	"slices"

	"github.com/keypeg/keypeg/server/forwardauth"
	"github.com/keypeg/keypeg/server/grant"
	"github.com/keypeg/keypeg/server/internal/programs"
	"github.com/keypeg/keypeg/server/store"
)

// openGrants prepares for what users let programs do.
func (s *Server) openGrants(ctx context.Context) (err error) {
	s.grants, err = grant.New(ctx, grant.Config{
		Store: s.activity.Store(), Sessions: s.sessions, Now: s.c.Now, Log: s.c.Log,
		Tell: func(ctx context.Context, ended grant.Ended) error { return s.provider.Tell(ctx, ended) },
	})
	if err == nil {
		s.c.Live.Watch(s.grants.Look)
	}
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
		host = client.Host("")
		if ip, notIP := netip.ParseAddr(HostName(host)); notIP == nil && ip.IsLoopback() {
			host = "" // an app listens there, on any device of the user
		}
		return client.Name, host, err
	}
	if gate, is := grant.IsGate(id); is {
		if at := slices.IndexFunc(s.c.Gates, func(g forwardauth.Gate) bool { return g.Name == gate }); at >= 0 {
			return s.c.Gates[at].Title, s.c.Gates[at].Host, nil
		}
	}
	return "", "", store.ErrNotFound
}

// countPrograms returns how many programs the user signs in to.
func (s *Server) countPrograms(ctx context.Context, userID string) (int, error) {
	if s.grants == nil {
		return 0, nil // a host has the sign-in
	}
	all, err := s.grants.Programs(ctx, userID)
	return len(all), err
}
