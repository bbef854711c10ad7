package mail_test

import (
	"testing"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// TestKept: users get to know what is kept to send them mails, and nothing of others.
func TestKept(t *testing.T) {
	onEveryStore(t, func(o *office) {
		bob := store.User{ID: store.NewUserID(), Name: "bob", DisplayName: "Bob", Email: "bob@acme.example"}
		o.apply(store.PutUser{User: bob})
		kept := func(id string) shared.ExportedMails {
			list, err := o.one.Kept(o.Context(), id)
			if err != nil {
				o.Fatal(err)
			}
			return list
		}
		if got := kept(bob.ID); len(got.Waiting)+len(got.Browsers) != 0 || got.Waiting == nil || got.Browsers == nil || len(got.Former) != 0 || got.Former == nil || got.Asked != nil {
			o.Errorf("nothing is kept of bob, and it is %+v", got)
		}
		browser := store.Client{Browser: "Firefox", System: "Linux", Address: "192.0.2.1"}
		o.apply(o.event(shared.EventSignedIn, browser))
		o.changesAddress("ann@new.example", browser)
		o.apply(o.one.Verification(o.ann)...)
		got := kept(o.ann.ID)
		if len(got.Waiting) == 0 || len(got.Browsers) != 1 || got.Browsers[0].Client != "Firefox Linux 192.0.2.1" || got.Browsers[0].Until.IsZero() {
			o.Errorf("of ann is kept %+v", got)
		}
		if len(got.Former) != 1 || got.Former[0].Address != "ann@acme.example" || got.Former[0].Until.IsZero() || got.Asked == nil || got.Asked.Until.IsZero() {
			o.Errorf("of ann's addresses is kept %+v and %+v", got.Former, got.Asked)
		}
		for _, mail := range got.Waiting {
			if mail.To == "" || mail.Kind == "" || mail.Time.IsZero() {
				o.Errorf("a mail that waits is %+v", mail)
			}
		}
		if got := kept(bob.ID); len(got.Waiting) > 0 {
			o.Errorf("bob gets what is ann's: %+v", got)
		}
	})
}
