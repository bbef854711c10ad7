package server

import (
	"context"

	"github.com/keypeg/keypeg/server/openid"
)

// Clients returns the programs that users sign in to, for whoever manages them. It is nil with a Host.
func (s *Server) Clients() *openid.Registry { return s.registry }

// openRegistry prepares for the programs that users sign in to, and warns IT of those that it can't use.
func (s *Server) openRegistry(ctx context.Context) error {
	s.registry = openid.NewRegistry(s.activity.Store(), s.c.Clients, s.c.Now)
	hidden, err := s.registry.Hidden(ctx)
	if err != nil {
		return err
	}
	for _, id := range hidden {
		s.c.Log.Warn("the client "+id+" was added with keypeg client add, and the one of the configuration takes its place: remove either of them", "client", id)
	}
	return nil
}
