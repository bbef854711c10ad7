package control

import (
	"context"
	"time"

	"github.com/keypeg/keypeg/server/openid"
)

// ListKeys returns the keys that sign tokens for programs, the oldest first.
var ListKeys = Ask(&userCommands, "/signing-keys", func(ctx context.Context, a Accounts, _ None) ([]openid.KeyInfo, error) {
	keys, err := openid.NewKeys(ctx, a.Store, time.Now)
	if err != nil {
		return nil, err
	}
	return keys.List(ctx)
})

// RotateKeys asks for new keys.
type RotateKeys struct {
	Now bool `json:"now"` // the old ones count no more from now on
}

// RotateSigningKeys makes new keys, and returns all.
var RotateSigningKeys = Ask(&userCommands, "/rotate-signing-keys", func(ctx context.Context, a Accounts, in RotateKeys) ([]openid.KeyInfo, error) {
	keys, err := openid.NewKeys(ctx, a.Store, time.Now)
	if err != nil {
		return nil, err
	}
	if err := keys.Rotate(ctx, in.Now); err != nil {
		return nil, err
	}
	return keys.List(ctx)
})
