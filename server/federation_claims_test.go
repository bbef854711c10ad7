package server_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/federation"
	"github.com/keypeg/keypeg/server/federation/federationtest"
	"github.com/keypeg/keypeg/shared"
)

// providerAnswer is something that a provider may answer, and what comes of it for a user
// and for somebody new. What people read is in; else they are in.
type providerAnswer struct {
	what   string
	claims map[string]any     // of the ID token; nil removes one
	lie    federationtest.Lie // besides
	// sparse leaves name and address out of the ID token, as many providers do.
	sparse  bool
	at      string // a path of the provider, whose answers are changed so:
	changed func(*federationtest.Answer)

	known, fresh string
	name         string // of the new account; unset: dan@example.com
	cause        string // in the log, for whoever is refused
}

const (
	in          = ""
	noAccount   = "ONE knows you, but you have no account here yet. Please ask IT for one."
	unreachable = oneIsAway
	wasDenied   = "You weren't signed in at ONE. Please try again, or sign in another way."
)

// object is one that some provider wrote where a text is expected.
var object = map[string]any{"en": "Dan"}

func providerAnswers(t *testing.T) []providerAnswer {
	text := func(kind, body string) func(*federationtest.Answer) {
		return func(a *federationtest.Answer) { a.Says(http.StatusOK, kind, body) }
	}
	status := func(code int) func(*federationtest.Answer) {
		return func(a *federationtest.Answer) { a.Says(code, "application/json", "{}") }
	}
	refusal := func(code string) func(*federationtest.Answer) {
		return func(a *federationtest.Answer) {
			a.Says(http.StatusBadRequest, "application/json", `{"error":"`+code+`"}`)
		}
	}
	set := func(name string, value any) func(*federationtest.Answer) {
		return func(a *federationtest.Answer) { a.Set(name, value) }
	}
	none, other := "", "other"
	now := time.Now()
	list := []providerAnswer{
		// Optional claims of odd types, for instance.
		{what: "nothing odd"},
		{what: "auth_time with decimals", claims: map[string]any{"auth_time": 1.7e9 + 0.25}},
		{what: "auth_time as text", claims: map[string]any{"auth_time": "1700000000"}},
		{what: "auth_time as a date", claims: map[string]any{"auth_time": "2026-11-28T08:00:00Z"}},
		{what: "auth_time as an object", claims: map[string]any{"auth_time": object}},
		{what: "no auth_time", claims: map[string]any{"auth_time": nil}},
		{what: "name as a list", claims: map[string]any{"name": []string{"Dan"}}},
		{what: "name as an object", claims: map[string]any{"name": object}},
		{what: "name as a number", claims: map[string]any{"name": 7}},
		{what: "name that can't be shown", claims: map[string]any{"name": "Dan\u202eDoe\x00"}},
		{what: "name of 300 characters", claims: map[string]any{"name": strings.Repeat("Dan ", 75)}},
		{what: "at_hash as a number", claims: map[string]any{"at_hash": 7}},
		{what: "at_hash as a list", claims: map[string]any{"at_hash": []int{1}}},
		{what: "no at_hash", claims: map[string]any{"at_hash": nil}},
		{what: "amr as text", claims: map[string]any{"amr": "pwd"}},
		{what: "acr as a number", claims: map[string]any{"acr": 0}},
		{what: "jti as a number", claims: map[string]any{"jti": 12}},
		{what: "sid as a list", claims: map[string]any{"sid": []string{"x"}}},
		{what: "nbf as text", claims: map[string]any{"nbf": "now"}},
		{what: "nbf as a list", claims: map[string]any{"nbf": []int{1}}},
		{what: "_claim_names without sources", claims: map[string]any{"_claim_names": map[string]any{"groups": "src1"}}},
		{what: "_claim_names as text", claims: map[string]any{"_claim_names": "groups"}},
		{what: "_claim_sources as a list", claims: map[string]any{"_claim_sources": []string{}}},
		{what: "updated_at, address and locale of odd types", claims: map[string]any{"updated_at": "yesterday", "address": 1, "locale": object}},
		{what: "members in other cases", claims: map[string]any{"Sub": "9", "EXP": 1, "Nonce": "x", "AZP": "other"}},
		{what: "exp and iat with decimals", claims: map[string]any{"exp": float64(now.Unix()) + 3600.5, "iat": float64(now.Unix()) + 0.5}},
		{what: "aud as text", claims: map[string]any{"aud": "keypeg"}},
		{what: "several aud with azp", claims: map[string]any{"aud": []string{"other", "keypeg"}, "azp": "keypeg"}},
		{what: "no azp", claims: map[string]any{"azp": nil}},

		// The address, of which a new account is made.
		{what: "email as a list", claims: map[string]any{"email": []string{"dan@example.com"}}},
		{what: "email as an object", claims: map[string]any{"email": object}},
		{what: "email as a number", claims: map[string]any{"email": 5}},
		{what: "email that isn't one", claims: map[string]any{"email": "dan"}, fresh: noAccount, cause: "gave no e-mail address"},
		{what: "email with two @", claims: map[string]any{"email": "dan@evil.example@example.com"}, fresh: noAccount, cause: "gave no e-mail address"},
		{what: "email in capitals", claims: map[string]any{"email": "Dan@EXAMPLE.com"}},
		{what: "email elsewhere", claims: map[string]any{"email": "dan@elsewhere.example"}, fresh: noAccount, cause: "in none of the domains"},
		{what: "email at a subdomain", claims: map[string]any{"email": "dan@sub.example.com"}, fresh: noAccount, cause: "in none of the domains"},
		{what: "email of more than 64 characters", claims: map[string]any{"email": "dan." + strings.Repeat("x", 56) + "@example.com"}, name: "dan." + strings.Repeat("x", 51) + "-"},
		{what: "email that can't be a name", claims: map[string]any{"email": "dan☃@example.com"}, name: "user-"},
		{what: "email_verified as text", claims: map[string]any{"email_verified": "true"}},
		{what: "email_verified as text in a capital", claims: map[string]any{"email_verified": "True"}},
		{what: "email_verified as an empty text, and true at userinfo", claims: map[string]any{"email_verified": ""}},
		{what: "email_verified as a number", claims: map[string]any{"email_verified": 1}, fresh: noAccount, cause: "has not verified"},
		{what: "email_verified false", claims: map[string]any{"email_verified": false}, fresh: noAccount, cause: "has not verified"},
		{what: "email_verified false as text", claims: map[string]any{"email_verified": "false"}, fresh: noAccount, cause: "has not verified"},
		{what: "email_verified at userinfo only", claims: map[string]any{"email_verified": nil}},
		{what: "xms_edov of somebody else than Entra", claims: map[string]any{"email_verified": nil, "xms_edov": true}, at: federationtest.PathUserinfo, changed: set("email_verified", nil), fresh: noAccount, cause: "has not verified"},
		{what: "another address at userinfo", claims: map[string]any{"email": "eve@elsewhere.example", "email_verified": nil}},
		{what: "an address at userinfo, verified in the token", claims: map[string]any{"email": nil}, at: federationtest.PathUserinfo, changed: set("email_verified", nil), fresh: noAccount, cause: "has not verified"},
		{what: "an address in the token, verified at userinfo", claims: map[string]any{"email_verified": nil}, at: federationtest.PathUserinfo, changed: set("email", nil), fresh: noAccount, cause: "has not verified"},

		// The userinfo endpoint, which known people don't need.
		{what: "name and address at userinfo", sparse: true},
		{what: "userinfo 401", sparse: true, at: federationtest.PathUserinfo, changed: status(401), fresh: notSetUp, cause: "userinfo"},
		{what: "userinfo 403", sparse: true, at: federationtest.PathUserinfo, changed: status(403), fresh: notSetUp, cause: "scopes profile and email"},
		{what: "userinfo 404", sparse: true, at: federationtest.PathUserinfo, changed: status(404), fresh: notSetUp, cause: "404"},
		{what: "userinfo 503", sparse: true, at: federationtest.PathUserinfo, changed: status(503), fresh: unreachable, cause: "503"},
		{what: "userinfo in HTML", sparse: true, at: federationtest.PathUserinfo, changed: text("text/html", "<html>"), fresh: notSetUp, cause: "isn't JSON"},
		{what: "userinfo as a list", sparse: true, at: federationtest.PathUserinfo, changed: text("application/json", "[]"), fresh: notSetUp, cause: "isn't JSON"},
		{what: "userinfo as JSON of another type", sparse: true, at: federationtest.PathUserinfo, changed: func(a *federationtest.Answer) { a.Header.Set("Content-Type", "text/plain") }},
		{what: "userinfo signed by nobody", sparse: true, at: federationtest.PathUserinfo, changed: text("application/jwt", "a.b.c"), fresh: notSetUp, cause: "userinfo"},
		{what: "userinfo that redirects", sparse: true, at: federationtest.PathUserinfo, changed: func(a *federationtest.Answer) { a.Redirects(307, "/elsewhere") }, fresh: notSetUp, cause: "isn't followed"},
		{what: "userinfo of somebody else", sparse: true, at: federationtest.PathUserinfo, changed: set("sub", "1005"), fresh: notSetUp, cause: "of another subject"},
		{what: "userinfo of nobody", sparse: true, at: federationtest.PathUserinfo, changed: set("sub", nil), fresh: notSetUp, cause: "of another subject"},
		{what: "userinfo with odd members", sparse: true, at: federationtest.PathUserinfo, changed: set("address", "none")},
		{what: "userinfo without an address", sparse: true, at: federationtest.PathUserinfo, changed: set("email", nil), fresh: noAccount, cause: "gave no e-mail address"},
		{what: "no userinfo endpoint", at: federationtest.PathDiscovery, changed: set("userinfo_endpoint", nil)},
		{what: "no userinfo endpoint that is needed", sparse: true, at: federationtest.PathDiscovery, changed: set("userinfo_endpoint", nil), fresh: noAccount, cause: "gave no e-mail address"},

		// The token endpoint.
		{what: "expires_in as text", at: federationtest.PathToken, changed: set("expires_in", "soon")},
		{what: "expires_in with decimals", at: federationtest.PathToken, changed: set("expires_in", 3599.5)},
		{what: "no token_type", at: federationtest.PathToken, changed: set("token_type", nil)},
		{what: "scope as a list", at: federationtest.PathToken, changed: set("scope", []string{"openid"})},
		{what: "refresh_token as a number", at: federationtest.PathToken, changed: set("refresh_token", 1)},
		{what: "no access_token", at: federationtest.PathToken, changed: set("access_token", nil)},
		{what: "tokens as plain text", at: federationtest.PathToken, changed: func(a *federationtest.Answer) { a.Header.Set("Content-Type", "text/plain") }},
		{what: "no id_token", at: federationtest.PathToken, changed: set("id_token", nil), known: notSetUp, fresh: notSetUp, cause: "without an ID token"},
		{what: "an encrypted id_token", at: federationtest.PathToken, changed: set("id_token", "a.b.c.d.e"), known: notSetUp, fresh: notSetUp, cause: "not encrypt"},
		{what: "an id_token signed with the secret", at: federationtest.PathToken, changed: set("id_token", "eyJhbGciOiJIUzI1NiJ9.e30.AAAA"), known: notSetUp, fresh: notSetUp, cause: "signed with HS256"},
		{what: "an id_token that isn't one", at: federationtest.PathToken, changed: set("id_token", "x"), known: notSetUp, fresh: notSetUp, cause: "the ID token fails"},
		{what: "an id_token in JSON", at: federationtest.PathToken, changed: set("id_token", `{"payload":"e30","protected":"eyJhbGciOiJFUzI1NiJ9","signature":"AAAA"}`), known: notSetUp, fresh: notSetUp, cause: "the ID token fails"},
		{what: "an id_token that is a number", at: federationtest.PathToken, changed: set("id_token", 1), known: notSetUp, fresh: notSetUp, cause: "without an ID token"},
		{what: "tokens in HTML", at: federationtest.PathToken, changed: text("text/html", "<html>"), known: notSetUp, fresh: notSetUp, cause: "isn't JSON"},
		{what: "a refusal with 200", at: federationtest.PathToken, changed: text("application/json", `{"error":"invalid_client"}`), known: notSetUp, fresh: notSetUp, cause: "client-secret-file"},
		{what: "a used code", at: federationtest.PathToken, changed: func(a *federationtest.Answer) { a.Says(400, "application/json", `{"error":"invalid_grant"}`) }, known: didntWork, fresh: didntWork, cause: "invalid_grant"},
		{what: "401 without a word", at: federationtest.PathToken, changed: func(a *federationtest.Answer) { a.Says(401, "text/html", "<html>") }, known: notSetUp, fresh: notSetUp, cause: "client-secret-file"},
		{what: "a token endpoint that redirects", at: federationtest.PathToken, changed: func(a *federationtest.Answer) { a.Redirects(307, "/oauth/token2") }, known: notSetUp, fresh: notSetUp, cause: "redirects"},
		{what: "an empty error beside the tokens", at: federationtest.PathToken, changed: set("error", "")},
		{what: "an error of null beside the tokens", at: federationtest.PathToken, changed: func(a *federationtest.Answer) { a.Body = append([]byte(`{"error":null,`), a.Body[1:]...) }},
		{what: "an error of false beside the tokens", at: federationtest.PathToken, changed: set("error", false)},
		{what: "an error as an object beside the tokens", at: federationtest.PathToken, changed: set("error", object), known: notSetUp, fresh: notSetUp, cause: "wasn't redeemed"},
		{what: "400 in HTML", at: federationtest.PathToken, changed: func(a *federationtest.Answer) { a.Says(400, "text/html", "<html>") }, known: notSetUp, fresh: notSetUp, cause: "wasn't redeemed"},
		{what: "a token endpoint that isn't there", at: federationtest.PathToken, changed: status(404), known: notSetUp, fresh: notSetUp, cause: "404"},
		{what: "a token endpoint that says no to the person", at: federationtest.PathToken, changed: refusal("access_denied"), known: wasDenied, fresh: wasDenied, cause: "access_denied"},
		{what: "a token endpoint that passes", at: federationtest.PathToken, changed: refusal("temporarily_unavailable"), known: unreachable, fresh: unreachable, cause: "temporarily_unavailable"},
		{what: "a token endpoint that wants a resource", at: federationtest.PathToken, changed: refusal("invalid_target"), known: notSetUp, fresh: notSetUp, cause: "without a resource"},
		{what: "a token endpoint that wants DPoP", at: federationtest.PathToken, changed: refusal("use_dpop_nonce"), known: notSetUp, fresh: notSetUp, cause: "DPoP"},
		{what: "a token endpoint that knows another grant", at: federationtest.PathToken, changed: refusal("unsupported_grant_type"), known: notSetUp, fresh: notSetUp, cause: "authorization code flow"},
		{what: "a token endpoint with a word of its own", at: federationtest.PathToken, changed: refusal("nix_da"), known: notSetUp, fresh: notSetUp, cause: "nix_da"},
		{what: "a token endpoint with too many visitors", at: federationtest.PathToken, changed: status(429), known: unreachable, fresh: unreachable, cause: "429"},

		// What decides.
		{what: "no iss", claims: map[string]any{"iss": nil}, known: notSetUp, fresh: notSetUp, cause: "issued by a different provider"},
		{what: "iss with a slash", claims: map[string]any{"iss": "https://localhost/"}, known: notSetUp, fresh: notSetUp, cause: "issued by a different provider"},
		{what: "sub as a number", claims: map[string]any{"sub": 1001}, known: notSetUp, fresh: notSetUp, cause: "the ID token fails"},
		{what: "sub as a list", claims: map[string]any{"sub": []string{"1001"}}, known: notSetUp, fresh: notSetUp, cause: "1 to 255 ASCII characters"},
		{what: "sub of 256 characters", claims: map[string]any{"sub": strings.Repeat("x", 256)}, known: notSetUp, fresh: notSetUp, cause: "1 to 255 ASCII characters"},
		{what: "sub with an umlaut", claims: map[string]any{"sub": "jörg"}, known: notSetUp, fresh: notSetUp, cause: "1 to 255 ASCII characters"},
		{what: "no sub", claims: map[string]any{"sub": nil}, known: notSetUp, fresh: notSetUp, cause: "its subject"},
		{what: "no aud", claims: map[string]any{"aud": nil}, known: notSetUp, fresh: notSetUp, cause: "expected audience"},
		{what: "aud as an object", claims: map[string]any{"aud": object}, known: notSetUp, fresh: notSetUp, cause: "the ID token fails"},
		{what: "several aud without azp", claims: map[string]any{"aud": []string{"other", "keypeg"}, "azp": nil}, known: notSetUp, fresh: notSetUp, cause: "it is for several clients, \\\"other, keypeg\\\", and has no azp"},
		{what: "one aud twice without azp", claims: map[string]any{"aud": []string{"keypeg", "keypeg"}, "azp": nil}},
		{what: "an empty azp", claims: map[string]any{"azp": ""}},
		{what: "azp of another", claims: map[string]any{"azp": "other"}, known: notSetUp, fresh: notSetUp, cause: "name it in azp"},
		{what: "aud of another", claims: map[string]any{"aud": "other"}, known: notSetUp, fresh: notSetUp, cause: "let the provider put the client-id keypeg into the aud"},
		{what: "azp as a list", claims: map[string]any{"azp": []string{"keypeg"}}, known: notSetUp, fresh: notSetUp, cause: "its azp isn't a text"},
		{what: "no exp", claims: map[string]any{"exp": nil}, known: notSetUp, fresh: notSetUp, cause: "exp isn't a time"},
		{what: "exp as text", claims: map[string]any{"exp": "9999999999"}, known: notSetUp, fresh: notSetUp, cause: "exp isn't a time"},
		{what: "iat as text", claims: map[string]any{"iat": fmt.Sprint(now.Unix())}, known: notSetUp, fresh: notSetUp, cause: "iat isn't a time"},
		{what: "exp in milliseconds", claims: map[string]any{"exp": now.Add(time.Hour).UnixMilli()}, known: notSetUp, fresh: notSetUp, cause: "in seconds since 1970"},
		{what: "iat in milliseconds", claims: map[string]any{"iat": now.UnixMilli()}, known: notSetUp, fresh: notSetUp, cause: "in seconds since 1970"},
		{what: "exp of the past", claims: map[string]any{"exp": now.Add(-2 * time.Minute).Unix()}, known: notSetUp, fresh: notSetUp, cause: "for a minute at least"},
		{what: "exp beyond all time", claims: map[string]any{"exp": 1e300}, known: notSetUp, fresh: notSetUp, cause: "exp isn't a time"},
		{what: "no iat", claims: map[string]any{"iat": nil}, known: notSetUp, fresh: notSetUp, cause: "iat isn't a time"},
		{what: "iat of 1970", claims: map[string]any{"iat": 0}, known: notSetUp, fresh: notSetUp, cause: "iat isn't a time"},
		{what: "nbf of tomorrow", claims: map[string]any{"nbf": now.Add(24 * time.Hour).Unix()}, known: notSetUp, fresh: notSetUp, cause: "doesn't count until"},
		{what: "nonce as a number", claims: map[string]any{"nonce": 1}, known: notSetUp, fresh: notSetUp, cause: "the ID token fails"},
		{what: "no nonce", claims: map[string]any{"nonce": nil}, known: notSetUp, fresh: notSetUp, cause: "as it came"},
		{what: "an empty nonce", claims: map[string]any{"nonce": ""}, known: notSetUp, fresh: notSetUp, cause: "as it came"},
		{what: "the nonce of another sign-in", claims: map[string]any{"nonce": "other"}, known: didntWork, fresh: didntWork, cause: "its nonce is another"},
		{what: "a clock ten minutes ahead", claims: map[string]any{"iat": now.Add(10 * time.Minute).Unix(), "exp": now.Add(15 * time.Minute).Unix()}, known: notSetUp, fresh: notSetUp, cause: "NTP"},
		{what: "a clock ten minutes behind", claims: map[string]any{"iat": now.Add(-10 * time.Minute).Unix(), "exp": now.Add(-5 * time.Minute).Unix()}, known: notSetUp, fresh: notSetUp, cause: "NTP"},
		{what: "a clock days behind", claims: map[string]any{"iat": now.Add(-72 * time.Hour).Unix()}, known: notSetUp, fresh: notSetUp, cause: "issued long ago"},

		// The keys.
		{what: "no kid in the token", lie: federationtest.Lie{KeyID: &none}},
		{what: "a kid that no key has", lie: federationtest.Lie{KeyID: &other}, known: notSetUp, fresh: notSetUp, cause: "no key of the provider has signed it"},
		{what: "keys in HTML", at: federationtest.PathKeys, changed: text("text/html", "<html>"), known: notSetUp, fresh: notSetUp, cause: "no key that we can read"},
		{what: "no key", at: federationtest.PathKeys, changed: text("application/json", `{"keys":[]}`), known: notSetUp, fresh: notSetUp, cause: "no key that we can read"},
		{what: "keys 404", at: federationtest.PathKeys, changed: status(404), known: notSetUp, fresh: notSetUp, cause: "the provider's keys"},
		{what: "keys 502", at: federationtest.PathKeys, changed: status(502), known: unreachable, fresh: unreachable, cause: "the provider's keys"},
		{what: "keys at another host", at: federationtest.PathKeys, changed: func(a *federationtest.Answer) { a.Redirects(302, "http://127.0.0.1:1/keys") }, known: notSetUp, fresh: notSetUp, cause: "isn't followed"},
		{what: "its key for encryption", at: federationtest.PathKeys, changed: ofItsKey("use", "enc"), known: notSetUp, fresh: notSetUp, cause: "no key that we can read"},
		{what: "its key for wrapping", at: federationtest.PathKeys, changed: ofItsKey("key_ops", []string{"wrapKey"}), known: notSetUp, fresh: notSetUp, cause: "no key that we can read"},
		{what: "its key without an id", at: federationtest.PathKeys, changed: ofItsKey("kid", nil)},
		{what: "its key with a number for an id", at: federationtest.PathKeys, changed: ofItsKey("kid", 7)},
		{what: "its key without alg", at: federationtest.PathKeys, changed: ofItsKey("alg", nil)},
		{what: "its key without use", at: federationtest.PathKeys, changed: ofItsKey("use", nil)},
		{what: "its key with a broken certificate", at: federationtest.PathKeys, changed: ofItsKey("x5c", []string{"AAAA"})},
		{what: "its key with a certificate that isn't text", at: federationtest.PathKeys, changed: ofItsKey("x5c", 5)},
		{what: "its key with a broken thumbprint", at: federationtest.PathKeys, changed: ofItsKey("x5t#S256", "!")},
		{what: "its key for another algorithm", at: federationtest.PathKeys, changed: ofItsKey("alg", "ES384"), known: notSetUp, fresh: notSetUp, cause: "no key of the provider has signed it"},

		// What it says about itself.
		{what: "token_endpoint_auth_methods_supported as text", at: federationtest.PathDiscovery, changed: set("token_endpoint_auth_methods_supported", "client_secret_basic")},
		{what: "algorithms as a number", at: federationtest.PathDiscovery, changed: set("id_token_signing_alg_values_supported", 256)},
		{what: "no algorithms", at: federationtest.PathDiscovery, changed: set("id_token_signing_alg_values_supported", nil)},
		{what: "algorithms without a public key", at: federationtest.PathDiscovery, changed: set("id_token_signing_alg_values_supported", []string{"HS256"}), known: notSetUp, fresh: notSetUp, cause: "HS256 only"},
		{what: "scopes_supported as an object", at: federationtest.PathDiscovery, changed: set("scopes_supported", object)},
		{what: "end_session_endpoint as a list", at: federationtest.PathDiscovery, changed: set("end_session_endpoint", []string{"x"})},
		{what: "userinfo_endpoint as a number", sparse: true, at: federationtest.PathDiscovery, changed: set("userinfo_endpoint", 1), fresh: noAccount, cause: "gave no e-mail address"},
		{what: "no token_endpoint", at: federationtest.PathDiscovery, changed: set("token_endpoint", nil), known: notSetUp, fresh: notSetUp, cause: "its token_endpoint is missing"},
		{what: "no jwks_uri", at: federationtest.PathDiscovery, changed: set("jwks_uri", nil), known: notSetUp, fresh: notSetUp, cause: "its jwks_uri is missing"},
	}
	for what, key := range strangeKeys(t) {
		list = append(list, providerAnswer{what: "beside its key " + what, at: federationtest.PathKeys, changed: func(a *federationtest.Answer) {
			var set struct {
				Keys []json.RawMessage `json:"keys"`
			}
			if err := json.Unmarshal(a.Body, &set); err != nil {
				panic(err)
			}
			a.Set("keys", append([]json.RawMessage{json.RawMessage(strings.ReplaceAll(key, "ITS-ID", keyID(set.Keys[0])))}, set.Keys...))
		}})
	}
	return list
}

