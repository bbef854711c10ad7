package control

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/openid"
	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// Accounts are the users of one organisation, its records, the programs that they sign in to, and the
// address for its links.
type Accounts struct {
	Service *account.Service // nil if the users are those of Program
	Program Program          // that Keypeg is built into; nil if there is none
	Domains *account.Service // the rules of relying party ids for the users of Program
	Store   store.Store
	Address Address
	Clients *openid.Registry
	Issuer  string // the organisation's issuer identifier, as its clients know it
}

// Address makes links from tokens.
type Address interface {
	SetupURL(token string) string
	EnrolURL(token string) string
}

// as calls do with the actor of IT for the user with this name.
func (a Accounts) as(ctx context.Context, name string, do func(context.Context, session.Actor) error) error {
	who, err := a.Service.IT(ctx, name)
	if err != nil {
		return err
	}
	return do(ctx, who)
}

// Users are the target of the commands below.
type Users = Target[Accounts]

// userCommands are all commands about users.
var userCommands Set[Accounts]

// errOfProgram refuses a command about users whom a program has.
var errOfProgram = errors.New("people sign in at the program that Keypeg is built into, and their accounts are there: keypeg host user ID prints what Keypeg has of one")

// askLocal adds a command about users of Keypeg's own, and the programs that they sign in to.
func askLocal[In, Out any](path string, do func(context.Context, Accounts, In) (Out, error)) func(context.Context, Users, In) (Out, error) {
	return Ask(&userCommands, path, func(ctx context.Context, a Accounts, in In) (out Out, err error) {
		if a.Service == nil {
			return out, errOfProgram
		}
		return do(ctx, a, in)
	})
}

// doLocal is [askLocal] for a command without an output.
func doLocal[In any](path string, do func(context.Context, Accounts, In) error) func(context.Context, Users, In) error {
	return Do(&userCommands, path, func(ctx context.Context, a Accounts, in In) error {
		if a.Service == nil {
			return errOfProgram
		}
		return do(ctx, a, in)
	})
}

// Handler serves them on the socket, and backups of the database.
func Handler(a Accounts, database io.WriterTo) http.Handler { return userCommands.Handler(a, database) }

// AddUser adds a user with a password.
var AddUser = askLocal("/add-user", func(ctx context.Context, a Accounts, user account.NewUser) (shared.Member, error) {
	added, err := a.Service.AddUser(ctx, a.Service.Actor(store.User{}), user)
	if err != nil {
		return shared.Member{}, err
	}
	return a.Service.MemberWithLink(ctx, added)
})

// CheckNewUser refuses what [AddUser] would, apart from the password. So nobody types one in vain.
var CheckNewUser = doLocal("/check-new-user", func(ctx context.Context, a Accounts, user account.NewUser) error {
	return a.Service.CheckNewUser(ctx, user)
})

// ListUsers returns a page of users, as the Users page has it. It counts nothing.
var ListUsers = askLocal("/users", func(ctx context.Context, a Accounts, in shared.MembersQuery) (shared.Members, error) {
	found, next, err := a.Service.List(ctx, account.ListQuery{Find: in.Find, In: in.In, Sort: in.Sort, After: in.After})
	if err != nil {
		return shared.Members{}, err
	}
	members, err := a.Service.Members(ctx, found)
	return shared.Members{Users: members, Next: next}, err
})

// UserChange changes the user with a name.
type UserChange struct {
	Name        string              `json:"name"`
	Change      shared.ChangeMember `json:"change"`
	EvenTheLast bool                `json:"evenTheLast,omitempty"` // administrator who can sign in
}

// ChangeUser changes what is set, and returns the user.
var ChangeUser = askLocal("/change-user", func(ctx context.Context, a Accounts, in UserChange) (shared.Member, error) {
	who, err := a.Service.IT(ctx, in.Name)
	if err != nil {
		return shared.Member{}, err
	}
	user, err := a.Service.Change(ctx, who, in.Change, in.EvenTheLast)
	if err != nil {
		return shared.Member{}, err
	}
	return a.Service.MemberWithLink(ctx, user)
})

// UserRemoval removes the user with a name, for ever. Typed is what somebody has typed to be sure.
type UserRemoval struct {
	Name        string `json:"name"`
	Typed       string `json:"typed"`
	EvenTheLast bool   `json:"evenTheLast,omitempty"` // administrator who can sign in
}

// RemoveUser removes a user.
var RemoveUser = doLocal("/remove-user", func(ctx context.Context, a Accounts, in UserRemoval) error {
	return a.as(ctx, in.Name, func(ctx context.Context, who session.Actor) error {
		return a.Service.Remove(ctx, who, in.Typed, in.EvenTheLast)
	})
})

