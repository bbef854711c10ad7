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

// People open links in a browser, which may be on another machine than this terminal. A
// running server makes links for its own address, whatever settings a command has. If no
// server is running, the settings decide. If a link can't work for everybody, its command
// says so.

// linkJSON is the help of --json of commands that print a link.
const linkJSON = "Print the link as JSON, with the time until when it works."

// makeLink makes a link and prints it.
func (s *settings) makeLink(ctx context.Context, t terminal, asJSON bool, makes func(control.Users) (control.Link, error)) error {
	return s.withUsers(ctx, func(users control.Users) error {
		link, err := makes(users)
		if err != nil {
			return err
		}
		if asJSON {
			return t.printJSON(link)
		}
		s.printLink(t, users.IsRunning(), link)
		return nil
	})
}

// printLink prints a link, and what else to know about it.
func (s *settings) printLink(t terminal, isRunning bool, link control.Link) {
	if link.MailedTo == "" {
		fmt.Fprintln(t.Out, link.URL)
	} else {
		fmt.Fprintf(t.Out, "The link goes to %s by mail%s.\n", link.MailedTo, either(isRunning, "", ", once the server runs"))
	}
	if link.Again {
		fmt.Fprintln(t.Err, "A link that was made before doesn't work any more.")
	}
	if !link.Expires.IsZero() {
		fmt.Fprintf(t.Err, "It works once, until %s.\n", clock(link.Expires))
	}
	if link.MailedTo == "" {
		s.printWhereItWorks(t.Err, isRunning, link.URL)
	}
}

// clock returns a local time with its zone, because the reader of a link may have another
// clock.
func clock(at time.Time) string { return at.Local().Format("2006-01-02 15:04 MST") }

// printWhereItWorks says if a link, which a running server may have made, has another
// address than the settings, or if only this machine can open it.
func (s *settings) printWhereItWorks(out io.Writer, isRunning bool, link string) {
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
		fmt.Fprintf(out, "It opens on this machine alone, because the address of the running server is %s. For people elsewhere restart it with theirs, such as --public-url https://id.example.com, and make a new link.\n", origin.Origin)
	case s.PublicURL == "":
		fmt.Fprintf(out, "It opens on this machine alone, because no --public-url is set here. If people use another address, make a new link with it, such as --public-url https://id.example.com.\n")
	default:
		fmt.Fprintf(out, "It opens on this machine alone, because the public URL is %s.\n", origin.Origin)
	}
}

// originOf returns the address at the beginning of a link.
func originOf(link string) (server.Address, error) {
	scheme, rest, _ := strings.Cut(link, "://")
	host, _, _ := strings.Cut(rest, "/")
	return server.ParseAddress(scheme+"://"+host, "", false)
}
