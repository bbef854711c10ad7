package shared

import "time"

// ClientList holds the programs that sign users in here, by their names, for administrators and auditors.
type ClientList struct {
	Issuer  string         `json:"issuer"` // that each program needs
	Clients []Client       `json:"clients"`
	Presets []ClientPreset `json:"presets"` // of programs that we know
}

// Client is a program that signs users in here: a client of OpenID Connect.
type Client struct {
	ID   string `json:"id"`             // client_id
	Host string `json:"host,omitempty"` // where it is; missing for an app
	// Revision is another one after each change of the settings.
	Revision string         `json:"revision"`
	Settings ClientSettings `json:"settings"`
	// Configured means that it is in the configuration file, and can be changed there alone.
	Configured bool `json:"configured,omitempty"`
	// Secrets are those that are accepted, or were; the newest first. Nothing tells them again.
	Secrets []ClientSecret `json:"secrets"`
	Created time.Time      `json:"created,omitzero"` // missing for a configured one
	Changed time.Time      `json:"changed,omitzero"` // last; missing for a configured one
}

// ClientSecret is when a secret of a [Client] is accepted.
type ClientSecret struct {
	Since time.Time `json:"since,omitzero"`
	Until time.Time `json:"until,omitzero"` // missing for one without an end
}

// ClientSettings are what can be set of a [Client]. In a request, what is missing stays as it is, or gets its default.
type ClientSettings struct {
	Name           string   `json:"name"`
	Home           string   `json:"home"`              // address of its start page, or ""
	Redirects      []string `json:"redirects"`         // redirect URIs
	SignedOut      []string `json:"signedOut"`         // where a sign-out that it began may lead
	BackChannel    string   `json:"backChannelLogout"` // address that is told of ended sessions, or ""
	Authentication string   `json:"authentication"`    // [ClientBasic] and the others
	Keys           string   `json:"keys"`              // for [ClientKey]: a JSON Web Key Set
	WithoutPKCE    bool     `json:"withoutPkce"`
	Algorithm      string   `json:"algorithm"` // of ID tokens: RS256 or ES256
	Pairwise       bool     `json:"pairwise"`
	FirstParty     bool     `json:"firstParty"`
	Groups         []string `json:"groups"` // whose users may use it; none means everybody
	Scopes         []string `json:"scopes"` // that it may ask for; none means profile, email and groups
	Device         bool     `json:"device"`
}

// The ways in which a [Client] authenticates at the token endpoint (OpenID Connect Core 1.0, 9).
const (
	ClientBasic = "client_secret_basic"
	ClientPost  = "client_secret_post"
	ClientKey   = "private_key_jwt"
	ClientNone  = "none"
)

// ClientPreset is a program that we know.
type ClientPreset struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Fixed bool   `json:"fixed,omitempty"` // it is at the same address for everybody
	// Settings are those with which it is registered, with [ClientURL] for the address where people open it.
	Settings ClientSettings `json:"settings"`
}

// ClientURL stands in the settings of a [ClientPreset] for the address of the program, without a slash at its end.
const ClientURL = "{url}"

// AddClient registers a program.
type AddClient struct {
	ID string `json:"id"`
	// Preset is the id of a [ClientPreset], or "". Its settings count where others are missing, and the answer has the
	// text for the program.
	Preset   string         `json:"preset,omitempty"`
	URL      string         `json:"url,omitempty"` // of the program of the preset
	Settings ClientSettings `json:"settings,omitzero"`
}

// ChangeClient changes a program. It is refused if the program has been changed since the revision.
type ChangeClient struct {
	Revision string         `json:"revision"`
	Settings ClientSettings `json:"settings,omitzero"`
}

// RotateClient gives a program a new secret.
type RotateClient struct {
	// OverlapDays is how long old secrets are accepted too, at most; 0 ends them at once.
	OverlapDays int    `json:"overlapDays,omitzero"`
	Preset      string `json:"preset,omitempty"` // whose text the answer has
	URL         string `json:"url,omitempty"`    // of the program of the preset; "" means its home
}

// ClientOverlapDays is for how many days the old secret of a program is usually accepted beside a new one.
const ClientOverlapDays = 7

// RegisteredClient is a program with what it must be told.
type RegisteredClient struct {
	Client Client `json:"client"`
	Issuer string `json:"issuer"`
	Secret string `json:"secret,omitempty"` // a new one, which nothing tells again; missing if it has none
	Text   string `json:"text,omitempty"`   // the settings of the program itself, by the preset
}

// ClientText is the settings of a program itself, by a preset, without its secret.
type ClientText struct {
	Text string `json:"text"`
}

// Fault is what is wrong with one field of a request.
type Fault struct {
	Field    string `json:"field"`    // such as redirects
	Sentence string `json:"sentence"` // in English
}
