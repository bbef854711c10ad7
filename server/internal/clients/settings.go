package clients

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"

	"github.com/keypeg/keypeg/server/internal/strictjson"
	"github.com/keypeg/keypeg/server/openid"
	"github.com/keypeg/keypeg/shared"
)

// clientOf returns a client as the API has it.
func clientOf(c openid.Client) shared.Client {
	of := shared.Client{
		ID: c.ID, Host: c.Host(""), Settings: settingsOf(c), Configured: c.Configured, Secrets: []shared.ClientSecret{}, Created: c.Created, Changed: c.Changed,
	}
	of.Revision = revisionOf(of.Settings)
	for _, s := range c.Secrets {
		of.Secrets = append(of.Secrets, shared.ClientSecret{Since: s.Since, Until: s.Until})
	}
	return of
}

// settingsOf returns what can be set of a client. Its lists are copies, because a decoder writes over those that it finds, and the
// event of a change compares them with what was.
func settingsOf(c openid.Client) shared.ClientSettings {
	return shared.ClientSettings{
		Name: c.Name, Home: c.Home, Redirects: slices.Clone(c.Redirects), SignedOut: slices.Clone(c.SignedOut), BackChannel: c.BackChannel,
		Authentication: string(c.Authentication), Keys: string(c.Keys), WithoutPKCE: c.WithoutPKCE, Algorithm: string(c.Algorithm),
		Pairwise: c.Pairwise, FirstParty: c.FirstParty, Groups: slices.Clone(c.Groups), Scopes: slices.Clone(c.Scopes), Device: c.Device,
	}
}

// revisionOf returns a text that is another one for other settings. A new secret changes none.
func revisionOf(s shared.ClientSettings) string {
	encoded, err := json.Marshal(s)
	if err != nil {
		panic(err) // texts and truth values can always be encoded
	}
	sum := sha256.Sum256(encoded)
	return hex.EncodeToString(sum[:12])
}

// apply sets what a request has of the settings of a client. The rest stays.
func apply(sent json.RawMessage, to *openid.Client) error {
	s := settingsOf(*to)
	if len(sent) > 0 {
		if err := strictjson.Unmarshal(sent, &s); err != nil {
			return shared.Errorf(shared.CodeInvalidRequest, "The settings of the program can't be read.").Because(err)
		}
	}
	var keys json.RawMessage
	if s.Keys != "" {
		if keys = json.RawMessage(s.Keys); !json.Valid(keys) {
			return invalid(shared.Fault{Field: "keys", Sentence: "the keys aren't a JSON Web Key Set"})
		}
	}
	to.Name, to.Home, to.Redirects, to.SignedOut, to.BackChannel = s.Name, s.Home, s.Redirects, s.SignedOut, s.BackChannel
	to.Authentication, to.Keys, to.WithoutPKCE, to.Algorithm = openid.Authentication(s.Authentication), keys, s.WithoutPKCE, openid.Algorithm(s.Algorithm)
	to.Pairwise, to.FirstParty, to.Groups, to.Scopes, to.Device = s.Pairwise, s.FirstParty, s.Groups, s.Scopes, s.Device
	return nil
}
