// Package listening takes the connections of people: at an address, on a Unix socket or on one that systemd
// has opened, with or without TLS. Certificates come from files, which are read again when they change, or
// from an authority by ACME (RFC 8555).
//
// Begin with [Open]. It bounds the connections, so that the rest of the program keeps file descriptors.
package listening

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/activation"
	"golang.org/x/net/netutil"

	"github.com/keypeg/keypeg/server/internal/shown"
)

// How an address is written that is no host and port.
const (
	UnixPrefix = "unix:"   // before the path of a socket
	Systemd    = "systemd" // the socket that systemd has opened for this service
)

// Config says where connections come in.
type Config struct {
	Address string // HOST:PORT, unix:PATH or systemd
	// Redirect is where plain http is answered with a redirect to https, and where ACME's HTTP-01 challenges
	// are answered, as HOST:PORT; "" is nowhere.
	Redirect string
	// To is the address to which a request is redirected, such as https://id.example.com, or "" for a host
	// that isn't served.
	To func(host string) string

	// Certificates are those of TLS, or nil: then a proxy in front has TLS, or nobody.
	Certificates Certificates
	Log          *slog.Logger
}

// Certificates has the certificates of a server.
type Certificates interface {
	// Config returns the configuration of TLS.
	Config() *tls.Config
	// Challenges answers the challenges of an authority that come by plain http, and has next answer
	// everything else.
	Challenges(next http.Handler) http.Handler
	// Renew looks for new certificates now.
	Renew()
	// Watch keeps the certificates new until ctx ends.
	Watch(ctx context.Context)
	// Ends returns when the certificates end that are in use, by host.
	Ends() map[string]time.Time
}

// Door is where connections come in.
type Door struct {
	Public net.Listener
	// Plain has the requests by plain http that are redirected, or is nil.
	Plain   net.Listener
	Handler http.Handler // of Plain
}

// Open opens the addresses.
func Open(c Config) (*Door, error) {
	public, err := listen(c.Address)
	if err != nil {
		return nil, cannotListen("--listen", c.Address, err)
	}
	if public, err = bounded(public, c.Log); err != nil {
		return nil, err
	}
	d := &Door{Public: public}
	if c.Certificates == nil {
		return d, nil
	}
	d.Public = tls.NewListener(public, c.Certificates.Config())
	if c.Redirect == "" {
		return d, nil
	}
	plain, err := net.Listen("tcp", c.Redirect)
	if err != nil {
		return nil, errors.Join(cannotListen("--redirect", c.Redirect, err), public.Close())
	}
	if d.Plain, err = bounded(plain, c.Log); err != nil {
		return nil, errors.Join(err, public.Close())
	}
	d.Handler = c.Certificates.Challenges(redirect(c.To))
	return d, nil
}

// OpenPrivate opens the address of a setting that is for IT, as HOST:PORT or unix:PATH.
func OpenPrivate(setting, address string) (net.Listener, error) {
	l, err := listen(address)
	if err != nil {
		return nil, cannotListen(setting, address, err)
	}
	return netutil.LimitListener(l, mostPrivate), nil
}

// mostPrivate is how many connections may be open there.
const mostPrivate = 32

// redirect leads to the same address with https.
func redirect(to func(host string) string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		origin := to(r.Host)
		if origin == "" {
			http.Error(w, "There is nothing at this address.", http.StatusNotFound)
			return
		}
		w.Header().Set("Connection", "close")
		http.Redirect(w, r, origin+r.URL.RequestURI(), http.StatusPermanentRedirect)
	})
}

// Close closes the addresses.
func (d *Door) Close() error {
	err := d.Public.Close()
	if d.Plain != nil {
		err = errors.Join(err, d.Plain.Close())
	}
	return err
}

func listen(address string) (net.Listener, error) {
	path, isSocket := strings.CutPrefix(address, UnixPrefix)
	switch {
	case isSocket:
		return listenSocket(path)
	case address == Systemd:
		return inherited()
	}
	return net.Listen("tcp", address)
}

// socketMode lets the owner and the group of the socket connect: put the proxy into the group.
const socketMode = 0o660

// listenSocket opens a Unix socket. The file of a server that was killed goes; that of a running one stays.
func listenSocket(path string) (net.Listener, error) {
	if conn, err := net.Dial("unix", path); err == nil {
		conn.Close()
		return nil, syscall.EADDRINUSE
	} else if errors.Is(err, syscall.ECONNREFUSED) {
		if err := os.Remove(path); err != nil {
			return nil, err
		}
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, socketMode); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

var errNotActivated = errors.New("systemd has opened no socket for this process")

// inherited returns the one socket that systemd has opened (sd_listen_fds(3)).
func inherited() (net.Listener, error) {
	all, err := activation.Listeners()
	if err != nil {
		return nil, err
	}
	if len(all) != 1 || all[0] == nil {
		for _, l := range all {
			if l != nil {
				l.Close()
			}
		}
		return nil, errNotActivated
	}
	return all[0], nil
}

// cannotListen says what to do if an address can't be opened.
func cannotListen(setting, address string, err error) error {
	mend := "name another address with --listen, such as localhost:8080 or :8080"
	_, unknown := errors.AsType[*net.DNSError](err)
	isSocket := strings.HasPrefix(address, UnixPrefix)
	switch {
	case errors.Is(err, errNotActivated):
		mend = "start the service by its socket unit, with exactly one ListenStream= in it, or name an address with --listen"
	case errors.Is(err, syscall.EADDRINUSE):
		place := "port"
		if isSocket {
			place = "path"
		}
		mend = "another program listens there already, perhaps another Keypeg: end it, or name another " + place + " with --listen"
	case isSocket && (errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)):
		mend = "make the folder of the socket, as RuntimeDirectory=keypeg in the systemd unit does for /run/keypeg"
	case isSocket && errors.Is(err, fs.ErrPermission):
		mend = "this account may not write into the folder of the socket: let it, or name another path with --listen"
	case errors.Is(err, fs.ErrPermission):
		mend = "this account may not use that port, as is usual below 1024: name another one with --listen and put a proxy in front, or write AmbientCapabilities=CAP_NET_BIND_SERVICE into the systemd unit"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		mend = "that isn't an address of this machine: name one of its own with --listen, or :8080 for all of them"
	case unknown:
		mend = "no machine has that name here: correct it in --listen, or write 127.0.0.1:8080"
	}
	return fmt.Errorf("can't listen on %s: %s (%w)", shown.Text(address), strings.ReplaceAll(mend, "--listen", setting), err)
}
