package installation

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/net/netutil"

	"github.com/keypeg/keypeg/server/internal/shown"
	"github.com/keypeg/keypeg/server/internal/warning"
	"github.com/keypeg/keypeg/server/live"
	"github.com/keypeg/keypeg/server/store"
)

// Events outside of requests: missing file descriptors, signals that would end the program,
// a changed clock. IT reads about them in the log, with what to do.

// raiseDescriptors is what IT must do about missing file descriptors.
const raiseDescriptors = "raise the limit on open files, with LimitNOFILE=65536 in the systemd unit or with ulimit -n 65536"

// keptBack is the least number of file descriptors that the public address leaves to
// others: the database, commands, tenants' files, identity providers. It leaves an eighth
// of all if that is more.
const keptBack = 64

// mostConnections returns how many connections the public address may have with this limit
// on file descriptors.
func mostConnections(descriptors uint64) int {
	left := descriptors - min(descriptors, max(keptBack, descriptors/8))
	return int(min(max(left, 1), 1<<20))
}

// mostStreams returns how many of the connections may be streams of changes, which stay
// open. The others are for requests.
func mostStreams(descriptors uint64) int { return max(mostConnections(descriptors)*3/4, 1) }

// newStreams bounds the streams of this process.
func newStreams(log *slog.Logger) (*live.Streams, error) {
	descriptors, err := mostDescriptors()
	if err != nil {
		return nil, err
	}
	most := mostStreams(descriptors)
	return live.NewStreams(most, func() {
		log.Error("more pages are open than this server can notify of changes, so each new one ends the oldest stream of the user with the most: "+raiseDescriptors, "streams", most, "limit", descriptors)
	}), nil
}

// listen opens the public address. Its listener leaves descriptors to others, and logs when
// connections must wait.
func listen(address string, log *slog.Logger) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, cannotListen(address, err)
	}
	descriptors, err := mostDescriptors()
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	most := mostConnections(descriptors)
	counted := &countingListener{
		Listener: l, log: log, most: int64(most), descriptors: descriptors,
		full: warning.NewSeldom[struct{}](time.Minute, time.Now),
	}
	return netutil.LimitListener(counted, most), nil
}

// cannotListen says what to do if the public address can't be opened.
func cannotListen(address string, err error) error {
	mend := "name another address with --listen, such as localhost:8080 or :8080"
	_, unknown := errors.AsType[*net.DNSError](err)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		mend = "another program listens there already, perhaps another Keypeg: end it, or name another port with --listen"
	case errors.Is(err, fs.ErrPermission):
		mend = "this account may not use that port, as is usual below 1024: name another one with --listen and put a proxy in front, or write AmbientCapabilities=CAP_NET_BIND_SERVICE into the systemd unit"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		mend = "that isn't an address of this machine: name one of its own with --listen, or :8080 for all of them"
	case unknown:
		mend = "no machine has that name here: correct it in --listen, or write :8080"
	}
	return fmt.Errorf("can't listen on %s: %s (%w)", shown.Text(address), mend, err)
}

// countingListener bounds the connections that it accepts, and logs when there are too
// many.
type countingListener struct {
	net.Listener
	log         *slog.Logger
	most        int64
	descriptors uint64
	open        atomic.Int64
	full        *warning.Seldom[struct{}] // limits how often that is logged
}

// Accept implements net.Listener.
func (l *countingListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) {
		l.warn("no connection can be taken", "cause", err)
	}
	if err != nil {
		return nil, err
	}
	if l.open.Add(1) >= l.most {
		l.warn("new connections have to wait until others end", "open", l.most)
	}
	return &countedConnection{Conn: conn, of: l}, nil
}

func (l *countingListener) warn(what string, args ...any) {
	if l.full.Due(struct{}{}) {
		l.log.Error(what+": "+raiseDescriptors, append(args, "limit", l.descriptors)...)
	}
}

type countedConnection struct {
	net.Conn
	of     *countingListener
	closed atomic.Bool
}

// Close implements net.Conn.
func (c *countedConnection) Close() error {
	if !c.closed.Swap(true) {
		c.of.open.Add(-1)
	}
	return c.Conn.Close()
}

// surviveSignals keeps the server running when its terminal, or the reader of its output,
// goes away. Otherwise SIGHUP and SIGPIPE would end the program in the middle of requests.
// SIGHUP reloads nothing yet, and the log says so.
func surviveSignals(ctx context.Context, log *slog.Logger) (end func()) {
	signal.Ignore(syscall.SIGPIPE)
	hangUps := make(chan os.Signal, 1)
	signal.Notify(hangUps, syscall.SIGHUP)
	return inBackground(ctx, func(ctx context.Context) {
		defer signal.Stop(hangUps)
		for {
			select {
			case <-ctx.Done():
				return
			case <-hangUps:
				log.Info("a hang-up signal (SIGHUP) changes nothing: restart the server to use changed settings")
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
