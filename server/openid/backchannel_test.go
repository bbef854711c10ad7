package openid_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/grant"
	"github.com/keypeg/keypeg/server/openid"
	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store/memstore"
)

// TestPublicPrograms: where administrators aren't IT, a program that they have registered is told of ended sessions at
// public addresses only, and one of the configuration file at any address.
func TestPublicPrograms(t *testing.T) {
	var told atomic.Int32
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { told.Add(1) }))
	defer inside.Close()
	client := func(id string) openid.Client {
		return clientOf(t, func(c *openid.Client) { c.ID, c.BackChannel = id, inside.URL+"/logout" })
	}
	s := memstore.New(time.Now)
	keys, err := openid.NewKeys(t.Context(), s, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	registry := openid.NewRegistry(s, []openid.Client{client("configured")}, time.Now)
	if _, _, err := registry.Add(t.Context(), session.Actor{}, client("registered")); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		id     string
		public bool
		want   int32
	}{{"registered", true, 0}, {"configured", true, 1}, {"registered", false, 1}} {
		told.Store(0)
		h, err := openid.NewHandlers(t.Context(), openid.Handlers{Issuer: "https://id.example.com", Store: s, Registry: registry, Keys: keys, PublicPrograms: row.public, Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		err = h.Tell(t.Context(), grant.Ended{Program: "client:" + row.id, UserID: "ann", Given: time.Now()})
		if told.Load() != row.want || (err == nil) != (row.want == 1) || err != nil && !strings.Contains(err.Error(), "public internet") {
			t.Errorf("%s, public only %t: told %d times (%v), want %d", row.id, row.public, told.Load(), err, row.want)
		}
	}
}