// Invitations are the links of people who were invited, in their order. If nobody was, they are what is
// wrong with each: nil for who could be invited.
type Invitations struct {
	Links    []Link            `json:"links,omitempty"`
	Refusals []*shared.Problem `json:"refusals,omitempty"`
}

// CheckPeople returns what is wrong with people who are to be invited, and changes nothing. It takes at
// most [account.MostInvited].
var CheckPeople = askLocal("/check-people", func(ctx context.Context, a Accounts, people []shared.Invite) (Invitations, error) {
	refusals, err := a.Service.CheckInvitations(ctx, a.Service.Actor(store.User{}), people)
	return Invitations{Refusals: problems(refusals)}, err
})

// InvitePeople invites as many people, all of them or nobody.
var InvitePeople = askLocal("/invite-people", func(ctx context.Context, a Accounts, people []shared.Invite) (Invitations, error) {
	made, refusals, err := a.Service.InviteAll(ctx, a.Service.Actor(store.User{}), people)
	if err != nil {
		return Invitations{}, err
	}
	answer := Invitations{Refusals: problems(refusals)}
	for _, invitation := range made {
		link, err := a.enrolLink(invitation.Link, nil)
		if err != nil {
			return Invitations{}, err
		}
		answer.Links = append(answer.Links, link)
	}
	return answer, nil
})

func problems(refusals []error) []*shared.Problem {
	var list []*shared.Problem
	for _, refusal := range refusals {
		if refusal == nil {
			list = append(list, nil)
			continue
		}
		wrong := problem(refusal)
		list = append(list, &wrong)
	}
	return list
}

// FindUser returns the user with a name.
var FindUser = askLocal("/user", func(ctx context.Context, a Accounts, name string) (shared.Member, error) {
	user, err := a.Service.UserByName(ctx, name)
	if err != nil {
		return shared.Member{}, err
	}
	return a.Service.MemberWithLink(ctx, user)
})

// NewPassword is a new password of a user.
type NewPassword struct {
	Name     string `json:"name"`
	Password string `json:"password"`
}

// SetPassword sets a user's password, and ends their sessions.
var SetPassword = doLocal("/set-password", func(ctx context.Context, a Accounts, in NewPassword) error {
	return a.as(ctx, in.Name, func(ctx context.Context, who session.Actor) error {
		return a.Service.SetPassword(ctx, who, in.Password)
	})
})

// RemovePassword removes the password of a user who has another sign-in method.
var RemovePassword = doLocal("/remove-password", func(ctx context.Context, a Accounts, name string) error {
	return a.as(ctx, name, a.Service.RemovePassword)
})

// EnableUser enables a user.
var EnableUser = doLocal("/enable", func(ctx context.Context, a Accounts, name string) error {
	return a.as(ctx, name, a.Service.Enable)
})

// ReleaseUser ends the hold of a user: see [account.Service.Hold].
var ReleaseUser = doLocal("/release", func(ctx context.Context, a Accounts, name string) error {
	return a.as(ctx, name, a.Service.ReleaseFor)
})

// ShutOut asks to disable a user.
type ShutOut struct {
	Name        string `json:"name"`
	EvenTheLast bool   `json:"evenTheLast,omitempty"` // administrator who can sign in
}

// DisableUser disables a user, and ends their sessions.
var DisableUser = doLocal("/disable", func(ctx context.Context, a Accounts, in ShutOut) error {
	if in.EvenTheLast {
		return a.as(ctx, in.Name, a.Service.DisableEvenTheLast)
	}
	return a.as(ctx, in.Name, a.Service.Disable)
})

// Identity is a user's identity at a configured OpenID provider, by its subject.
type Identity struct {
	Name     string `json:"name"`
	Provider string `json:"provider"`
	Subject  string `json:"subject,omitempty"`
}

// LinkUser links a user with an identity.
var LinkUser = doLocal("/link-user", func(ctx context.Context, a Accounts, in Identity) error {
	return a.as(ctx, in.Name, func(ctx context.Context, who session.Actor) error {
		return a.Service.LinkUser(ctx, who, in.Provider, in.Subject)
	})
})

// UnlinkUser removes a user's identities at a provider. It needs no subject.
var UnlinkUser = doLocal("/unlink-user", func(ctx context.Context, a Accounts, in Identity) error {
	return a.as(ctx, in.Name, func(ctx context.Context, who session.Actor) error {
		return a.Service.UnlinkUser(ctx, who, in.Provider)
	})
})

