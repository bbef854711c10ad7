package openid

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/shared"
)

// The paths below the issuer. Those of pages are in package shared.
const (
	PathAuthorize  = "/openid/authorize"
	PathToken      = "/openid/token"
	PathUserInfo   = "/openid/userinfo"
	PathKeys       = "/openid/keys"
	PathRevoke     = "/openid/revoke"
	PathIntrospect = "/openid/introspect"
	PathPush       = "/openid/push"
	PathDevice     = "/openid/device"
	PathSignOut    = "/openid/sign-out"

	PathDiscovery = "/.well-known/openid-configuration"
	pathMetadata  = "/.well-known/oauth-authorization-server" // RFC 8414, 3
	pathWebFinger = "/.well-known/webfinger"                  // RFC 7033, 4
)

// discovery is what programs read of the provider (OpenID Connect Discovery 1.0, 3; RFC 8414, 2).
func (h *Handlers) discovery(w http.ResponseWriter, _ *http.Request) error {
	methods := []Authentication{AuthenticatesBasic, AuthenticatesPost, AuthenticatesKey, AuthenticatesNever}
	confidential := methods[:3]
	assertions := []string{"RS256", "PS256", "ES256"}
	return respondSorted(w, "application/json", map[string]any{
		"issuer":                                h.Issuer,
		"authorization_endpoint":                h.Issuer + PathAuthorize,
		"token_endpoint":                        h.Issuer + PathToken,
		"userinfo_endpoint":                     h.Issuer + PathUserInfo,
		"jwks_uri":                              h.Issuer + PathKeys,
		"revocation_endpoint":                   h.Issuer + PathRevoke,
		"introspection_endpoint":                h.Issuer + PathIntrospect,
		"pushed_authorization_request_endpoint": h.Issuer + PathPush,
		"device_authorization_endpoint":         h.Issuer + PathDevice,
		"end_session_endpoint":                  h.Issuer + PathSignOut,

		"scopes_supported":         allScopes,
		"response_types_supported": []string{"code"},
		"response_modes_supported": []string{modeQuery, modePost},
		"grant_types_supported":    []string{"authorization_code", "refresh_token", grantDevice},
		"prompt_values_supported":  []string{"none", "login", "consent", "select_account"},
		"acr_values_supported":     []string{acrPasskey, acrHardware},
		"subject_types_supported":  []string{"public", "pairwise"},
		"display_values_supported": []string{"page", displayPopup, "touch"},
		"ui_locales_supported":     h.Languages,
		"claims_supported": []string{
			"sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "at_hash", "sid", "acr", "amr",
			"name", "preferred_username", "locale", "updated_at", "email", "email_verified", "groups",
		},

		"id_token_signing_alg_values_supported":                    []Algorithm{RS256, ES256},
		"token_endpoint_auth_methods_supported":                    methods,
		"token_endpoint_auth_signing_alg_values_supported":         assertions,
		"revocation_endpoint_auth_methods_supported":               methods,
		"revocation_endpoint_auth_signing_alg_values_supported":    assertions,
		"introspection_endpoint_auth_methods_supported":            confidential,
		"introspection_endpoint_auth_signing_alg_values_supported": assertions,
		"code_challenge_methods_supported":                         []string{"S256"},

		"request_parameter_supported":                    false,
		"request_uri_parameter_supported":                false,
		"claims_parameter_supported":                     false,
		"authorization_response_iss_parameter_supported": true,
		"client_id_metadata_document_supported":          h.AnyClient,
		"backchannel_logout_supported":                   true,
		"backchannel_logout_session_supported":           true,
	})
}

// respondSorted answers with the same bytes each time, so that a cache can tell that nothing has changed.
func respondSorted(w http.ResponseWriter, media string, answer map[string]any) error {
	body, err := json.Marshal(answer)
	if err != nil {
		return err
	}
	httpapi.Write(w, http.StatusOK, media, body)
	return nil
}

// publicKeys are the keys with which programs check tokens (RFC 7517, 5).
func (h *Handlers) publicKeys(w http.ResponseWriter, r *http.Request) error {
	set, err := h.Keys.Published(r.Context())
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "public, max-age=300") // shorter than lead
	return httpapi.Respond(w, http.StatusOK, set)
}

// mostResource bounds what WebFinger is asked about, in bytes.
const mostResource = 1024

// webFinger tells a program which issuer an account has (OpenID Connect Discovery 1.0, 2). It says the same of each
// account, so nobody learns who has one.
func (h *Handlers) webFinger(w http.ResponseWriter, r *http.Request) error {
	const relation = "http://openid.net/specs/connect/1.0/issuer"
	resource := r.URL.Query().Get("resource")
	if len(resource) > mostResource || !h.mayBeHere(resource) {
		return shared.Errorf(shared.CodeNotFound, "There is nothing at this address.")
	}
	links := []map[string]string{}
	if wanted := r.URL.Query()["rel"]; len(wanted) == 0 || slices.Contains(wanted, relation) {
		links = append(links, map[string]string{"rel": relation, "href": h.Issuer})
	}
	return respondSorted(w, "application/jrd+json", map[string]any{"subject": resource, "links": links})
}

// mayBeHere reports whether a resource may name an account here: by an acct address (RFC 7565) or a URL of our host. The
// domain of an acct address is that of the organisation's mail, which leads its WebFinger here. We don't know it, and
// whoever asks us about another domain learns only what our discovery says.
func (h *Handlers) mayBeHere(resource string) bool {
	if account, is := strings.CutPrefix(resource, "acct:"); is {
		at := strings.LastIndex(account, "@")
		if at <= 0 {
			return false
		}
		named, err := url.Parse("https://" + account[at+1:])
		return err == nil && named.Hostname() != "" && named.Host == account[at+1:]
	}
	issuer, err := url.Parse(h.Issuer)
	if err != nil {
		return false
	}
	named, err := url.Parse(resource)
	return err == nil && named.Scheme == issuer.Scheme && strings.EqualFold(named.Host, issuer.Host)
}
