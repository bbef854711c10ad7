package server

import (
	"context"

	"github.com/keypeg/keypeg/server/openid"
)

// openRegistry prepares for the programs that users sign in to, and warns IT of those that it can't use.
func (s *Server) openRegistry(ctx context.Context) error {
	s.registry = openid.NewRegistry(s.c.Store, s.c.Clients, s.c.Now)
	hidden, err := s.registry.Hidden(ctx)
	if err != nil {
		return err
	}
	for _, id := range hidden {
		s.c.Log.Warn("the client "+id+" was added with keypeg client add, and the one of the configuration takes its place: remove either of them", "client", id)
	}
	return nil
}
