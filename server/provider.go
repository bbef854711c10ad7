package server

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/server/internal/signinpages"
	"github.com/keypeg/keypeg/server/openid"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// openProvider prepares for the programs that users sign in to with OpenID Connect.
func (s *Server) openProvider(ctx context.Context) (err error) {
	records := s.activity.Store()
	keys, err := openid.NewKeys(ctx, records, s.c.Now)
	if err != nil {
		return err
	}
	languages := make([]string, len(message.Languages))
	for i, text := range message.Languages {
		languages[i] = text.Lang
	}
	s.provider, err = openid.NewHandlers(ctx, openid.Handlers{
		Issuer: s.c.Address.Origin, Store: records, Registry: s.registry, Grants: s.grants, Keys: keys, Accounts: s.c.Accounts,
		Languages: languages, AnyClient: s.c.AnyClient, PublicPrograms: s.c.PublicPrograms,
		Gates: httpapi.Gates{Authenticate: s.gates.Authenticate, Admitted: s.gates.Admitted}, Answers: s.answers, Cookies: s.cookies, Now: s.c.Now, Log: s.c.Log,
		Pages:      programPages{s},
		SetSession: s.local.setSession,
		SignOut: func(w http.ResponseWriter, r *http.Request) error {
			_, err := s.endSessionOf(w, r)
			return err
		},
		ConfirmAt: s.federation.ConfirmAt,
		Answered: func(client, grantType, refused string) {
			if s.c.TokenAnswered != nil {
				s.c.TokenAnswered(TokenAnswered{client, grantType, refused})
			}
		},
	})
	return err
}

// RunPrograms tells programs of sessions that have ended, until ctx ends.
func (s *Server) RunPrograms(ctx context.Context) {
	if s.grants != nil {
		s.grants.Run(ctx)
	}
}

// programPages draws the pages that lead to programs.
type programPages struct{ s *Server }

func (p programPages) Consent(w http.ResponseWriter, r *http.Request, page openid.ConsentPage) error {
	return p.s.signInPages.Consent(w, http.StatusOK, httpapi.Text(r), signinpages.Consent{
		Program: page.Program, Host: page.Host, User: page.User.DisplayName, Asks: asked(page), Request: page.Request, At: page.Next, EachTime: page.EachTime,
	})
}

// asked lists what a program gets, in the order of the page.
func asked(page openid.ConsentPage) (list []signinpages.Asked) {
	for _, scope := range page.Scopes {
		isNew := page.Again && !slices.Contains(page.Before, scope)
		add := func(kind signinpages.AskedKind, value string) {
			if value != "" || kind == signinpages.AskedGroups || kind == signinpages.AskedOffline {
				list = append(list, signinpages.Asked{Kind: kind, Value: value, New: isNew})
			}
		}
		switch user := page.User; scope {
		case shared.ScopeProfile:
			add(signinpages.AskedName, user.DisplayName)
			add(signinpages.AskedUserName, user.Name)
			add(signinpages.AskedLanguage, user.Language)
		case shared.ScopeEmail:
			if kind := signinpages.AskedEmail; user.EmailVerified {
				add(kind, user.Email)
			} else {
				add(signinpages.AskedUnverified, user.Email)
			}
		case shared.ScopeGroups:
			add(signinpages.AskedGroups, strings.Join(user.Groups, ", "))
		case shared.ScopeOffline:
			add(signinpages.AskedOffline, "")
		}
	}
	return list
}

func (p programPages) StepUp(w http.ResponseWriter, r *http.Request, page openid.StepUpPage) error {
	user, accounts := page.User, p.s.c.Accounts
	shown := signinpages.StepUp{
		Program: page.Program, User: user.DisplayName, Name: user.Name, SignedIn: page.SignedIn,
		NeedsPasskey: page.Passkey, HasPasskey: p.s.passkeys != nil && slices.ContainsFunc(user.Passkeys, func(one store.Passkey) bool { return !page.Hardware || openid.IsHardware(one) }),
		PasswordOn: user.Password != "" && accounts.Policy().TakesPassword(user),
		Next:       page.Next, At: page.Next, Request: page.Request,
	}
	for _, provider := range p.s.c.Providers {
		c := provider.Config()
		if slices.ContainsFunc(user.Identities, func(i store.Identity) bool { return i.Issuer == c.Issuer }) {
			shown.Providers = append(shown.Providers, signinpages.ConfirmProvider{ID: c.ID, Name: c.Name})
		}
	}
	status := http.StatusOK
	if page.Refusal != nil {
		shown.Refusal, status = page.Refusal.Message, httpapi.Status(page.Refusal.Code)
	}
	return p.s.signInPages.StepUp(w, status, httpapi.Text(r), shown)
}

func (p programPages) Onward(w http.ResponseWriter, r *http.Request, page openid.Onward) error {
	return p.s.signInPages.Onward(w, httpapi.Text(r), signinpages.Onward{Program: page.Program, Address: page.Address, Posted: page.Posted})
}

func (p programPages) SignOut(w http.ResponseWriter, r *http.Request, page openid.SignOutPage) error {
	return p.s.signInPages.Leaving(w, httpapi.Text(r), signinpages.Leaving{Program: page.Program, Action: openid.PathSignOut, Request: page.Request})
}

func (p programPages) DeviceCode(w http.ResponseWriter, r *http.Request, typed string, refusal *shared.Error) error {
	page, status := signinpages.Device{Code: typed}, http.StatusOK
	if refusal != nil {
		page.Refusal, status = refusal.Message, httpapi.Status(refusal.Code)
	}
	return p.s.signInPages.Device(w, status, httpapi.Text(r), page)
}

func (p programPages) DeviceConfirm(w http.ResponseWriter, r *http.Request, page openid.DevicePage) error {
	return p.s.signInPages.DeviceAsk(w, http.StatusOK, httpapi.Text(r), signinpages.DeviceAsk{
		Program: page.Program, Host: page.Host, User: page.User.DisplayName, Code: page.Code,
		Asks: asked(openid.ConsentPage{User: page.User, Scopes: page.Scopes}), Request: page.Request,
	})
}

func (p programPages) DeviceDone(w http.ResponseWriter, r *http.Request, program string, allowed bool) error {
	return p.s.signInPages.DeviceDone(w, httpapi.Text(r), program, allowed)
}
