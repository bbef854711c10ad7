package main

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/keypeg/keypeg/shared"
)

// gateHost is a protected host. No browser and no proxy is there: the load asks as a proxy does.
const gateHost = "wiki.localhost:3000"

// gated is Keypeg with a protected host.
func (r *round) gated() *process {
	path := filepath.Join(r.dir, "gates.toml")
	if err := os.WriteFile(path, []byte("[gate.wiki]\nhost = \"http://"+gateHost+"\"\n"), 0o600); err != nil && r.err == nil {
		r.err = err
	}
	return r.onFile("gated", r.few, "--config", path, "--trusted-proxies", "127.0.0.1,::1")
}

func (r *round) gateChecks() load { return r.load("gate checks", r.gated(), 64, checkGate) }

// checkGate is a check of a proxy about a request of some user, who has come in before.
func checkGate(p *process, c *connection) (time.Duration, error) {
	if c.gate == "" {
		if err := c.enterGate(p.users.anySession()); err != nil {
			return 0, err
		}
	}
	begin := time.Now()
	err := c.navigate(shared.GateForward, gateHost, c.gate, fasthttp.StatusOK)
	return time.Since(begin), err
}

// enterGate signs a user in at the gate, and keeps the cookie.
func (c *connection) enterGate(session string) error {
	var entered string
	to := shared.GateEnter
	for _, host := range []string{gateHost, c.client.Addr, gateHost} { // enter, authorize, arrive
		cookie := entered
		if host != gateHost {
			cookie = session
		}
		if err := c.navigate(to, host, cookie, fasthttp.StatusSeeOther); err != nil {
			return err
		}
		for _, value := range c.out.Header.Cookies() {
			if pair, _, _ := strings.Cut(string(value), ";"); host == gateHost && !strings.HasSuffix(pair, "=") {
				entered = pair
			}
		}
		next, err := url.Parse(string(c.out.Header.Peek("Location")))
		if err != nil {
			return err
		}
		to = next.RequestURI()
	}
	c.gate = entered
	return nil
}

// navigate sends what a proxy sends for a browser that opens a page.
func (c *connection) navigate(path, host, cookie string, want int) error {
	c.in.Reset()
	c.in.SetRequestURI("http://" + c.client.Addr + path)
	c.in.SetHost(host)
	c.in.UseHostHeader = true
	for name, value := range map[string]string{
		"Accept": "text/html", "Accept-Language": "en-GB,en;q=0.9", "Cookie": cookie, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "cross-site",
		"User-Agent":        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/148.0.0.0 Safari/537.36",
		"X-Forwarded-Proto": "http", "X-Forwarded-Host": gateHost, "X-Forwarded-Uri": "/page", "X-Forwarded-Method": "GET", "X-Forwarded-For": "192.0.2.7",
	} {
		c.in.Header.Set(name, value)
	}
	if err := c.client.Do(&c.in, &c.out); err != nil {
		return fmt.Errorf("GET %s: %w", path, err)
	}
	if status := c.out.StatusCode(); status != want {
		return fmt.Errorf("GET %s at %s: %d %s", path, host, status, c.out.Body())
	}
	return nil
}
