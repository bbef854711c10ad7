package server

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"github.com/keypeg/keypeg/server/forwardauth"
	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/server/internal/signinpages"
	"github.com/keypeg/keypeg/server/internal/warning"
	"github.com/keypeg/keypeg/server/openid"
	"github.com/keypeg/keypeg/shared"
)

// ParseGate reads the host of a gate, as somebody typed it, into the form that browsers use: "wiki.example.com",
// maybe with a port. "http://wiki.localhost:8081" is one of this machine. The error is a sentence for IT that says
// what to write instead, a [forwardauth.Fault].
func ParseGate(g forwardauth.Gate) (forwardauth.Gate, error) {
	g, err := g.Check()
	if err != nil {
		return g, err
	}
	written := g.Host
	if !strings.Contains(written, "://") {
		written = "https://" + written
	}
	at, err := parseOrigin(written)
	switch {
	case err != nil:
		return g, forwardauth.Fault{Key: "host", Sentence: strings.Replace(err.Error(), "the public URL", "its address", 1)}
	case !at.secure && !shared.IsLocalhost(at.name):
		return g, forwardauth.Fault{Key: "host", Sentence: fmt.Sprintf("%s isn't safe without https: write host = %q, and put a proxy with a certificate in front", at, at.trusted().host())}
	}
	g.Host, g.Secure = at.host(), at.secure
	return g, nil
}

// CheckGates refuses gates that can't be beside each other, or beside the addresses of their organisation: a
// browser sends its cookies to every port of a host name (RFC 6265, 8.5).
func CheckGates(gates []forwardauth.Gate, addresses ...Address) error {
	taken := map[string]string{}
	for _, address := range addresses {
		taken[HostName(address.Host)] = "which is the address of Keypeg itself"
	}
	for _, g := range gates {
		name := HostName(g.Host)
		if of, is := taken[name]; is {
			return forwardauth.Fault{Key: "host", Sentence: fmt.Sprintf("its host is %s, %s: give it a host name of its own, because ports share their cookies", name, of)}
		}
		taken[name] = "which the gate " + g.Name + " has"
	}
	return nil
}

// openGates prepares for forward authentication, if there is a gate.
func (s *Server) openGates() {
	if len(s.c.Gates) == 0 {
		return
	}
	pages := signinpages.New(signinpages.Config{
		Product: s.c.Product, Contact: s.c.Contact, RPID: s.c.Address.RPID,
		Asset: func(name string) string { return forwardauth.GateFiles + strings.TrimPrefix(s.c.Asset(name), "/") },
	})
	refuse := func(w http.ResponseWriter, r *http.Request, status int, refusal *shared.Error) {
		ofPages.write(w.Header())
		w.Header().Set("Cache-Control", "no-store, no-transform")
		pages.Refusal(w, status, httpapi.Text(r), signinpages.Refusal{Code: refusal.Code, Sentence: refusal.Message, SignedIn: true, Origin: s.c.Address.Origin})
	}
	s.gateways = forwardauth.NewHandlers(forwardauth.Handlers{
		Gates: s.c.Gates, Grants: s.grants, Sessions: s.sessions, Origin: s.c.Address.Origin,
		IsHost: func(g forwardauth.Gate, host string) bool {
			return Address{Host: g.Host, Secure: g.Secure}.IsHost(host)
		},
		HostName: HostName,
		Sign: func(ctx context.Context, typ string, claims any) (string, error) {
			return s.provider.Keys.Sign(ctx, openid.ES256, typ, claims)
		},
		Signed: s.gates, Clients: s.clients, Refuse: refuse,
		Answers: httpapi.Answers{Log: s.c.Log, Refuse: func(w http.ResponseWriter, r *http.Request, refusal *shared.Error) {
			refuse(w, r, httpapi.Status(refusal.Code), refusal)
		}},
		ToSignIn: s.toSignIn, Files: s.c.App.Files["/static/"],
		Onward: func(w http.ResponseWriter, r *http.Request, program, address string) error {
			return s.signInPages.Onward(w, httpapi.Text(r), signinpages.Onward{Program: program, Address: address})
		},
		Now: s.c.Now, Log: s.c.Log, Warn: s.warn,
	})
}

// noChecks refuses proxies that ask whether a request may pass, where no organisation is served. nginx understands 403
// alone.
func (s *Server) noChecks(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, is := forwardauth.OriginalHost(r)
		if !is {
			next.ServeHTTP(w, r)
			return
		}
		httpapi.Check(r, "")
		s.warn(warning.GateHost, slog.String("from", httpapi.Peer(r)), slog.String("host", warning.Quoted(host)))
		w.Header().Set("Cache-Control", "no-store")
		http.Error(w, "No organisation is served here.", http.StatusForbidden)
	})
}

// inFrontOfGates answers proxies that ask whether a request to a protected host may pass, and what comes for our
// paths on such a host. Neither names our own host.
func (s *Server) inFrontOfGates(next http.Handler) http.Handler {
	if s.gateways == nil {
		return next
	}
	return s.gateways.Front(next, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, forwardauth.GateFiles) {
				ofData.write(w.Header())
			} else {
				ofPages.write(w.Header())
			}
			h.ServeHTTP(w, r)
		})
	})
}
