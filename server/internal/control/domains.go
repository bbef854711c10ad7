package control

import (
	"cmp"
	"context"

	"github.com/keypeg/keypeg/server/account"
)

// domains are the rules of relying party ids, whose ever the users are.
func (a Accounts) domains() *account.Service { return cmp.Or(a.Service, a.Domains) }

// ListDomains returns the relying party ids with what users have of them.
var ListDomains = Ask(&userCommands, "/domains", func(ctx context.Context, a Accounts, _ None) ([]account.Domain, error) {
	return a.domains().Domains(ctx)
})

// DomainUsers are users of a relying party id who have yet to move.
type DomainUsers struct {
	Users []account.DomainUser `json:"users"`
	More  int                  `json:"more,omitempty"` // how many there are besides
}

// mostDomainUsers bounds how many users one answer has.
const mostDomainUsers = 10_000

// ListDomainUsers returns users who have passkeys for a relying party id, and none that stays.
var ListDomainUsers = Ask(&userCommands, "/domain-users", func(ctx context.Context, a Accounts, rpID string) (found DomainUsers, err error) {
	found.Users = []account.DomainUser{}
	err = a.domains().DomainUsers(ctx, rpID, func(user account.DomainUser) {
		if len(found.Users) == mostDomainUsers {
			found.More++
			return
		}
		found.Users = append(found.Users, user)
	})
	return found, err
})

// EndDomain notes that IT gives a relying party id up.
var EndDomain = Do(&userCommands, "/end-domain", func(ctx context.Context, a Accounts, rpID string) error {
	return a.domains().EndDomain(ctx, rpID)
})
