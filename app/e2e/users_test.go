package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// imports invites people by the command line.
func (s *server) imports(t *testing.T, lines ...string) {
	t.Helper()
	table := filepath.Join(t.TempDir(), "people.csv")
	if err := os.WriteFile(table, []byte("name,display_name,email,groups\n"+strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.command(t, "", "user", "import", table)
}

// keepsFiles has the browser keep the text of the last file that a page saved.
const keepsFiles = `(() => {
	const make = URL.createObjectURL;
	URL.createObjectURL = (blob) => { blob.text().then((text) => { globalThis.savedFile = text; }); return make.call(URL, blob); };
})()`

// picks selects users of the list by their names.
func (b *browser) picks(names ...string) {
	b.t.Helper()
	for _, name := range names {
		b.waitsFor("a box for "+name, `[...document.querySelectorAll("#users .pick")].some((e) => e.innerText.trim() === `+quoted("Select "+name)+`)`)
		value[bool](b, `(() => { [...document.querySelectorAll("#users .pick")].find((e) => e.innerText.trim() === `+quoted("Select "+name)+`).querySelector("input").click(); return true })()`)
	}
}

// TestManyUsers has an administrator do things for many users at once. Some of it is refused, and once
// the network goes away.
func TestManyUsers(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann := openBrowser(t, s)
	ann.runsFirst(keepsFiles)
	ann.setsUp()
	ann.opensUsers()
	ann.readsIn(".empty h2", "Just you so far")
	s.imports(t, "amy,Amy,,sales", "ben,Ben,,sales", "cid,Cid,,", "dan,Dan,,", "eve,Eve,,")
	ann.clicks("#users-fresh")
	ann.lists("Amy", "Ann Admin", "Ben", "Cid", "Dan", "Eve")

	t.Log("The bar says for how many each button is. Nobody disables themselves, and so not the last administrator.")
	ann.picks("Ann Admin")
	ann.readsIn(".float strong", "1 selected")
	ann.isGreyed("#bulk-disable")
	ann.isGreyed("#bulk-invite")
	ann.picks("Amy", "Ben")
	ann.readsIn("#bulk-disable", "Disable: 2 of 3")
	ann.readsIn("#bulk-invite", "Invite again: 2 of 3")
	ann.readsIn("#bulk-groups", "Groups…")
	ann.waitsFor("a box between", `document.querySelector("#pick-all").indeterminate`)
	ann.clicks("#bulk-clear")
	ann.seesNo(".float")
	ann.hasFocusOn("#pick-all")
	ann.presses(" ")
	ann.readsIn(".float strong", "6 selected")
	ann.presses(" ")
	ann.seesNo(".float")

	t.Log("Groups are given to some, and taken from some.")
	ann.picks("Amy", "Cid")
	ann.clicks("#bulk-groups")
	ann.readsIn("#bulk-title", "Groups of 2 users")
	ann.hasFocusOn("#bulk-names")
	ann.presses("it, works-council" + enter)
	ann.readsIn("#users tbody tr:nth-child(1) td:nth-of-type(3)", "it, sales, works-council")
	ann.readsIn("#users tbody tr:nth-child(4) td:nth-of-type(3)", "it, works-council")
	ann.sees("#users tbody tr.lit:nth-child(4)")
	ann.seesNo(".float")
	ann.readsIn(`[id="in-group/it"]`, "it 2")
	ann.picks("Amy", "Ben")
	ann.clicks("#bulk-groups")
	ann.clicks("#bulk-take")
	ann.types("#bulk-names", "sales")
	ann.clicks("#bulk-ok")
	ann.readsIn("#users tbody tr:nth-child(3) td:nth-of-type(3)", "None")
	ann.picks("Amy")
	ann.clicks("#bulk-groups")
	ann.types("#bulk-names", "two words")
	ann.clicks("#bulk-ok")
	ann.sees("#bulk-refused")
	ann.readsIn("#bulk-title", "Done for 0 of 1")
	ann.presses(escape)
	ann.seesNo("#bulk")
	ann.readsIn(".float strong", "1 selected") // to try again
	ann.clicks("#bulk-clear")

	t.Log("New links come in a file, once.")
	ann.picks("Ben", "Cid")
	ann.clicks("#bulk-invite")
	ann.readsIn("#bulk-title", "Invite 2 users again?")
	ann.readsIn("#bulk-who", "Ben, Cid")
	ann.clicks("#bulk-ok")
	ann.readsIn("#bulk-title", "2 new links")
	ann.keepsOpen("#bulk", "#bulk-save")
	ann.clicks("#bulk-save")
	ann.waitsFor("the file", `globalThis.savedFile?.split("\n").length === 4`)
	saved := value[string](ann, `savedFile`)
	if !strings.HasPrefix(saved, `"name","display_name","email","link","expires"`+"\n"+`"ben","Ben","","`+s.url+`/enrol?token=`) {
		t.Errorf("the file is %s", saved)
	}
	ann.clicks("#bulk-close")
	ann.seesNo("#bulk")

	t.Log("While she decides, somebody else makes one of them a helper and deletes another.")
	ann.picks("Ben", "Cid", "Dan", "Eve")
	ann.clicks("#bulk-disable")
	ann.readsIn("#bulk-who", "Ben, Cid, Dan, Eve")
	s.command(t, "", "user", "remove", "cid", "--yes", "cid")
	ann.readsIn("#users tbody tr:nth-child(4) th bdi", "Dan") // behind the dialog
	ann.clicks("#bulk-ok")
	ann.readsIn("#bulk-title", "Done for 3 of 4")
	ann.readsIn("#bulk-refused strong", "Cid")
	ann.readsIn("#bulk-refused .plain span", "This user isn't there any more.")
	ann.clicks("#bulk-close")
	ann.readsIn("#in-disabled", "Disabled 3")
	ann.seesNo(".float")

	t.Log("A button does what it says, also where another was a moment ago.")
	ann.picks("Amy")
	ann.readsIn("#bulk-disable", "Disable")
	ann.picks("Ben")
	ann.readsIn("#bulk-enable", "Enable: 1 of 2")
	ann.clicks("#bulk-enable")
	ann.readsIn("#bulk-title", "Enable 1 user?")
	ann.readsIn("#bulk-who", "Ben")
	ann.hasFocusOn("#bulk-cancel")
	ann.presses(escape)
	ann.seesNo("#bulk")
	ann.clicks("#bulk-clear")
	ann.seesNo(".float")

	t.Log("The network goes away in the middle.")
	ann.picks("Ben", "Dan", "Eve")
	ann.clicks("#bulk-enable")
	value[bool](ann, `(() => {
		const send = fetch;
		let changed = 0;
		globalThis.comesBack = () => { globalThis.fetch = send; };
		globalThis.fetch = (path, how) => how?.method === "PATCH" && ++changed > 1 ? Promise.reject(new TypeError("Failed to fetch")) : send(path, how);
		return true;
	})()`)
	ann.clicks("#bulk-ok")
	ann.readsIn("#bulk-title", "Done for 1 of 3")
	ann.readsIn("#bulk-refused strong", "Dan, Eve")
	ann.readsIn("#bulk-refused .plain span", "The server can't be reached. Check your connection and try again.")
	ann.clicks("#bulk-close")
	ann.readsIn(".float strong", "2 selected")
	value[bool](ann, `comesBack(), true`)
	ann.clicks("#bulk-enable")
	ann.clicks("#bulk-ok")
	ann.seesNo("#in-disabled")

	t.Log("A confirmation is asked for once, for all of them.")
	ann.growsOld()
	ann.clicks("#pick-all")
	ann.clicks("#bulk-disable")
	ann.clicks("#bulk-ok")
	ann.sees("#confirm-password")
	ann.clicks("#confirm-cancel")
	ann.seesNo("#confirm")
	ann.readsIn("#bulk-title", "Disable 4 users?")
	ann.clicks("#bulk-ok")
	ann.types("#confirm-password", annsPassword)
	ann.presses(enter)
	ann.readsIn("#in-disabled", "Disabled 4")
	ann.seesNo("#bulk")
	ann.hasNoComplaints()
}
