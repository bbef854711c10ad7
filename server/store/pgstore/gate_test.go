package pgstore_test

import (
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/proxytest"
	"github.com/keypeg/keypeg/server/store/pgstore"
	"github.com/keypeg/keypeg/server/store/pgstore/pgtest"
)

// gate is a road to a database that can be shut, as if the database were away.
type gate struct {
	t      *testing.T
	target string

	mu      sync.Mutex
	at      net.Listener
	address string
	open    map[net.Conn]bool
	silent  bool
}

// openGate opens a gate in front of the database of a URL, and returns the URL through it.
func openGate(t *testing.T, url string) (g *gate, through string) {
	t.Helper()
	_, rest, _ := strings.Cut(url, "@")
	target, _, _ := strings.Cut(rest, "/")
	g = &gate{t: t, target: target, address: proxytest.IPv4(proxytest.FreeAddress(t)), open: map[net.Conn]bool{}}
	g.opens()
	t.Cleanup(g.shuts)
	return g, strings.Replace(url, target, g.address, 1)
}

// opens lets everybody through.
func (g *gate) opens() {
	g.t.Helper()
	g.listens(func(conn net.Conn) {
		there, err := net.Dial("tcp", g.target)
		if err != nil {
			conn.Close()
			return
		}
		go func() { io.Copy(behind{g, there}, conn); there.Close() }()
		io.Copy(behind{g, conn}, there)
		conn.Close()
	})
}

// says answers everybody with a refusal of PostgreSQL's protocol, as the database would.
func (g *gate) says(condition, message string) {
	g.t.Helper()
	g.listens(func(conn net.Conn) {
		defer conn.Close()
		io.ReadFull(conn, make([]byte, 8)) // the length and what is asked for
		fields := "SFATAL\x00VFATAL\x00C" + condition + "\x00M" + message + "\x00\x00"
		size := len(fields) + 4
		conn.Write(append([]byte{'E', byte(size >> 24), byte(size >> 16), byte(size >> 8), byte(size)}, fields...))
	})
}

// fallsSilent lets nothing through any more, and closes nothing: as if the machine lost its power.
func (g *gate) fallsSilent() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.silent = true
}

// behind is an end of a connection through a gate.
type behind struct {
	gate *gate
	net.Conn
}

// Write loses what is written once the gate is silent.
func (b behind) Write(content []byte) (int, error) {
	b.gate.mu.Lock()
	silent := b.gate.silent
	b.gate.mu.Unlock()
	if silent {
		return len(content), nil
	}
	return b.Conn.Write(content)
}

// shuts lets nobody through any more.
func (g *gate) shuts() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.at != nil {
		g.at.Close()
	}
	for conn := range g.open {
		conn.Close()
	}
	clear(g.open)
}

func (g *gate) listens(serve func(net.Conn)) {
	g.t.Helper()
	g.shuts()
	at, err := net.Listen("tcp", g.address)
	if err != nil {
		g.t.Fatal(err)
	}
	g.mu.Lock()
	g.at = at
	g.mu.Unlock()
	go func() {
		for {
			conn, err := at.Accept()
			if err != nil {
				return
			}
			g.mu.Lock()
			g.open[conn] = true
			g.mu.Unlock()
			go serve(conn)
		}
	}()
}

// TestSilentHost lets the machine of the first of two hosts lose its power. Who is connected to it
// goes on with the other one, and so does a node that starts.
func TestSilentHost(t *testing.T) {
	database := pgtest.Empty(t)
	first, through := openGate(t, database)
	url := strings.Replace(through, first.address, first.address+","+first.target, 1)
	connected, err := pgstore.Open(t.Context(), url, "", time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer connected.Close()
	if _, err := connected.HasAdministrator(t.Context()); err != nil {
		t.Fatal(err)
	}
	time.Sleep(1100 * time.Millisecond) // the pool asks a connection whether it lives if it was idle for a second

	first.fallsSilent()
	defer first.shuts() // or to close a connection takes long
	var both sync.WaitGroup
	both.Go(func() {
		if _, err := connected.HasAdministrator(t.Context()); err != nil {
			t.Errorf("a node that was connected: %v", err)
		}
	})
	both.Go(func() {
		starting, err := pgstore.Open(t.Context(), url, "", time.Now)
		if err != nil {
			t.Errorf("a node that starts: %v", err)
			return
		}
		starting.Close()
	})
	both.Wait()
}
