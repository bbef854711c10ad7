package main

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/keypeg/keypeg/app"
	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/live"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/warning"
	"github.com/keypeg/keypeg/web"
)

// builder makes the servers of organisations, and holds what all of a process share:
// the files, the app's pages, and what hashes passwords.
type builder struct {
	settings *settings
	files    *web.Files
	gallery  bool
	hasher   *account.Hasher
	warnings *warning.Log

	mu    sync.Mutex
	pages map[string]map[string]http.Handler // by product
}

func newBuilder(s *settings, files *web.Files, log *slog.Logger, gallery bool) *builder {
	// Pages are drawn without a user first. Where products differ they have no name
	// until the browser knows which.
	drawn := s.Product
	if s.isCloud() {
		drawn = ""
	}
	app.Routes(app.Deps{Product: drawn, Icon: files.URL("icon.svg")})
	return &builder{
		settings: s, files: files, gallery: gallery,
		hasher: account.NewHasher(account.Cost{}, 0), warnings: warning.NewLog(log, time.Now), pages: map[string]map[string]http.Handler{},
	}
}

// pagesOf are the pages of a product. Organisations with the same one share them.
func (b *builder) pagesOf(product string) map[string]http.Handler {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.pages[product] == nil {
		served := pages(b.files, product)
		if b.gallery {
			served[galleryPath] = gallery(b.files, product)
			served[galleryPath+"/"] = served[galleryPath]
		}
		b.pages[product] = served
	}
	return b.pages[product]
}

// build makes the server of one organisation, which writes to log.
func (b *builder) build(ctx context.Context, log *slog.Logger, hub *live.Hub, db store.Store, address server.Address, own organisationSettings, providers []provider) (*server.Server, *account.Service, error) {
	told := hub.Store(db)
	rules := b.settings.rules(told, address, own, providers)
	rules.Log, rules.Hasher = log, b.hasher
	accounts := account.New(rules)
	config := b.config(log, address, own)
	config.Store, config.Accounts, config.Live = told, accounts, hub
	config.SSO = protocolsOf(providers, address, own.Contact)
	handler, err := server.New(ctx, config)
	return handler, accounts, err
}

// rules are those of an organisation's accounts.
func (s *settings) rules(db store.Store, address server.Address, own organisationSettings, providers []provider) account.Config {
	ways := own.policy(s.Passkeys)
	ways.RPID = address.RPID
	return account.Config{
		Store: db, Now: time.Now,
		Idle: own.SessionIdle, Lifetime: own.SessionLifetime, ConfirmFor: own.ConfirmAfter,
		Product: own.Product, Providers: rulesOf(providers), Policy: ways,
	}
}

// config is what needs no store.
func (b *builder) config(log *slog.Logger, address server.Address, own organisationSettings) server.Config {
	return server.Config{
		Now: time.Now, Log: log, Warnings: b.warnings,
		Address: address, TrustedProxies: b.settings.TrustedProxies,
		MaxPasskeys: own.MaxPasskeys, AttestationRoots: own.AttestationRoots.pool(),
		Product: own.Product, Contact: own.Contact,
		Pages: withStuck(b.pagesOf(own.Product), b.files, own.Product, own.Contact), Asset: b.files.URL,
	}
}
