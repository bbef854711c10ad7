package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// chooses a file, as somebody does in the dialog of the system.
func (b *browser) choosesFile(selector, text string) {
	b.t.Helper()
	file := filepath.Join(b.t.TempDir(), "people.csv")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		b.t.Fatal(err)
	}
	b.do("choose a file", chromedp.SetUploadFiles(selector, []string{file}))
}

// TestImport has an administrator invite the people of a table: first with wrong lines, then with right
// ones, and once somebody else is faster.
func TestImport(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann := openBrowser(t, s)
	ann.runsFirst(keepsFiles)
	ann.setsUp()
	ann.opensUsers()
	ann.clicks("#users-import")
	ann.hasFocusOn("#import-file")
	ann.isGreyed("#import-ok")

	t.Log("What is no table is refused with a sentence.")
	for _, wrong := range []struct{ file, sentence string }{
		{"name,groups\nM\xfcller,it\n", "This isn't UTF-8. Save the table as CSV UTF-8."},
		{"benutzer;gruppe\namy;it\n", "The first line must name the columns, and one of them must be called name."},
		{"name\n" + strings.Repeat("x", 1<<20), "The file is too large. Import it in parts, or at the command line."},
		{"name,groups\n", "The table has no people."},
	} {
		ann.choosesFile("#import-file", wrong.file)
		ann.readsIn("#import .notice-bad", wrong.sentence)
		ann.isGreyed("#import-ok")
	}

	t.Log("Each wrong line is named, and nobody is invited.")
	ann.choosesFile("#import-file", "User name;Full name;E-Mail;Groups\namy;Amy Smith;amy@example.com;it sales\nann;Ann;;\namy;Amy Jones;;\nben;;no address;\n")
	ann.reads("3 lines are wrong, so nobody is invited.")
	ann.waitsFor("the wrong lines", fmt.Sprintf(`[...document.querySelectorAll("#import-wrong li")].map((e) => e.innerText).join("|") === %s`, quoted(strings.Join([]string{
		"Line 3 ann Somebody has the user name ann already.",
		"Line 4 amy Line 2 has the same user name.",
		"Line 5 ben This is no e-mail address. Please write it like ann@example.com.",
	}, "|"))))
	ann.readsIn("#import-people tbody tr", "amy\tAmy Smith\tamy@example.com\tit, sales")
	ann.isGreyed("#import-ok")

	t.Log("Somebody is faster.")
	ann.choosesFile("#import-file", "name,display_name,email,groups\namy,Amy Smith,amy@example.com,it sales\nben,Ben,,\n")
	ann.reads("2 users will be invited:")
	ann.hasFocusOn("#import-ok")
	s.command(t, annsPassword+"\n", "user", "add", "ben", "--display-name", "Ben Blake")
	ann.presses(enter)
	ann.readsIn("#import .notice-bad", "Nobody was invited. Line 3: Somebody has the user name ben already.")

	t.Log("All of them are invited, and their links come in a file.")
	ann.choosesFile("#import-file", "name,display_name,email,groups\namy,Amy Smith,amy@example.com,it sales\nc d,,,\ncid,=Cid,,\n")
	ann.reads("1 line is wrong")
	ann.choosesFile("#import-file", "name,display_name,email,groups\namy,Amy Smith,amy@example.com,it sales\ncid,'=Cid,,\n")
	ann.clicks("#import-ok")
	ann.readsIn("#import-title", "2 users are invited")
	ann.keepsOpen("#import", "#import-save")
	ann.clicks("#import-save")
	ann.waitsFor("the file", `globalThis.savedFile?.trim().split("\n").length === 3`)
	rows := strings.Split(value[string](ann, `savedFile`), "\n")
	if !strings.HasPrefix(rows[1], "amy,Amy Smith,amy@example.com,"+s.url+"/enrol?token=") || !strings.HasPrefix(rows[2], "cid,'=Cid,,") {
		t.Errorf("the file is %q", rows)
	}
	ann.clicks("#import-close")
	ann.seesNo("#import")
	ann.hasFocusOn("#users-import")
	ann.lists("Amy Smith", "Ann Admin", "Ben Blake", "=Cid")

	amy, _ := openAnothersBrowser(t, s)
	amy.opensLink(strings.Split(rows[1], ",")[3], "Welcome, Amy Smith")
	exported := value[string](ann, `fetch(document.querySelector("#users-export").href).then((r) => r.text())`)
	if !strings.Contains(exported, "amy,Amy Smith,amy@example.com,it sales,") {
		t.Errorf("the export is %s", exported)
	}
	ann.hasNoComplaints()
}
