package account

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// What administrators, helpers and IT change of a user. Each change is an event of the user, with
// who did it, and one of who did it.

// Change changes what is set in the request, all of it or nothing.
//
// Refusals: [shared.CodeNotAllowed], [shared.CodeInvalidName], [shared.CodeNameTaken],
// [shared.CodeInvalidEmail], [shared.CodeEmailTaken], [shared.CodeTooManyAttempts] for too many
// addresses, [shared.CodeConflict] for one's own role and for too many groups, and [shared.CodeLastAdministrator], which evenTheLast ignores.
func (s *Service) Change(ctx context.Context, who session.Actor, wish shared.ChangeMember, evenTheLast bool) (changed store.User, err error) {
	if wish.Disabled != nil {
		if !wish.IsOnlyDisabled() {
			return store.User{}, shared.Errorf(shared.CodeInvalidRequest, "Disable or enable a user without other changes.")
		}
		if *wish.Disabled {
			err = s.disable(ctx, who, evenTheLast)
		} else {
			err = s.Enable(ctx, who)
		}
		if err != nil {
			return store.User{}, err
		}
		return s.UserByID(ctx, who.User.ID)
	}
	clean, err := (&cleaner{s: s}).cleaned(ctx, wish)
	if err != nil {
		return store.User{}, err
	}
	mails, end, err := s.mayVerify(who.By.ID, who.User, clean.email)
	if err != nil {
		return store.User{}, err
	}
	err = s.changeFor(ctx, who, RightManage, func(user store.User) (store.Batch, error) {
		before := user
		clean.apply(&user)
		changes := changesOf(before, user)
		if user.Role != before.Role && who.By.ID == user.ID {
			return nil, errYourself
		}
		if err := s.checkEmail(ctx, user, before.Email); err != nil {
			return nil, err
		}
		if slices.ContainsFunc(changes, func(c change) bool { return c.kind == shared.EventRoleChanged }) && user.Role == shared.RoleHelper && len(user.Helps) == 0 {
			return nil, errHelpsNobody
		}
		if clean.helps != nil && len(*clean.helps) > 0 && user.Role != shared.RoleHelper {
			return nil, errHelpsOnly
		}
		if len(user.Groups) > mostGroups {
			return nil, errManyGroups
		}
		stays, err := s.keepsAdministrator(ctx, before, user, evenTheLast)
		if err != nil {
			return nil, err
		}
		changed = user
		changed.Revision++ // as it is stored
		batch := append(stays, store.PutUser{User: user})
		if mails {
			batch = append(batch, s.verification(user, before.Email)...)
		}
		for _, change := range changes {
			batch = append(batch, s.recorded(who, change.kind, change.says)...)
		}
		return batch, nil
	})
	end(err == nil)
	return changed, taken(err, clean)
}

// taken translates the errors of unique values, of which another user got one meanwhile.
func taken(err error, wish wishes) error {
	switch {
	case errors.Is(err, store.ErrNameExists):
		return NameTaken(*wish.name).Because(err)
	case errors.Is(err, store.ErrEmailExists):
		return emailTaken(*wish.email).Because(err)
	}
	return err
}

// wishes are the changes that a request asks for, in the form in which they are stored.
type wishes struct {
	name, displayName, email, language *string
	role                               *shared.Role
	groups, helps                      *[]string
	addGroups, removeGroups            *[]string
}

// cleaner brings wishes into that form. It reads once which groups there are, and counts those of
// earlier wishes among them.
type cleaner struct {
	s      *Service
	groups map[string]int // nil until they are needed
}

func (c *cleaner) cleaned(ctx context.Context, in shared.ChangeMember) (w wishes, err error) {
	clean := func(in *string, rule func(string) (string, error)) (out *string) {
		if in == nil || err != nil {
			return nil
		}
		var text string
		text, err = rule(*in)
		return &text
	}
	groups := func(in *[]string) *[]string {
		if in == nil || err != nil {
			return nil
		}
		var list []string
		if list, err = canonicalGroups(*in); err == nil {
			err = c.haveRoom(ctx, list)
		}
		return &list
	}
	w = wishes{
		name: clean(in.Name, CanonicalName), displayName: clean(in.DisplayName, shared.CleanDisplayName),
		email: clean(in.Email, CanonicalEmail), language: clean(in.Language, cleanLanguage),
		groups: groups(in.Groups), helps: groups(in.Helps), role: in.Role,
		addGroups: groups(in.AddGroups), removeGroups: groups(in.RemoveGroups),
	}
	if err == nil && w.role != nil && !w.role.IsKnown() {
		err = errNoRole
	}
	return w, err
}

// apply writes the wishes into a record.
func (w wishes) apply(user *store.User) {
	set := func(field, in *string) {
		if in != nil {
			*field = *in
		}
	}
	set(&user.Name, w.name)
	set(&user.DisplayName, w.displayName)
	set(&user.Language, w.language)
	address := user.Email
	if set(&user.Email, w.email); user.Email != address {
		user.EmailVerified, user.EmailReserved = false, true
	}
	user.Groups = w.groupsOf(*user)
	if w.role != nil {
		user.Role = *w.role
	}
	if w.helps != nil {
		user.Helps = *w.helps
	}
	if user.Role != shared.RoleHelper {
		user.Helps = nil
	}
}

