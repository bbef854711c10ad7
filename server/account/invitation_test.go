package account_test

import (
	"context"
	"testing"

	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// post counts the mails to each address, and sends none.
type post map[string]int

func (p post) counts(user store.User) store.Batch {
	p[store.EmailKey(user.Email)]++
	return nil
}

func (p post) Verification(user store.User) store.Batch { return p.counts(user) }
func (p post) Invitation(user store.User) store.Batch   { return p.counts(user) }

func (p post) Held(context.Context, store.User, store.Event, string) (store.Batch, error) {
	return nil, nil
}

func (p post) Addresses(context.Context, store.User) ([]string, error) { return nil, nil }

// newPost returns a world in which mails are counted.
func newPost(t *testing.T) (*world, post) {
	w, mails := newWorld(t), post{}
	w.Service = account.New(account.Config{Store: w.store, Now: w.now, PasswordCost: cheap, Hashing: 4, Mails: mails})
	return w, mails
}

// TestInvitationOfAnotherAddress: whoever has opened a link that went to a mistyped address can't use it
// after the address is corrected.
func TestInvitationOfAnotherAddress(t *testing.T) {
	w, _ := newPost(t)
	user, _, err := w.Invite(t.Context(), session.Actor{}, shared.Invite{Name: "carl", Email: "cral@example.com", Mail: true})
	w.wants(err, "")
	token, _, err := w.InvitationToken(t.Context(), user.ID, user.Email)
	w.wants(err, "")
	opened := w.opens(account.Link{Token: token})
	address := "carl@example.com"
	_, err = w.Change(t.Context(), w.it("carl"), shared.ChangeMember{Email: &address}, false)
	w.wants(err, "")
	w.wants(w.EnrolPassword(t.Context(), session.Actor{}, opened, "another long passphrase"), shared.CodeNotFound)
	if user, _ = w.store.User(t.Context(), user.ID); user.Password != "" || user.EmailVerified {
		t.Errorf("the user is %+v", user)
	}
}
