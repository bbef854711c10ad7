package installation

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/embed"
	"github.com/keypeg/keypeg/server/internal/audit"
	"github.com/keypeg/keypeg/server/internal/chain"
	"github.com/keypeg/keypeg/server/internal/tenant"
	"github.com/keypeg/keypeg/server/store"
)

// Host is a program that an organisation is built into: see package embed. Its users are the program's own.
type Host struct {
	Arrive, Hooks string // see [embed.Program]
	// SecretFile has the secrets that Keypeg shares with the program: see [ReadHostSecrets]. "" is for a tenant, whose
	// secrets are in its own records.
	SecretFile string
}

// hosted has one entry, with the key "", in the records of an organisation whose users are those of a program. Nothing
// else tells them from users of Keypeg's own.
var hosted = store.Collection[struct{}]{Name: "hosted"}

// refuseOtherUsers refuses records with users of the other kind: to a program, local users would seem to be without
// passkeys, and users of a program can't sign in here.
func refuseOtherUsers(ctx context.Context, db store.Store, host *Host) error {
	is, err := hosted.Has(ctx, db, "", "")
	if err != nil || is == (host != nil) {
		return err
	}
	counts, err := db.Counts(ctx)
	if err != nil {
		return fmt.Errorf("counting the users: %w", err)
	}
	users := counts[store.CountDisabled] + counts[store.CountInvited] + counts[store.CountWithoutPasskey] + counts[store.CountWithPasskey]
	passkeys := counts[store.CountSynced] + counts[store.CountDeviceBound]
	switch {
	case users == 0:
		return nil
	case is:
		return fmt.Errorf("the database has the %d passkeys of %d users of a program that Keypeg is built into, and these settings name no program: write the table [host] again (in the cloud edition: keypeg tenant change NAME --arrive URL), or name another database", passkeys, users)
	}
	return fmt.Errorf("the database has %d users of Keypeg's own with %d passkeys, and these settings name a program that has the users: remove the table [host] (in the cloud edition: keypeg tenant change NAME --arrive \"\"), or name another database", users, passkeys)
}

// noteUsers is [refuseOtherUsers] for a server, which notes whose users there will be.
func noteUsers(ctx context.Context, db store.Store, host *Host) error {
	if err := refuseOtherUsers(ctx, db, host); err != nil {
		return err
	}
	entry, err := hosted.Get(ctx, db, "", "")
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	op := store.Op(hosted.Remove(entry))
	if is := err == nil; is == (host != nil) {
		return nil
	} else if !is {
		op = hosted.Put(entry)
	}
	if err := db.Apply(ctx, store.Batch{op}); !hosted.Changed(err) { // another node has done it
		return err
	}
	return nil
}

// programOf returns a program as it is set up now, and what the file of its secrets has, if there is one.
func programOf(ctx context.Context, host Host, db store.Store, log *slog.Logger) (func() embed.Program, *secretFile, error) {
	program := embed.Program{Arrive: host.Arrive, Hooks: host.Hooks}
	if host.SecretFile == "" { // a tenant is opened anew when it gets another secret
		secrets, err := embed.MadeSecrets(ctx, db)
		program.Secrets = secrets
		return func() embed.Program { return program }, nil, err
	}
	file, err := openSecretFile(host.SecretFile, log)
	return func() embed.Program {
		now := program
		now.Secrets = file.Secrets()
		return now
	}, file, err
}

// composeHosted makes the server of an organisation that is built into a program.
func (c *composer) composeHosted(ctx context.Context, t tenant.Tenant, org Organisation, address server.Address, db store.Store) (*tenant.OpenTenant, error) {
	if err := embed.CheckArrive(org.Host.Arrive, address.Origin); err != nil {
		return nil, err
	}
	log, hub, figures := c.logOf(t), c.streams.NewHub(), c.metrics.Organisation(t.Name)
	program, file, err := programOf(ctx, *org.Host, db, log)
	if err != nil {
		return nil, err
	}
	if n := len(org.Providers) + len(org.Clients) + len(org.Gates); n > 0 {
		log.Warn("providers, clients and gates of the tenant mean nothing, because its people sign in at a program: remove the tables", "tables", n)
	}
	events := audit.NewStream(db, c.sink, t.Name, log, time.Now)
	config := c.config(log, address, org)
	config.Store, config.Live, config.Embed = hub.Store(events.Store(figures.Store(db))), hub, program
	config.ConfirmFor, config.KeepEvents, config.Answered = org.ConfirmAfter, org.KeepEvents, figures.Answered()
	config.App, config.Asset, config.ManualPublic = c.serving.Embedded(org.Product, org.Contact), c.serving.EmbeddedAsset, false
	handler, err := server.New(ctx, config)
	if err != nil {
		return nil, err
	}
	c.hubs.Store(t.Name, hub)
	c.stores.Store(t.Name, db)
	ends := []func(){
		inBackground(ctx, chain.Sealer{Store: db, Now: time.Now, Log: log}.Run),
		inBackground(ctx, handler.RunHooks),
	}
	open := &tenant.OpenTenant{Server: handler, Domains: account.New(org.rules(config.Store, address, nil)), Address: address, Related: org.Related, Store: db}
	if file != nil {
		ends = append(ends, inBackground(ctx, file.Watch))
		open.Renew = file.Renew
	}
	endStreaming := inBackground(ctx, events.Run)
	open.Close = func() error {
		for _, end := range ends {
			end()
		}
		handler.Close(context.WithoutCancel(ctx))
		endStreaming()
		c.hubs.Delete(t.Name)
		c.stores.Delete(t.Name)
		return c.release(db)
	}
	return open, nil
}

// hostedServer returns a server of an organisation that is built into a program, for commands where none runs. The
// caller closes it.
func hostedServer(ctx context.Context, org Organisation, address server.Address, db store.Store) (*server.Server, error) {
	program := embed.Program{Arrive: org.Host.Arrive, Hooks: org.Host.Hooks} // nobody signs in here
	return server.New(ctx, server.Config{
		Store: db, Now: time.Now, Address: address, Related: org.Related, Product: org.Product, MaxPasskeys: org.MaxPasskeys, KeepEvents: org.KeepEvents,
		Embed: func() embed.Program { return program }, Asset: func(string) string { return "" },
	})
}
