package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"

	"github.com/keypeg/keypeg/server/internal/shown"
	"github.com/keypeg/keypeg/server/internal/textfile"
	"github.com/keypeg/keypeg/server/openid"
	"github.com/keypeg/keypeg/server/store"
)

// clientTable is the key of the tables of clients in the configuration file, such as
// [client.grafana], where grafana is the client's id.
const clientTable = "client"

// clientSettings is such a table. Its keys are the properties of [openid.Fault].
type clientSettings struct {
	Name           string                `toml:"name"`
	Home           string                `toml:"home"`
	Redirects      texts                 `toml:"redirects"`
	SignedOut      texts                 `toml:"signed-out"`
	BackChannel    string                `toml:"back-channel-logout"`
	Authentication openid.Authentication `toml:"authentication"`
	SecretFile     string                `toml:"secret-file"`
	KeysFile       string                `toml:"keys-file"`
	PKCE           *bool                 `toml:"pkce"`
	Algorithm      openid.Algorithm      `toml:"algorithm"`
	Pairwise       bool                  `toml:"pairwise"`
	FirstParty     bool                  `toml:"first-party"`
	Groups         texts                 `toml:"groups"`
	Scopes         texts                 `toml:"scopes"`
	Device         bool                  `toml:"device"`
}

// ClientKeys are the keys of such a table.
func ClientKeys() []string { return keysOf(reflect.TypeFor[clientSettings]()) }

func keysOf(table reflect.Type) (keys []string) {
	for _, field := range reflect.VisibleFields(table) {
		keys = append(keys, field.Tag.Get("toml"))
	}
	return keys
}

// client is a client of the configuration.
type client struct {
	openid.Client
	secretFile string // or ""
}

// clientsOf returns the clients of tables, in this order, and what is wrong with which key of which table.
func clientsOf(tables map[string]clientSettings, order []string) (list []client, found []fault) {
	for _, id := range order {
		c, wrong := tables[id].client(id)
		for _, w := range wrong {
			found = append(found, faultOf(fmt.Errorf("the client %s: %s", shown.Text(id), w.Sentence), id, w.Property))
		}
		list = append(list, c)
	}
	return list, found
}

// client returns the client of a table, and everything that is wrong with it.
func (s clientSettings) client(id string) (c client, wrong openid.Invalid) {
	c.secretFile = s.SecretFile
	c.Client = openid.Client{
		ID: id, Name: s.Name, Home: s.Home, Redirects: s.Redirects, SignedOut: s.SignedOut, BackChannel: s.BackChannel,
		Authentication: s.Authentication, WithoutPKCE: s.PKCE != nil && !*s.PKCE, Algorithm: s.Algorithm,
		Pairwise: s.Pairwise, FirstParty: s.FirstParty, Groups: s.Groups, Scopes: s.Scopes, Device: s.Device,
	}
	unread := false
	if s.KeysFile != "" {
		text, err := textfile.Read(s.KeysFile)
		if unread = err != nil; unread {
			wrong = append(wrong, openid.Fault{Property: "keys-file", Sentence: fmt.Sprintf("keys-file: %s", err)})
		}
		c.Keys = json.RawMessage(text)
	}
	checked, err := c.Check()
	invalid, _ := errors.AsType[openid.Invalid](err)
	for _, fault := range invalid {
		if !unread || fault.Property != "keys-file" { // it would say that there are none
			wrong = append(wrong, fault)
		}
	}
	secrets, err := s.secrets(c.UsesSecret())
	if err != nil {
		wrong = append(wrong, openid.Fault{Property: "secret-file", Sentence: err.Error()})
	}
	if len(wrong) == 0 {
		c.Client = checked
		c.Secrets, c.Configured = secrets, true
	}
	return c, wrong
}

// leastSecret is how long the secret of a client must be, in bytes. The store has hashes without salt, so nobody may
// be able to guess it.
const leastSecret = 32

// secrets returns the secret of the client, which it has if it uses one.
func (s clientSettings) secrets(uses bool) ([]openid.Secret, error) {
	switch {
	case !uses && s.SecretFile == "":
		return nil, nil
	case !uses:
		return nil, fmt.Errorf("it has a secret-file, and its authentication %s uses no secret: leave one of them out", shown.Quoted(string(s.Authentication)))
	case s.SecretFile == "":
		return nil, errors.New("it has no secret-file: name a file with its secret, or write authentication = \"none\" if it can't keep one")
	}
	secret, err := textfile.Secret(s.SecretFile)
	if err != nil {
		return nil, fmt.Errorf("secret-file: %w", err)
	}
	if len(secret) < leastSecret {
		return nil, fmt.Errorf("the secret in %s has less than %d characters: make one that nobody can guess, with openssl rand -base64 32", s.SecretFile, leastSecret)
	}
	return []openid.Secret{{Hash: store.HashOf(secret)}}, nil
}
