package control

import (
	"context"
	"errors"

	"github.com/keypeg/keypeg/server/embed"
	"github.com/keypeg/keypeg/shared"
)

// Program is what a program that Keypeg is built into may do with its users, by its own ids.
type Program interface {
	// PasskeysOf returns the passkeys of a user, who may have none.
	PasskeysOf(ctx context.Context, id string) ([]shared.Passkey, error)
	// RemovePasskeys removes all that is stored of a user.
	RemovePasskeys(ctx context.Context, id string) error
}

// errNoProgram refuses a command about a program where there is none.
var errNoProgram = errors.New("this organisation isn't built into a program, and has users of its own: keypeg user show NAME prints what is known of one")

// HostUser is what Keypeg has of a user of a program.
type HostUser struct {
	ID       string           `json:"id"`
	Passkeys []shared.Passkey `json:"passkeys"`
}

// FindHostUser returns what there is of a user.
var FindHostUser = Ask(&userCommands, "/host-user", func(ctx context.Context, a Accounts, id string) (HostUser, error) {
	if a.Program == nil {
		return HostUser{}, errNoProgram
	}
	passkeys, err := a.Program.PasskeysOf(ctx, id)
	return HostUser{id, passkeys}, err
})

// RemoveHostUser removes all that is stored of a user, and returns what that was.
var RemoveHostUser = Ask(&userCommands, "/remove-host-user", func(ctx context.Context, a Accounts, id string) (HostUser, error) {
	if a.Program == nil {
		return HostUser{}, errNoProgram
	}
	passkeys, err := a.Program.PasskeysOf(ctx, id)
	if err != nil {
		return HostUser{}, err
	}
	return HostUser{id, passkeys}, a.Program.RemovePasskeys(ctx, id)
})

// mostHooks is how many hooks are listed.
const mostHooks = 1000

// ListHooks returns the oldest hooks that the program hasn't taken yet.
var ListHooks = Ask(&userCommands, "/hooks", func(ctx context.Context, a Accounts, _ None) ([]embed.WaitingHook, error) {
	if a.Program == nil {
		return nil, errNoProgram
	}
	return embed.ListHooks(ctx, a.Store, mostHooks)
})
