package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestInvitationsByMail mails links rather than print them, without a server that could send them.
func TestInvitationsByMail(t *testing.T) {
	database := newDatabase(t)
	off := func(args ...string) []string { return append(args, "--database", database) }
	on := func(args ...string) []string {
		return append(off(args...), "--smtp-server", "smtp.invalid", "--mail-from", "keypeg@example.com", "--public-url", "https://id.example.com")
	}
	dora := []string{"user", "invite", "dora", "--email", "dora@example.com", "--mail"}
	failsWith(t, "This server sends no mails.", "", off(dora...)...)
	failsWith(t, "An invitation by mail needs an e-mail address.", "", on("user", "invite", "dora", "--mail")...)
	for _, command := range [][]string{dora, dora, {"user", "invite", "dora", "--mail"}} { // and again
		printed := succeeds(t, "", on(command...)...)
		if printed != "The link goes to dora@example.com by mail, once the server runs.\n" {
			t.Errorf("got %s", printed)
		}
	}
	failsWith(t, "dora is invited already, with another name, e-mail address, role, language or group. Change the user first.", "", on("user", "invite", "dora", "--email", "dora@example.org", "--mail")...)
	succeeds(t, "", on("user", "invite", "dora", "--email", "Dora@example.com")...)
	succeeds(t, "", on("user", "invite", "fay")...)
	failsWith(t, "fay is invited already, with another name, e-mail address, role, language or group. Change the user first.", "", on("user", "invite", "fay", "--email", "dora@example.com")...)
	people := filepath.Join(t.TempDir(), "people.csv")
	if err := os.WriteFile(people, []byte("name,email\ncarl,carl@example.com\nemil,\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	failsWith(t, "This server sends no mails.", "", off("user", "import", people, "--mail")...)
	lines := strings.Split(succeeds(t, "", on("user", "import", people, "--mail")...), "\n")
	if !strings.HasPrefix(lines[1], "carl,,carl@example.com,,2") || !strings.HasPrefix(lines[2], "emil,,,https://id.example.com/enrol?token=") {
		t.Errorf("got %q", lines)
	}
	queue := succeeds(t, "", on("mail", "queue")...)
	if strings.Count(queue, "invitation") != 4 || strings.Count(queue, "  dora  ") != 3 || strings.Count(queue, "  carl  ") != 1 {
		t.Errorf("the queue is\n%s", queue)
	}
	var first struct{ Name string }
	if printed := succeeds(t, "", on("mail", "queue", "--json")...); json.NewDecoder(strings.NewReader(printed[1:])).Decode(&first) != nil || first.Name != "dora" {
		t.Errorf("the queue as JSON: %s", printed)
	}
	if printed := succeeds(t, "", on("mail", "retry")...); printed != "4 mails are tried again, within half a minute while a server runs.\n" {
		t.Errorf("got %s", printed)
	}
	if file, err := os.ReadFile(database); err != nil || strings.Contains(string(file), "invitation.") {
		t.Errorf("the database has a token (%v)", err)
	}
}
