package ui

import (
	"strings"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// statesOfClients are those of the page of programs.
func statesOfClients(in Context) map[string]app.UI {
	grafana := stateClients()[0]
	adds := func(change func(*clientDialog)) *clientDialog {
		d := &clientDialog{Context: in, Title: in.Text.Clients.Add, Do: in.Text.Clients.Add, Presets: statePresets()}
		change(d)
		return d
	}
	typed := func(d *clientDialog) { d.preset, d.url = "grafana", "https://grafana.contoso.example"; d.fill() }
	made := shared.RegisteredClient{
		Client: grafana, Issuer: "https://id.example.com", Secret: "kp_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopq",
		Text: "# in grafana.ini\n[auth.generic_oauth]\nenabled = true\nclient_id = grafana\nclient_secret = kp_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopq\nauth_url = https://id.example.com/oauth/authorize\n",
	}
	return map[string]app.UI{
		"clients":            stateClientsPage(in, func(*ClientsPage) {}),
		"clients-auditor":    stateClientsPage(in, func(p *ClientsPage) { p.Account.User.Role = shared.RoleAuditor }),
		"clients-none":       stateClientsPage(in, func(p *ClientsPage) { p.list.Clients = nil }),
		"clients-loading":    stateClientsPage(in, func(p *ClientsPage) { p.state = listLoading }),
		"clients-failed":     stateClientsPage(in, func(p *ClientsPage) { p.state, p.failure = listFailed, stateInternal() }),
		"clients-offline":    stateClientsPage(stateOffline(in), func(*ClientsPage) {}),
		"client-add":         adds(func(*clientDialog) {}),
		"client-add-preset":  adds(typed),
		"client-add-working": adds(func(d *clientDialog) { typed(d); d.working = true }),
		"client-add-wrong": adds(func(d *clientDialog) {
			typed(d)
			refused := shared.Errorf(shared.CodeInvalidClient, "Something in these settings can't be used. Correct what is marked.")
			refused.Faults = []shared.Fault{
				{Field: "redirects", Sentence: "The redirect ftp://grafana.contoso.example must begin with https://."},
				{Field: "backChannelLogout", Sentence: "The address for back-channel logout must begin with https://."},
			}
			d.failure, d.showsMore = refused, true
		}),
		"client-edit": &clientDialog{
			Context: in, Title: message.Fill(in.Text.Clients.EditTitle, "program", "Grafana"), Do: in.Text.Member.Save, Settings: grafana.Settings, Edits: true, is: grafana.Settings, redirects: grafana.Settings.Redirects[0], groups: "staff, it", showsMore: true,
		},
		"client-secret":      &clientSetup{Context: in, Made: made},
		"client-setup":       &clientSetup{Context: in, Made: shared.RegisteredClient{Client: grafana, Issuer: made.Issuer, Text: strings.ReplaceAll(made.Text, made.Secret, "CLIENT-SECRET")}},
		"client-secret-none": &clientSetup{Context: in, Made: shared.RegisteredClient{Client: stateClients()[2], Issuer: made.Issuer}},
		"client-rotation":    &clientRotation{Context: in, Title: message.Fill(in.Text.Clients.RotateTitle, "program", "Grafana")},
		"client-remove":      stateClientsPage(in, func(p *ClientsPage) { p.open, p.about = dialogClientRemove, grafana }),
	}
}

// stateClientsPage is a ClientsPage with its list. Change puts it into a state.
func stateClientsPage(in Context, change func(*ClientsPage)) *ClientsPage {
	p := &ClientsPage{
		Context: in, state: listReady, list: shared.ClientList{Issuer: "https://id.example.com", Clients: stateClients(), Presets: statePresets()},
		Account: shared.Account{User: shared.User{ID: "u1", Name: "ann", Role: shared.RoleAdministrator}},
	}
	change(p)
	return p
}

// stateClients are programs of many kinds.
func stateClients() []shared.Client {
	at := time.Date(2026, 11, 20, 18, 30, 0, 0, time.UTC)
	return []shared.Client{
		{ID: "grafana", Host: "grafana.contoso.example", Changed: at, Settings: shared.ClientSettings{
			Name: "Grafana", Home: "https://grafana.contoso.example/", Redirects: []string{"https://grafana.contoso.example/login/generic_oauth"},
			Authentication: shared.ClientBasic, Algorithm: "RS256", Groups: []string{"staff", "it"}, FirstParty: true,
		}},
		{ID: "wiki", Host: "wiki.contoso.example", Configured: true, Settings: shared.ClientSettings{Name: "Wiki", Authentication: shared.ClientBasic}},
		{ID: "com.example.app", Changed: at.Add(-99 * time.Hour), Settings: shared.ClientSettings{Name: "<img src=x onerror=alert(1)> of the department of very long names", Authentication: shared.ClientNone}},
	}
}

func statePresets() []shared.ClientPreset {
	return []shared.ClientPreset{
		{ID: "grafana", Name: "Grafana", Settings: shared.ClientSettings{
			Name: "Grafana", Home: shared.ClientURL + "/", Redirects: []string{shared.ClientURL + "/login/generic_oauth"}, SignedOut: []string{shared.ClientURL + "/login"},
		}},
		{ID: "tailscale", Name: "Tailscale", Fixed: true, Settings: shared.ClientSettings{
			Name: "Tailscale", Home: "https://login.tailscale.com/", Redirects: []string{"https://login.tailscale.com/a/oauth_response"}, WithoutPKCE: true,
		}},
	}
}
