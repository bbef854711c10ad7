package mailtest

import (
	"context"
	"net"
	"sync"
	"testing"

	"github.com/keypeg/keypeg/server/mail"
)

// Piped starts a server without encryption that has no network: it works where time is made up,
// by package testing/synctest. [Relay.Dial] connects to it. It ends with the test.
func Piped(t testing.TB) *Relay {
	t.Helper()
	r := &Relay{t: t, pipes: &pipes{connections: make(chan net.Conn), closed: make(chan struct{})}}
	r.Sender = mail.Sender{Server: mail.Server{Host: "localhost", Port: 25, Security: mail.None}, Name: "Acme", From: "keypeg@acme.example"}
	r.pipes.greets = func() {
		if r.Greets != nil {
			r.Greets()
		}
	}
	r.Starts()
	t.Cleanup(r.Stops)
	return r
}

// Dial connects to a server of [Piped].
func (r *Relay) Dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, its := net.Pipe()
	select {
	case r.pipes.connections <- its:
		return ours, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// pipes implements [net.Listener].
type pipes struct {
	connections chan net.Conn
	closed      chan struct{}
	close       sync.Once
	greets      func()
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case connection := <-p.connections:
		p.greets()
		return connection, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.close.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }
