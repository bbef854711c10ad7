package main

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/keypeg/keypeg/server/openid"
)

// The program to which users sign in. Nobody is there: the load takes the code from our answer.
const (
	programBack   = "https://wiki.example.com/callback"
	programSecret = "a-secret-of-the-wiki-0123456789012345"
)

// withProgram is Keypeg with a client whose tokens are signed with an algorithm.
func (r *round) withProgram(algorithm openid.Algorithm) *process {
	secret, path := filepath.Join(r.dir, "wiki.secret"), filepath.Join(r.dir, string(algorithm)+".toml")
	config := fmt.Sprintf("[client.wiki]\nredirects = [%q]\nfirst-party = true\npkce = false\nalgorithm = %q\nsecret-file = %q\n", programBack, algorithm, secret)
	for name, text := range map[string]string{secret: programSecret, path: config} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil && r.err == nil {
			r.err = err
		}
	}
	return r.onFile("program "+string(algorithm), r.few, "--config", path)
}

// programSignIns sign users in to the program: an authorization request, and the exchange of its code.
func (r *round) programSignIns(algorithm openid.Algorithm) load {
	return r.load("program sign-ins "+string(algorithm), r.withProgram(algorithm), 64, signInToProgram)
}

// signInToProgram is measured as a whole, because a code alone is nothing.
func signInToProgram(p *process, c *connection) (time.Duration, error) {
	begin := time.Now()
	asks := url.Values{"client_id": {"wiki"}, "redirect_uri": {programBack}, "response_type": {"code"}, "scope": {"openid profile"}, "prompt": {"none"}}
	c.in.Reset()
	c.in.SetRequestURI("http://" + c.client.Addr + openid.PathAuthorize + "?" + asks.Encode())
	c.in.Header.Set("Cookie", p.users.anySession())
	if err := c.client.Do(&c.in, &c.out); err != nil {
		return 0, err
	}
	to, err := url.Parse(string(c.out.Header.Peek("Location")))
	if err != nil || to.Query().Get("code") == "" {
		return 0, fmt.Errorf("no code: %d %v", c.out.StatusCode(), to)
	}
	c.in.Reset()
	c.in.SetRequestURI("http://" + c.client.Addr + openid.PathToken)
	c.in.Header.SetMethod(http.MethodPost)
	c.in.Header.SetContentType("application/x-www-form-urlencoded")
	c.in.SetBodyString(url.Values{
		"grant_type": {"authorization_code"}, "code": {to.Query().Get("code")}, "redirect_uri": {programBack},
		"client_id": {"wiki"}, "client_secret": {programSecret},
	}.Encode())
	if err := c.client.Do(&c.in, &c.out); err != nil {
		return 0, err
	}
	if status := c.out.StatusCode(); status != fasthttp.StatusOK {
		return 0, fmt.Errorf("no tokens: %d %s", status, c.out.Body())
	}
	return time.Since(begin), nil
}

// programSignInOfExchanges compares the CPU time of the two requests with that of two plain exchanges.
func (r *round) programSignInOfExchanges(algorithm openid.Algorithm) float64 {
	return float64(r.programSignIns(algorithm).cpu) / float64(2*r.exchanges(64).cpu)
}
