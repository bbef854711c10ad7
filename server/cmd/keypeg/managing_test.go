package main

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/internal/control"
	"github.com/keypeg/keypeg/server/store/boltstore"
	"github.com/keypeg/keypeg/shared"
)

// TestManaging cares for users at the command line: with the database to itself, and while a server
// has it.
func TestManaging(t *testing.T) {
	t.Run("without a server", func(t *testing.T) { testManaging(t, newDatabase(t)) })
	t.Run("while a server runs", func(t *testing.T) { testManaging(t, servedDatabase(t)) })
}

// servedDatabase is the path of a new database that a server has, which takes commands.
func servedDatabase(t *testing.T) string {
	database := filepath.Join(t.TempDir(), "keypeg.db")
	db, err := boltstore.Open(database, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	listener, err := control.Listen(database + ".sock")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: control.Handler(control.Accounts{
		Service: account.New(account.Config{Store: db, Now: time.Now}), Store: db, Address: server.Address{Origin: "https://id.example.com"},
	}, db)}
	go srv.Serve(listener)
	t.Cleanup(func() { srv.Shutdown(context.Background()) })
	return database
}

func testManaging(t *testing.T, database string) {
	at := func(args ...string) []string { return append(args, "--database", database) }
	user := func(args ...string) (u shared.Member) {
		t.Helper()
		printed := succeeds(t, "", at(append(append([]string{"user"}, args...), "--json")...)...)
		if err := json.Unmarshal([]byte(printed), &u); err != nil {
			t.Fatalf("%v: %v in %s", args, err, printed)
		}
		return u
	}
	succeeds(t, "correct horse battery\n", at("user", "add", "ann", "--admin")...)
	succeeds(t, "correct horse battery\n", at("user", "add", "bob")...)

	if u := user("rename", "bob", "Bobby", "--display-name", "Bobby Builder"); u.Name != "bobby" || u.DisplayName != "Bobby Builder" {
		t.Errorf("renamed: %+v", u)
	}
	failsWith(t, "Somebody has the user name ann already.", "", at("user", "rename", "bobby", "ANN")...)
	failsWith(t, "There is no user with the name bob.", "", at("user", "show", "bob")...)
	if u := user("email", "bobby", "Bob@Example.com"); u.Email != "Bob@example.com" || u.EmailVerified {
		t.Errorf("with an address: %+v", u)
	}
	failsWith(t, "This is no e-mail address.", "", at("user", "email", "bobby", "nowhere")...)
	if u := user("group", "bobby", "--add", "sales,IT", "--remove", "none"); strings.Join(u.Groups, " ") != "it sales" {
		t.Errorf("in groups: %+v", u)
	}
	failsWith(t, "name them with --helps", "", at("user", "role", "bobby", "helper")...)
	failsWith(t, "there is no role king: it is one of administrator, helper, auditor, none", "", at("user", "role", "bobby", "king")...)
	if u := user("role", "bobby", "helper", "--helps", "sales"); u.Role != shared.RoleHelper || strings.Join(u.Helps, " ") != "sales" {
		t.Errorf("a helper: %+v", u)
	}
	failsWith(t, "say --even-the-last", "", at("user", "role", "ann", "none")...)
	failsWith(t, "say --even-the-last", "", at("user", "remove", "ann", "--yes", "ann")...)
	failsWith(t, "add --yes bobby", "", at("user", "remove", "bobby")...)
	failsWith(t, "This is not the user name of this user.", "", at("user", "remove", "bobby", "--yes", "ann")...)

	if list := succeeds(t, "", at("user", "list", "--find", "build", "--json")...); strings.Count(list, "\n") != 1 || !strings.Contains(list, `"name":"bobby"`) {
		t.Errorf("found: %s", list)
	}
	if list := succeeds(t, "", at("user", "list", "--in", "group/sales")...); !strings.Contains(list, "bobby") || strings.Contains(list, "ann") {
		t.Errorf("of the group: %s", list)
	}
	failsWith(t, "there is no filter kings: --in is one of with-passkey, ", "", at("user", "list", "--in", "kings")...)
	failsWith(t, "there is no filter group/back office: --in is one of with-passkey, ", "", at("user", "export", "--in", "group/back office")...)
	if list := succeeds(t, "", at("user", "list", "--in", "group/IT")...); !regexp.MustCompile(`(?m)^bobby .* Bob@example.com +it sales$`).MatchString(list) {
		t.Errorf("of the group IT: %s", list)
	}
	failsWith(t, "No group can be called back office. A group's name is like a user name: without spaces, at most 64 characters.", "", at("user", "group", "bobby", "--add", "back office")...)
	if shown := succeeds(t, "", at("user", "show", "bobby")...); !strings.Contains(shown, "Bob@example.com (not verified)") {
		t.Errorf("shown: %s", shown)
	}
	if u := user("email", "bobby", "none"); u.Email != "" {
		t.Errorf("without an address: %+v", u)
	}

	if u := user("remove", "bobby", "--yes", "BOBBY"); u.Name != "bobby" {
		t.Errorf("removed: %+v", u)
	}
	failsWith(t, "There is no user with the name bobby.", "", at("user", "show", "bobby")...)
	testImporting(t, at)
	if rollout := succeeds(t, "", at("rollout")...); !regexp.MustCompile(`(?m)^with no way to sign in yet +2 +keypeg user list --in invited$`).MatchString(rollout) {
		t.Errorf("the rollout: %s", rollout)
	}
	if rollout := succeeds(t, "", at("rollout", "--csv")...); !strings.HasPrefix(rollout, "figure,day,of,browser,count\nusers,") || !strings.Contains(rollout, ",password-only,,1\n") {
		t.Errorf("as a table:\n%s", rollout)
	}
	if rollout := succeeds(t, "", at("rollout", "--json")...); !strings.Contains(rollout, `"passwordOnly": 1`) {
		t.Errorf("the rollout as JSON: %s", rollout)
	}
	succeeds(t, "", at("user", "role", "ann", "none", "--even-the-last")...)
}

func testImporting(t *testing.T, at func(...string) []string) {
	table := func(content string) string {
		path := filepath.Join(t.TempDir(), "people.csv")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	before := succeeds(t, "", at("user", "list")...)
	for _, row := range []struct{ wrong, content, says string }{
		{"a name twice", "name\ncarl\nCARL\n", "line 3: Line 2 has the same user name."},
		{"an address twice", "name,email\ncarl,c@example.com\ndora,C@example.com\n", "line 3: Line 2 has the same e-mail address."},
		{"a name that is there", "name\ncarl\nann\n", "line 3: Somebody has the user name ann already."},
		{"no name", "name,email\n,c@example.com\n", "line 2: Please enter a user name."},
		{"no address", "name,email\ncarl,nowhere\n", "line 2: This is no e-mail address."},
		{"a quote too many", "name\n\"carl\n", "line 2: A quotation mark is missing, or is in the wrong place."},
		{"a cell too many", "name\ncarl,dora\n", "line 2: This line doesn't have as many cells as the first one."},
		{"no lines", "name\n", "the table has no lines"},
		{"nothing", "", "can't be read: The first line must name the columns, each of them once."},
	} {
		t.Run(row.wrong, func(t *testing.T) {
			failsWith(t, row.says, "", at("user", "import", table(row.content))...)
			if after := succeeds(t, "", at("user", "list")...); after != before {
				t.Errorf("it changed something:\n%s", after)
			}
		})
	}
	people := table("\ufeffName;Display_Name;email;groups\r\ncarl;\"Carl; the =1\";carl@example.com;sales it\r\ndora;=HYPERLINK(1);;\r\n")
	if out := succeeds(t, "", at("user", "import", people, "--dry-run")...); !strings.Contains(out, "All 2 lines are right.") {
		t.Errorf("a dry run says %s", out)
	}
	if after := succeeds(t, "", at("user", "list")...); after != before {
		t.Errorf("a dry run changed something:\n%s", after)
	}
	links := succeeds(t, "", at("user", "import", people)...)
	if strings.Count(links, "/enrol?token=") != 2 || !strings.Contains(links, "'=HYPERLINK(1)") {
		t.Errorf("the links: %s", links)
	}
	exported := succeeds(t, "", at("user", "export", "--in", "invited")...)
	for _, line := range []string{"name,display_name,email,groups,", "carl,Carl; the =1,carl@example.com,it sales,,no way in,", "dora,'=HYPERLINK(1),,,,no way in,"} {
		if !strings.Contains(exported, line) {
			t.Errorf("the export lacks %q: %s", line, exported)
		}
	}
	var names []string
	for line := range strings.Lines(succeeds(t, "", at("user", "export", "--in", "invited", "--json")...)) {
		var u shared.Member
		if err := json.Unmarshal([]byte(line), &u); err != nil {
			t.Fatal(err)
		}
		names = append(names, u.Name)
	}
	if strings.Join(names, " ") != "carl dora" {
		t.Errorf("exported as JSON: %v", names)
	}
	failsWith(t, "nobody was invited: 2 of 2 lines are wrong", "", at("user", "import", people)...)
	code, out, _ := types(t, "", at("user", "import", people, "--json")...)
	if code != 1 || strings.Count(out, "\n") != 2 || !strings.Contains(out, `{"line":2,"name":"carl","displayName":"Carl; the =1","email":"carl@example.com","groups":["sales","it"],"problem":"Somebody has the e-mail address carl@example.com already.","code":"email_taken"}`) {
		t.Errorf("refused as JSON: exit %d, %s", code, out)
	}
	more := table("Username,E-Mail,Groups\nemil,e@example.com,it night\n")
	if out := succeeds(t, "", at("user", "import", more, "--dry-run")...); out != "The only line is right. Nobody was invited yet.\n" {
		t.Errorf("a dry run of one line says %s", out)
	}
	const emil = `{"line":2,"name":"emil","displayName":"emil","email":"e@example.com","groups":["it","night"]`
	if out := succeeds(t, "", at("user", "import", more, "--json", "--dry-run")...); out != emil+"}\n" {
		t.Errorf("a dry run as JSON: %s", out)
	}
	if out := succeeds(t, "", at("user", "import", more, "--json")...); !strings.HasPrefix(out, emil+`,"url":"`) || strings.Count(out, "\n") != 1 {
		t.Errorf("the links as JSON: %s", out)
	}
	failsWith(t, "nobody was invited: 1 of 1 line is wrong", "", at("user", "import", more)...)
	succeeds(t, "", at("user", "remove", "emil", "--yes", "emil")...)
}
