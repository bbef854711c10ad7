package installation

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/internal/audit"
	"github.com/keypeg/keypeg/server/internal/listening"
	"github.com/keypeg/keypeg/server/internal/tenant"
)

// Serving says how an installation is served.
type Serving struct {
	Version        string
	Listen         string // HOST:PORT, unix:PATH or systemd: see package listening
	TLS            TLS
	Backups        Schedule
	TrustedProxies []netip.Prefix
	DrainDelay     time.Duration // how long a stopping server goes on serving
	AuditLog       string        // where events are written: see [audit.OpenSink]
	Out            io.Writer     // the standard output
	Metrics        string        // HOST:PORT or unix:PATH of the figures for IT, or ""

	// App is the app with the name of a product, and with whom users ask for help. Asset is
	// the address of a file of it.
	App func(product, contact string) server.App
	// Embedded and EmbeddedAsset are those of an organisation that is built into a program.
	Embedded      func(product, contact string) server.App
	EmbeddedAsset func(name string) string
	ManualPublic  bool // whether everybody reads the manual's pages
	Asset         func(name string) string
	// Examine returns what examines the installation for the administrators of an organisation. Nil: nothing does.
	Examine func(t tenant.Tenant) server.Examine

	Log *slog.Logger
	// Announce tells the person who has started the server where to go.
	Announce func(Started)
}

// TLS says how the server has TLS itself. The zero value is for a proxy in front.
type TLS struct {
	Cert, Key string // PEM files, or ""
	// Directory is that of the authority from which certificates come, or "".
	Directory, Email string
	Redirect         string // HOST:PORT of plain http, or ""
}

// Started has what is announced.
type Started struct {
	Address   server.Address  // on premise
	SetupLink string          // on premise, while there is no administrator
	Tenants   []tenant.Tenant // in the cloud edition
}

// drainTime is how long a stopping server waits for running requests.
const drainTime = 10 * time.Second

// Serve runs the server. It returns when ctx has ended and every running request is
// answered.
func (i Installation) Serve(ctx context.Context, s Serving) (err error) {
	hangUp := make(chan struct{}, 1)
	defer surviveSignals(ctx, hangUp)()
	defer watchClock(ctx, s.Log)()

	o, err := i.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.close()) }()
	defer watchDatabaseClock(ctx, s.Log, o.root)()

	sink, err := audit.OpenSink(s.AuditLog, s.Out)
	if err != nil {
		return err
	}
	defer sink.Close()
	composer, err := newComposer(o, s, sink)
	if err != nil {
		return err
	}
	front, err := composer.front(ctx)
	if err != nil {
		return err
	}
	defer front.Close()
	defer inBackground(ctx, func(ctx context.Context) { o.db.Follow(ctx, front.Watch, composer.notify) })()

	certificates, err := s.TLS.certificates(front, o.root, s.Log)
	if err != nil {
		return err
	}
	door, err := listening.Open(listening.Config{Address: s.Listen, Redirect: s.TLS.Redirect, To: front.origin, Certificates: certificates, Log: s.Log})
	if err != nil {
		return err
	}
	listeners := map[net.Listener]http.Handler{door.Public: front}
	if door.Plain != nil {
		listeners[door.Plain] = door.Handler
	}
	figures, err := composer.listen(s.Metrics, front, certificates)
	if err != nil {
		return errors.Join(err, door.Close())
	}
	if figures != nil {
		listeners[figures] = composer.metrics.Handler(s.Metrics, front)
	}
	if private := i.driver().Listen(s.Log); private != nil {
		listeners[private] = front.socket()
	}
	started, err := front.started(ctx)
	if err != nil {
		return errors.Join(err, door.Close())
	}
	defer inBackground(ctx, func(ctx context.Context) {
		s.TLS.watch(ctx, reopened{certificates, sink, front.renew()}, hangUp, s.Log)
	})()
	defer inBackground(ctx, scheduled{s.Backups, i, s.Log, time.Now}.run)() // by the socket, which is open
	s.Announce(started)
	defer inBackground(ctx, func(ctx context.Context) { front.checkProviders(ctx, started.Tenants) })()
	defer inBackground(ctx, func(ctx context.Context) { front.sendHooks(ctx, started.Tenants) })()

	args := []any{"version", s.Version, "url", started.Address.Origin, "listen", door.Public.Addr().String(), "rp_id", started.Address.RPID}
	if i.Cloud {
		args = []any{"version", s.Version, "edition", "cloud", "tenants", len(started.Tenants), "listen", door.Public.Addr().String()}
	}
	s.Log.Info("serving", append(args, "database", i.driver().String())...)
	return serveAll(ctx, s.Log, front, s.DrainDelay, listeners)
}

// inBackground runs a function until end is called, which waits for it. The function
// outlives ctx, because requests still run when ctx ends.
func inBackground(ctx context.Context, run func(context.Context)) (end func()) {
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	var ending sync.WaitGroup
	ending.Go(func() { run(running) })
	return func() { stop(); ending.Wait() }
}

// serveAll serves every listener until ctx ends or one of them fails. Then it goes on
// serving for delay and reports that it is about to stop, so that a load balancer sends no
// more requests. At last it waits for running requests.
func serveAll(ctx context.Context, log *slog.Logger, public front, delay time.Duration, handlers map[net.Listener]http.Handler) error {
	failed := make(chan error, len(handlers))
	var servers []*http.Server
	for listener, handler := range handlers {
		srv := &http.Server{
			Handler:           handler,
			ReadHeaderTimeout: server.ReadHeaderTimeout, ReadTimeout: server.ReadTimeout,
			WriteTimeout: server.WriteTimeout, IdleTimeout: server.IdleTimeout,
			MaxHeaderBytes: server.MaxHeaderBytes,
			ErrorLog:       slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		}
		srv.RegisterOnShutdown(public.EndStreams)
		servers = append(servers, srv)
		go func() { failed <- srv.Serve(listener) }()
	}

	var cause error
	select {
	case <-ctx.Done():
		log.Info("stopping", "after", delay, "at_most", drainTime)
		public.Drain()
		select {
		case <-time.After(delay):
		case cause = <-failed:
		}
	case cause = <-failed:
	}

	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	for _, srv := range servers {
		if err := srv.Shutdown(drain); err != nil {
			cause = errors.Join(cause, err, srv.Close()) // otherwise closing the stores would wait for them
		}
	}
	for listener := range handlers {
		listener.Close() // of a server that had not begun to serve: a socket's file goes with it
	}
	return cause
}
