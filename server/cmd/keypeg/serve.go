package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/keypeg/keypeg/app/pages"
	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/internal/installation"
	"github.com/keypeg/keypeg/web"
)

type serveCommand struct{}

func (c *serveCommand) takes(*commandLine) {}

// Run runs the server. It returns when ctx has ended and every running request is answered.
func (c *serveCommand) Run(ctx context.Context, t terminal, s *settings) error {
	if err := s.CheckReach(); err != nil {
		return err
	}
	files, err := openFiles()
	if err != nil {
		return err
	}
	log, flush := s.Logger(t.Err)
	defer flush()
	s.Tell(log)
	return s.installation().Serve(ctx, installation.Serving{
		Version: version(), Listen: s.Listen, TrustedProxies: s.TrustedProxies, DrainDelay: s.DrainDelay, Log: log,
		App: newApps(s, files).of, ManualPublic: s.ManualPublic, Asset: files.URL,
		Announce: func(started installation.Started) { s.announce(t.Out, started) },
	})
}

// installation returns the installation that the settings name.
func (s *settings) installation() installation.Installation {
	return installation.Installation{Database: s.Database, Socket: s.Socket, Cloud: s.IsCloud(), Settings: &s.Settings}
}

// openFiles opens the files that browsers load.
func openFiles() (*web.Files, error) {
	files, err := web.Open()
	if err != nil {
		return nil, err
	}
	if !files.Built() {
		return nil, errors.New("this program was built without the app: build it with make, or run go run ./web/build before go build")
	}
	return files, nil
}

// announce prints where to go, and for whom the server is.
func (s *settings) announce(out io.Writer, started installation.Started) {
	switch n := len(started.Tenants); {
	case s.IsCloud() && n > 0:
		fmt.Fprintf(out, "Keypeg runs at %s, for %d tenant%s\n", s.Listen, n, either(n == 1, "", "s"))
	case s.IsCloud():
		fmt.Fprintf(out, "Keypeg runs at %s, for no tenant yet\n\nAdd the first one, with the address that its people will use:\n\n  keypeg tenant add acme https://id.acme.example\n\n", s.Listen)
	case started.SetupLink == "":
		fmt.Fprintf(out, "Keypeg runs at %s\n", started.Address.Origin)
	default:
		fmt.Fprintf(out, "Keypeg runs at %s\n\nOpen this link to make the first administrator. It works once, for 30 minutes:\n\n  %s\n\n", started.Address.Origin, started.SetupLink)
	}
}

// appMaker makes the app for each product. Organisations with the same product share it.
type appMaker struct {
	files *web.Files

	mu        sync.Mutex
	byProduct map[string]server.App
}

func newApps(s *settings, files *web.Files) *appMaker {
	// Pages are first drawn without a user. If products differ, they have no name until the
	// browser knows which one it is.
	drawn := s.Product
	if s.IsCloud() {
		drawn = ""
	}
	pages.Routes(pages.Deps{Product: drawn, Icon: files.URL("icon.svg")})
	return &appMaker{files: files, byProduct: map[string]server.App{}}
}

// of returns the app for a product, with the contact that its users ask for help.
func (m *appMaker) of(product, contact string) server.App {
	m.mu.Lock()
	defer m.mu.Unlock()
	served, made := m.byProduct[product]
	if !made {
		served = newApp(m.files, product)
		m.byProduct[product] = served
	}
	served.Page = stuck{served.Page, m.files, product, contact}
	return served
}
