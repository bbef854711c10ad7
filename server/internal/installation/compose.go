package installation

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/federation"
	"github.com/keypeg/keypeg/server/forwardauth"
	"github.com/keypeg/keypeg/server/internal/audit"
	"github.com/keypeg/keypeg/server/internal/chain"
	"github.com/keypeg/keypeg/server/internal/checks"
	"github.com/keypeg/keypeg/server/internal/control"
	"github.com/keypeg/keypeg/server/internal/metrics"
	"github.com/keypeg/keypeg/server/internal/tenant"
	"github.com/keypeg/keypeg/server/live"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// composer makes the servers of organisations. It has what all organisations of a process
// share.
type composer struct {
	*opened
	serving  Serving
	hasher   *account.Hasher
	warnings *server.Warnings
	streams  *live.Streams
	sink     *audit.Sink      // nil if events are written to the store alone
	metrics  *metrics.Metrics // nil if nobody reads figures
	turns    checks.Turns
	hubs     sync.Map // of open organisations, by name
	stores   sync.Map // of open organisations, by name, for figures
}

// mostExaminations is how many organisations are examined at a time: each takes some MB.
const mostExaminations = 4

func newComposer(o *opened, s Serving, sink *audit.Sink) (*composer, error) {
	streams, err := newStreams(s.Log)
	if err != nil {
		return nil, err
	}
	var figures *metrics.Metrics
	if s.Metrics != "" {
		figures = metrics.New(s.Version)
	}
	return &composer{
		opened: o, serving: s,
		hasher: account.NewHasher(account.Cost{}, 0), warnings: server.NewWarnings(s.Log, time.Now), streams: streams,
		sink: sink, metrics: figures, turns: checks.NewTurns(mostExaminations),
	}, nil
}

// compose opens an organisation and makes its server.
func (c *composer) compose(ctx context.Context, t tenant.Tenant) (*tenant.OpenTenant, error) {
	org, address, err := c.reached(t)
	if err != nil {
		return nil, err
	}
	db, err := c.organisation(ctx, t.Name)
	if err != nil {
		return nil, err
	}
	if err := noteUsers(ctx, db, org.Host); err != nil {
		return nil, errors.Join(err, c.release(db))
	}
	if org.Host != nil {
		open, err := c.composeHosted(ctx, t, org, address, db)
		if err != nil {
			return nil, errors.Join(err, c.release(db))
		}
		return open, nil
	}
	return c.composeLocal(ctx, t, org, address, db)
}

// composeLocal makes the server of an organisation with users of its own. It releases the store if it can't.
func (c *composer) composeLocal(ctx context.Context, t tenant.Tenant, org Organisation, address server.Address, db store.Store) (*tenant.OpenTenant, error) {
	log, hub, figures := c.logOf(t), c.streams.NewHub(), c.metrics.Organisation(t.Name)
	mails := org.mails(db, address, log)
	events := audit.NewStream(db, c.sink, t.Name, log, time.Now)
	watched := mails.Store(hub.Store(events.Store(figures.Store(db))))
	rules := org.rules(watched, address, mails)
	rules.Log, rules.Hasher = log, c.hasher
	accounts := account.New(rules)
	mails.Links = accounts

	config := c.config(log, address, org)
	config.Store, config.Accounts, config.Live = watched, accounts, hub
	if c.serving.Examine != nil {
		config.Examine = c.turns.Limit(c.serving.Examine(t))
	}
	config.Providers, config.Clients, config.Gates, config.Answered = protocolsOf(org, address), org.Clients, c.gatesOf(t, org, address), figures.Answered()
	config.TokenAnswered, config.AnyClient, config.PublicPrograms = figures.Programs(), org.AnyClient, c.Cloud
	handler, err := server.New(ctx, config)
	if err != nil {
		return nil, errors.Join(err, c.release(db))
	}
	c.hubs.Store(t.Name, hub)
	c.stores.Store(t.Name, db)
	endSealing := inBackground(ctx, chain.Sealer{Store: db, Now: time.Now, Log: log}.Run)
	endStreaming := inBackground(ctx, events.Run)
	endSending := inBackground(ctx, mails.Run)
	endCounting := inBackground(ctx, accounts.RunShares)
	endOrdering := inBackground(ctx, handler.RunDomains)
	endTelling := inBackground(ctx, handler.RunPrograms)
	return &tenant.OpenTenant{
		Server: handler, Accounts: accounts, Domains: accounts, Address: address, Related: org.Related, Store: db,
		Close: func() error {
			endSealing()
			endSending()
			endCounting()
			endOrdering()
			endTelling()
			handler.Close(context.WithoutCancel(ctx))
			endStreaming()
			c.hubs.Delete(t.Name)
			c.stores.Delete(t.Name)
			return c.release(db)
		},
	}, nil
}

