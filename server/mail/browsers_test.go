package mail_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// TestBrowsers signs in from more browsers than are noted. Each new one is told, and the user's own doesn't
// become a new one that way, as long as the user's activity shows it.
func TestBrowsers(t *testing.T) {
	const most = 32
	own := store.Client{Browser: "Firefox", System: "Linux", Address: "192.0.2.1"}
	onEveryStore(t, func(o *office) {
		told := 0
		signsIn := func(client store.Client, isTold bool) {
			o.Helper()
			o.passes(time.Second)
			o.apply(o.event(shared.EventSignedIn, client))
			if isTold {
				told++
			}
			if got := len(o.waiting()); got != told {
				o.Fatalf("after a sign-in in %+v there are %d mails, want %d", client, got, told)
			}
		}
		thief := func(n int) store.Client {
			return store.Client{Browser: fmt.Sprint("Browser ", n), System: "Windows", Address: "198.51.100.7"}
		}
		noted := func() (list []string) {
			o.Helper()
			kept, err := o.one.Kept(o.Context(), o.ann.ID)
			if err != nil {
				o.Fatal(err)
			}
			for _, browser := range kept.Browsers {
				list = append(list, browser.Client)
			}
			return list
		}
		const ownKey = "Firefox Linux 192.0.2.1"

		signsIn(own, true)
		for n := range most - 1 {
			signsIn(thief(n), true)
		}
		if got := noted(); len(got) != most || !slices.Contains(got, ownKey) {
			o.Errorf("%d browsers are noted: %q", len(got), got)
		}
		for n := most - 1; n < 40; n++ {
			signsIn(thief(n), true)
		}
		if got := noted(); len(got) != most || slices.Contains(got, ownKey) || !slices.Contains(got, "Browser 39 Windows 198.51.100.7") || slices.Contains(got, "Browser 7 Windows 198.51.100.7") {
			o.Errorf("%d browsers are noted: %q", len(got), got)
		}
		signsIn(own, false)
		if !slices.Contains(noted(), ownKey) {
			o.Error("the user's browser isn't noted again")
		}
		signsIn(thief(0), false) // of which the user was told

		// What the activity doesn't show any more is told rather than not.
		for n := range 200 {
			signsIn(thief(100+n), true)
		}
		signsIn(own, true)
		signsIn(thief(0), true)
		if got := noted(); len(got) != most {
			o.Errorf("%d browsers are noted", len(got))
		}
	})
}
