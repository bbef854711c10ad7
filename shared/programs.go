package shared

import "time"

// ProgramList holds the other programs that a user signs in to with the account, by their names.
type ProgramList struct {
	Programs []Program `json:"programs"`
}

// Program is one of them.
type Program struct {
	ID   string `json:"id"` // names it in paths; it is no secret
	Name string `json:"name"`
	Host string `json:"host,omitempty"` // where it is; missing for an app
	// Scopes are what it gets: [ScopeProfile] and the others.
	Scopes []string `json:"scopes"`
	// Since is when the user let it in, or signed in to it first.
	Since time.Time `json:"since"`
	// Used is when the user signed in to it last. It is missing for never.
	Used time.Time `json:"used,omitzero"`
}
