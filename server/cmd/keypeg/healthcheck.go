package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/keypeg/keypeg/server/internal/listening"
	"github.com/keypeg/keypeg/shared"
)

// healthcheckCommand asks the server on this machine whether people can sign in, for containers: an image has no
// other program that could ask.
type healthcheckCommand struct{}

func (c *healthcheckCommand) takes(*commandLine) {}

// healthWithin is how long the server may take to answer.
const healthWithin = 10 * time.Second

// Run asks where IT's figures are, or else where people come in.
func (c *healthcheckCommand) Run(ctx context.Context, t terminal, s *settings) error {
	address, hasTLS := s.Metrics, false
	if address == "" {
		address, hasTLS = s.Listen, s.TLS().Cert != "" || s.TLS().Directory != ""
	}
	if address == listening.Systemd {
		return errors.New("the server's socket is systemd's, so its address isn't known: set --metrics, which is asked then")
	}
	ctx, cancel := context.WithTimeout(ctx, healthWithin)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, either(hasTLS, "https", "http")+"://keypeg"+shared.PathReady, nil)
	if err != nil {
		return err
	}
	answer, err := askingHere(address).Do(r)
	if err != nil {
		return fmt.Errorf("the server doesn't answer at %s: %w", address, err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, 1000))
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("the server at %s isn't ready: %s", address, strings.TrimSpace(string(text)))
	}
	_, err = fmt.Fprintln(t.Out, "ready")
	return err
}

// askingHere is a client of an address of this machine, which has a certificate for another name.
func askingHere(address string) *http.Client {
	network := "tcp"
	if path, isSocket := strings.CutPrefix(address, listening.UnixPrefix); isSocket {
		network, address = "unix", path
	} else if host, port, err := net.SplitHostPort(address); err == nil {
		if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
			address = net.JoinHostPort("localhost", port)
		}
	}
	return &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, network, address)
			},
		},
	}
}
