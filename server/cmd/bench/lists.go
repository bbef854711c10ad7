package main

import (
	"encoding/hex"
	"slices"
	"time"

	"github.com/keypeg/keypeg/shared"
)

// What administrators look at. The first user is one.

func asked(path string) task {
	return func(_ *process, c *connection) (time.Duration, error) { return c.timed("GET", path, cookie(0), nil) }
}

func users(query string) task  { return asked(shared.PathUsers + "?" + query) }
func events(query string) task { return asked(shared.PathAudit + "?" + query) }

// anyUser is the page of one of the users who have a session, as in the other rows about one user.
func anyUser(p *process, c *connection) (time.Duration, error) {
	return c.timed("GET", shared.PathUser+hex.EncodeToString(rawID(p.users.any(p.users.every()))), cookie(0), nil)
}

var filters = []string{
	shared.MembersWithPasskey, shared.MembersWithoutPasskey, shared.MembersPasswordOnly, shared.MembersOneDevice, shared.MembersInvited,
	shared.MembersDisabled, shared.MembersAdministrators, shared.MembersHelpers, shared.MembersAuditors, shared.MembersOfGroup + "team1",
}

// slowestFilter is the largest ratio of the lists with a filter.
func (r *round) slowestFilter() float64 {
	var ratios []float64
	for _, filter := range filters {
		ratios = append(ratios, r.manyOfFew(users("in="+filter)))
	}
	return slices.Max(ratios)
}

// seldomTogether is how long a search takes that finds little though it looks at much.
func (r *round) seldomTogether() float64 {
	many := r.onFile("many", r.users)
	return float64(r.load("anna smith", many, 1, users("find=anna+smith")).p50) / float64(r.load("anna", many, 1, users("find=anna")).p50)
}