func keyID(key json.RawMessage) string {
	var named struct{ Kid string }
	if err := json.Unmarshal(key, &named); err != nil {
		panic(err)
	}
	return named.Kid
}

// ofItsKey changes a member of the provider's key.
func ofItsKey(name string, value any) func(*federationtest.Answer) {
	return func(a *federationtest.Answer) {
		var set struct {
			Keys []map[string]any `json:"keys"`
		}
		if err := json.Unmarshal(a.Body, &set); err != nil {
			panic(err)
		}
		set.Keys[0][name] = value
		if value == nil {
			delete(set.Keys[0], name)
		}
		a.Set("keys", set.Keys)
	}
}

// strangeKeys are keys that some providers have in their sets, and that we can't use.
func strangeKeys(t *testing.T) map[string]string {
	jwk := func(key any) string {
		encoded, err := json.Marshal(jose.JSONWebKey{Key: key, KeyID: "ITS-ID", Use: "sig"})
		if err != nil {
			t.Fatal(err)
		}
		return string(encoded)
	}
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	long, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{
		"one on secp256k1":           `{"kty":"EC","crv":"secp256k1","kid":"ITS-ID","use":"sig","alg":"ES256K","x":"eeVxnNa92wONaDm4v8-kSlszrNRRrPOVVELnOtExC6k","y":"SNLeD9xyAu8Z5g_jKVvUk5RwIqxPoilLjVuOQpM9X5c"}`,
		"one on secp256k1, no alg":   `{"kty":"EC","crv":"secp256k1","kid":"ITS-ID","x":"eeVxnNa92wONaDm4v8-kSlszrNRRrPOVVELnOtExC6k","y":"SNLeD9xyAu8Z5g_jKVvUk5RwIqxPoilLjVuOQpM9X5c"}`,
		"one of an unknown type":     `{"kty":"AKP","alg":"ML-DSA-44","kid":"ITS-ID","pub":"AAAA"}`,
		"one without a type":         `{"kid":"ITS-ID","use":"sig"}`,
		"one on Ed448":               `{"kty":"OKP","crv":"Ed448","kid":"ITS-ID","x":"AAAA"}`,
		"one that is a secret":       `{"kty":"oct","kid":"ITS-ID","k":"c2VjcmV0"}`,
		"one off its curve":          `{"kty":"EC","crv":"P-256","kid":"ITS-ID","x":"AQ","y":"AQ"}`,
		"one cut short":              `{"kty":"RSA","kid":"ITS-ID","n":"AQAB"}`,
		"one that isn't base64":      `{"kty":"RSA","kid":"ITS-ID","n":"§","e":"AQAB"}`,
		"one that isn't an object":   `"key"`,
		"one with members of a list": `{"kty":["RSA"],"kid":"ITS-ID","n":1,"e":[]}`,
		"another with its id":        jwk(long.Public()),
		"one with its private half":  jwk(private),
	}
}