// config returns the Config of a server, without a store.
func (c *composer) config(log *slog.Logger, address server.Address, org Organisation) server.Config {
	return server.Config{
		Now: time.Now, Log: log, Warnings: c.warnings,
		Address: address, Related: org.Related, TrustedProxies: c.serving.TrustedProxies,
		MaxPasskeys: org.MaxPasskeys, AttestationRoots: org.AttestationRoots,
		Product: org.Product, Contact: org.Contact,
		App: c.serving.App(org.Product, org.Contact), ManualPublic: c.serving.ManualPublic, Asset: c.serving.Asset,
	}
}

// gatesOf returns the gates of an organisation for its server. A tenant may have got the address of one of its gates since
// the settings were read: it is served without that gate, where everybody else would be refused too.
func (c *composer) gatesOf(t tenant.Tenant, org Organisation, address server.Address) []forwardauth.Gate {
	if !c.Cloud {
		return org.Gates
	}
	addresses := []server.Address{address}
	for _, related := range org.Related {
		addresses = append(addresses, related.Address)
	}
	var list []forwardauth.Gate
	for _, g := range org.Gates {
		if err := server.CheckGates([]forwardauth.Gate{g}, addresses...); err != nil {
			c.logOf(t).Error("a gate of the tenant can't be served", "cause", err)
			continue
		}
		list = append(list, g)
	}
	return list
}

// logOf returns the log for one organisation. If there are tenants, its lines name the
// tenant.
func (c *composer) logOf(t tenant.Tenant) *slog.Logger {
	if !c.Cloud {
		return c.serving.Log
	}
	return c.serving.Log.With("tenant", t.Name)
}

// notify notifies the open pages of a user whose records another process has changed.
func (c *composer) notify(organisation, userID string) {
	if hub, open := c.hubs.Load(organisation); open {
		hub.(*live.Hub).Notify(userID)
	}
}

// protocolsOf returns the identity providers of an organisation for its server.
func protocolsOf(org Organisation, address server.Address) (protocols []*federation.Provider) {
	for _, p := range org.Providers {
		p.Protocol.Contact = org.Contact
		protocols = append(protocols, federation.New(p.Protocol, address.Origin+shared.PageSSO+p.Protocol.ID+shared.PageSSOAnswer, time.Now))
	}
	return protocols
}

// accountsOf returns the target for commands about the users of an open organisation.
func accountsOf(o *tenant.OpenTenant) control.Accounts {
	if o.Accounts == nil {
		return control.Accounts{Program: o.Server, Domains: o.Domains, Store: o.Store, Address: o.Address}
	}
	return control.Accounts{Service: o.Accounts, Store: o.Store, Address: o.Address, Clients: o.Server.Clients(), Issuer: o.Address.Origin}
}

// socketOf returns the handler of those commands on the socket. Only a server whose
// database is a file has one.
func socketOf(o *tenant.OpenTenant) http.Handler {
	return control.Handler(accountsOf(o), backupOf(o.Store))
}

// backupOf writes a backup of a database that is one file. It is nil for any other.
func backupOf(db store.Store) io.WriterTo {
	writer, _ := store.As[store.BackupWriter](db)
	return writer
}
