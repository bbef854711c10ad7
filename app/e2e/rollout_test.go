package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/boltstore"
	"github.com/keypeg/keypeg/shared"
)

// remembers writes events into the database, as if they had happened days ago. The server must have
// stopped.
func (s *server) remembers(events ...store.Event) {
	s.t.Helper()
	db, err := boltstore.Open(s.database, time.Now)
	if err != nil {
		s.t.Fatal(err)
	}
	defer db.Close()
	users, _, err := db.Users(s.t.Context(), store.UserQuery{}, 1)
	if err != nil || len(users) == 0 {
		s.t.Fatalf("%d users: %v", len(users), err)
	}
	for _, event := range events {
		past := store.NewEvent(event.Time, users[0].ID, event.Kind, store.Client{})
		past.Method = event.Method
		if err := db.Apply(s.t.Context(), store.Batch{store.AddEvent{Event: past}}); err != nil {
			s.t.Fatal(err)
		}
	}
}

// TestRollout: an administrator sees how far the organisation has come with passkeys. Each number leads
// to those whom it counts.
func TestRollout(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann := openBrowser(t, s)
	ann.runsFirst(keepsFiles)
	ann.setsUp()

	t.Log("At first there is little to see.")
	ann.opensUsers()
	ann.clicks(`.tabs a[href="/rollout"]`)
	ann.isAt("/rollout")
	ann.readsIn("h1", "Passkeys in your organisation")
	ann.readsIn("#tile-passkey .big", "0 of 1")
	ann.readsIn("#tile-sign-ins .big", "0 of 1")
	ann.reads("Lines appear after a week.")
	ann.reads("No invited user has added a passkey yet.")

	t.Log("It follows what happens.")
	s.imports(t, "amy,Amy,,", "ben,Ben,,", "cid,Cid,,", "dan,Dan,,", "eve,Eve,,", "fay,Fay,,", "gus,Gus,,", "hal,Hal,,", "ida,Ida,,")
	ann.readsIn("#next-invited b", "9 users who haven’t joined yet")
	amy, _ := openAnothersBrowser(t, s)
	amy.opensLink(linkOf(s.command(t, "", "user", "invite", "amy")), "Welcome, Amy")
	amy.enrols()
	amy.signsInWithPasskey()
	ann.readsIn("#tile-passkey .big", "10 %")
	ann.readsIn("#tile-sign-ins .big", "1 of 2")
	ann.readsIn("#enrolled tr:first-child .number", "1")

	t.Log("Numbers lead to lists.")
	ann.clicks("#tile-passkey")
	ann.isAt("/users?in=with-passkey")
	ann.lists("Amy")
	ann.readsIn(`#in-with-passkey[aria-pressed="true"]`, "With passkey 1")
	ann.goes("back")
	ann.clicks("#tile-sign-ins")
	ann.isAt("/audit?kind=signed_in")
	ann.goes("back")
	ann.clicks("#next-password-only")
	ann.isAt("/users?in=password-only")
	ann.lists("Ann Admin")

	t.Log("After some weeks there are lines, and a table of the same.")
	ann.opens("about:blank")
	s.stops()
	var events []store.Event
	today := time.Now().UTC().Truncate(24 * time.Hour)
	for ago := 0; ago <= 20; ago++ { // today counts when it is over, which may be while the test runs
		for n := range 14 {
			method := store.MethodPasskey
			if n%2 == 1 {
				method = store.MethodPassword
			}
			events = append(events, store.Event{Kind: shared.EventSignedIn, Time: today.AddDate(0, 0, -ago).Add(time.Duration(n)), Method: method})
		}
	}
	s.remembers(events...)
	s.starts()
	ann.opens("/rollout")
	ann.sees(".plot polyline")
	ann.readsIn("#rollout-days-keys li", "Passkey 7")
	ann.clicks("#days-table summary")
	ann.waitsFor("two weeks", fmt.Sprintf(`(() => {
		const weeks = [...document.querySelectorAll("#days-table tbody tr")].map((e) => [...e.querySelectorAll("td")].map((d) => d.innerText).slice(0, 2).join(" ")).join();
		return weeks === "7 7,7 7" || Date.now() >= %d && weeks === "7 7,7 7,7 7";
	})()`, today.AddDate(0, 0, 1).UnixMilli()))
	ann.clicks("#rollout-export")
	ann.waitsFor("the file", `globalThis.savedFile?.trim().split("\n").length === 22`)
	if saved := value[string](ann, `savedFile`); !strings.HasPrefix(saved, `"day","passkey","password",`) {
		t.Errorf("the file is %s", saved)
	}

	t.Log("A helper has no such page.")
	s.command(t, "", "user", "role", "amy", "helper", "--helps", "sales")
	amy.opens("/rollout")
	amy.reads("Your role doesn't allow this. Ask an administrator.")
	amy.seesNo(`.tabs a[href="/rollout"]`)

	t.Log("While the server is away, what is known stays.")
	s.stops()
	ann.sees("#offline-bar")
	ann.readsIn("#tile-passkey .big", "10 %")
	ann.opens("/rollout")
	ann.reads("The server can't be reached right now.")
	s.starts()
	ann.readsIn("#tile-passkey .big", "10 %")
}