// TestFederationClaims checks that nothing in a provider's answer but the subject keeps a known
// user out, and that what decides is checked for all.
func TestFederationClaims(t *testing.T) {
	for _, row := range providerAnswers(t) {
		for _, known := range []bool{true, false} {
			name, who, wants := row.what+", of somebody new", danThere, row.fresh
			if known {
				name, who, wants = row.what+", of somebody known", annThere, row.known
			}
			t.Run(name, func(t *testing.T) {
				a := newFederated(t, stores["memstore"])
				a.one.Register(federationtest.Client{ID: "keypeg", Secret: "s3cret", RedirectURIs: []string{origin + shared.PageSSO + "one" + shared.PageSSOAnswer}, ClaimsInToken: !row.sparse})
				if known {
					if err := a.accounts.LinkUser(t.Context(), it(t, a.accounts, "ann"), "one", who.Subject); err != nil {
						t.Fatal(err)
					}
					a.getsIn(a.visitor(), "one", who) // so it is hers, and has been used
					a.forgetsProviders()
				}
				lie := row.lie
				lie.Claims = row.claims
				a.one.Lies(&lie)
				if row.at != "" {
					a.one.Changes(row.at, row.changed)
				}
				asked := 0
				if row.at != federationtest.PathUserinfo {
					a.one.Changes(federationtest.PathUserinfo, func(*federationtest.Answer) { asked++ })
				}

				v := a.visitor()
				if wants != in {
					warnings := func() int { return strings.Count(a.log.String(), "level=WARN") }
					before := warnings()
					a.staysOut(v, wants, row.cause, func() answer { return a.tries(v, who) })
					tells := 0
					if wants == notSetUp || wants == unreachable {
						tells = 1
					}
					v = a.visitor() // the second tells IT nothing new
					a.staysOut(v, wants, row.cause, func() answer { return a.tries(v, who) })
					if n := warnings() - before; n != tells {
						t.Errorf("%d warnings, want %d:\n%s", n, tells, a.log)
					}
					if strings.Contains(a.log.String(), "nobody can sign in") {
						t.Errorf("it claims more than one sign-in shows:\n%s", a.log)
					}
				} else {
					got := a.getsIn(v, "one", who).User
					if row.name == "" {
						row.name = "dan@example.com"
					}
					if known && got.Name != "ann" || !known && !strings.HasPrefix(got.Name, row.name) {
						t.Errorf("they are %+v", got)
					}
					if again := a.getsIn(a.visitor(), "one", who).User; again.ID != got.ID {
						t.Errorf("the next time they are somebody else: %+v", again)
					}
				}
				if known && asked > 0 {
					t.Errorf("userinfo was asked %d times", asked)
				}
				a.keepsSecrets()
			})
		}
	}
}

// tries goes to the provider, if that is possible, and comes back.
func (a *federated) tries(v *visitor, who federationtest.Person) answer {
	a.Helper()
	out := v.sends("GET", shared.PageSSO+"one", nil)
	to := out.header.Get("Location")
	if !strings.HasPrefix(to, a.one.URL) {
		return out
	}
	return v.sends("GET", a.signsInThere(to, who), nil)
}

// forgetsProviders restarts the server, which knows nothing of its providers then.
func (a *federated) forgetsProviders() {
	a.restarts(func(c *server.Config) {
		for i, p := range c.Providers {
			c.Providers[i] = federation.New(p.Config(), origin+shared.PageSSO+p.Config().ID+shared.PageSSOAnswer, a.now)
		}
	})
}
