package control

import (
	"context"

	"github.com/keypeg/keypeg/server/account"
)

// ListDomains returns the relying party ids with what users have of them.
var ListDomains = Ask(&userCommands, "/domains", func(ctx context.Context, a Accounts, _ None) ([]account.Domain, error) {
	return a.Service.Domains(ctx)
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
	err = a.Service.DomainUsers(ctx, rpID, func(user account.DomainUser) {
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
	return a.Service.EndDomain(ctx, rpID)
})
