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

// What happens around a server and no request tells of: missing descriptors, signals that
// end a program by themselves, a clock that is set. IT reads of it in the log, with the mend.

// raiseDescriptors is what IT does about missing descriptors.
const raiseDescriptors = "raise the limit on open files, with LimitNOFILE=65536 in the systemd unit or with ulimit -n 65536"

// keptBack are the descriptors that the public address leaves to others, at least: the
// database, commands, tenants' files, identity providers. It leaves an eighth of all
// where that is more.
const keptBack = 64

// mostConnections is how many connections the public address may hold with this limit on
// descriptors.
func mostConnections(descriptors uint64) int {
	left := descriptors - min(descriptors, max(keptBack, descriptors/8))
	return int(min(max(left, 1), 1<<20))
}

// mostStreams is how many of the connections may be streams of changes, which last. The
// others are left to requests.
func mostStreams(descriptors uint64) int { return max(mostConnections(descriptors)*3/4, 1) }

// newStreams bounds the streams of this process.
func newStreams(log *slog.Logger) (*live.Streams, error) {
	descriptors, err := mostDescriptors()
	if err != nil {
		return nil, err
	}
	most := mostStreams(descriptors)
	return live.NewStreams(most, func() {
		log.Error("more pages are open than this server can tell of changes, and the oldest stream of who has most ends for each new one: "+raiseDescriptors, "streams", most, "limit", descriptors)
	}), nil
}

// listen opens the public address. Its listener keeps descriptors back for others, and
// tells when connections have to wait.
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

// cannotListen says what to do when the public address can't be had.
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

// countingListener counts what it accepts, and tells when no more can be.
type countingListener struct {
	net.Listener
	log         *slog.Logger
	most        int64
	descriptors uint64
	open        atomic.Int64
	full        *warning.Seldom[struct{}] // when to tell
}

// Accept implements net.Listener.
func (l *countingListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) {
		l.tell("no connection can be taken", "cause", err)
	}
	if err != nil {
		return nil, err
	}
	if l.open.Add(1) >= l.most {
		l.tell("new connections have to wait until others end", "open", l.most)
	}
	return &countedConnection{Conn: conn, of: l}, nil
}

func (l *countingListener) tell(what string, args ...any) {
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

// surviveSignals keeps the server alive when a terminal goes away or whoever reads its
// output does. Without it SIGHUP and SIGPIPE end a program at once, in the middle of
// requests. There is nothing yet that SIGHUP could read again, and the log says so.
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

// lookEvery is how often the clock is looked at.
const lookEvery = 5 * time.Second

// watchClock tells when the clock was set while the server runs, until end is called.
func watchClock(ctx context.Context, log *slog.Logger) (end func()) {
	return inBackground(ctx, func(ctx context.Context) {
		ticker := time.NewTicker(lookEvery)
		defer ticker.Stop()
		var clock store.ClockWatch
		for {
			tellJump(log, clock.Look(time.Now(), time.Now()))
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
		}
	})
}

// watchDatabaseClock tells when a database that has a clock of its own, since it runs on
// another machine, says another time than this one, until end is called.
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
			if theirs, err := clock.Clock(ctx); err == nil { // a fault is told by whoever needs the database
				tellApart(log, seldom, time.Now(), theirs)
			}
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
		}
	})
}

// tellApart tells why nothing that has expired is removed, once a day.
func tellApart(log *slog.Logger, seldom *warning.Seldom[struct{}], here, database time.Time) {
	if store.AreApart(here, database) && seldom.Due(struct{}{}) {
		log.Warn("this machine's clock and the database server's are a minute or more apart, and this node removes nothing that has expired until they agree; on both machines, "+keepRight,
			"here", here.UTC().Format(time.RFC3339), "database", database.UTC().Format(time.RFC3339))
	}
}

// keepRight is what IT does about a clock.
const keepRight = "keep it right with NTP (timedatectl set-ntp true)"

func tellJump(log *slog.Logger, by time.Duration) {
	switch {
	case by > 0:
		log.Error("the clock jumped ahead, or the machine slept: sessions and links may have expired early; "+keepRight, "by", by.Round(time.Second))
	case by < 0:
		log.Error("the clock jumped back: sign-ins of the time in between may be refused; "+keepRight, "by", -by.Round(time.Second))
	}
}
