package forwardauth

import (
	"context"
	"sync"
	"time"

	"github.com/keypeg/keypeg/server/grant"
	"github.com/keypeg/keypeg/server/internal/recent"
)

// assertionType is the type of an assertion, so that no other token of ours is taken for one (RFC 8725, 3.11).
const assertionType = "keypeg-assertion+jwt"

const (
	// assertionLife is how long a program takes an assertion.
	assertionLife = 60 * time.Second
	// assertionKept is how long an assertion is given again: a signature costs more than the rest of a check.
	assertionKept = 20 * time.Second
	// mostAssertions bounds those in memory. One has about 1 kB.
	mostAssertions = 5000
)

// claims are what an assertion says: who sent a request, to whom, in the claims of OpenID Connect Core 1.0, 5.1.
type claims struct {
	Issuer        string   `json:"iss"`
	Audience      string   `json:"aud"` // the origin of the protected host, which no client has as its id
	Subject       string   `json:"sub"`
	Issued        int64    `json:"iat"`
	Expires       int64    `json:"exp"`
	Session       string   `json:"sid"`
	Username      string   `json:"preferred_username"`
	Name          string   `json:"name"`
	Email         string   `json:"email,omitempty"`
	EmailVerified bool     `json:"email_verified,omitempty"`
	Groups        []string `json:"groups"`
}

// asserted is what an assertion is about. A user who was changed gets another one.
type asserted struct {
	grant    string
	revision uint64
}

// signed is an assertion, and when it was made.
type signed struct {
	text string
	at   time.Time
}

// assertions are those of the last seconds. Grants have random ids, so each assertion is given for its own gate
// alone. It is safe for concurrent use.
type assertions struct {
	mu   sync.Mutex
	kept *recent.Map[asserted, signed]
}

func newAssertions() *assertions {
	return &assertions{kept: recent.NewMap[asserted, signed](assertionKept, mostAssertions)}
}

func (a *assertions) get(of asserted, now time.Time) (string, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	kept, found := a.kept.Get(of, now)
	age := now.Sub(kept.at)
	return kept.text, found && age >= 0 && age < assertionKept
}

func (a *assertions) put(of asserted, text string, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.kept.Put(of, signed{text, now}, now)
}

// assertion returns a signed text that says who sent a request. It holds whatever lies between here and the
// program.
func (h *Handlers) assertion(ctx context.Context, g Gate, on grant.Standing) (string, error) {
	if h.Sign == nil {
		return "", nil
	}
	now, of := h.Now(), asserted{on.ID, on.User.Revision}
	if text, found := h.assertions.get(of, now); found {
		return text, nil
	}
	email := verifiedEmail(on.User)
	groups := on.User.Groups
	if groups == nil {
		groups = []string{} // no program has to ask whether there is a list
	}
	text, err := h.Sign(ctx, assertionType, claims{
		Issuer: h.Origin, Audience: g.Origin(), Subject: on.User.ID, Session: grant.SID(on.Session),
		Issued: now.Unix(), Expires: now.Add(assertionLife).Unix(),
		Username: on.User.Name, Name: on.User.DisplayName, Email: email, EmailVerified: email != "", Groups: groups,
	})
	if err != nil {
		return "", err
	}
	h.assertions.put(of, text, now)
	return text, nil
}
