package shared

import (
	"net/url"
	"time"
)

// AuditPage is a page of what happened in the organisation, newest first.
type AuditPage struct {
	Events []AuditEvent `json:"events"`
	Next   string       `json:"next,omitempty"` // asks for the page after; "" at the end
	// LookedUntil is set if the server looked at many events that the filters don't select, and
	// stopped before the page was full. It is the time of the oldest one. Next goes on from there.
	LookedUntil *time.Time `json:"lookedUntil,omitempty"`
}

// AuditQuery selects events: see [PathAudit]. An empty text selects all.
type AuditQuery struct {
	Kind    string `json:"kind,omitempty"`
	User    string `json:"user,omitempty"`
	By      string `json:"by,omitempty"`
	Address string `json:"address,omitempty"`
	From    string `json:"from,omitempty"`
	To      string `json:"to,omitempty"`
	Before  string `json:"before,omitempty"`
}

// Values returns the query of an address. What is empty is left out.
func (q AuditQuery) Values() url.Values {
	values := url.Values{}
	for name, value := range map[string]string{"kind": q.Kind, "user": q.User, "by": q.By, "address": q.Address, "from": q.From, "to": q.To, "before": q.Before} {
		if value != "" {
			values.Set(name, value)
		}
	}
	return values
}

// AuditUser is a user in an [AuditEvent]. One who was removed has an id only.
type AuditUser struct {
	ID          string `json:"id"`
	Name        string `json:"name,omitempty"` // the sign-in name, as it is now
	DisplayName string `json:"displayName,omitempty"`
}

// AuditEvent is something that happened in the organisation. The members that it has in common with
// [Event] have the same meaning.
type AuditEvent struct {
	ID       string        `json:"id"`
	Kind     EventKind     `json:"kind"`
	Time     time.Time     `json:"time"`
	Count    uint64        `json:"count,omitempty"`
	Last     *time.Time    `json:"last,omitempty"`
	User     *AuditUser    `json:"user,omitempty"` // to whom it happened
	By       *AuditUser    `json:"by,omitempty"`   // who did it, if it was another user
	Method   string        `json:"method,omitempty"`
	Passkey  string        `json:"passkey,omitempty"` // its name at that time
	Provider string        `json:"provider,omitempty"`
	Program  string        `json:"program,omitempty"` // its name at that time
	Reason   FailureReason `json:"reason,omitempty"`  // why a passkey didn't work
	Change   string        `json:"change,omitempty"`
	Browser  string        `json:"browser,omitempty"`
	System   string        `json:"system,omitempty"`
	Address  string        `json:"address,omitempty"`
}

// The values of the filter by who did it that name no user.
const (
	ByAdministrators = "administrators" // another user, who has a role
	ByUsers          = "users"          // the users themselves, or somebody in their name
	ByCommandLine    = "command-line"   // IT
)

// The formats of an export.
const (
	ExportLines = "jsonl" // an [AuditEvent] as JSON in each line
	ExportTable = "csv"
)
