package main

import (
	"bufio"
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/passkey/passkeytest"
	"github.com/keypeg/keypeg/server/proxytest"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/pgstore/pgtest"
	"github.com/keypeg/keypeg/shared"
)

// twoNodes are programs on one PostgreSQL, at one address, both running.
func twoNodes(t *testing.T, flags ...string) (a, b *program) {
	t.Helper()
	database, public := pgtest.Empty(t), "http://"+proxytest.FreeAddress(t)
	a, b = newProgramOn(t, database, public, flags...), newProgramOn(t, database, public, flags...)
	a.starts()
	b.starts()
	return a, b
}

// at is the same person, with the same device, at another node.
func (t *tab) at(p *program, device *passkeytest.Device) *tab { return p.opensTab(device, t.token()) }

func TestTwoNodes(t *testing.T) {
	a, b := twoNodes(t)
	_, token := a.hasUser("ann")
	device := passkeytest.New(a.url)
	onA := a.opensTab(device, token)
	row, err := onA.steps.Register(t.Context(), "Laptop", "")
	if err != nil {
		t.Fatal(err)
	}

	// split is a browser whose requests go to both, one after the other.
	split := func() *tab {
		first := a.opensTab(device, "")
		first.client.Transport = &alternating{nodes: []*program{a, b}}
		return first
	}
	t.Run("a ceremony that began on one node ends on the other", func(t *testing.T) {
		signedIn := split()
		if _, err := signedIn.steps.SignIn(t.Context()); err != nil {
			t.Errorf("signing in: %v", err)
		}
		if _, err := signedIn.steps.Confirm(t.Context()); err != nil {
			t.Errorf("confirming: %v", err)
		}
	})
	t.Run("a session that ended on one has ended on the other", func(t *testing.T) {
		signedIn := split()
		if _, err := signedIn.steps.SignIn(t.Context()); err != nil {
			t.Fatal(err)
		}
		onB := signedIn.at(b, device)
		if _, err := onB.Account(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := signedIn.at(a, device).SignOut(t.Context(), false); err != nil {
			t.Fatal(err)
		}
		if _, err := onB.Account(t.Context()); shared.CodeOf(err) != shared.CodeUnauthenticated {
			t.Errorf("after signing out: %v", err)
		}
	})
	t.Run("a ticket that is finished on both at once is finished once", func(t *testing.T) {
		for range 20 {
			browser := a.opensTab(device, "")
			begun, err := browser.BeginSignIn(t.Context(), "")
			if err != nil {
				t.Fatal(err)
			}
			credential, err := device.Get(begun.PublicKey)
			if err != nil {
				t.Fatal(err)
			}
			answer := shared.FinishCeremony{Ticket: begun.Ticket, Credential: credential}
			twin := b.opensTab(device, "")
			twin.jar.SetCookies(twin.site, browser.jar.Cookies(browser.site))
			var won atomic.Int32
			var both sync.WaitGroup
			for _, side := range []*tab{browser, twin} {
				both.Go(func() {
					_, err := side.FinishSignIn(t.Context(), answer)
					if err == nil {
						won.Add(1)
					} else if shared.CodeOf(err) != shared.CodeCeremonyRefused {
						t.Error(err)
					}
				})
			}
			both.Wait()
			if won.Load() != 1 {
				t.Fatalf("%d of two were let in", won.Load())
			}
		}
	})
	t.Run("a page on one node is notified of what happens on the other", func(t *testing.T) {
		receives := b.listens(t, onA.token())
		if _, err := onA.RenamePasskey(t.Context(), row.ID, "Phone"); err != nil {
			t.Fatal(err)
		}
		receives("event: changed")
	})
	t.Run("a passkey that was removed on one, and its sessions, are gone on the other", func(t *testing.T) {
		other := passkeytest.New(a.url)
		if _, err := a.opensTab(other, token).steps.Register(t.Context(), "Other", ""); err != nil {
			t.Fatal(err)
		}
		signedIn := a.opensTab(device, "")
		if _, err := signedIn.steps.SignIn(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := onA.RemovePasskey(t.Context(), row.ID, true); err != nil {
			t.Fatal(err)
		}
		if _, err := signedIn.at(b, device).Account(t.Context()); shared.CodeOf(err) != shared.CodeUnauthenticated {
			t.Errorf("its session: %v", err)
		}
		if _, err := b.opensTab(device, "").steps.SignIn(t.Context()); shared.CodeOf(err) != shared.CodePasskeyRemoved {
			t.Errorf("signing in with it: %v", err)
		}
	})
}

// alternating sends one request to each node in turn.
type alternating struct {
	nodes []*program
	next  atomic.Int64
}

func (r *alternating) RoundTrip(request *http.Request) (*http.Response, error) {
	node := r.nodes[int(r.next.Add(1))%len(r.nodes)]
	var dialer net.Dialer
	transport := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return dialer.DialContext(ctx, network, node.address)
	}}
	return transport.RoundTrip(request)
}

// listens opens a stream of changes, and returns what waits for one of its lines.
func (p *program) listens(t *testing.T, token string) (receives func(line string)) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+p.address+shared.PathLive, nil)
	if err != nil {
		t.Fatal(err)
	}
	public, err := url.Parse(p.url)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = public.Host
	r.AddCookie(&http.Cookie{Name: "keypeg", Value: token})
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { response.Body.Close() })
	if response.StatusCode != 200 {
		t.Fatalf("status %d", response.StatusCode)
	}
	lines := bufio.NewScanner(response.Body)
	lines.Scan() // retry
	return func(line string) {
		t.Helper()
		stop := time.AfterFunc(patience, func() { response.Body.Close() })
		defer stop.Stop()
		for lines.Scan() {
			if lines.Text() == line {
				return
			}
		}
		t.Errorf("the stream ended (%v) without %q", lines.Err(), line)
	}
}

