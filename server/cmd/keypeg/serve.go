package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/control"
	"github.com/keypeg/keypeg/server/sso"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/web"
)

type serveCommand struct{ Gallery bool }

func (c *serveCommand) takes(l *commandLine) {
	l.BoolVar(&c.Gallery, "gallery", false, "Also show every component in every state, at /gallery. For those who work on Keypeg.")
}

// drainTime is how long a stopping server lets running requests end.
const drainTime = 10 * time.Second

// Run starts the server and returns when ctx has ended and every running request
// was answered.
func (c *serveCommand) Run(ctx context.Context, t terminal, s *settings) (err error) {
	if s.isCloud() {
		return c.runCloud(ctx, t, s)
	}
	address, err := s.address()
	if err != nil {
		return err
	}
	files, err := openFiles()
	if err != nil {
		return err
	}
	log, flush := s.logger(t.Err)
	defer flush()
	s.tell(log)
	defer surviveSignals(ctx, log)()
	defer watchClock(ctx, log)()

	db, err := openStore(ctx, s.Database, time.Now)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	defer watchDatabaseClock(ctx, log, db)()

	streams, err := newStreams(log)
	if err != nil {
		return err
	}
	hub := streams.NewHub()
	if others, can := db.(interface {
		Changes(ctx context.Context, tell func(userID string))
	}); can {
		defer inBackground(ctx, func(ctx context.Context) { others.Changes(ctx, hub.Tell) })()
	}
	handler, accounts, err := newBuilder(s, files, log, c.Gallery).build(ctx, log, hub, db, address, s.organisationSettings, s.providers)
	if err != nil {
		return err
	}
	defer handler.Close(context.WithoutCancel(ctx))
	if err := refuseLockout(accounts.CheckPolicy(ctx)); err != nil {
		return err
	}

	public, err := s.listen(log)
	if err != nil {
		return err
	}
	listeners := map[net.Listener]http.Handler{public: handler}
	commands := control.Accounts{Service: accounts, Address: address}
	if !s.isShared() {
		keptPrivate(log, s.Database)
		s.takeCommands(log, listeners, control.Handler(commands, db.(io.WriterTo))) // a file
	}

	if err := announce(ctx, t, commands, db, address); err != nil {
		return err
	}
	defer inBackground(ctx, func(ctx context.Context) { sso.CheckAll(ctx, log, handler.SSO) })()
	log.Info("serving", "version", version(), "url", address.Origin, "listen", public.Addr().String(), "rp_id", address.RPID, "database", nameOf(s.Database))
	return serveAll(ctx, log, handler, s.DrainDelay, listeners)
}

// takeCommands opens the socket for commands. Where it can't be had people are served all
// the same.
func (s *settings) takeCommands(log *slog.Logger, listeners map[net.Listener]http.Handler, commands http.Handler) {
	private, err := control.Listen(s.socket())
	if err != nil {
		log.Error("no command reaches this server while it runs: name a place that can hold a socket with --socket /run/keypeg.sock, here and for commands", "cause", err)
		return
	}
	listeners[private] = commands
}

// openFiles opens what browsers load.
func openFiles() (*web.Files, error) {
	files, err := web.Open()
	if err != nil {
		return nil, err
	}
	if !files.Built() {
		return nil, errors.New("this program was built without the app: build it with make, or run go run ./web/build before go build")
	}
	return files, nil
}

// inBackground lets something run until end is called, which waits for it. It
// outlives ctx, which ends when requests still run.
func inBackground(ctx context.Context, run func(context.Context)) (end func()) {
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	var ending sync.WaitGroup
	ending.Go(func() { run(running) })
	return func() { stop(); ending.Wait() }
}

// announce tells where to go, and makes the set-up link while there is no
// administrator.
func announce(ctx context.Context, t terminal, commands control.Commands, db store.Store, address server.Address) error {
	ready, err := db.HasAdministrator(ctx)
	if err != nil {
		return err
	}
	if ready {
		fmt.Fprintf(t.Out, "Keypeg runs at %s\n", address.Origin)
		return nil
	}
	link, err := commands.NewSetupLink(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(t.Out, "Keypeg runs at %s\n\nOpen this link to make the first administrator. It works once, for 30 minutes:\n\n  %s\n\n", address.Origin, link)
	return nil
}

// drainable is what can be told that it will be stopped.
type drainable interface {
	Drain()
	EndStreams()
}

// serveAll serves every listener until ctx ends or one of them fails, and then
// lets running requests end. For delay before that it goes on serving, and says
// that it is about to stop, so that a balancer in front sends nothing more.
func serveAll(ctx context.Context, log *slog.Logger, public drainable, delay time.Duration, handlers map[net.Listener]http.Handler) error {
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
