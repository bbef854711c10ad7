package admin_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/internal/csvfile"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// imports sends a table as the administrator root, and returns the status with the answer.
func (s *site) imports(table string, dryRun bool) (status int, answer shared.ImportedUsers, refusal shared.Problem) {
	s.Helper()
	body, err := json.Marshal(shared.ImportUsers{Table: table, DryRun: dryRun})
	if err != nil {
		s.Fatal(err)
	}
	w := s.sends("confirmed root", "POST", shared.PathImport, string(body))
	into := any(&answer)
	if w.Code >= 400 {
		into = &refusal
	}
	if err := json.Unmarshal(w.Body.Bytes(), into); err != nil {
		s.Fatalf("got %d %s", w.Code, w.Body)
	}
	return w.Code, answer, refusal
}

// TestImport invites the people of a table as spreadsheets of several countries write it.
func TestImport(t *testing.T) {
	for what, table := range map[string]string{
		"commas":                  "name,display_name,email,groups\ndora,\"Dora, \"\"D\"\"\",dora@example.com,sales it\nemil,,,\n",
		"semicolons":              "name;display_name;email;groups\ndora;\"Dora, \"\"D\"\"\";dora@example.com;sales it\nemil;;;\n",
		"tabs":                    "name\tdisplay_name\temail\tgroups\ndora\t\"Dora, \"\"D\"\"\"\tdora@example.com\tit sales\nemil\t\t\t\n",
		"as Excel writes it":      "\ufeffName;Display_Name;Email;Groups\r\nDORA;\"Dora, \"\"D\"\"\";dora@EXAMPLE.com;\"IT sales\"\r\nemil;;;\r\n;;;\r\n",
		"as people write it":      "E-Mail;User Name;Full-Name;Group\r\ndora@example.com;dora;\"Dora, \"\"D\"\"\";sales it\r\n;emil;;\r\n",
		"a column without a name": "name;display_name;;groups;mail\ndora;\"Dora, \"\"D\"\"\";x;it sales;dora@example.com\nemil;;x;;\n",
		"another order":           "groups,notes,email,display_name,name\nit sales,=1+1,dora@example.com,\"Dora, \"\"D\"\"\",dora\n,,,,emil\n",
	} {
		t.Run(what, func(t *testing.T) {
			s := newSite(t)
			before := s.everything()
			status, answer, _ := s.imports(table, true)
			if status != 200 || answer.Wrong != 0 || len(answer.Rows) != 2 || answer.Links != "" || answer.Rows[1].Line != 3 || answer.Rows[1].DisplayName != "emil" {
				t.Errorf("a dry run: got %d %+v", status, answer)
			}
			if s.everything() != before {
				t.Error("a dry run changes something")
			}

			status, answer, _ = s.imports(table, false)
			if status != 201 || answer.Wrong != 0 || len(answer.Rows) != 2 {
				t.Fatalf("got %d %+v", status, answer)
			}
			dora, err := s.store.UserByName(t.Context(), "dora")
			if err != nil || dora.DisplayName != `Dora, "D"` || dora.Email != "dora@example.com" || strings.Join(dora.Groups, " ") != "it sales" || dora.EmailVerified {
				t.Errorf("got %+v (%v)", dora, err)
			}
			links, err := csvfile.NewReader(strings.NewReader(answer.Links))
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{"dora", "emil"} {
				row, err := links.Next()
				_, token, _ := strings.Cut(row.Cell("link"), "token=")
				enrolment, refusal := s.accounts.Enrolment(t.Context(), token)
				if err != nil || refusal != nil || enrolment.User.Name != name {
					t.Errorf("the link %q is for %s (%v, %v)", row.Cell("link"), enrolment.User.Name, err, refusal)
				}
			}
			events, err := s.store.Events(t.Context(), dora.ID, store.EventID{}, 10)
			if err != nil || len(events) != 1 || events[0].Kind != shared.EventAccountCreated || events[0].By != s.users["root"].ID {
				t.Errorf("the events of dora: %+v (%v)", events, err)
			}
		})
	}
}

