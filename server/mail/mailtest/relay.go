// Package mailtest runs a real mail server for tests: a library that others build mail servers
// with, methods that make it refuse or wait, and everything that it has accepted.
package mailtest

import (
	"crypto/tls"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/keypeg/keypeg/server/certtest"
	"github.com/keypeg/keypeg/server/mail"
	"github.com/keypeg/keypeg/server/proxytest"
)

// Relay is a mail server, which keeps what it accepts.
type Relay struct {
	mail.Sender // for it

	// Refuses is asked before MAIL, RCPT and DATA are answered.
	Refuses func(command, argument string) error
	// Accepts is called when a mail is kept and the client doesn't know yet, and Accepted when the
	// client has read so. While they wait, the client does too; they must end before [Relay.Stops].
	Accepts, Accepted func(Mail)
	// Greets is called before a client of a [Piped] server is greeted.
	Greets func()
	// UTF8 is whether the server takes addresses in all letters (RFC 6531), from its next start on.
	UTF8 bool

	pipes     *pipes // nil if the server has a network
	t         testing.TB
	mechanism string // of AUTH; "" for none
	mu        sync.Mutex
	accepted  []Mail
	server    *smtp.Server
	listener  net.Listener
	tls       *tls.Config
	address   string
}

// The user and the password that a relay with AUTH wants.
const (
	User     = "keypeg"
	Password = "the relay's own secret"
)

// New starts a server that encrypts as security says, and asks for a password by a mechanism
// unless that is "". It ends with the test.
func New(t testing.TB, security mail.Security, mechanism string) *Relay {
	t.Helper()
	return NewAt(t, proxytest.IPv4(proxytest.FreeAddress(t)), security, mechanism)
}

// NewAt is [New] at an address. Its certificate is for localhost and smtp.example.com.
func NewAt(t testing.TB, address string, security mail.Security, mechanism string) *Relay {
	t.Helper()
	certificate := certtest.SelfSigned(t, 1, time.Now().Add(24*time.Hour), "localhost", "smtp.example.com")
	r := &Relay{t: t, mechanism: mechanism, tls: &tls.Config{Certificates: []tls.Certificate{certificate}}}
	r.Sender = mail.Sender{Server: mail.Server{Host: "localhost", Security: security, Roots: certtest.Pool(certificate)}, Name: "Acme", From: "keypeg@acme.example"}
	if mechanism != "" {
		r.User, r.Password = User, Password
	}
	r.address = address
	r.Starts()
	_, port, _ := net.SplitHostPort(r.address)
	for _, digit := range port {
		r.Port = r.Port*10 + int(digit-'0')
	}
	t.Cleanup(r.Stops)
	return r
}

// Starts takes connections again, at the same address.
func (r *Relay) Starts() {
	r.t.Helper()
	listener := net.Listener(r.pipes)
	if r.pipes == nil {
		var err error
		if listener, err = net.Listen("tcp", r.address); err != nil {
			r.t.Fatal(err)
		}
	}
	server := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) { return &conversation{relay: r, client: c}, nil }))
	server.EnableSMTPUTF8 = r.UTF8
	server.Domain, server.AllowInsecureAuth = "localhost", false
	server.ErrorLog = log.New(io.Discard, "", 0) // clients hang up as tests want it
	switch r.Security {
	case mail.TLS:
		listener = tls.NewListener(listener, r.tls)
		server.AllowInsecureAuth = true // the library doesn't see that it is encrypted
	case mail.StartTLS:
		server.TLSConfig = r.tls
	}
	r.server, r.listener = server, listener
	go server.Serve(listener)
}

// Stops ends all connections and takes no more.
func (r *Relay) Stops() {
	r.server.Close()
	r.listener.Close() // the server may not have begun to serve
}

// Has returns the mails that were accepted, in the order in which they came.
func (r *Relay) Has() []Mail {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Mail(nil), r.accepted...)
}

// CertificateFile writes the certificate that vouches for the server, for the variable
// SSL_CERT_FILE of a program.
func (r *Relay) CertificateFile() (path string) {
	r.t.Helper()
	path = filepath.Join(r.t.TempDir(), "roots.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: r.tls.Certificates[0].Certificate[0]})
	if err := os.WriteFile(path, text, 0o600); err != nil {
		r.t.Fatal(err)
	}
	return path
}

// conversation implements [smtp.AuthSession].
type conversation struct {
	relay     *Relay
	client    *smtp.Conn
	signedIn  bool
	now, kept Mail
}

func (c *conversation) asks(command, argument string) error {
	if c.relay.mechanism != "" && !c.signedIn {
		return smtp.ErrAuthRequired
	}
	if c.relay.Refuses == nil {
		return nil
	}
	return c.relay.Refuses(command, argument)
}

func (c *conversation) AuthMechanisms() []string {
	if c.relay.mechanism == "" {
		return nil
	}
	return []string{c.relay.mechanism}
}

func (c *conversation) Auth(mechanism string) (sasl.Server, error) {
	check := func(user, password string) error {
		if user != User || password != Password {
			return smtp.ErrAuthFailed
		}
		c.signedIn = true
		return nil
	}
	if mechanism == sasl.Login {
		return &login{check: check}, nil
	}
	return sasl.NewPlainServer(func(_, user, password string) error { return check(user, password) }), nil
}

func (c *conversation) Mail(from string, options *smtp.MailOptions) error {
	c.now = Mail{Hello: c.client.Hostname(), UTF8: options.UTF8, From: from}
	return c.asks("MAIL", from)
}

func (c *conversation) Rcpt(to string, _ *smtp.RcptOptions) error {
	c.now.To = to
	return c.asks("RCPT", to)
}

func (c *conversation) Data(body io.Reader) error {
	raw, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	if err := c.asks("DATA", ""); err != nil {
		return err
	}
	c.now.Raw = string(raw)
	c.relay.mu.Lock()
	c.relay.accepted = append(c.relay.accepted, c.now)
	c.relay.mu.Unlock()
	c.kept = c.now
	if c.relay.Accepts != nil {
		c.relay.Accepts(c.kept)
	}
	return nil
}

// Reset implements [smtp.Session]. The library calls it when it has answered DATA too.
func (c *conversation) Reset() {
	kept := c.kept
	c.now, c.kept = Mail{}, Mail{}
	if kept.Raw != "" && c.relay.Accepted != nil {
		c.relay.Accepted(kept)
	}
}

func (c *conversation) Logout() error { return nil }

// login is the server's part of AUTH LOGIN, which no specification has.
type login struct {
	check func(user, password string) error
	user  string
	step  int
}

func (l *login) Next(response []byte) (challenge []byte, done bool, err error) {
	if l.step == 0 && response == nil {
		return []byte("Username:"), false, nil
	}
	l.step++
	switch l.step {
	case 1:
		l.user = string(response)
		return []byte("Password:"), false, nil
	case 2:
		return nil, true, l.check(l.user, string(response))
	}
	return nil, true, errors.New("unexpected answer")
}
