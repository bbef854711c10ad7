package openid

import (
	"embed"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/keypeg/keypeg/server/internal/shown"
)

// Preset knows how a program is registered as a client, and which settings the program itself needs. What it knows is
// from what About names, as it was in November 2026.
type Preset struct {
	ID    string // by which IT names it
	Name  string // of the program
	About string // the version of the program, and where its settings are from

	// Fixed means that the program is at the same address for everybody, so that IT needs to name none.
	Fixed bool
	// client returns the client of the program at an address, which has no slash at its end.
	client func(at string) Client
}

// presets are all of them. The texts of their settings are in the folder of this name, one file for each.
var presets = []Preset{
	{
		ID: "apache", Name: "Apache mod_auth_openidc", About: "mod_auth_openidc 2.4.12 of Debian 12, where it was run",
		client: func(at string) Client {
			return Client{
				Redirects: []string{at + "/openid/redirect"}, BackChannel: at + "/openid/redirect?logout=backchannel",
				SignedOut: []string{at + "/"}, Scopes: []string{ScopeProfile, ScopeEmail},
			}
		},
	},
	{
		// The web page authenticates with the secret, and sends no PKCE unless it is told to. Its command line is a client of
		// its own, which the text says.
		ID: "argocd", Name: "Argo CD", About: "the operator manual of Argo CD 3.3, User Management",
		client: func(at string) Client {
			return Client{Redirects: []string{at + "/auth/callback"}, SignedOut: []string{at}, WithoutPKCE: true}
		},
	},
	{
		// Gitea doesn't know PKCE. The name of the source is a part of the redirect.
		ID: "gitea", Name: "Gitea", About: "Gitea 1.27: its manual, Command Line, and the guide of Authelia",
		client: func(at string) Client {
			return Client{Redirects: []string{at + "/user/oauth2/keypeg/callback"}, WithoutPKCE: true}
		},
	},
	{
		ID: "grafana", Name: "Grafana", About: "Grafana 12.3: its manual, Configure generic OAuth2 authentication, and the guide of Authelia",
		client: func(at string) Client {
			return Client{Redirects: []string{at + "/login/generic_oauth"}, SignedOut: []string{at + "/login"}}
		},
	},
	{
		// The app on phones has a scheme of its own. ID tokens are signed with RS256 unless it is told otherwise.
		ID: "immich", Name: "Immich", About: "Immich 3.1: its manual, OAuth Authentication, and the guide of Authelia",
		client: func(at string) Client {
			return Client{
				Redirects: []string{at + "/auth/login", at + "/user-settings", "app.immich:///oauth-callback"},
				Scopes:    []string{ScopeProfile, ScopeEmail}, Algorithm: RS256,
			}
		},
	},
	{
		ID: "jellyfin", Name: "Jellyfin", About: "Jellyfin 10.10: the README of its plugin SSO Authentication, and the guide of Authelia",
		client: func(at string) Client {
			return Client{
				Redirects: []string{at + "/sso/OID/redirect/keypeg"}, Authentication: AuthenticatesPost, Scopes: []string{ScopeProfile, ScopeGroups},
			}
		},
	},
	{
		// Everybody's kubectl would have the secret, so there is none. kubelogin listens at the second port if the first
		// one is taken; the port of the machine itself is free. The API server takes RS256 by default.
		ID: "kubernetes", Name: "Kubernetes", About: "Kubernetes 1.34: its manual, Authenticating, and the setup guide of kubelogin", Fixed: true,
		client: func(string) Client {
			return Client{
				Redirects: []string{"http://localhost:8000"}, Authentication: AuthenticatesNever, Algorithm: RS256,
				Scopes: []string{ScopeProfile, ScopeEmail, ScopeGroups, ScopeOfflineAccess},
			}
		},
	},
	{
		ID: "miniflux", Name: "Miniflux", About: "Miniflux 2.3.5, which was run",
		client: func(at string) Client {
			return Client{Redirects: []string{at + "/oauth2/oidc/callback"}, Scopes: []string{ScopeProfile, ScopeEmail}}
		},
	},
	{
		// Without rewriting by the web server, index.php is in all addresses. The name of the provider is a part of the
		// address for back-channel logout.
		ID: "nextcloud", Name: "Nextcloud", About: "Nextcloud 31: the README of its app user_oidc 8",
		client: func(at string) Client {
			return Client{
				Redirects: []string{at + "/apps/user_oidc/code", at + "/index.php/apps/user_oidc/code"}, SignedOut: []string{at + "/"},
				BackChannel: at + "/index.php/apps/user_oidc/backchannel-logout/keypeg", Algorithm: RS256,
			}
		},
	},
	{
		ID: "oauth2-proxy", Name: "oauth2-proxy", About: "oauth2-proxy 7.15, which was run",
		client: func(at string) Client {
			return Client{Redirects: []string{at + "/oauth2/callback"}}
		},
	},
	{
		// It sends the address that the browser has opened, without a slash.
		ID: "proxmox", Name: "Proxmox VE", About: "Proxmox VE 8.4: its manual, User Management, and the guide of Authelia",
		client: func(at string) Client {
			return Client{Redirects: []string{at}, Scopes: []string{ScopeProfile, ScopeEmail}}
		},
	},
	{
		// Tailscale doesn't know PKCE.
		ID: "tailscale", Name: "Tailscale", About: "the manual of Tailscale, Custom OIDC providers, and the guide of Authelia", Fixed: true,
		client: func(string) Client {
			return Client{
				Home:      "https://login.tailscale.com/",
				Redirects: []string{"https://login.tailscale.com/a/oauth_response"}, WithoutPKCE: true, Scopes: []string{ScopeProfile, ScopeEmail},
			}
		},
	},
}

