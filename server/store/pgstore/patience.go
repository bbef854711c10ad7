package pgstore

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// A database may be unreachable for a while: it is restarted, or its standby takes over.
// Calls that can be tried again without harm are tried again until patience ends. Other calls
// fail at once.

const (
	patience = 15 * time.Second
	// answerWithin is how long one try waits for the database or for a connection to it, so
	// that a database that never answers keeps nobody waiting for ever.
	answerWithin = 30 * time.Second
	firstStep    = 20 * time.Millisecond
	lastStep     = time.Second
)

// patiently tries again while harmless reports that the failed try had no effect that
// matters.
func (s *Store) patiently(ctx context.Context, harmless func(error) bool, try func(context.Context) error) error {
	leave, err := s.enter()
	if err != nil {
		return err
	}
	defer leave()
	deadline := time.Now().Add(patience)
	for step := firstStep; ; step = min(2*step, lastStep) {
		trying, cancel := context.WithTimeout(ctx, answerWithin)
		err := try(trying)
		cancel()
		if err == nil || !harmless(err) || ctx.Err() != nil || s.stopped() || time.Now().After(deadline) {
			return explainPooler(err)
		}
		// Not all at the same moment.
		select {
		case <-time.After(step/2 + rand.N(step)):
		case <-ctx.Done():
			return err
		}
	}
}

// undone has the conditions after which nothing of a transaction was written.
var undone = map[string]bool{
	serializationFailure: true,
	deadlock:             true,
	readOnlyTransaction:  true, // it has become a standby
	cannotConnectNow:     true, // it is starting
	tooManyConnections:   true,
}

// isUndone reports whether a write has certainly not happened.
func isUndone(err error) bool {
	if refusal, ok := errors.AsType[*pgconn.PgError](err); ok {
		return undone[refusal.Code] || isPoolerAlone(err)
	}
	// Not connected, or nothing was sent.
	_, connecting := errors.AsType[*pgconn.ConnectError](err)
	return connecting || pgconn.SafeToRetry(err)
}

// isLost reports whether the connection broke, or the statement is undone. A read can be
// tried again then.
func isLost(err error) bool {
	if refusal, ok := errors.AsType[*pgconn.PgError](err); ok {
		// Class 57P: an administrator, or a crash, ended the connection. Class 08: a pooler's
		// connection to the database ended.
		return undone[refusal.Code] || strings.HasPrefix(refusal.Code, "57P") || strings.HasPrefix(refusal.Code, "08")
	}
	_, network := errors.AsType[net.Error](err)
	return isUndone(err) || network || brokenOff(err)
}
