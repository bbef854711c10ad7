package shared

// The scopes that a program may ask for (OpenID Connect Core 1.0, 5.4 and 11).
const (
	ScopeOpenID  = "openid"         // who the user is; each request has it
	ScopeProfile = "profile"        // the display name, the user name, the language
	ScopeEmail   = "email"          // the e-mail address, and whether it was verified
	ScopeGroups  = "groups"         // the groups of the user
	ScopeOffline = "offline_access" // to go on while the user is away
)
