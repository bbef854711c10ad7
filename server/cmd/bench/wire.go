package main

import (
	"fmt"
	"time"

	"github.com/valyala/fasthttp"
)

// connection is a browser's, kept alive. Its library takes a third of what net/http's client
// takes, so that the generator leaves the processors to the server.
type connection struct {
	client fasthttp.HostClient
	in     fasthttp.Request
	out    fasthttp.Response
}

// patience is how long an answer may take.
const patience = 20 * time.Second

func newConnection(address string) *connection {
	return &connection{client: fasthttp.HostClient{
		Addr: address, DialDualStack: true, MaxConns: 1, MaxIdemponentCallAttempts: 1, ReadTimeout: patience, WriteTimeout: patience,
	}}
}

// ask sends a request, with what a browser's page sends too, and returns the answer's body,
// which is good until the next one. Any status but 200 and 204 is an error.
func (c *connection) ask(method, path, cookies string, body []byte) ([]byte, error) {
	c.in.Reset()
	c.in.SetRequestURI("http://" + c.client.Addr + path)
	c.in.Header.SetMethod(method)
	c.in.Header.Set("Accept", "application/json")
	c.in.Header.Set("Accept-Language", "en-GB,en;q=0.9")
	c.in.Header.Set("Sec-Fetch-Site", "same-origin")
	c.in.Header.Set("User-Agent", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/148.0.0.0 Safari/537.36")
	if cookies != "" {
		c.in.Header.Set("Cookie", cookies)
	}
	if body != nil {
		c.in.Header.SetContentType("application/json")
		c.in.SetBody(body)
	}
	if err := c.client.Do(&c.in, &c.out); err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	if status := c.out.StatusCode(); status != fasthttp.StatusOK && status != fasthttp.StatusNoContent {
		return nil, fmt.Errorf("%s %s: %d %s", method, path, status, c.out.Body())
	}
	return c.out.Body(), nil
}
