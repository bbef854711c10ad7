package openid

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/keypeg/keypeg/server/internal/recent"
	"github.com/keypeg/keypeg/server/internal/strictjson"
	"github.com/keypeg/keypeg/server/store"
)

// A client that nobody has registered can be known by a document (OAuth Client ID Metadata Document): its client_id is
// the https address of that document. IT must allow that. The document is fetched from the open internet, so whoever
// names one makes us send a request: it goes to public addresses only, follows no redirect, and is small and short.

const (
	// mostDocument bounds a document, in bytes.
	mostDocument = 16 << 10
	// fetchWithin is how long a document may take.
	fetchWithin = 5 * time.Second
	// documentLife is how long a document is remembered, also one that couldn't be read.
	documentLife = 5 * time.Minute
	// mostDocuments bounds those in memory.
	mostDocuments = 500
	// fetchesAtOnce bounds how many are fetched at a time.
	fetchesAtOnce = 8
)

// documents are those that were read a moment ago.
type documents struct {
	now    store.Clock
	client func(ctx context.Context, id string) (Client, error)
	http   *http.Client
	turns  chan struct{}

	mu    sync.Mutex
	known *recent.Map[string, described]
}

// described is a client by its document, or why there is none.
type described struct {
	client Client
	err    error
	read   time.Time
}

func newDocuments(now store.Clock) *documents {
	d := &documents{now: now, http: outside(fetchWithin), turns: make(chan struct{}, fetchesAtOnce), known: recent.NewMap[string, described](documentLife, mostDocuments)}
	d.client = d.get
	return d
}

// outside makes what fetches documents. Tests have one that reaches a program of theirs.
var outside = publicClient

// publicClient returns a client that connects to public addresses only, follows no redirect, and waits for this time.
func publicClient(within time.Duration) *http.Client {
	dialer := &net.Dialer{Timeout: within, Control: publicOnly}
	return &http.Client{
		Timeout: within,
		// No proxy of the environment: it would connect to what publicOnly refuses.
		Transport:     &http.Transport{DialContext: dialer.DialContext, ForceAttemptHTTP2: true, MaxResponseHeaderBytes: mostDocument, TLSHandshakeTimeout: within, IdleConnTimeout: time.Minute, MaxIdleConns: fetchesAtOnce},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// errPrivate is the error for an address that isn't public.
var errPrivate = errors.New("the address isn't one of the public internet")

// publicOnly refuses to connect to an address that isn't public. It gets the address that the name has been resolved to, so
// a name that changes its mind gains nothing.
func publicOnly(network, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil || !strings.HasPrefix(network, "tcp") {
		return errPrivate
	}
	ip := to.Addr().Unmap()
	if to.Port() != 443 || !ip.IsGlobalUnicast() || ip.IsPrivate() || slices.ContainsFunc(special, func(p netip.Prefix) bool { return p.Contains(ip) }) {
		return errPrivate
	}
	return nil
}

// special are networks that aren't public, and that netip doesn't know (IANA's registries of special-purpose addresses).
var special = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("192.88.99.0/24"), netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("100::/64"),
	netip.MustParsePrefix("2001::/23"), netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("2002::/16"), netip.MustParsePrefix("5f00::/16"),
}

// isDocument reports whether a client_id is the address of a document.
func isDocument(id string) bool { return strings.HasPrefix(id, "https://") }

// checkDocument refuses an address that can't be one of a document.
func checkDocument(id string) error {
	at, err := url.Parse(id)
	switch {
	case err != nil || at.Scheme != "https" || at.Host == "" || at.User != nil || at.Fragment != "" || at.Port() != "":
		return errors.New("it must be a plain https address")
	case at.Path == "" || at.Path == "/" || strings.Contains(at.Path, "/.") || at.String() != id:
		return errors.New("it must have a path, without dots and as browsers write it")
	}
	return nil
}

// get returns the client of a document. It fails with [store.ErrNotFound] if there is none that can be used.
func (d *documents) get(ctx context.Context, id string) (Client, error) {
	d.mu.Lock()
	known, is := d.known.Get(id, d.now())
	d.mu.Unlock()
	if is && d.now().Sub(known.read) < documentLife {
		return known.client, known.err
	}
	c, err := d.read(ctx, id)
	if err != nil {
		if ctx.Err() != nil {
			return c, err // nobody waits any more, so it says nothing of the document
		}
		err = fmt.Errorf("%w: the document of the client: %w", store.ErrNotFound, err)
	}
	d.mu.Lock()
	d.known.Put(id, described{c, err, d.now()}, d.now())
	d.mu.Unlock()
	return c, err
}

// read fetches a document.
func (d *documents) read(ctx context.Context, id string) (c Client, err error) {
	if err := checkDocument(id); err != nil {
		return c, err
	}
	select {
	case d.turns <- struct{}{}:
		defer func() { <-d.turns }()
	case <-ctx.Done():
		return c, ctx.Err()
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, id, nil)
	if err != nil {
		return c, err
	}
	r.Header.Set("Accept", "application/json")
	answer, err := d.http.Do(r)
	if err != nil {
		return c, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return c, fmt.Errorf("it is answered with %d", answer.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, mostDocument+1))
	if err != nil {
		return c, err
	}
	if len(body) > mostDocument {
		return c, fmt.Errorf("it has more than %d bytes", mostDocument)
	}
	return describedBy(id, body)
}

// describedBy reads a document. The client is public whatever it says, and is asked about as any other.
func describedBy(id string, body []byte) (Client, error) {
	var document struct {
		ID        string             `json:"client_id"`
		Name      strictjson.Lenient `json:"client_name"`
		Redirects []string           `json:"redirect_uris"`
	}
	if err := strictjson.Unmarshal(body, &document); err != nil {
		return Client{}, err
	}
	if document.ID != id {
		return Client{}, errors.New("its client_id is another one than its address")
	}
	at, err := url.Parse(id)
	if err != nil {
		return Client{}, err
	}
	for _, redirect := range document.Redirects { // nobody vouches for the document, so it speaks for its own host alone
		to, err := url.Parse(redirect)
		if err != nil || to.Scheme != "https" || to.Host != at.Host {
			return Client{}, errors.New("a redirect URI is of another host than the document")
		}
	}
	// The name is what people decide by, so it is the host: a document could call itself anything.
	c, err := Client{ID: "document", Name: at.Host, Redirects: document.Redirects, Authentication: AuthenticatesNever}.Check()
	c.ID = id
	return c, err
}
