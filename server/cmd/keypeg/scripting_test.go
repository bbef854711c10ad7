package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/keypeg/keypeg/server/internal/control"
	"github.com/keypeg/keypeg/shared"
)

// TestJSONFlags checks what the manual promises: every command about users can be scripted.
func TestJSONFlags(t *testing.T) {
	for _, b := range commands() {
		for _, next := range b.commands {
			if l := newCommandLine(); b.name == "user" {
				if next.does.takes(l); l.Lookup("json") == nil {
					t.Errorf("keypeg user %s takes no --json", next.name)
				}
			}
		}
	}
}

// TestScripting reads what commands print with --json.
func TestScripting(t *testing.T) {
	t.Run("without a server", func(t *testing.T) { testScripting(t, newDatabase(t)) })
	t.Run("while a server runs", func(t *testing.T) { testScripting(t, servedDatabase(t)) })
}

// scripted runs a command with --json and reads what it prints.
func scripted[T any](t *testing.T, database, stdin string, args ...string) (v T) {
	t.Helper()
	printed := succeeds(t, stdin, append(args, "--json", "--database", database)...)
	reader := json.NewDecoder(strings.NewReader(printed))
	reader.DisallowUnknownFields()
	if err := reader.Decode(&v); err != nil || reader.More() {
		t.Fatalf("%v: %v in %s", args, err, printed)
	}
	return v
}

// invited is what keypeg user invite prints.
type invited struct {
	User shared.Member
	Link control.Link
}

func testScripting(t *testing.T, database string) {
	user := func(stdin string, args ...string) shared.Member {
		t.Helper()
		return scripted[shared.Member](t, database, stdin, append([]string{"user"}, args...)...)
	}
	const password = "correct horse battery\n"
	if first, second := scripted[control.Link](t, database, "", "setup-link"), scripted[control.Link](t, database, "", "setup-link"); first.Again || !second.Again || second.Expires.IsZero() || !strings.Contains(second.URL, "/setup?token=") {
		t.Errorf("set-up links: %+v, %+v", first, second)
	}
	if u := user(password, "add", "Ann", "--email", "Ann@EXAMPLE.com", "--admin"); u.Name != "ann" || u.Email != "Ann@example.com" || u.Role != shared.RoleAdministrator || !u.HasPassword {
		t.Errorf("added: %+v", u)
	}
	if !strings.Contains(succeeds(t, "", "user", "list", "--database", database), "Ann@example.com  -") {
		t.Error("the list has no address of Ann")
	}
	failsWith(t, "Somebody has the e-mail address Ann@example.com already.", "", "user", "add", "bob", "--email", "Ann@example.com", "--database", database)

	hal := scripted[invited](t, database, "", "user", "invite", "hal", "--groups", "IT,night", "--role", "helper", "--helps", "Sales")
	if u := hal.User; u.Name != "hal" || strings.Join(u.Groups, " ") != "it night" || u.Role != shared.RoleHelper || strings.Join(u.Helps, " ") != "sales" || !u.Invited || u.LinkUntil == nil || hal.Link.URL == "" || hal.Link.Again {
		t.Errorf("invited: %+v", hal)
	}
	if again := scripted[invited](t, database, "", "user", "invite", "hal", "--groups", "IT", "--role", "helper", "--helps", "SALES"); !again.Link.Again || again.Link.URL == hal.Link.URL {
		t.Errorf("invited again: %+v", again)
	}
	for says, args := range map[string][]string{
		"is invited already, with another name":      {"hal", "--role", "helper", "--helps", "it"},
		"name them with --helps":                     {"carl", "--role", "helper"},
		"Only a helper has groups to help.":          {"carl", "--helps", "sales"},
		"there is no role king: it is one of admin":  {"carl", "--role", "king"},
		"--admin and --role both name a role":        {"carl", "--role", "auditor", "--admin"},
		"No group can be called back office. A grou": {"carl", "--groups", "back office"},
	} {
		failsWith(t, says, "", append([]string{"user", "invite", "--database", database}, args...)...)
	}
	failsWith(t, "There is no user with the name carl.", "", "user", "show", "carl", "--database", database)

	if u := user("", "disable", "hal"); u.Name != "hal" || !u.Disabled {
		t.Errorf("disabled: %+v", u)
	}
	if u := user("", "disable", "hal"); !u.Disabled {
		t.Errorf("disabled again: %+v", u)
	}
	if u := user("", "enable", "hal"); u.Name != "hal" || u.Disabled {
		t.Errorf("enabled: %+v", u)
	}
	if link := scripted[control.Link](t, database, "", "user", "recovery-link", "hal"); link.URL == "" || link.Expires.IsZero() {
		t.Errorf("a recovery link: %+v", link)
	}
	if u := user("", "withdraw-link", "hal"); u.Name != "hal" || u.LinkUntil != nil {
		t.Errorf("without links: %+v", u)
	}
	if u := user(password, "passwd", "hal"); !u.HasPassword || u.Invited {
		t.Errorf("with a password: %+v", u)
	}
	if u := user("", "release", "hal"); u.Name != "hal" || !u.HeldUntil.IsZero() {
		t.Errorf("released: %+v", u)
	}
}
