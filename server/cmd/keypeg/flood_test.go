package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/passkey/passkeytest"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// TestPasswordFlood sends 500 sign-ins at once, each from an address of its own.
// Every password would take 64 MiB; together they take what a few do.
func TestPasswordFlood(t *testing.T) {
	p := newProgram(t, "--trusted-proxies", "127.0.0.0/8,::1")
	_, token := p.hasUser("ann")
	p.starts()
	device := passkeytest.New(p.url)
	if _, err := p.opensTab(device, token).steps.Register(t.Context(), "", ""); err != nil {
		t.Fatal(err)
	}

	const attempts = 500
	got := map[int]int{}
	var mu sync.Mutex
	var flood, inside sync.WaitGroup
	for i := range attempts {
		flood.Go(func() {
			status, answer := p.guesses(fmt.Sprintf("user%d", i), fmt.Sprintf("198.51.%d.%d", i/250, i%250))
			mu.Lock()
			defer mu.Unlock()
			got[status]++
			if status == 429 && (answer.Code != shared.CodeTooManyAttempts || !strings.Contains(answer.Detail, "Please try again in 5 seconds.")) {
				t.Errorf("the refusal says %+v", answer)
			}
		})
	}
	inside.Go(func() { // meanwhile a passkey gets in
		if _, err := p.opensTab(device, "").steps.SignIn(t.Context()); err != nil {
			t.Errorf("a passkey during the flood: %v", err)
		}
	})
	inside.Wait()
	flood.Wait()

	if got[401]+got[429] != attempts || got[401] == 0 || got[429] == 0 {
		t.Errorf("answers by status: %v, want some 401, and 429 for the rest", got)
	}
	// As many as run at once, and as often again what a busy collector hasn't taken
	// back yet: a tiny part of what all of them would take.
	one := int64(account.DefaultCost.MemoryKiB) << 10
	most := int64(max(1, runtime.NumCPU()/int(account.DefaultCost.Threads))) * 8 * one
	if peak := p.memory("VmHWM"); peak > most {
		t.Errorf("it took %d MiB, more than %d", peak>>20, most>>20)
	} else {
		t.Logf("%v, %d MiB at the peak", got, peak>>20)
	}
}

// guesses sends a wrong password, through our own proxy.
func (p *program) guesses(name, from string) (status int, answer shared.Problem) {
	body, err := json.Marshal(shared.PasswordSignIn{Name: name, Password: "wrong"})
	if err != nil {
		p.Error(err)
		return
	}
	r, err := http.NewRequestWithContext(p.Context(), "POST", p.url+shared.PathSignInPassword, bytes.NewReader(body))
	if err != nil {
		p.Error(err)
		return
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Forwarded-For", from)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		p.Error(err)
		return
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		p.Error(err)
	}
	return response.StatusCode, answer
}

// TestSlowClients holds thousands of connections open that send nothing, or not all of a
// request. Others are served; a client that begins to send and doesn't go on is cut off.
func TestSlowClients(t *testing.T) {
	t.Parallel() // it waits for the server's patience to end
	var files syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err != nil {
		t.Fatal(err)
	}
	idle := min(5000, int(files.Cur)-1000)
	if idle < 5000 {
		t.Logf("only %d idle connections: this machine allows %d open files", idle, files.Cur)
	}

	p := newProgram(t)
	_, token := p.hasUser("ann")
	p.starts()
	address := strings.TrimPrefix(p.url, "http://")
	connects := func(say string) net.Conn {
		t.Helper()
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		if _, err := io.WriteString(c, say); err != nil {
			t.Fatal(err)
		}
		return c
	}
	for range idle {
		connects("")
	}
	headers, bodies := make([]net.Conn, 200), make([]net.Conn, 200)
	for i := range headers {
		headers[i] = connects("GET /sign-in HTTP/1.1\r\nHost: " + address + "\r\nX-A: b")
		bodies[i] = connects("POST " + shared.PathSignInPassword + " HTTP/1.1\r\nHost: " + address + "\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{\"name\":")
	}
	connects("GET / HTTP/1.1\r\nHost: " + address + "\r\nX-Large: " + strings.Repeat("x", server.MaxHeaderBytes+8<<10) + "\r\n\r\n")
	connects("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03") // TLS

	serves := func(when string) {
		t.Helper()
		device := passkeytest.New(p.url)
		if _, err := p.opensTab(device, token).steps.Register(t.Context(), "", ""); err != nil {
			t.Fatalf("%s: %v", when, err)
		}
		if _, err := p.opensTab(device, "").steps.SignIn(t.Context()); err != nil {
			t.Fatalf("%s: %v", when, err)
		}
	}
	serves("with all of them open")

	// One of each goes on sending, a byte at a time: that buys no more time.
	var dripping sync.WaitGroup
	stop := make(chan struct{})
	for _, c := range []net.Conn{headers[0], bodies[0]} {
		dripping.Go(func() {
			for drip := time.NewTicker(100 * time.Millisecond); ; {
				select {
				case <-stop:
					return
				case <-drip.C:
					if _, err := io.WriteString(c, "x"); err != nil {
						return
					}
				}
			}
		})
	}
	for what, group := range map[string]struct {
		connections []net.Conn
		patience    time.Duration
	}{
		"half a header": {headers, server.ReadHeaderTimeout},
		"half a body":   {bodies, server.ReadTimeout},
	} {
		for _, c := range group.connections {
			// Only a failing test waits for so long.
			if err := c.SetReadDeadline(time.Now().Add(group.patience + time.Minute)); err != nil {
				t.Fatal(err)
			}
			line, err := bufio.NewReader(c).ReadString('\n')
			if err == nil && !strings.Contains(line, " 400 ") && !strings.Contains(line, " 408 ") {
				t.Errorf("%s: answered %q", what, line)
			}
			if err != nil && os.IsTimeout(err) {
				t.Fatalf("%s: it is still open", what)
			}
		}
	}
	close(stop)
	dripping.Wait()
	serves("afterwards")
}

// TestFailuresAtTheEnd stops the server right after a wrong password was answered, before
// its event is written.
func TestFailuresAtTheEnd(t *testing.T) {
	p := newProgram(t, "--trusted-proxies", "127.0.0.0/8,::1")
	id, _ := p.hasUser("ann")
	p.starts()
	for range 3 {
		if status, _ := p.guesses("ann", "198.51.100.7"); status != 401 {
			t.Fatalf("status %d", status)
		}
	}
	p.ends(syscall.SIGTERM)
	p.opens(func(db store.Store) {
		events, err := db.Events(t.Context(), id, store.EventID{}, 10)
		if err != nil {
			t.Fatal(err)
		}
		var failed uint64
		for _, e := range events {
			if e.Kind == shared.EventSignInFailed {
				failed += max(1, e.Count)
			}
		}
		if failed != 3 {
			t.Errorf("the activity has %d failures, want 3: %+v", failed, events)
		}
	})
}