// TestNodeKilled kills one of two nodes under load, again and again. The other goes
// on, and nothing that either answered is lost.
func TestNodeKilled(t *testing.T) {
	rounds := 5
	if soaking {
		rounds = 100
	}
	a, b := twoNodes(t, "--confirm-after", "24h")
	onA, onB := witnesses(a, "user", 8), witnesses(b, "other", 8)
	answered := 0
	for round := range rounds {
		var working sync.WaitGroup
		enough := make(chan struct{})
		for _, w := range append(onA, onB...) {
			working.Go(func() { w.works(enough) })
		}
		time.Sleep(time.Duration(100+rand.IntN(300)) * time.Millisecond) // until a random moment
		a.ends(syscall.SIGKILL)
		before := onB[0].answers()
		for deadline := time.Now().Add(patience); onB[0].answers() < before+3; {
			if time.Now().After(deadline) {
				t.Fatalf("round %d: the other node doesn't go on", round)
			}
			time.Sleep(time.Millisecond)
		}
		close(enough)
		working.Wait()
		b.opens(func(db store.Store) {
			for _, w := range append(onA, onB...) {
				answered += w.answers()
				w.answered.Store(0)
				w.compares(db)
			}
		})
		if t.Failed() {
			t.Fatalf("after round %d", round)
		}
		a.starts()
	}
	t.Logf("%d rounds, %d answered changes", rounds, answered)
}

// balancer is what stands in front of nodes: it asks each whether it is well, and
// sends a request to one that is.
type balancer struct {
	nodes []*program
	well  []atomic.Bool
	next  atomic.Int64
}

func (l *balancer) watches(ctx context.Context) {
	client := &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}} // one that ends says so at once
	for tick := time.NewTicker(20 * time.Millisecond); ; {
		for i, node := range l.nodes {
			response, err := client.Get("http://" + node.address + "/healthz")
			l.well[i].Store(err == nil && response.StatusCode == 200)
			if err == nil {
				response.Body.Close()
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

var errNobodyIsWell = errors.New("no node is well")

// dial connects to a node that is well.
func (l *balancer) dial(ctx context.Context, network, _ string) (net.Conn, error) {
	var dialer net.Dialer
	first := int(l.next.Add(1))
	for at := range l.nodes {
		i := (first + at) % len(l.nodes)
		if !l.well[i].Load() {
			continue
		}
		if conn, err := dialer.DialContext(ctx, network, l.nodes[i].address); err == nil {
			return conn, nil
		}
	}
	return nil, errNobodyIsWell
}

// TestRollingRestart restarts both nodes, one after the other, behind a balancer
// under load: nobody notices.
func TestRollingRestart(t *testing.T) {
	database, front := pgtest.Empty(t), proxytest.FreeAddress(t)
	public := "http://" + front
	flags := []string{"--confirm-after", "24h", "--drain-delay", "3s", "--trusted-proxies", "127.0.0.1,::1"}
	a, b := newProgramOn(t, database, public, flags...), newProgramOn(t, database, public, flags...)
	a.starts()
	b.starts()

	l := &balancer{nodes: []*program{a, b}, well: make([]atomic.Bool, 2)}
	ctx, stop := context.WithCancel(t.Context())
	var watching sync.WaitGroup
	watching.Go(func() { l.watches(ctx) })
	t.Cleanup(func() { stop(); watching.Wait() })
	target, err := url.Parse(public)
	if err != nil {
		t.Fatal(err)
	}
	var broken atomic.Int64
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host
			r.SetXForwarded()
		},
		Transport: &http.Transport{DialContext: l.dial, MaxIdleConnsPerHost: 32},
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			broken.Add(1)
			t.Errorf("%s %s: %v", r.Method, r.URL.Path, err)
			w.WriteHeader(http.StatusBadGateway)
		},
	}
	listener, err := net.Listen("tcp", front)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: proxy}
	go server.Serve(listener)
	t.Cleanup(func() { server.Close() })

	seen := *a // what people reach is the balancer
	seen.address = front
	people := witnesses(&seen, "user", 8)
	for !l.well[0].Load() || !l.well[1].Load() {
		time.Sleep(time.Millisecond)
	}
	var working sync.WaitGroup
	enough := make(chan struct{})
	for _, w := range people {
		working.Go(func() { w.works(enough) })
	}
	for _, node := range []*program{a, b} {
		moreAnswers(t, people)
		node.ends(syscall.SIGTERM)
		moreAnswers(t, people)
		node.starts()
		for i, other := range l.nodes {
			for other == node && !l.well[i].Load() {
				time.Sleep(time.Millisecond)
			}
		}
	}
	moreAnswers(t, people)
	close(enough)
	working.Wait()

	answered := 0
	a.opens(func(db store.Store) {
		for _, w := range people {
			answered += w.answers()
			w.compares(db)
		}
	})
	t.Logf("%d answered changes, %d failed requests", answered, broken.Load())
}

// moreAnswers waits until each person had some more.
func moreAnswers(t *testing.T, people []*witness) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for _, w := range people {
		for before := w.answers(); w.answers() < before+3; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal("nothing is answered any more")
			}
		}
	}
}
