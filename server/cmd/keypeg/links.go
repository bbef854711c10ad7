package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/internal/control"
)

// Links are for people in a browser, who may be at another machine than this terminal. A
// running server makes them for its own address, whatever settings a command was given; a
// stopped one has no other address than that of the settings. Where a link can't work for
// everybody, its command says so beside it.

// makeLink has a link made, and prints it.
func (s *settings) makeLink(ctx context.Context, t terminal, makes func(control.Users) (control.Link, error)) error {
	return s.withUsers(ctx, func(users control.Users) error {
		link, err := makes(users)
		if err == nil {
			s.printLink(t, users.IsRunning(), link)
		}
		return err
	})
}

// printLink prints a link, and beside it what else there is to know.
func (s *settings) printLink(t terminal, isRunning bool, link control.Link) {
	fmt.Fprintln(t.Out, link.URL)
	if link.Again {
		fmt.Fprintln(t.Err, "A link that was made before doesn't work any more.")
	}
	if !link.Expires.IsZero() {
		fmt.Fprintf(t.Err, "It works once, until %s.\n", clock(link.Expires))
	}
	s.tellWhereItWorks(t.Err, isRunning, link.URL)
}

// clock is a moment as people here read it. Whoever gets a link may live by another clock.
func clock(at time.Time) string { return at.Local().Format("2006-01-02 15:04 MST") }

// tellWhereItWorks says when a link isn't for the address that the settings name, and when
// no other machine can open it. A running server may have made it.
func (s *settings) tellWhereItWorks(out io.Writer, isRunning bool, link string) {
	origin, err := originOf(link)
	if err != nil {
		fmt.Fprintf(out, "No browser can open it: %s.\n", err)
		return
	}
	if wanted, err := s.PublicAddress(); isRunning && s.PublicURL != "" && (err != nil || wanted.Origin != origin.Origin) {
		fmt.Fprintf(out, "It has the address of the running server, %s. The public URL that was given here, %s, is not used: give it to keypeg serve.\n", origin.Origin, s.PublicURL)
	}
	switch {
	case !origin.IsLocal():
	case s.IsCloud():
		fmt.Fprintf(out, "It opens on this machine alone, because the address of the tenant is %s.\n", origin.Origin)
	case isRunning:
		fmt.Fprintf(out, "It opens on this machine alone, because the server was started without --public-url. For people elsewhere restart it with their address, such as --public-url https://id.example.com, and make a new link.\n")
	case s.PublicURL == "":
		fmt.Fprintf(out, "It opens on this machine alone, because no --public-url is set here. If people use another address, make a new link with it, such as --public-url https://id.example.com.\n")
	default:
		fmt.Fprintf(out, "It opens on this machine alone, because the public URL is %s.\n", origin.Origin)
	}
}

// originOf is the address that a link begins with.
func originOf(link string) (server.Address, error) {
	scheme, rest, _ := strings.Cut(link, "://")
	host, _, _ := strings.Cut(rest, "/")
	return server.ParseAddress(scheme+"://"+host, "", false)
}
