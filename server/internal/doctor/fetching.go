package doctor

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/keypeg/keypeg/server/internal/probe"
	"github.com/keypeg/keypeg/shared"
)

// fetched is an answer that came by the public URL.
type fetched struct {
	status   int
	header   http.Header
	protocol string
	body     []byte
	cut      error // why the body isn't whole
}

// sha256 returns the hash of the body.
func (f *fetched) sha256() string {
	sum := sha256.Sum256(f.body)
	return hex.EncodeToString(sum[:])
}

// mostBody is more than anything that a browser loads here.
const mostBody = 64 << 20

// browser returns a client that behaves as a browser does, but looks at answers as they come: it follows no
// redirect and decodes nothing. It takes any certificate, since other checks look at that; it sends no
// secret but a token with which nothing can be done.
func browser(dial func(ctx context.Context, network, address string) (net.Conn, error)) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			DialContext: dial, ForceAttemptHTTP2: true, DisableCompression: true, ResponseHeaderTimeout: usual,
			TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, MaxIdleConnsPerHost: 2, IdleConnTimeout: time.Minute,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// to returns a client for one place, whatever the host of a URL is.
func to(place string) *http.Client {
	return browser(func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{Timeout: usual}).DialContext(ctx, network, place)
	})
}

// fetchAt asks a place for a URL.
func (v *visit) fetchAt(ctx context.Context, address, place string) (*fetched, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	client := to(place)
	defer client.CloseIdleConnections()
	return send(client, r)
}

// asking is a request by the public URL.
type asking struct {
	method, path string
	body         string
	header       map[string]string
	signed       bool   // with a token for [probe.Path]
	nonce        string // of the token, once it is sent
}

// fetch sends a request by the public URL.
func (v *visit) fetch(ctx context.Context, a *asking) (*fetched, error) {
	r, err := v.request(ctx, a)
	if err != nil {
		return nil, err
	}
	return send(v.client, r)
}

func (v *visit) request(ctx context.Context, a *asking) (*http.Request, error) {
	if a.method == "" {
		a.method = http.MethodGet
	}
	token := ""
	address, err := url.Parse(v.address.Origin + a.path)
	if err != nil {
		return nil, err
	}
	if a.signed { // at an address of its own, so that no cache has it
		token, a.nonce = probe.Token(v.examined.Key, v.Now())
		query := address.Query()
		query.Set("nonce", a.nonce)
		address.RawQuery = query.Encode()
	}
	r, err := http.NewRequestWithContext(ctx, a.method, address.String(), strings.NewReader(a.body))
	if err != nil {
		return nil, err
	}
	if a.body == "" {
		r.Body, r.ContentLength = http.NoBody, 0
	}
	r.Header.Set("User-Agent", "keypeg-doctor")
	r.Header.Set("Accept", "*/*")
	r.Header.Set("Accept-Encoding", encodings)
	r.Header.Set("Accept-Language", "en")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if a.method != http.MethodGet {
		r.Header.Set("Origin", v.address.Origin)
		r.Header.Set("Content-Type", "application/json")
	}
	if a.signed {
		r.Header.Set(probe.Header, token)
		r.Header.Set(shared.HeaderNonce, a.nonce)
	}
	for name, value := range a.header {
		r.Header.Set(name, value)
	}
	return r, nil
}

// encodings are those that browsers take.
const encodings = "gzip, deflate, br"

func send(client *http.Client, r *http.Request) (*fetched, error) {
	answer, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	f := &fetched{status: answer.StatusCode, header: answer.Header, protocol: answer.Proto}
	f.body, f.cut = io.ReadAll(io.LimitReader(answer.Body, mostBody))
	return f, nil
}
