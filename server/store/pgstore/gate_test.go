package pgstore_test

import (
	"io"
	"net"
	"strings"
	"sync"
	"testing"
)

// gate is a road to a database that can be shut, as if the database were away.
type gate struct {
	t      *testing.T
	target string

	mu      sync.Mutex
	at      net.Listener
	address string
	open    map[net.Conn]bool
}

// openGate opens a gate in front of the database of a URL, and returns the URL through it.
func openGate(t *testing.T, url string) (g *gate, through string) {
	t.Helper()
	_, rest, _ := strings.Cut(url, "@")
	target, _, _ := strings.Cut(rest, "/")
	g = &gate{t: t, target: target, address: "127.0.0.1:0", open: map[net.Conn]bool{}}
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
		go func() { io.Copy(there, conn); there.Close() }()
		io.Copy(conn, there)
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
	g.at, g.address = at, at.Addr().String()
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
