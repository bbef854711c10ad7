package account

import (
	"context"
	"fmt"

	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// KeptMails says what is kept of a user to send them mails. Package mail has one.
type KeptMails func(ctx context.Context, userID string) (shared.ExportedMails, error)

// Export returns everything that is kept about the signed-in user but their passkeys and programs, which
// other packages describe, and their events: there may be many, which [activity.Service.List] has page by
// page. The export is an event itself, and is recorded before anything is returned.
func (s *Service) Export(ctx context.Context, who session.Actor) (shared.Export, error) {
	err := s.change(ctx, who.User, func(user store.User) (store.Batch, error) {
		return store.Batch{store.PutUser{User: user}, s.event(who, shared.EventDataExported)}, nil
	})
	if err != nil {
		return shared.Export{}, err
	}
	user := who.User
	member, err := s.MemberWithLink(ctx, user)
	if err != nil {
		return shared.Export{}, err
	}
	export := shared.Export{
		Exported: s.c.Now(), Member: member, Identities: s.exportedIdentities(who),
		RecoveryCodes: len(user.RecoveryCodes), RecoveryCodesMade: user.RecoveryCodesMade,
		Passkeys: []shared.ExportedPasskey{}, Programs: []shared.Program{}, Events: []shared.Event{},
		Mails: shared.ExportedMails{Waiting: []shared.ExportedMail{}, Browsers: []shared.ExportedBrowser{}, Former: []shared.ExportedAddress{}},
	}
	sessions, err := s.sessions.List(ctx, who)
	if err != nil {
		return shared.Export{}, fmt.Errorf("exporting sessions: %w", err)
	}
	export.Sessions = sessions.Sessions
	if export.Links, err = s.exportedLinks(ctx, user); err != nil {
		return shared.Export{}, fmt.Errorf("exporting links: %w", err)
	}
	if s.c.KeptMails != nil {
		if export.Mails, err = s.c.KeptMails(ctx, user.ID); err != nil {
			return shared.Export{}, fmt.Errorf("exporting mails: %w", err)
		}
	}
	return export, nil
}

func (s *Service) exportedIdentities(who session.Actor) []shared.ExportedIdentity {
	list := []shared.ExportedIdentity{}
	for i, shown := range s.Identities(who) {
		kept := who.User.Identities[i]
		list = append(list, shared.ExportedIdentity{Identity: shown, Issuer: kept.Issuer, Subject: kept.Subject, LastUsed: kept.LastUsed})
	}
	return list
}

// linksAtOnce is how many used links are read at once.
const linksAtOnce = 100

func (s *Service) exportedLinks(ctx context.Context, user store.User) ([]shared.ExportedLink, error) {
	list := []shared.ExportedLink{}
	open, err := s.openLinks(ctx, user, linksIntoAccounts...)
	if err != nil {
		return nil, err
	}
	for _, link := range open {
		list = append(list, shared.ExportedLink{Kind: link.Key, Expires: link.Expires})
	}
	for after := ""; ; {
		used, err := usedLinks.List(ctx, s.c.Store, user.ID, after, linksAtOnce)
		if err != nil {
			return nil, err
		}
		for _, link := range used {
			list, after = append(list, shared.ExportedLink{Kind: shared.LinkUsed, Expires: link.Expires}), link.Key
		}
		if len(used) < linksAtOnce {
			return list, nil
		}
	}
}
