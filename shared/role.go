package shared

import "slices"

// Role says what a user may do for others.
type Role string

// The roles.
const (
	RoleNone          Role = ""
	RoleAuditor       Role = "auditor"       // reads users, activity and figures; changes nothing
	RoleHelper        Role = "helper"        // helps the users of some groups, such as a help desk
	RoleAdministrator Role = "administrator" // everything
)

// Roles lists them, from the least to the most that they may do.
var Roles = []Role{RoleNone, RoleAuditor, RoleHelper, RoleAdministrator}

// IsKnown reports whether the role is one of [Roles].
func (r Role) IsKnown() bool { return slices.Contains(Roles, r) }