// TestImportRefusals sends tables with mistakes. A dry run names each, a real one refuses all, and
// neither changes anything.
func TestImportRefusals(t *testing.T) {
	s := newSite(t)
	for _, row := range []struct {
		wrong, table string
		line         int // 0 for the whole table
		code         shared.Code
		says         string
	}{
		{"a name twice", "name\ndora\nemil\nDora\n", 4, shared.CodeNameTaken, "Line 2 has the same user name."},
		{"an address twice in another form", "name,email\ndora,d@example.com\nemil,<d@example.com>\n", 3, shared.CodeEmailTaken, "Line 2 has the same e-mail address."},
		{"an address twice", "name,email\ndora,d@example.com\nemil,d@EXAMPLE.com\n", 3, shared.CodeEmailTaken, "Line 2 has the same e-mail address."},
		{"a name that is another's", "name\ndora\nANN\n", 3, shared.CodeNameTaken, "Somebody has the user name ann already."},
		{"no name", "name,email\n,d@example.com\n", 2, shared.CodeInvalidName, "Please enter a user name."},
		{"a name that nobody can have", "name\nd ora\n", 2, shared.CodeInvalidName, ""},
		{"a display name that is too long", "name,display_name\ndora," + strings.Repeat("d", 65) + "\n", 2, shared.CodeInvalidName, ""},
		{"an address with a line break", "name,email\ndora,\"d@example.com\nBcc: eve@example.com\"\n", 2, shared.CodeInvalidEmail, ""},
		{"an address that is too long", "name,email\ndora," + strings.Repeat("d", 243) + "@example.com\n", 2, shared.CodeInvalidEmail, ""},
		{"a group that can't be", "name,groups\ndora," + strings.Repeat("g", 65) + "\n", 2, shared.CodeInvalidName, "No group can be called " + strings.Repeat("g", 65) + ". A group's name is like a user name: without spaces, at most 64 characters."},
		{"too many groups of a user", "name,groups\ndora," + strings.Join(strings.Split("abcdefghijklmnopqrstu", ""), " ") + "\n", 2, shared.CodeConflict, ""},
		{"a quotation mark too few", "name\n\"dora\n", 2, shared.CodeInvalidRequest, "A quotation mark is missing, or is in the wrong place."},
		{"a cell too many", "name\ndora,d\n", 2, shared.CodeInvalidRequest, "This line doesn't have as many cells as the first one."},
		{"another encoding, read by a browser", "name,display_name\ndora,D\ufffdra\n", 2, shared.CodeInvalidRequest, "This isn't UTF-8. Save the table as CSV UTF-8."},
		{"a line that is too long", "name\nemil\n\"" + strings.Repeat("d", 200<<10) + "\n", 0, shared.CodeInvalidRequest, "From line 3 on, a line is too long. Perhaps a quotation mark is missing there."},
		{"no column of names", "benutzer,email\ndora,d@example.com\n", 0, shared.CodeInvalidRequest, "The first line must name the columns, and one of them must be called name."},
		{"a column twice", "name,Name\ndora,d\n", 0, shared.CodeInvalidRequest, "The first line must name the columns, each of them once."},
		{"a column twice, by two names", "Mail,name,E-mail address\nd,dora,d\n", 0, shared.CodeInvalidRequest, "The columns Mail and E-mail address are the same one. Leave one of them out."},
		{"nobody", "name,email\n", 0, shared.CodeInvalidRequest, "The table has no people."},
		{"nothing", "", 0, shared.CodeInvalidRequest, "The first line must name the columns, each of them once."},
		{"too many people", "name\n" + strings.Repeat("d\n", account.MostInvited+1), 0, shared.CodeTooLarge, "A table can have at most 1000 people. Divide it, or ask IT to import it."},
	} {
		t.Run(row.wrong, func(t *testing.T) {
			before := s.everything()
			status, answer, refusal := s.imports(row.table, true)
			if row.line == 0 {
				if refusal.Code != row.code || refusal.Detail != row.says {
					t.Errorf("a dry run: got %d %+v", status, refusal)
				}
			} else {
				if status != 200 || answer.Wrong != 1 {
					t.Errorf("a dry run: got %d %+v", status, answer)
				}
				for _, found := range answer.Rows {
					isIt := found.Line == row.line && found.Code == row.code && (row.says == "" || found.Problem == row.says)
					if isIt != (found.Line == row.line) || !isIt && found.Problem != "" {
						t.Errorf("a dry run: %+v", found)
					}
				}
			}

			_, _, refusal = s.imports(row.table, false)
			says := row.says
			if row.line > 0 {
				says = fmt.Sprintf("Nobody was invited. Line %d: %s", row.line, says)
			}
			if refusal.Code != row.code || !strings.HasPrefix(refusal.Detail, says) {
				t.Errorf("got %+v, want %s: %s", refusal, row.code, says)
			}
			if s.everything() != before {
				t.Error("it changes something")
			}
		})
	}
	t.Run("in the language of the reader", func(t *testing.T) {
		r := `{"table":"name\nann\n"}`
		w := s.sendsIn("de", "confirmed root", "POST", shared.PathImport, r)
		if !strings.Contains(w.Body.String(), "Niemand wurde eingeladen. Zeile 2: Den Benutzernamen ann hat schon jemand.") {
			t.Errorf("got %s", w.Body)
		}
	})
}

// TestIgnoredColumns imports what an office program writes. The answer names the columns that aren't
// read, and groups may have commas between them.
func TestIgnoredColumns(t *testing.T) {
	s := newSite(t)
	status, answer, _ := s.imports("Name;Abteilung;groups;Kostenstelle;\r\ndora;Vertrieb;\"sales, it\";4711;\r\n", true)
	if status != 200 || answer.Wrong != 0 || !slices.Equal(answer.Ignored, []string{"Abteilung", "Kostenstelle"}) || !slices.Equal(answer.Rows[0].Groups, []string{"sales", "it"}) {
		t.Errorf("got %d %+v", status, answer)
	}
}
