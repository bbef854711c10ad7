package account

import (
	"context"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// Claims are what a provider says of a person who has just signed in there (OpenID
// Connect Core 1.0, 5.1). The caller has checked the ID token.
type Claims struct {
	Provider Provider
	Subject  string
	Profile                      // as far as the ID token has it
	IDToken  map[string][]string // all claims of the ID token, by name
	// UserInfo asks the provider for the profile that the ID token leaves out. It is nil
	// where there is nothing to ask for. Its errors are [shared.Error]s.
	UserInfo func(context.Context) (Profile, error)

	// SpendTicket belongs in the batch that uses the claims, so that one authorization
	// response counts once. It is nil where IT links an identity and there was no response.
	SpendTicket store.Op
}

// Profile is what a provider says of a person besides the subject. Nothing of it decides
// which account a person signs in to.
type Profile struct {
	Name          string // as people write it, "Ann Admin"; may be empty
	Email         string // may be empty
	EmailVerified bool   // the source of Email says that it belongs to the person
}

// vouchedEmail returns the person's address if the provider knows that they read what is sent there,
// or else "". Where anybody may have an account, an address was verified at some time, and may be
// somebody else's by now. Google knows its own addresses, and those of organisations that it hosts.
func (c Claims) vouchedEmail() string {
	email, err := CanonicalEmail(c.Email)
	if err != nil || !c.EmailVerified || c.Provider.isOpen() {
		return ""
	}
	_, domain, _ := strings.Cut(email, "@")
	if c.Provider.Issuer == issuerGoogle && !slices.Contains(mailOfGoogle, domain) && len(domainsOf(c.IDToken[claimGoogle])) == 0 {
		return ""
	}
	return email
}

// isOf reports whether the claims are about this identity.
func (c Claims) isOf(i store.Identity) bool {
	return i.Issuer == c.Provider.Issuer && i.Subject == c.Subject
}

// withUserInfo returns the claims with the whole profile. It asks the provider if the ID
// token leaves anything out.
func (c Claims) withUserInfo(ctx context.Context) (Claims, error) {
	if c.UserInfo == nil {
		return c, nil
	}
	profile, err := c.UserInfo(ctx)
	if err != nil {
		return c, err
	}
	c.Profile, c.UserInfo = profile, nil
	return c, nil
}

// withIdentityName returns claims that have an identityName. It asks the provider if the ID
// token has none. An identity without a name works too, so a failure changes nothing.
func (c Claims) withIdentityName(ctx context.Context) Claims {
	if c.identityName() != "" {
		return c
	}
	if whole, err := c.withUserInfo(ctx); err == nil {
		return whole
	}
	return c
}

// identityName is the name of the identity in the list on the user's start page, or "".
func (c Claims) identityName() string {
	if name := cleanName(c.Email); name != "" {
		return name
	}
	return cleanName(c.Name)
}

// cleanName adapts a provider's text to our rules for names. A long text is cut. A text
// that can't be shown becomes "".
func cleanName(text string) string {
	if runes := []rune(strings.Join(strings.Fields(text), " ")); len(runes) > shared.MaxNameLength {
		text = strings.TrimSpace(string(runes[:shared.MaxNameLength-1])) + "…"
	}
	clean, err := shared.CleanDisplayName(text)
	if err != nil {
		return ""
	}
	return clean
}

// newUserName is the user name of a new user: their e-mail address. An address that can't
// be a user name, because it is too long for instance, is cut to what stands before the
// @, with a suffix that no other identity has. The result has no @, so it is never another
// person's address.
func (c Claims) newUserName() string {
	if name, err := CanonicalName(c.Email); err == nil {
		return name
	}
	sum := store.HashOf(c.Provider.Issuer + " " + c.Subject)
	suffix := "-" + hex.EncodeToString(sum[:4])
	local, _, _ := strings.Cut(plainAddress(c.Email), "@")
	runes := []rune(local)
	if name, err := CanonicalName(string(runes[:min(len(runes), shared.MaxNameLength-len(suffix))]) + suffix); err == nil {
		return name
	}
	return "user" + suffix
}
