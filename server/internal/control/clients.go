package control

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/keypeg/keypeg/server/openid"
	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
)

// RegisteredClient is a client as commands have it.
type RegisteredClient struct {
	ID         string `json:"id"`
	Configured bool   `json:"configured,omitempty"` // it is in the configuration file
	openid.Client
	Secrets []ClientSecret `json:"secrets,omitempty"` // those that are accepted, or were; the newest first
}

// ClientSecret is when a secret of a client is accepted. Nobody can tell the secret itself any more.
type ClientSecret struct {
	Since time.Time `json:"since,omitzero"`
	Until time.Time `json:"until,omitzero"` // zero for one that has no end
}

func clientOf(c openid.Client) RegisteredClient {
	of := RegisteredClient{ID: c.ID, Configured: c.Configured, Client: c}
	for _, s := range c.Secrets {
		of.Secrets = append(of.Secrets, ClientSecret{s.Since, s.Until})
	}
	of.Client.Secrets = nil
	return of
}

func (c RegisteredClient) client() openid.Client {
	of := c.Client
	of.ID = c.ID
	return of
}

// Registration is a client with what its program must be told.
type Registration struct {
	Issuer string           `json:"issuer"`
	Secret string           `json:"secret,omitempty"` // a new one; nothing tells it again
	Client RegisteredClient `json:"client"`
}

func (a Accounts) registration(c openid.Client, secret string, err error) (Registration, error) {
	if err != nil {
		return Registration{}, hinted(err)
	}
	return Registration{Issuer: a.Issuer, Secret: secret, Client: clientOf(c)}, nil
}

// hinted adds to an error which command shows the clients that there are.
func hinted(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("%w: keypeg client list shows all", err)
	}
	return err
}

// ListClients returns all clients, sorted by their names.
var ListClients = askLocal("/clients", func(ctx context.Context, a Accounts, _ None) ([]RegisteredClient, error) {
	all, err := a.Clients.List(ctx)
	list := make([]RegisteredClient, len(all))
	for i, c := range all {
		list[i] = clientOf(c)
	}
	return list, err
})

// FindClient returns the client with an id.
var FindClient = askLocal("/client", func(ctx context.Context, a Accounts, id string) (Registration, error) {
	c, err := a.Clients.Client(ctx, id)
	return a.registration(c, "", err)
})

// AddClient registers a client.
var AddClient = askLocal("/add-client", func(ctx context.Context, a Accounts, in RegisteredClient) (Registration, error) {
	c, secret, err := a.Clients.Add(ctx, session.Actor{}, in.client())
	return a.registration(c, secret, err)
})

// ChangeClient replaces everything of a client but its secrets.
var ChangeClient = askLocal("/change-client", func(ctx context.Context, a Accounts, in RegisteredClient) (Registration, error) {
	c, err := a.Clients.Change(ctx, session.Actor{}, in.client())
	return a.registration(c, "", err)
})

// Rotation is of the secret of a client. The old one is accepted for the time of Overlap.
type Rotation struct {
	ID      string        `json:"id"`
	Overlap time.Duration `json:"overlap"` // in nanoseconds
}

// RotateClient gives a client a new secret.
var RotateClient = askLocal("/rotate-client", func(ctx context.Context, a Accounts, in Rotation) (Registration, error) {
	secret, err := a.Clients.Rotate(ctx, session.Actor{}, in.ID, in.Overlap)
	if err != nil {
		return Registration{}, hinted(err)
	}
	c, err := a.Clients.Client(ctx, in.ID)
	return a.registration(c, secret, err)
})

// RemoveClient removes a client.
var RemoveClient = doLocal("/remove-client", func(ctx context.Context, a Accounts, id string) error {
	return hinted(a.Clients.Remove(ctx, session.Actor{}, id))
})
