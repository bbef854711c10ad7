package installation

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/keypeg/keypeg/server/internal/listening"
	"github.com/keypeg/keypeg/server/internal/warning"
	"github.com/keypeg/keypeg/server/live"
	"github.com/keypeg/keypeg/server/store"
)

// Events outside of requests: missing file descriptors, signals that would end the program,
// a changed clock. IT reads about them in the log, with what to do.

// mostStreams returns how many of the connections may be streams of changes, which stay
// open. The others are for requests.
func mostStreams(descriptors uint64) int { return max(listening.MostConnections(descriptors)*3/4, 1) }

// newStreams bounds the streams of this process.
func newStreams(log *slog.Logger) (*live.Streams, error) {
	descriptors, err := listening.MostDescriptors()
	if err != nil {
		return nil, err
	}
	most := mostStreams(descriptors)
	return live.NewStreams(most, func() {
		log.Error("more pages are open than this server can notify of changes, so each new one ends the oldest stream of the user with the most: "+listening.RaiseDescriptors, "streams", most, "limit", descriptors)
	}), nil
}

// surviveSignals keeps the server running when its terminal, or the reader of its output,
// goes away. Otherwise SIGHUP and SIGPIPE would end the program in the middle of requests.
// It passes each SIGHUP on.
func surviveSignals(ctx context.Context, hangUp chan<- struct{}) (end func()) {
	signal.Ignore(syscall.SIGPIPE)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGHUP)
	return inBackground(ctx, func(ctx context.Context) {
		defer signal.Stop(signals)
		for {
			select {
			case <-ctx.Done():
				return
			case <-signals:
				select {
				case hangUp <- struct{}{}:
				default: // the one before hasn't been read
				}
			}
		}
	})
}

// lookEvery is the time between two checks of the clock.
const lookEvery = 5 * time.Second

// watchClock logs when the clock was changed while the server is running, until end is
// called.
func watchClock(ctx context.Context, log *slog.Logger) (end func()) {
	return inBackground(ctx, func(ctx context.Context) {
		ticker := time.NewTicker(lookEvery)
		defer ticker.Stop()
		var clock store.ClockWatch
		for {
			logJump(log, clock.Look(time.Now(), time.Now()))
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
		}
	})
}

// watchDatabaseClock logs when the clock of a database on another machine differs from this
// one, until end is called.
func watchDatabaseClock(ctx context.Context, log *slog.Logger, db store.Store) (end func()) {
	clock, has := store.As[store.Clocked](db)
	if !has {
		return func() {}
	}
	return inBackground(ctx, func(ctx context.Context) {
		ticker := time.NewTicker(time.Minute)
		defer ticker.Stop()
		seldom := warning.NewSeldom[struct{}](warning.Again, time.Now)
		for {
			if theirs, err := clock.Clock(ctx); err == nil { // other uses of the database log a failure
				logApart(log, seldom, time.Now(), theirs)
			}
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
		}
	})
}

// logApart logs once a day why nothing that has expired is removed.
func logApart(log *slog.Logger, seldom *warning.Seldom[struct{}], here, database time.Time) {
	if store.AreApart(here, database) && seldom.Due(struct{}{}) {
		log.Warn("this machine's clock and the database server's are a minute or more apart, and this node removes nothing that has expired until they agree; on both machines, "+keepRight,
			"here", here.UTC().Format(time.RFC3339), "database", database.UTC().Format(time.RFC3339))
	}
}

// keepRight is what IT must do about a clock.
const keepRight = "keep it right with NTP (timedatectl set-ntp true)"

func logJump(log *slog.Logger, by time.Duration) {
	switch {
	case by > 0:
		log.Error("the clock jumped ahead, or the machine slept: sessions and links may have expired early; "+keepRight, "by", by.Round(time.Second))
	case by < 0:
		log.Error("the clock jumped back: sign-ins of the time in between may be refused; "+keepRight, "by", -by.Round(time.Second))
	}
}
