// Package control carries the commands of IT to the accounts, whoever has the
// database open.
//
// A bbolt file has one owner. While the server runs, the command line reaches it
// over a Unix socket beside the database, which only the owner of the file can
// open; else the command opens the database itself. [Commands] looks the same
// both ways: [Accounts] does the work, [Handler] offers it on the socket, and
// [Dial] uses it from there. In the cloud edition [Tenants] are the commands about
// tenants, and each tenant has its own Commands.
package control

import (
	"context"
	"errors"
	"time"

	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// Commands are what IT can have done. Errors are a *shared.Error where there is
// something to tell the person at the keyboard.
type Commands interface {
	AddUser(ctx context.Context, user NewUser) (User, error)
	// Users returns up to limit users in byte order of their names, from the
	// first name after the one given.
	Users(ctx context.Context, after string, limit int) ([]User, error)
	User(ctx context.Context, name string) (User, error)
	SetPassword(ctx context.Context, name, password string) error
	RemovePassword(ctx context.Context, name string) error
	Enable(ctx context.Context, name string) error
	Disable(ctx context.Context, name string, evenTheLast bool) error
	// LinkUser lets a user sign in at a provider of the configuration, where they are
	// known by this subject; UnlinkUser ends that.
	LinkUser(ctx context.Context, name, provider, subject string) error
	UnlinkUser(ctx context.Context, name, provider string) error
	// Invite adds a user without a way in, and returns the address at which they choose
	// one. A user who is invited already gets a new one.
	Invite(ctx context.Context, user Invite) (Link, error)
	// NewRecoveryLink returns the address at which a user adds a new way in.
	NewRecoveryLink(ctx context.Context, name string) (Link, error)
	// WithdrawLinks makes a user's invitation and recovery link dead, and reports whether
	// there were any.
	WithdrawLinks(ctx context.Context, name string) (bool, error)
	// SignalsAllowed reports whether password managers may be told of passkeys that are
	// removed; AllowSignals changes it. See store.HoldSignals.
	SignalsAllowed(ctx context.Context) (bool, error)
	AllowSignals(ctx context.Context, allowed bool) error
	// NewSetupLink returns the address that makes the first administrator. It is
	// the running server's own, whatever settings the command was given.
	NewSetupLink(ctx context.Context) (string, error)
}

// NewUser is a user to be added.
type NewUser struct {
	Name        string `json:"name"`
	DisplayName string `json:"displayName"`
	Password    string `json:"password"`
	Admin       bool   `json:"admin"`
}

// Invite is who is to be invited.
type Invite = shared.Invite

// Link is an address that does one thing, once, until it expires.
type Link struct {
	URL     string    `json:"url"`
	Expires time.Time `json:"expires"`
	Again   bool      `json:"again,omitempty"` // one that was made before doesn't work any more
}

// User is what IT may see of a user.
type User struct {
	ID          string    `json:"id"`
	Name        string    `json:"name"`
	DisplayName string    `json:"displayName"`
	Admin       bool      `json:"admin"`
	Disabled    bool      `json:"disabled"`
	HasPassword bool      `json:"hasPassword"`
	Passkeys    int       `json:"passkeys"`
	Identities  int       `json:"identities"` // at OpenID providers
	Invited     bool      `json:"invited"`    // has no way in yet
	Created     time.Time `json:"created"`
}

// Accounts carries the commands out.
type Accounts struct {
	Service *account.Service
	Address Address
}

// Address makes links of tokens: those of the server that people reach.
type Address interface {
	SetupURL(token string) string
	EnrolURL(token string) string
}

var _ Commands = Accounts{}

// AddUser implements [Commands].
func (a Accounts) AddUser(ctx context.Context, user NewUser) (User, error) {
	added, err := a.Service.AddUser(ctx, account.NewUser(user))
	return a.describe(added), err
}

// Users implements [Commands].
func (a Accounts) Users(ctx context.Context, after string, limit int) ([]User, error) {
	found, err := a.Service.Users(ctx, after, limit)
	users := make([]User, len(found))
	for i, user := range found {
		users[i] = a.describe(user)
	}
	return users, err
}

// User implements [Commands].
func (a Accounts) User(ctx context.Context, name string) (User, error) {
	user, err := a.Service.UserByName(ctx, name)
	if err != nil {
		return User{}, err
	}
	return a.describe(user), nil
}

// SetPassword implements [Commands].
func (a Accounts) SetPassword(ctx context.Context, name, password string) error {
	return a.Service.SetPassword(ctx, name, password)
}

// RemovePassword implements [Commands].
func (a Accounts) RemovePassword(ctx context.Context, name string) error {
	return a.Service.RemovePassword(ctx, name)
}

// Enable implements [Commands].
func (a Accounts) Enable(ctx context.Context, name string) error {
	return a.Service.Enable(ctx, name, account.Actor{})
}

// Disable implements [Commands].
func (a Accounts) Disable(ctx context.Context, name string, evenTheLast bool) error {
	if evenTheLast {
		return a.Service.DisableEvenTheLast(ctx, name, account.Actor{})
	}
	return a.Service.Disable(ctx, name, account.Actor{})
}

// LinkUser implements [Commands].
func (a Accounts) LinkUser(ctx context.Context, name, provider, subject string) error {
	return a.Service.LinkUser(ctx, name, provider, subject)
}

// UnlinkUser implements [Commands].
func (a Accounts) UnlinkUser(ctx context.Context, name, provider string) error {
	return a.Service.UnlinkUser(ctx, name, provider)
}

// SignalsAllowed implements [Commands].
func (a Accounts) SignalsAllowed(ctx context.Context) (bool, error) {
	held, err := store.AreSignalsHeld(ctx, a.Service.Store)
	return !held, err
}

// AllowSignals implements [Commands].
func (a Accounts) AllowSignals(ctx context.Context, allowed bool) error {
	op := store.HoldSignals(a.Service.Now())
	if allowed {
		op = store.ReleaseSignals()
	}
	err := a.Service.Store.Apply(ctx, store.Batch{op})
	if errors.Is(err, store.ErrNotFound) {
		return nil // nothing was held
	}
	return err
}

// NewSetupLink implements [Commands].
func (a Accounts) NewSetupLink(ctx context.Context) (string, error) {
	token, err := a.Service.NewSetupLink(ctx)
	if err != nil {
		return "", err
	}
	return a.Address.SetupURL(token), nil
}

// Invite implements [Commands].
func (a Accounts) Invite(ctx context.Context, who Invite) (Link, error) {
	_, link, err := a.Service.Invite(ctx, who, account.Actor{})
	again := shared.CodeOf(err) == shared.CodeNameTaken
	if again {
		user, found := a.Service.UserByName(ctx, who.Name)
		if found != nil || a.Service.Policy.WaysIn(user) > 0 {
			return Link{}, err
		}
		link, err = a.Service.InviteAgain(ctx, user, account.Actor{})
	}
	invitation, err := a.enrolLink(link, err)
	invitation.Again = again && err == nil
	return invitation, err
}

// NewRecoveryLink implements [Commands].
func (a Accounts) NewRecoveryLink(ctx context.Context, name string) (Link, error) {
	user, err := a.Service.UserByName(ctx, name)
	if err != nil {
		return Link{}, err
	}
	return a.enrolLink(a.Service.NewRecoveryLink(ctx, user, account.Actor{}))
}

// WithdrawLinks implements [Commands].
func (a Accounts) WithdrawLinks(ctx context.Context, name string) (bool, error) {
	user, err := a.Service.UserByName(ctx, name)
	if err != nil {
		return false, err
	}
	return a.Service.WithdrawLinks(ctx, user, account.Actor{})
}

func (a Accounts) enrolLink(link account.Link, err error) (Link, error) {
	if err != nil {
		return Link{}, err
	}
	return Link{URL: a.Address.EnrolURL(link.Token), Expires: link.Expires}, nil
}

func (a Accounts) describe(u store.User) User {
	methods := a.Service.MethodsOf(u)
	return User{
		ID: u.ID, Name: u.Name, DisplayName: u.DisplayName, Admin: u.Admin, Disabled: u.Disabled,
		HasPassword: methods.HasPassword, Passkeys: methods.Passkeys, Identities: methods.Identities, Invited: methods.Invited, Created: u.Created,
	}
}
