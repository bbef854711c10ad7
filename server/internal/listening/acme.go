package listening

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"

	"github.com/keypeg/keypeg/server/internal/warning"
	"github.com/keypeg/keypeg/server/store"
)

// LetsEncrypt is the directory of the authority that gives certificates to everybody.
const LetsEncrypt = acme.LetsEncryptURL

// ACMEConfig says from whom certificates come, and for which hosts.
type ACMEConfig struct {
	Directory string // the authority's, an https URL
	Email     string // for its mails about the account, or ""
	// Host is the host whose certificate is asked for at the start, and for browsers that name none; or "".
	Host string
	// Serves reports whether a host may have a certificate.
	Serves func(host string) bool
	// Store keeps the account and the certificates. Nodes with the same store share them.
	Store store.Store
	Log   *slog.Logger
	Now   func() time.Time
}

// ACME has certificates from an authority (RFC 8555). It proves the hosts by TLS-ALPN-01 (RFC 8737) and
// HTTP-01, and renews a certificate when a third of its life is left, at most thirty days before its end.
type ACME struct {
	c       ACMEConfig
	manager *autocert.Manager
	failed  *warning.Seldom[string]
	ends    sync.Map // time.Time, by host
}

// NewACME returns the certificates of an authority.
func NewACME(c ACMEConfig) *ACME {
	a := &ACME{c: c, failed: warning.NewSeldom[string](10*time.Minute, c.Now)}
	a.manager = &autocert.Manager{
		Prompt: autocert.AcceptTOS, Email: c.Email, Client: &acme.Client{DirectoryURL: c.Directory, UserAgent: "keypeg"},
		Cache: cache{c.Store},
		HostPolicy: func(_ context.Context, host string) error {
			if !c.Serves(host) {
				return errNotServed
			}
			return nil
		},
	}
	return a
}

var errNotServed = errors.New("no such host is served here")

// Config implements [Certificates].
func (a *ACME) Config() *tls.Config {
	return &tls.Config{NextProtos: []string{"h2", "http/1.1", acme.ALPNProto}, GetCertificate: a.certificate}
}

func (a *ACME) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	if hello.ServerName == "" {
		hello.ServerName = a.c.Host
	}
	certificate, err := a.manager.GetCertificate(hello)
	isChallenge := slices.Equal(hello.SupportedProtos, []string{acme.ALPNProto})
	if err != nil && !isChallenge && !errors.Is(err, errNotServed) && a.c.Serves(hello.ServerName) && a.failed.Due(hello.ServerName) {
		a.c.Log.Error("there is no certificate for "+hello.ServerName+": its name must lead to this machine (DNS), and the authority must reach it on port 443, or on port 80 for --redirect", "authority", a.c.Directory, "cause", err)
	}
	if err == nil && !isChallenge && certificate.Leaf != nil && len(certificate.Leaf.DNSNames) > 0 {
		a.ends.Store(certificate.Leaf.DNSNames[0], certificate.Leaf.NotAfter) // the browser may write the name in other ways
	}
	return certificate, err
}

// Ends implements [Certificates]. It knows the hosts that browsers have asked for.
func (a *ACME) Ends() map[string]time.Time {
	ends := map[string]time.Time{}
	a.ends.Range(func(host, end any) bool {
		ends[host.(string)] = end.(time.Time)
		return true
	})
	return ends
}

// Challenges implements [Certificates].
func (a *ACME) Challenges(next http.Handler) http.Handler { return a.manager.HTTPHandler(next) }

// Renew implements [Certificates]. The manager does so by itself.
func (a *ACME) Renew() {}

// Watch implements [Certificates]. It asks for the first certificate, so that nobody has to wait for it.
func (a *ACME) Watch(ctx context.Context) {
	if a.c.Host == "" {
		return
	}
	if certificate, err := a.certificate(&tls.ClientHelloInfo{ServerName: a.c.Host, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}, SupportedProtos: []string{"http/1.1"}}); err == nil {
		a.c.Log.Info("there is a certificate", "host", a.c.Host, "until", certificate.Leaf.NotAfter)
	}
	<-ctx.Done()
}

// kept are the account's key, the certificates with their keys, and the answers to challenges, as autocert
// writes them.
var kept = store.Collection[[]byte]{Name: "certificate"}

// cache keeps them in a store.
type cache struct{ store store.Store }

// Get implements [autocert.Cache].
func (c cache) Get(ctx context.Context, key string) ([]byte, error) {
	entry, err := kept.Get(ctx, c.store, "", key)
	if errors.Is(err, store.ErrNotFound) {
		return nil, autocert.ErrCacheMiss
	}
	return entry.Value, err
}

// Put implements [autocert.Cache]. What another node has written meanwhile is replaced: both are right.
func (c cache) Put(ctx context.Context, key string, data []byte) error {
	return c.store.Apply(ctx, store.Batch{kept.Put(store.Entry[[]byte]{Key: key, Value: data, Version: store.AnyVersion})})
}

// Delete implements [autocert.Cache].
func (c cache) Delete(ctx context.Context, key string) error {
	return c.store.Apply(ctx, store.Batch{kept.Remove(store.Entry[[]byte]{Key: key, Version: store.AnyVersion})})
}
