// Package installation opens, serves, checks and moves one installation: a database with
// its organisations.
//
// An installation is for one organisation, on premise, or in the cloud edition for any
// number of tenants. Both are composed and served in the same way. Begin with an
// [Installation], which has the name of the database and the settings of IT.
// [Installation.Serve] runs the server. [Installation.Users] and [Installation.Tenants]
// carry out commands about users and tenants, by the running server or in this process.
// [Installation.Backup], [Installation.Restore] and [Copy] move records; what they make is
// either complete or recognisably not.
//
// A [Driver] has what the kinds of databases differ in. The package knows no flags and no
// terminal, and doesn't import the app; [Serving] says how pages are drawn.
package installation

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/federation"
	"github.com/keypeg/keypeg/server/forwardauth"
	"github.com/keypeg/keypeg/server/internal/tenant"
	"github.com/keypeg/keypeg/server/internal/transfer"
	"github.com/keypeg/keypeg/server/mail"
	"github.com/keypeg/keypeg/server/openid"
	"github.com/keypeg/keypeg/server/policy"
	"github.com/keypeg/keypeg/server/store"
)

// Installation names a database and the settings for it.
type Installation struct {
	Database string // the setting that names it; see [DriverOf]
	Socket   string // the path of the socket for commands; "" for one beside the database
	Cloud    bool   // the edition with tenants
	Settings Settings
}

// Settings are the settings of IT for organisations. On premise, the zero Tenant means the
// only organisation.
type Settings interface {
	// Organisation returns the settings of an organisation.
	Organisation(t tenant.Tenant) (Organisation, error)
	// Address returns the address at which its people reach it.
	Address(t tenant.Tenant) (server.Address, error)
	// WithOverrides returns the names of the tenants with overrides, in order.
	WithOverrides() []string
}

// Organisation has the settings of one organisation.
type Organisation struct {
	Product, Contact string

	Policy    policy.Policy // the RP IDs are those of the addresses
	Related   []server.Related
	Providers []Provider
	Clients   []openid.Client // of the configuration
	Gates     []forwardauth.Gate
	// AnyClient accepts programs that nobody has registered: see [server.Config].
	AnyClient   bool
	MaxPasskeys int
	// AttestationRoots are the roots of the makers whose devices are accepted; nil means
	// all makers.
	AttestationRoots *x509.CertPool

	SessionIdle, SessionLifetime, ConfirmAfter time.Duration
	KeepEvents                                 time.Duration

	Mail         mail.Sender // off unless IT names a mail server
	MailLanguage string      // of mails to users who have chosen none

	Host *Host // the program that has the users; nil for users of Keypeg's own
}

// Provider is an OpenID provider.
type Provider struct {
	Protocol federation.Config
	Rules    account.Provider
}

// rootName is the name of the only organisation of an installation on premise. In the cloud
// edition it is the name of the installation's own records: the list of tenants.
const rootName = ""

// nameTheServers is what IT must do about a database that doesn't exist.
const nameTheServers = "name the database that the server uses with --database, or begin a new one with keypeg serve"

func (i Installation) driver() Driver { return DriverOf(i.Database, i.Socket) }

// opened is an installation whose database is open.
type opened struct {
	Installation
	db       Database
	root     store.Store      // the records of rootName
	registry *tenant.Registry // in the cloud edition
}

// open opens the database. It refuses an incomplete one, and one of the other edition.
func (i Installation) open(ctx context.Context) (*opened, error) {
	if err := i.driver().Check(); err != nil {
		return nil, err
	}
	db, err := i.driver().Open(ctx, time.Now)
	if err != nil {
		return nil, err
	}
	root, err := db.Organisation(rootName)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	o := &opened{Installation: i, db: db, root: root, registry: tenant.NewRegistry(root, time.Now)}
	refuseOtherEdition := refuseCloud
	if i.Cloud {
		refuseOtherEdition = refuseOnPremise
	}
	if err := errors.Join(transfer.Unfinished(ctx, root), refuseOtherEdition(ctx, root)); err != nil {
		return nil, errors.Join(err, o.close())
	}
	return o, nil
}

// openExisting opens the database for a command. It makes none, because only keypeg serve
// begins a new installation. In another folder than the server's, or with a mistyped name,
// a command would otherwise change an installation that nobody knows of.
func (i Installation) openExisting(ctx context.Context) (*opened, error) {
	if err := i.driver().Exists(ctx); err != nil {
		return nil, err
	}
	o, err := i.open(ctx)
	if err != nil {
		return nil, i.driver().Explain(err)
	}
	if !i.Cloud {
		return o, nil
	}
	is, err := o.registry.Exists(ctx)
	if err == nil && !is {
		err = errNoTenants
	}
	if err != nil {
		return nil, errors.Join(err, o.close())
	}
	return o, nil
}

// errNoTenants means that a database has no list of tenants.
var errNoTenants = errors.New("this database belongs to no installation of the cloud edition: set --edition on-premise, or begin one with keypeg serve --edition cloud")

