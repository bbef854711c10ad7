package control

import (
	"context"
	"time"

	"github.com/keypeg/keypeg/server/internal/audit"
	"github.com/keypeg/keypeg/server/internal/chain"
	"github.com/keypeg/keypeg/shared"
)

// EventsBefore asks for a page of up to Limit events.
type EventsBefore struct {
	audit.Filter
	Limit int `json:"limit"`
}

// ListEvents returns what happened in the organisation, newest first.
var ListEvents = Ask(&userCommands, "/events", func(ctx context.Context, a Accounts, in EventsBefore) (shared.AuditPage, error) {
	return audit.List(ctx, a.Store, in.Filter, in.Limit)
})

// KeptHash is a hash that a chain must have reached once, or the zero hash.
type KeptHash struct {
	Hash chain.Hash `json:"hash"`
}

// VerifyEvents compares all events with the chain that seals them.
var VerifyEvents = Ask(&userCommands, "/verify-events", func(ctx context.Context, a Accounts, in KeptHash) (chain.Report, error) {
	return chain.Verify(ctx, a.Store, time.Now, in.Hash)
})