//go:embed presets/*.txt
var presetTexts embed.FS

// Presets returns all presets, sorted by their ids.
func Presets() []Preset { return slices.Clone(presets) }

// PresetNames returns the ids of all presets, sorted.
func PresetNames() (ids []string) {
	for _, p := range presets {
		ids = append(ids, p.ID)
	}
	return ids
}

// FindPreset returns the preset with an id. Its error is a sentence for IT.
func FindPreset(id string) (Preset, error) {
	at := slices.IndexFunc(presets, func(p Preset) bool { return p.ID == id })
	if at < 0 {
		return Preset{}, fmt.Errorf("there is no preset %s: write one of %s", shown.Quoted(id), listed(PresetNames()))
	}
	return presets[at], nil
}

// plainAddress matches the address of a program that means nothing else in a shell, in YAML or in an INI file.
var plainAddress = regexp.MustCompile(`^https?://[A-Za-z0-9.:_\[\]-]+[A-Za-z0-9./_~-]*$`)

// checkAddress returns the address of a program without a slash at its end. For a Fixed preset it is "".
func (p Preset) checkAddress(address string) (string, error) {
	if p.Fixed {
		return "", nil
	}
	if address == "" {
		return "", fmt.Errorf("%s needs the address at which people open it, such as https://%s.example.com", p.Name, p.ID)
	}
	if err := checkWebAddress(address); err != nil {
		return "", fmt.Errorf("the address of %s %w", p.Name, err)
	}
	if !plainAddress.MatchString(address) {
		return "", fmt.Errorf("the address of %s has characters that are special in its settings: write one of letters, digits and . - _ ~ /", p.Name)
	}
	return strings.TrimRight(address, "/"), nil
}

// Client returns the client of a program whose start page has this address, without an id. It fails with a sentence for
// IT. The address doesn't matter for a Fixed preset.
func (p Preset) Client(address string) (Client, error) {
	at, err := p.checkAddress(address)
	if err != nil {
		return Client{}, err
	}
	return p.Template(at), nil
}

// Template returns the client of a program with a text for the address of its start page. It can't be registered: it says
// what Client would return.
func (p Preset) Template(address string) Client {
	c := p.client(address)
	c.Name = p.Name
	if !p.Fixed {
		c.Home = address + "/"
	}
	return c
}

// Told is what a program must be told of its client.
type Told struct {
	Issuer string
	ID     string
	Secret string // "" if it isn't known any more
	URL    string // the address of the program's start page
}

// UnknownSecret stands in the settings for a secret that isn't known any more.
const UnknownSecret = "CLIENT-SECRET"

// Settings returns the settings for the program, ready to be pasted. It fails with a sentence for IT.
func (p Preset) Settings(of Told) (string, error) {
	at, err := p.checkAddress(of.URL)
	if err != nil {
		return "", err
	}
	if err := CheckClientID(of.ID); err != nil {
		return "", err
	}
	if of.Secret == "" {
		of.Secret = UnknownSecret
	}
	if strings.ContainsFunc(of.Secret, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune("'\"\\`$", r) }) {
		return "", errors.New("the secret has characters that are special in the settings of programs")
	}
	text, err := presetTexts.ReadFile("presets/" + p.ID + ".txt")
	if err != nil {
		return "", err
	}
	return strings.NewReplacer(
		"@issuer@", of.Issuer, "@id@", of.ID, "@secret@", of.Secret, "@url@", at, "@url-in-a-query@", url.QueryEscape(at),
		"@authorize@", of.Issuer+PathAuthorize, "@token@", of.Issuer+PathToken, "@userinfo@", of.Issuer+PathUserInfo, "@sign-out@", of.Issuer+PathSignOut,
	).Replace(string(text)), nil
}