// refuseOnPremise refuses to open an installation for one organisation in the cloud
// edition. Otherwise its users would seem lost.
func refuseOnPremise(ctx context.Context, root store.Store) error {
	users, _, err := root.Users(ctx, store.UserQuery{}, 1)
	if err == nil && len(users) > 0 {
		return errors.New("this database belongs to one organisation, and has its users: set --edition on-premise, or name another database")
	}
	return err
}

// refuseCloud refuses to open a cloud installation on premise. Otherwise a command would
// make users where nobody finds them.
func refuseCloud(ctx context.Context, root store.Store) error {
	is, err := tenant.NewRegistry(root, time.Now).Exists(ctx)
	if err == nil && is {
		return errors.New("this database belongs to an installation of the cloud edition: set --edition cloud")
	}
	return err
}

// close closes the database. The organisations must be closed before.
func (o *opened) close() error { return errors.Join(o.root.Close(), o.db.Close()) }

// organisation opens the records of an organisation, and refuses incomplete ones. The
// caller calls release. On premise they are open already.
func (o *opened) organisation(ctx context.Context, name string) (store.Store, error) {
	if !o.Cloud {
		return o.root, nil
	}
	if err := tenant.CheckName(name); err != nil { // it becomes a path
		return nil, err
	}
	db, err := o.db.Organisation(name)
	if err != nil {
		return nil, err
	}
	if err := transfer.Unfinished(ctx, db); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// release closes what organisation has opened.
func (o *opened) release(db store.Store) error {
	if db == o.root {
		return nil
	}
	return db.Close()
}

// OpenStore opens one organisation of a database, or makes it, even if it is incomplete.
// Close closes the database too.
func OpenStore(ctx context.Context, database, name string, now store.Clock) (store.Store, error) {
	driver := DriverOf(database, "")
	if err := driver.Check(); err != nil {
		return nil, err
	}
	db, err := driver.Open(ctx, now)
	if err != nil {
		return nil, err
	}
	of, err := db.Organisation(name)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return single{of, db}, nil
}

// single is the only open store of a database.
type single struct {
	store.Store
	db Database
}

// Unwrap implements [store.Wrapper].
func (s single) Unwrap() store.Store { return s.Store }

// Close implements [store.Store].
func (s single) Close() error { return errors.Join(s.Store.Close(), s.db.Close()) }

// reached returns the settings and the address of an organisation.
func (i Installation) reached(t tenant.Tenant) (org Organisation, address server.Address, err error) {
	if org, err = i.Settings.Organisation(t); err == nil {
		address, err = i.Settings.Address(t)
	}
	return org, address, err
}

// rules returns the Config of an organisation's accounts. Mails may be nil for rules that queue none.
func (org Organisation) rules(db store.Store, address server.Address, mails *mail.Queue) account.Config {
	methods := server.PolicyAt(org.Policy, address, org.Related)
	methods.Elsewhere = org.Host != nil
	config := account.Config{
		Store: db, Now: time.Now,
		Idle: org.SessionIdle, Lifetime: org.SessionLifetime, ConfirmFor: org.ConfirmAfter, KeepEvents: org.KeepEvents,
		Product: org.Product, Policy: methods,
	}
	if mails != nil {
		config.KeptMails = mails.Kept
		if mails.Sender.IsOn() {
			config.Mails = mails
		}
	}
	for _, p := range org.Providers {
		config.Providers = append(config.Providers, p.Rules)
	}
	return config
}

// mails returns the queue of an organisation's mails, which lie in db.
func (org Organisation) mails(db store.Store, address server.Address, log *slog.Logger) *mail.Queue {
	about := mail.Organisation{Product: org.Product, Contact: org.Contact, Origin: address.Origin, Language: org.MailLanguage}
	return mail.NewQueue(db, about, org.Mail, time.Now, log)
}

// refuseLockout adds what to do to the error for settings that would leave users without a
// sign-in method.
func (i Installation) refuseLockout(err error, t tenant.Tenant, at server.Address) error {
	if foreign, is := errors.AsType[*account.ForeignPasskeys](err); is {
		id := foreign.Domains[0].RPID
		if i.Cloud {
			return fmt.Errorf("%w. So that they go on working, run keypeg domain add %q --tenant %s, or whatever the address was; to give them up, run keypeg domain end %s --tenant %s", err, at.FormerURL(id), t.Name, id, t.Name)
		}
		return fmt.Errorf("%w. So that they go on working in a move, add former-urls = [%q], or whatever the address was; if there is no move, change public-url or rp-id back; to give them up, run keypeg domain end %s", err, at.FormerURL(id), id)
	}
	if _, is := errors.AsType[*account.LockedOut](err); is {
		return fmt.Errorf("%w. Start with the settings as they were and give them another sign-in method, or disable them; or change rp-id, passkeys, password-sign-in, user-verification or the providers back", err)
	}
	return err
}