// groupsOf returns the groups that a user has with the wishes, in their order. A group that is both
// removed and added stays.
func (w wishes) groupsOf(user store.User) []string {
	groups := slices.Clone(user.Groups)
	if w.groups != nil {
		groups = slices.Clone(*w.groups)
	}
	if w.removeGroups != nil {
		groups = slices.DeleteFunc(groups, func(group string) bool { return slices.Contains(*w.removeGroups, group) })
	}
	if w.addGroups != nil {
		groups = append(groups, *w.addGroups...)
		slices.Sort(groups)
		groups = slices.Compact(groups)
	}
	return groups
}

// Remove removes the actor's user with everything that belongs to them. Typed is their user name,
// which somebody has typed to be sure. What is left are events of the organisation and of whoever
// did it, without the name.
//
// Refusals: [shared.CodeNotAllowed], [shared.CodeInvalidName] if the name is another one,
// [shared.CodeConflict] for one's own account, and [shared.CodeLastAdministrator], which
// evenTheLast ignores.
func (s *Service) Remove(ctx context.Context, who session.Actor, typed string, evenTheLast bool) error {
	return s.changeFor(ctx, who, RightManage, func(user store.User) (store.Batch, error) {
		if who.By.ID == user.ID {
			return nil, errYourself
		}
		if name, err := CanonicalName(typed); err != nil || name != user.Name {
			return nil, shared.Errorf(shared.CodeInvalidName, "This is not the user name of this user.")
		}
		stays, err := s.keepsAdministrator(ctx, user, store.User{}, evenTheLast)
		if err != nil {
			return nil, err
		}
		batch := append(store.Batch{store.RemoveUser{ID: user.ID, Revision: user.Revision}}, removalOf(who, s.c.Now())...)
		for _, p := range user.Passkeys {
			batch = append(batch, store.Tombstone(s.c.Now(), p))
		}
		return append(stays, batch...), nil
	})
}

// removalOf returns the operations that record a removal: an event of the organisation, which stays
// when whoever did it is removed too and so has no address, and an event of whoever did it.
func removalOf(who session.Actor, now time.Time) store.Batch {
	event := store.NewEvent(now, store.Organisation, shared.EventAccountRemoved, store.Client{})
	event.By, event.About = who.By.ID, who.User.ID
	batch := store.Batch{store.AddEvent{Event: event}}
	if who.By.ID != "" {
		event := store.NewEvent(now, who.By.ID, shared.EventAccountRemoved, who.Client)
		event.About = who.User.ID
		batch = append(batch, store.AddEvent{Event: event})
	}
	return batch
}

// RemovePasskey takes a passkey away from the actor's user, such as that of a lost phone, and ends
// the sessions that began with it. Their other sign-in methods stay.
//
// Refusals: [shared.CodeNotAllowed], [shared.CodeNotFound], and [shared.CodeLastMethod].
func (s *Service) RemovePasskey(ctx context.Context, who session.Actor, id string) error {
	return s.changeFor(ctx, who, RightHelp, func(user store.User) (store.Batch, error) {
		at := slices.IndexFunc(user.Passkeys, func(p store.Passkey) bool { return p.ID == id })
		if at < 0 {
			return nil, shared.Errorf(shared.CodeNotFound, "This passkey isn't there any more.")
		}
		removed := user.Passkeys[at]
		if who.Methods.IsLastPasskey(user, removed) {
			return nil, onlyMethod(user)
		}
		user.Passkeys = slices.Delete(user.Passkeys, at, at+1)
		batch := store.Batch{store.PutUser{User: user}, store.Tombstone(s.c.Now(), removed), store.EndSessions{UserID: user.ID, Passkey: id}, endPhoneLink(user.ID)}
		return append(batch, s.recorded(who, shared.EventPasskeyRemoved, func(event *store.Event) {
			if event.UserID == user.ID { // the name goes with its user when they are removed
				event.PasskeyID, event.Passkey = removed.ID, removed.Name
			}
		})...), nil
	})
}

func onlyMethod(user store.User) error {
	return shared.Errorf(shared.CodeLastMethod, "%s could not sign in any more. Make a recovery link first, or disable the account.", user.DisplayName)
}

// EndSessions ends all sessions of the actor's user.
//
// Refusal: [shared.CodeNotAllowed].
func (s *Service) EndSessions(ctx context.Context, who session.Actor) error {
	return s.changeFor(ctx, who, RightHelp, func(user store.User) (store.Batch, error) {
		batch := store.Batch{store.PutUser{User: user}, store.EndSessions{UserID: user.ID}, endPhoneLink(user.ID)}
		return append(batch, s.recorded(who, shared.EventOthersEnded)...), nil
	})
}

// cleanLanguage accepts a language of the program, or "".
func cleanLanguage(tag string) (string, error) {
	if tag != "" && !slices.ContainsFunc(message.Languages, func(c *message.Catalogue) bool { return c.Lang == tag }) {
		return "", shared.Errorf(shared.CodeInvalidRequest, "There is no language %s here.", tag)
	}
	return tag, nil
}

// EndSession ends one session of the actor's user, by its public id.
//
// Refusals: [shared.CodeNotAllowed], and [shared.CodeNotFound].
func (s *Service) EndSession(ctx context.Context, who session.Actor, id string) (err error) {
	for range store.Attempts {
		if who.User, err = s.UserByID(ctx, who.User.ID); err != nil {
			return err
		}
		condition, refusal := s.may(ctx, who, RightHelp, who.User)
		if refusal != nil {
			return refusal
		}
		condition = append(condition, store.HasUser{ID: who.User.ID, Revision: who.User.Revision})
		if _, err = s.sessions.End(ctx, who, id, condition...); !errors.Is(err, store.ErrStale) {
			return err
		}
	}
	return busy(err)
}
