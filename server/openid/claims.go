package openid

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"time"

	"github.com/keypeg/keypeg/server/grant"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// The values of acr that we state and accept (OpenID Connect Extended Authentication Profile (EAP) ACR Values 1.0, 3).
const (
	acrPasskey  = "phr"  // phishing-resistant
	acrHardware = "phrh" // the same, with a key that can't leave its device, as its maker attests
)

// ContextOf states how a user has proved their identity: acr, and amr (RFC 8176, 2). Acr is "" for what
// isn't phishing-resistant.
func ContextOf(proof store.Proof, user store.User) (acr string, amr []string) {
	switch proof.Method {
	case store.MethodPasskey:
		acr, amr = acrPasskey, []string{"swk", "user"}
		at := slices.IndexFunc(user.Passkeys, func(p store.Passkey) bool { return p.ID == proof.PasskeyID })
		if at >= 0 && IsHardware(user.Passkeys[at]) {
			acr, amr[0] = acrHardware, "hwk"
		}
		if proof.UserVerified { // something that the user has, and what its PIN or their finger proves
			amr = append(amr, "mfa")
		}
	case store.MethodPassword:
		amr = []string{"pwd"}
	case store.MethodSSO:
		amr = []string{"fed"} // of no registry, but what others state too
	case store.MethodRecoveryCode:
		amr = []string{"otp"}
	}
	return acr, amr
}

// IsHardware reports whether a passkey can't leave its device, as its maker attests.
func IsHardware(p store.Passkey) bool { return p.Attested && !p.IsSynced() }

// meets reports whether an acr is one of those that a request asks for. None asked means any.
func meets(acr string, asked []string) bool {
	return len(asked) == 0 || slices.Contains(asked, acr) || acr == acrHardware && slices.Contains(asked, acrPasskey)
}

// subject returns the sub of a user for a client. It is the user's id, or, if the client's is pairwise, nothing
// from which somebody could tell that users of two programs are one (OpenID Connect Core 1.0, 8.1).
func (h *Handlers) subject(c Client, userID string) string {
	if !c.Pairwise {
		return userID
	}
	mac := hmac.New(sha256.New, h.pairwise)
	mac.Write([]byte(c.ID + "\x00" + userID))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// claimsOf returns what a program may know of a user, by its scopes (OpenID Connect Core 1.0, 5.4). A claim without
// a value is left out, but for groups: a program must be able to tell none from unknown.
func claimsOf(user store.User, scopes []string) map[string]any {
	claims := map[string]any{}
	has := func(scope string) bool { return slices.Contains(scopes, scope) }
	if has(shared.ScopeProfile) {
		claims["name"], claims["preferred_username"] = user.DisplayName, user.Name
		if user.Language != "" {
			claims["locale"] = user.Language
		}
		claims["updated_at"] = updated(user).Unix()
	}
	if has(shared.ScopeEmail) && user.Email != "" {
		claims["email"], claims["email_verified"] = user.Email, user.EmailVerified
	}
	if has(shared.ScopeGroups) {
		claims["groups"] = append([]string{}, user.Groups...)
	}
	return claims
}

// updated is when what programs are told of the user changed last: a program that remembers users takes it over when that
// grows.
func updated(user store.User) time.Time {
	if user.Changed.After(user.Created) {
		return user.Changed
	}
	return user.Created
}

// idToken returns the claims of an ID token (OpenID Connect Core 1.0, 2). They hold what userinfo says too, because
// many programs never ask there.
func (h *Handlers) idToken(c Client, on grant.Standing, nonce, accessToken string) map[string]any {
	now := h.Now()
	claims := claimsOf(on.User, on.Scopes)
	acr, amr := ContextOf(on.Proof, on.User)
	claims["iss"], claims["sub"], claims["aud"] = h.Issuer, h.subject(c, on.UserID), c.ID
	claims["iat"], claims["exp"] = now.Unix(), now.Add(grant.AccessLife).Unix()
	claims["auth_time"], claims["sid"] = on.Authenticated.Unix(), grant.SID(on.Session)
	claims["at_hash"] = halfHash(accessToken)
	if nonce != "" {
		claims["nonce"] = nonce
	}
	if acr != "" {
		claims["acr"] = acr
	}
	if len(amr) > 0 {
		claims["amr"] = amr
	}
	return claims
}

// accessToken returns the claims of an access token (RFC 9068, 2.2). Its jti stands for the grant: whoever gets
// the token can ask userinfo with it while the grant lasts.
func (h *Handlers) accessToken(c Client, on grant.Standing, reference string) map[string]any {
	now := h.Now()
	claims := map[string]any{
		"iss": h.Issuer, "sub": h.subject(c, on.UserID), "aud": h.Issuer, "client_id": c.ID, "jti": reference,
		"iat": now.Unix(), "exp": now.Add(grant.AccessLife).Unix(), "auth_time": on.Authenticated.Unix(),
		"scope": scopeText(on.Scopes), "sid": grant.SID(on.Session),
	}
	if acr, _ := ContextOf(on.Proof, on.User); acr != "" {
		claims["acr"] = acr
	}
	return claims
}