// Link is an address that works once, until it expires.
type Link struct {
	URL      string    `json:"url,omitempty"`
	Expires  time.Time `json:"expires"`
	Again    bool      `json:"again,omitempty"`    // an earlier link doesn't work any more
	MailedTo string    `json:"mailedTo,omitempty"` // where it goes by mail, without being shown
}

// InviteUser adds a user without a sign-in method, and returns the link with which they add
// one. A user who is invited already gets a new link, if what is given is what they have.
var InviteUser = askLocal("/invite", func(ctx context.Context, a Accounts, who shared.Invite) (Link, error) {
	invited, err := a.Service.IT(ctx, who.Name)
	again := err == nil && invited.Methods.Count(invited.User) == 0
	if err != nil && shared.CodeOf(err) != shared.CodeNotFound {
		return Link{}, err
	}
	var link account.Link
	if again {
		if err := isTheirs(invited.User, who); err != nil {
			return Link{}, err
		}
		link, err = a.Service.InviteAgain(ctx, invited, who.Mail)
	} else {
		_, link, err = a.Service.Invite(ctx, a.Service.Actor(store.User{}), who)
	}
	invitation, err := a.enrolLink(link, err)
	invitation.Again = again && err == nil
	return invitation, err
})

// isTheirs refuses what is given and an invited user hasn't: an invitation changes nothing.
func isTheirs(user store.User, wish shared.Invite) error {
	address, err := account.CanonicalEmail(wish.Email)
	if err != nil {
		return err
	}
	differs := address != "" && store.EmailKey(address) != store.EmailKey(user.Email) ||
		wish.DisplayName != "" && wish.DisplayName != user.DisplayName ||
		wish.Role != shared.RoleNone && wish.Role != user.Role ||
		wish.Language != "" && wish.Language != user.Language ||
		!hasAll(user.Groups, wish.Groups) || !hasAll(user.Helps, wish.Helps)
	if differs {
		return shared.Errorf(shared.CodeConflict, "%s is invited already, with another name, e-mail address, role, language or group. Change the user first.", user.Name)
	}
	return nil
}

// hasAll reports whether groups that were typed are among those of a user.
func hasAll(groups, typed []string) bool {
	return !slices.ContainsFunc(typed, func(text string) bool {
		group, err := account.CanonicalName(text)
		return err != nil || !slices.Contains(groups, group)
	})
}

// NewRecoveryLink returns the link with which a user adds a new sign-in method.
var NewRecoveryLink = askLocal("/recovery-link", func(ctx context.Context, a Accounts, name string) (Link, error) {
	who, err := a.Service.IT(ctx, name)
	if err != nil {
		return Link{}, err
	}
	return a.enrolLink(a.Service.NewRecoveryLink(ctx, who))
})

// WithdrawLinks ends a user's invitation and recovery link, and reports whether there were
// any.
var WithdrawLinks = askLocal("/withdraw-links", func(ctx context.Context, a Accounts, name string) (bool, error) {
	who, err := a.Service.IT(ctx, name)
	if err != nil {
		return false, err
	}
	return a.Service.WithdrawLinks(ctx, who)
})

// Rollout says how far the organisation has come with passkeys.
var Rollout = askLocal("/rollout", func(ctx context.Context, a Accounts, _ None) (shared.Rollout, error) {
	return a.Service.Rollout(ctx)
})

// SignalsAllowed reports whether password managers may be told of passkeys that are removed.
// See [store.HoldSignals].
var SignalsAllowed = Ask(&userCommands, "/signals", func(ctx context.Context, a Accounts, _ None) (bool, error) {
	held, err := store.AreSignalsHeld(ctx, a.Store)
	return !held, err
})

// AllowSignals changes what [SignalsAllowed] reports.
var AllowSignals = Do(&userCommands, "/allow-signals", func(ctx context.Context, a Accounts, allowed bool) error {
	return store.AllowSignals(ctx, a.Store, allowed)
})

// NewSetupLink returns the link that makes the first administrator. If a server is running,
// the link has that server's address, whatever settings the command has.
var NewSetupLink = askLocal("/setup-link", func(ctx context.Context, a Accounts, _ None) (Link, error) {
	link, err := a.Service.NewSetupLink(ctx)
	if err != nil {
		return Link{}, err
	}
	return Link{URL: a.Address.SetupURL(link.Token), Expires: link.Expires, Again: link.Again}, nil
})

func (a Accounts) enrolLink(link account.Link, err error) (Link, error) {
	if err != nil {
		return Link{}, err
	}
	if link.MailedTo != "" {
		return Link{Expires: link.Expires, MailedTo: link.MailedTo}, nil
	}
	return Link{URL: a.Address.EnrolURL(link.Token), Expires: link.Expires}, nil
}
