package listening

import (
	"errors"
	"log/slog"
	"net"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/net/netutil"

	"github.com/keypeg/keypeg/server/internal/warning"
)

// RaiseDescriptors is what IT must do about missing file descriptors.
const RaiseDescriptors = "raise the limit on open files, with LimitNOFILE=65536 in the systemd unit or with ulimit -n 65536"

// keptBack is the least number of file descriptors that people's connections leave to others: the database,
// commands, tenants' files, identity providers. They leave an eighth of all if that is more.
const keptBack = 64

// MostConnections returns how many connections people may have with this limit on file descriptors.
func MostConnections(descriptors uint64) int {
	left := descriptors - min(descriptors, max(keptBack, descriptors/8))
	return int(min(max(left, 1), 1<<20))
}

// bounded returns a listener that leaves descriptors to others, and logs when connections must wait.
func bounded(l net.Listener, log *slog.Logger) (net.Listener, error) {
	descriptors, err := MostDescriptors()
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	most := MostConnections(descriptors)
	counted := &countingListener{
		Listener: l, log: log, most: int64(most), descriptors: descriptors,
		full: warning.NewSeldom[struct{}](time.Minute, time.Now),
	}
	return netutil.LimitListener(counted, most), nil
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
		l.log.Error(what+": "+RaiseDescriptors, append(args, "limit", l.descriptors)...)
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
