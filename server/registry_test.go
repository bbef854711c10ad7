package server_test

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/openid"
	"github.com/keypeg/keypeg/server/session"
)

func TestHiddenClient(t *testing.T) {
	var log strings.Builder
	config := newSite(t, stores["memstore"], nil).config
	stored := openid.NewRegistry(config.Store, nil, config.Now)
	if _, _, err := stored.Add(t.Context(), session.Actor{}, openid.Client{ID: "grafana", Redirects: []string{"https://grafana.example.com/"}}); err != nil {
		t.Fatal(err)
	}
	config.Log = slog.New(slog.NewTextHandler(&log, nil))
	for _, id := range []string{"wiki", "grafana"} {
		c, err := openid.Client{ID: id, Redirects: []string{"http://localhost/"}, Authentication: openid.AuthenticatesNever}.Check()
		if err != nil {
			t.Fatal(err)
		}
		config.Clients = append(config.Clients, c)
	}
	s, err := server.New(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close(t.Context())
	if got := log.String(); !strings.Contains(got, "client=grafana") || !strings.Contains(got, "takes its place") || strings.Contains(got, "client=wiki") {
		t.Errorf("the log says %s", got)
	}
}
