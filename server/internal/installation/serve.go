package installation

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/internal/tenant"
)

// Serving is how an installation is served.
type Serving struct {
	Version        string
	Listen         string // host:port
	TrustedProxies []netip.Prefix
	DrainDelay     time.Duration // how long a server that was told to stop goes on serving

	// App is the app with the name of a product, and with whom users ask for help. Asset is
	// the address of a file of it.
	App          func(product, contact string) server.App
	ManualPublic bool // whether everybody reads the manual's pages
	Asset        func(name string) string

	Log *slog.Logger
	// Announce tells whoever has started the server where to go.
	Announce func(Started)
}

// Started is what there is to announce.
type Started struct {
	Address   server.Address  // on premise
	SetupLink string          // likewise, while there is no administrator
	Tenants   []tenant.Tenant // of the cloud edition
}

// drainTime is how long a stopping server lets running requests end.
const drainTime = 10 * time.Second

// Serve runs the server, and returns when ctx has ended and every running request was
// answered.
func (i Installation) Serve(ctx context.Context, s Serving) (err error) {
	defer surviveSignals(ctx, s.Log)()
	defer watchClock(ctx, s.Log)()

	o, err := i.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.close()) }()
	defer watchDatabaseClock(ctx, s.Log, o.root)()

	composer, err := newComposer(o, s)
	if err != nil {
		return err
	}
	front, err := composer.front(ctx)
	if err != nil {
		return err
	}
	defer front.Close()
	defer inBackground(ctx, func(ctx context.Context) { o.db.Follow(ctx, front.Watch, composer.tell) })()

	public, err := listen(s.Listen, s.Log)
	if err != nil {
		return err
	}
	listeners := map[net.Listener]http.Handler{public: front}
	if private := i.driver().Listen(s.Log); private != nil {
		listeners[private] = front.socket()
	}
	started, err := front.started(ctx)
	if err != nil {
		return errors.Join(err, public.Close())
	}
	s.Announce(started)
	defer inBackground(ctx, func(ctx context.Context) { front.checkProviders(ctx, started.Tenants) })()

	args := []any{"version", s.Version, "url", started.Address.Origin, "listen", public.Addr().String(), "rp_id", started.Address.RPID}
	if i.Cloud {
		args = []any{"version", s.Version, "edition", "cloud", "tenants", len(started.Tenants), "listen", public.Addr().String()}
	}
	s.Log.Info("serving", append(args, "database", i.driver().String())...)
	return serveAll(ctx, s.Log, front, s.DrainDelay, listeners)
}

// inBackground lets something run until end is called, which waits for it. It
// outlives ctx, which ends when requests still run.
func inBackground(ctx context.Context, run func(context.Context)) (end func()) {
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	var ending sync.WaitGroup
	ending.Go(func() { run(running) })
	return func() { stop(); ending.Wait() }
}

// serveAll serves every listener until ctx ends or one of them fails, and then
// lets running requests end. For delay before that it goes on serving, and says
// that it is about to stop, so that a balancer in front sends nothing more.
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
			cause = errors.Join(cause, err, srv.Close()) // or who closes the stores waits for them
		}
	}
	return cause
}
