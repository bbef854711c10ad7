package listening

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/keypeg/keypeg/server/internal/namedfile"
)

const (
	// lookEvery is the time between two looks at the files.
	lookEvery = 10 * time.Second
	// warnBefore is how long before its end a certificate is warned of. Programs that renew certificates do
	// so a third of their life before.
	warnBefore = 14 * 24 * time.Hour
	day        = 24 * time.Hour
)

// Files are a certificate with its chain, and its key, in PEM files. When they change they are read again:
// connections that are open go on, and new ones get the new certificate. Files that can't be used change
// nothing.
type Files struct {
	cert, key string
	hosts     []string // at which people come, where these are known
	log       *slog.Logger
	now       func() time.Time

	current atomic.Pointer[tls.Certificate]

	mu     sync.Mutex
	files  *namedfile.Changing
	warned time.Time
}

// NewFiles reads the files. It warns if the certificate isn't for one of the hosts. Its errors are sentences for IT.
func NewFiles(cert, key string, hosts []string, log *slog.Logger, now func() time.Time) (*Files, error) {
	f := &Files{cert: cert, key: key, hosts: hosts, log: log, now: now, files: namedfile.Changes(cert, key)}
	pair, err := ReadPair(cert, key)
	if err != nil {
		return nil, err
	}
	f.current.Store(pair)
	f.warnOfHosts()
	f.warnOfEnd()
	return f, nil
}

// ReadPair reads a certificate with its chain, and its key. Its errors are sentences for IT, and have nothing
// of the key.
func ReadPair(cert, key string) (*tls.Certificate, error) {
	certPEM, err := read("--tls-cert", cert)
	if err != nil {
		return nil, err
	}
	keyPEM, err := read("--tls-key", key)
	if err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		if _, certErr := tls.X509KeyPair(keyPEM, certPEM); certErr == nil {
			return nil, errors.New("--tls-cert and --tls-key are exchanged: name the certificate's file first")
		}
		if isBehind(certPEM, keyPEM) {
			return nil, fmt.Errorf("--tls-cert %s has the certificates in the wrong order: put that of the server first, and those of its authority behind it, as in fullchain.pem", cert)
		}
		return nil, fmt.Errorf("--tls-cert %s and --tls-key %s can't be used together: name the PEM file with the certificate and its chain, and the one with its key, without a password (%w)", cert, key, err)
	}
	return &pair, nil
}

// isBehind reports whether a certificate that isn't the first one goes with the key.
func isBehind(certPEM, keyPEM []byte) bool {
	for block, rest := pem.Decode(certPEM); block != nil; block, rest = pem.Decode(rest) {
		if _, err := tls.X509KeyPair(pem.EncodeToMemory(block), keyPEM); err == nil {
			return true
		}
	}
	return false
}

func read(setting, path string) ([]byte, error) {
	if _, err := namedfile.Look(path); err != nil {
		return nil, fmt.Errorf("%s: %w", setting, err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%s can't be read: let the account of the server read it (%w)", setting, err)
	}
	return content, nil
}

// Config implements [Certificates].
func (f *Files) Config() *tls.Config {
	return &tls.Config{
		NextProtos:     []string{"h2", "http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return f.current.Load(), nil },
	}
}

// Ends implements [Certificates].
func (f *Files) Ends() map[string]time.Time {
	leaf := f.current.Load().Leaf
	host := leaf.Subject.CommonName
	if len(leaf.DNSNames) > 0 {
		host = leaf.DNSNames[0]
	}
	return map[string]time.Time{host: leaf.NotAfter}
}

// Challenges implements [Certificates]. No authority asks.
func (f *Files) Challenges(next http.Handler) http.Handler { return next }

// Watch implements [Certificates].
func (f *Files) Watch(ctx context.Context) {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			f.renew(false)
		}
	}
}

// Renew implements [Certificates].
func (f *Files) Renew() { f.renew(true) }

func (f *Files) renew(always bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.files.Again(always, func() (func(), error) {
		pair, err := ReadPair(f.cert, f.key)
		return func() {
			f.current.Store(pair)
			f.warned = time.Time{}
			f.log.Info("the certificate was read again", "until", pair.Leaf.NotAfter)
			f.warnOfHosts()
		}, err
	}, func(err error) {
		f.log.Error("the new certificate can't be used, so the one before stays: mend the files", "cause", err)
	})
	f.warnOfEnd()
}

// warnOfHosts warns of hosts that the certificate isn't for, as after a move, or a renewal that forgot one.
func (f *Files) warnOfHosts() {
	leaf := f.current.Load().Leaf
	for _, host := range f.hosts {
		if leaf.VerifyHostname(host) != nil {
			f.log.Warn("the certificate isn't for this host, so browsers refuse it there, unless a proxy in front has another: get one with all names", "host", host, "names", leaf.DNSNames, "file", f.cert)
		}
	}
}

// warnOfEnd warns once a day of a certificate that ends soon.
func (f *Files) warnOfEnd() {
	now, end := f.now(), f.current.Load().Leaf.NotAfter
	if end.Sub(now) > warnBefore || now.Sub(f.warned) < day {
		return
	}
	f.warned = now
	f.log.Error("the certificate ends soon, and browsers refuse it then: renew it; the server reads the files again by itself", "until", end, "file", f.cert)
}
