package mail_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/keypeg/keypeg/server/mail"
)

// relay is a real mail server, which keeps what it accepts.
type relay struct {
	*testing.T
	mail.Sender // for it

	mechanism string // of AUTH; "" for none
	refuses   func(command, argument string) error

	mu       sync.Mutex
	accepted []delivered
	server   *smtp.Server
	listener net.Listener
	tls      *tls.Config
	address  string
}

type delivered struct{ from, to, raw string }

const (
	relayUser     = "keypeg"
	relayPassword = "the relay's own secret"
)

// newRelay starts a server that encrypts as security says.
func newRelay(t *testing.T, security mail.Security, mechanism string) *relay {
	t.Helper()
	certificate, roots := selfSigned(t)
	r := &relay{T: t, mechanism: mechanism, tls: &tls.Config{Certificates: []tls.Certificate{certificate}}}
	r.Sender = mail.Sender{Server: mail.Server{Host: "localhost", Security: security, Roots: roots}, Name: "Acme", From: "keypeg@acme.example"}
	if mechanism != "" {
		r.User, r.Password = relayUser, relayPassword
	}
	r.address = "127.0.0.1:0"
	r.starts()
	_, port, _ := net.SplitHostPort(r.address)
	for _, digit := range port {
		r.Port = r.Port*10 + int(digit-'0')
	}
	t.Cleanup(r.stops)
	return r
}

func (r *relay) starts() {
	listener, err := net.Listen("tcp", r.address)
	if err != nil {
		r.Fatal(err)
	}
	r.address = listener.Addr().String()
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &conversation{relay: r}, nil }))
	server.Domain, server.AllowInsecureAuth = "localhost", false
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

func (r *relay) stops() {
	r.server.Close()
	r.listener.Close() // the server may not have begun to serve
}

func (r *relay) has() []delivered {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]delivered(nil), r.accepted...)
}

// conversation implements [smtp.AuthSession].
type conversation struct {
	relay    *relay
	signedIn bool
	now      delivered
}

func (c *conversation) asks(command, argument string) error {
	if c.relay.mechanism != "" && !c.signedIn {
		return smtp.ErrAuthRequired
	}
	if c.relay.refuses == nil {
		return nil
	}
	return c.relay.refuses(command, argument)
}

func (c *conversation) AuthMechanisms() []string {
	if c.relay.mechanism == "" {
		return nil
	}
	return []string{c.relay.mechanism}
}

func (c *conversation) Auth(mechanism string) (sasl.Server, error) {
	check := func(user, password string) error {
		if user != relayUser || password != relayPassword {
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

func (c *conversation) Mail(from string, _ *smtp.MailOptions) error {
	c.now = delivered{from: from}
	return c.asks("MAIL", from)
}

func (c *conversation) Rcpt(to string, _ *smtp.RcptOptions) error {
	c.now.to = to
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
	c.now.raw = string(raw)
	c.relay.mu.Lock()
	defer c.relay.mu.Unlock()
	c.relay.accepted = append(c.relay.accepted, c.now)
	return nil
}

func (c *conversation) Reset()        { c.now = delivered{} }
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

func selfSigned(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}

// header returns the lines before the first empty one.
func (d delivered) header() string {
	head, _, _ := strings.Cut(d.raw, "\r\n\r\n")
	return head
}
