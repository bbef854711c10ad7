package main

import (
	"context"
	"net/http"

	"github.com/keypeg/keypeg/app/toolcrib"
	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/store/boltstore"
	"github.com/keypeg/keypeg/web"
)

// host gives Keypeg the people and sessions of the crib.
type host struct{ *crib }

func (h host) User(_ context.Context, id string) (server.HostUser, error) {
	p, found := h.person(id)
	if !found {
		return server.HostUser{}, server.ErrNoUser
	}
	return server.HostUser{ID: p.ID, Name: p.Name, DisplayName: p.Name, HasPassword: true}, nil
}

func (h host) SignedIn(r *http.Request) (server.HostSession, error) {
	id, s, found := h.session(r)
	if !found {
		return server.HostSession{}, server.ErrNobody
	}
	return server.HostSession{ID: id, UserID: s.Person, Proved: s.Proved, PasskeyID: s.Passkey}, nil
}

func (h host) SignIn(w http.ResponseWriter, r *http.Request, userID, passkeyID string) error {
	return h.begin(w, r, userID, passkeyID)
}

// passkeys returns the handler for /api/v1/. The passkeys are in db, and the people in the
// crib. The files are for the page on which a phone adds a passkey.
func passkeys(ctx context.Context, c *crib, db *boltstore.Store, files *web.Files, url string) (*server.Server, error) {
	address, err := server.ParseAddress(url, "", true)
	if err != nil {
		return nil, err
	}
	return server.New(ctx, server.Config{Store: db, Host: host{c}, Address: address, Product: "Tool crib", Contact: toolcrib.Contact, Asset: files.URL, StyleSheet: stylesPath})
}
