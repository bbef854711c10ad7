package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/keypeg/keypeg/server/passkey/passkeytest"
	"github.com/keypeg/keypeg/shared"
)

// load is what many connections did for a while.
type load struct {
	done     int
	rate     float64 // done in a second
	p50, p99 time.Duration
	cpu      time.Duration // the server's, for each that was done
	syncs    float64       // waits for the disk, for each that was done
	memory   float64       // the most that the server had, in MiB
}

// task is what a connection does again and again. It returns how long the user waits.
type task func(*process, *connection) (time.Duration, error)

// drive has so many connections do a task for a while, and at least once: others may have the
// processors. A task that fails ends its connection, and the load.
func drive(p *process, connections int, d time.Duration, do task) (load, error) {
	waits, errs := make([][]time.Duration, connections), make([]error, connections)
	all := make([]*connection, connections)
	for i := range all {
		if all[i], errs[i] = newConnection(p, i); errs[i] != nil {
			return load{}, errs[i]
		}
		defer all[i].client.CloseIdleConnections()
	}
	var (
		l                  load
		running            sync.WaitGroup
		begin, cpu, synced = time.Now(), p.cpu(), p.syncs()
	)
	for i, c := range all {
		running.Go(func() {
			for len(waits[i]) == 0 || time.Since(begin) < d && errs[i] == nil {
				var wait time.Duration
				wait, errs[i] = do(p, c)
				waits[i] = append(waits[i], wait)
			}
		})
	}
	for time.Since(begin) < d {
		l.memory = max(l.memory, p.memory())
		time.Sleep(20 * time.Millisecond)
	}
	running.Wait()
	if failed := slices.IndexFunc(errs, func(err error) bool { return err != nil }); failed >= 0 {
		return load{}, errs[failed]
	}
	took, cpu, synced := time.Since(begin), p.cpu()-cpu, p.syncs()-synced

	sorted := slices.Concat(waits...)
	slices.Sort(sorted)
	l.done = len(sorted)
	l.rate = float64(l.done) / took.Seconds()
	l.p50, l.p99 = sorted[l.done/2], sorted[l.done*99/100]
	l.cpu, l.syncs = cpu/time.Duration(l.done), float64(synced)/float64(l.done)
	return l, nil
}

// signIn is a complete sign-in of some user.
func signIn(p *process, c *connection) (time.Duration, error) {
	begin := time.Now()
	answer, err := c.ask("POST", shared.PathSignInBegin, c.cookie, []byte("{}"))
	wait := time.Since(begin)
	if err != nil {
		return 0, err
	}
	var begun shared.Ceremony
	if err := json.Unmarshal(answer, &begun); err != nil {
		return 0, err
	}
	credential, err := c.device.Get(begun.PublicKey, p.users.anyAnswer)
	if err != nil {
		return 0, err
	}
	body, err := json.Marshal(shared.FinishCeremony{Ticket: begun.Ticket, Credential: credential})
	if err != nil {
		return 0, err
	}

	begin = time.Now()
	_, err = c.ask("POST", shared.PathSignInFinish, c.cookie, body)
	return wait + time.Since(begin), err
}

// beginSignIn begins a sign-in that nobody finishes.
func beginSignIn(_ *process, c *connection) (time.Duration, error) {
	return c.timed("POST", shared.PathSignInBegin, c.cookie, []byte("{}"))
}

func listPasskeys(p *process, c *connection) (time.Duration, error) {
	return c.timed("GET", shared.PathPasskeys, p.users.anySession(), nil)
}

func checkSession(p *process, c *connection) (time.Duration, error) {
	return c.timed("GET", shared.PathAccount, p.users.anySession(), nil)
}

// connection is a browser's, with the device that its user signs in with. Its client takes a
// third of the CPU time of net/http's, so that the server has the rest.
type connection struct {
	client fasthttp.HostClient
	cookie string
	gate   string // the cookie of a protected host, once it is there
	device *passkeytest.Device
	in     fasthttp.Request
	out    fasthttp.Response
}

// patience is how long an answer may take, also the first one after a start that reads all users.
const patience = 2 * time.Minute

func newConnection(p *process, i int) (*connection, error) {
	device, err := newDevice("http://" + p.address)
	return &connection{
		client: fasthttp.HostClient{Addr: p.address, DialDualStack: true, MaxConns: 1, MaxIdemponentCallAttempts: 1, ReadTimeout: patience, WriteTimeout: patience},
		cookie: fmt.Sprintf("keypeg-browser=browser-%d-in-each-load", i),
		device: device,
	}, err
}

func (c *connection) timed(method, path, cookie string, body []byte) (time.Duration, error) {
	begin := time.Now()
	_, err := c.ask(method, path, cookie, body)
	return time.Since(begin), err
}

// ask sends a request with the headers of a browser, and returns the answer's body, which is
// valid until the next request.
func (c *connection) ask(method, path, cookie string, body []byte) ([]byte, error) {
	c.in.Reset()
	c.in.SetRequestURI("http://" + c.client.Addr + path)
	c.in.Header.SetMethod(method)
	for name, value := range map[string]string{
		"Accept": "application/json", "Accept-Language": "en-GB,en;q=0.9", "Content-Type": "application/json", "Cookie": cookie, "Sec-Fetch-Site": "same-origin",
		"User-Agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/148.0.0.0 Safari/537.36",
	} {
		c.in.Header.Set(name, value)
	}
	c.in.SetBody(body)
	if err := c.client.Do(&c.in, &c.out); err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	if status := c.out.StatusCode(); status != fasthttp.StatusOK && status != fasthttp.StatusNoContent {
		return nil, fmt.Errorf("%s %s: %d %s", method, path, status, c.out.Body())
	}
	return c.out.Body(), nil
}
