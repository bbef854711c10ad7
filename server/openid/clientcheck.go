package openid

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/internal/shown"
	"github.com/keypeg/keypeg/shared"
)

// Limits of a [Client].
const (
	MostRedirects     = 20   // redirect URIs, and addresses after sign-out
	MostAddressLength = 2000 // of each of its addresses, in bytes
	mostClientGroups  = 50
)

// Fault is what is wrong with one property of a client.
type Fault struct {
	Property string // by its key in the configuration file, such as redirects
	Sentence string // for IT, which says what to write
}

// Invalid is the error of [Client.Check]: everything that is wrong with a client.
type Invalid []Fault

// Error implements error.
func (i Invalid) Error() string {
	sentences := make([]string, len(i))
	for at, fault := range i {
		sentences[at] = fault.Sentence
	}
	return strings.Join(sentences, "; ")
}

func (i *Invalid) add(property, sentence string, arguments ...any) {
	*i = append(*i, Fault{property, fmt.Sprintf(sentence, arguments...)})
}

// An id begins with a letter or a digit, so that no program takes it for an option, and none for a step
// in a path.
var clientIDPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._~-]{0,127}$`)

// CheckClientID says what is wrong with the id of a client, in a sentence for IT.
func CheckClientID(id string) error {
	if !clientIDPattern.MatchString(id) {
		return fmt.Errorf("%s can't be the id of a client: use at most 128 letters, digits and . _ ~ -, with a letter or a digit first", shown.Quoted(id))
	}
	return nil
}

// The scopes that a client may ask for besides openid.
const (
	ScopeProfile       = "profile"
	ScopeEmail         = "email"
	ScopeGroups        = "groups"
	ScopeOfflineAccess = "offline_access"
)

var clientScopes = []string{ScopeProfile, ScopeEmail, ScopeGroups, ScopeOfflineAccess}

// Check returns the client as it is registered: with its defaults, with names in their canonical form, and with each
// value of a list once. It does not look at secrets.
//
// It fails with [Invalid].
func (c Client) Check() (Client, error) {
	var wrong Invalid
	idErr := CheckClientID(c.ID)
	unnamed := strings.TrimSpace(c.Name) == ""
	if idErr != nil {
		wrong.add("id", "%s", idErr)
	}
	if unnamed {
		c.Name = c.ID[:min(len(c.ID), shared.MaxNameLength)]
	}
	name, err := shared.CleanDisplayName(c.Name)
	if err != nil && !(unnamed && idErr != nil) { // it would only follow from the id
		wrong.add("name", "the name %s can't be used: %s", shown.Quoted(c.Name), err)
	}
	c.Name = name
	c.checkAddresses(&wrong)
	c.checkAuthentication(&wrong)
	c.checkAccess(&wrong)
	if len(wrong) > 0 {
		return Client{}, wrong
	}
	return c, nil
}

// checkAddresses checks where the client is.
func (c *Client) checkAddresses(wrong *Invalid) {
	if c.Home != "" {
		if err := checkWebAddress(c.Home); err != nil {
			wrong.add("home", "the home %s", err)
		}
	}
	for _, list := range []struct {
		property, one string
		addresses     *[]string
	}{{"redirects", "redirect", &c.Redirects}, {"signed-out", "address after sign-out", &c.SignedOut}} {
		*list.addresses = unique(*list.addresses)
		if len(*list.addresses) > MostRedirects {
			wrong.add(list.property, "there are %d of %s: write at most %d", len(*list.addresses), list.property, MostRedirects)
			continue
		}
		for _, address := range *list.addresses {
			if err := checkRedirect(address); err != nil {
				wrong.add(list.property, "the %s %s", list.one, err)
			}
		}
	}
	if len(c.Redirects) == 0 && !c.Device {
		wrong.add("redirects", "there is no redirect: write the address to which the program wants its users sent back, such as https://app.example.com/callback")
	}
	if c.BackChannel != "" {
		if err := checkWebAddress(c.BackChannel); err != nil {
			wrong.add("back-channel-logout", "the address for back-channel logout %s", err)
		}
	}
}

// checkAuthentication checks how the client proves who it is, and how its tokens are protected.
func (c *Client) checkAuthentication(wrong *Invalid) {
	if c.Authentication == "" {
		c.Authentication = AuthenticatesBasic
	}
	if c.Algorithm == "" {
		c.Algorithm = RS256
	}
	ways := []Authentication{AuthenticatesBasic, AuthenticatesPost, AuthenticatesKey, AuthenticatesNever}
	switch {
	case !slices.Contains(ways, c.Authentication):
		wrong.add("authentication", "%s is no way to authenticate: write one of %s", shown.Quoted(string(c.Authentication)), listed(ways))
	case c.Authentication == AuthenticatesKey && len(c.Keys) == 0:
		wrong.add("keys-file", "a client with the authentication %s needs its public keys: name a file with its JSON Web Key Set", AuthenticatesKey)
	case c.Authentication != AuthenticatesKey && len(c.Keys) > 0:
		wrong.add("authentication", "the client has keys, and authenticates with %s: write %s, or leave the keys out", c.Authentication, AuthenticatesKey)
	case len(c.Keys) > 0:
		keys, err := canonicalKeys(c.Keys)
		if err != nil {
			wrong.add("keys-file", "the keys can't be used: %s", err)
		}
		c.Keys = keys
	}
	if c.IsPublic() && c.WithoutPKCE {
		wrong.add("pkce", "a client without authentication needs PKCE, because nothing else protects its sign-ins: leave out pkce = false, or give the client a secret")
	}
	if algorithms := []Algorithm{RS256, ES256}; !slices.Contains(algorithms, c.Algorithm) {
		wrong.add("algorithm", "%s doesn't sign ID tokens here: write one of %s", shown.Quoted(string(c.Algorithm)), listed(algorithms))
	}
}

// checkAccess checks what the program may learn, and who may use it.
func (c *Client) checkAccess(wrong *Invalid) {
	c.Scopes = slices.DeleteFunc(unique(c.Scopes), func(scope string) bool { return scope == "openid" }) // each may ask for it
	for _, scope := range c.Scopes {
		if !slices.Contains(clientScopes, scope) {
			wrong.add("scopes", "there is no scope %s: write some of %s", shown.Quoted(scope), listed(clientScopes))
		}
	}
	var groups []string
	for _, written := range c.Groups {
		group, err := account.CanonicalName(written)
		if err != nil {
			wrong.add("groups", "no group can be called %s: a group's name is like a user name, without spaces, at most %d characters", shown.Quoted(written), shared.MaxNameLength)
			continue
		}
		groups = append(groups, group)
	}
	if c.Groups = unique(groups); len(c.Groups) > mostClientGroups {
		wrong.add("groups", "there are %d groups: write at most %d", len(c.Groups), mostClientGroups)
	}
}

// unique returns the texts in their order, each once.
func unique(texts []string) (once []string) {
	for _, text := range texts {
		if !slices.Contains(once, text) {
			once = append(once, text)
		}
	}
	return once
}

// listed returns values for a sentence: "a, b or c".
func listed[T ~string](values []T) string {
	var text strings.Builder
	for i, value := range values {
		switch {
		case i == 0:
		case i == len(values)-1:
			text.WriteString(" or ")
		default:
			text.WriteString(", ")
		}
		text.WriteString(string(value))
	}
	return text.String()
}
