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

// A database may be away for a while: it is restarted, or its standby takes over.
// What can be tried again without harm is, until patience ends; the rest fails,
// and whoever waits for it is told so.

const (
	patience = 15 * time.Second
	// answerWithin is how long one try waits for the database, or for a connection to it:
	// one that takes requests and never answers leaves nobody waiting for ever.
	answerWithin = 30 * time.Second
	firstStep    = 20 * time.Millisecond
	lastStep     = time.Second
)

// patiently tries again while harmless says that the failed try did nothing, or
// nothing that matters.
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
			return toldPooler(err)
		}
		// Not all at the same moment.
		select {
		case <-time.After(step/2 + rand.N(step)):
		case <-ctx.Done():
			return err
		}
	}
}

// undone are the conditions after which nothing of a transaction is left.
var undone = map[string]bool{
	serializationFailure: true,
	deadlock:             true,
	readOnlyTransaction:  true, // it is a standby by now
	cannotConnectNow:     true, // it is starting
	tooManyConnections:   true,
}

// isUndone tells whether a write has certainly not happened.
func isUndone(err error) bool {
	if refusal, ok := errors.AsType[*pgconn.PgError](err); ok {
		return undone[refusal.Code] || isPoolerAlone(err)
	}
	// Not connected, or nothing was sent.
	_, connecting := errors.AsType[*pgconn.ConnectError](err)
	return connecting || pgconn.SafeToRetry(err)
}

// isLost tells whether the connection broke, or the write that isn't there is
// undone: good enough for a read.
func isLost(err error) bool {
	if refusal, ok := errors.AsType[*pgconn.PgError](err); ok {
		// Class 57P: an administrator, or a crash, ended the connection. Class 08: a pooler's
		// connection to the database ended.
		return undone[refusal.Code] || strings.HasPrefix(refusal.Code, "57P") || strings.HasPrefix(refusal.Code, "08")
	}
	_, network := errors.AsType[net.Error](err)
	return isUndone(err) || network || brokenOff(err)
}
