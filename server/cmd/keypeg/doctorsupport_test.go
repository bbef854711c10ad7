package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/store"
)

// TestDoctorSupport: the text for whoever helps has the version, the settings and the results. It has no secret, and
// nobody's name.
func TestDoctorSupport(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(secret, []byte("hunter22"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := newProgramOn(t, privateDatabase(t), "", "--smtp-server", "localhost:1", "--smtp-user", "mailer@example.com", "--smtp-password-file", secret,
		"--mail-from", "id@example.com", "--contact", "Zoe Zimmer, phone 1234", "--acme-email", "zoe@example.com")
	p.opens(func(db store.Store) {
		ann := store.User{ID: store.NewUserID(), Name: "annabel", DisplayName: "Annabel", Passkeys: []store.Passkey{{ID: "the-id", CredentialID: []byte("a"), PublicKey: []byte("a"), RPID: "other.example", Verified: true, Created: time.Now()}}}
		if err := db.Apply(t.Context(), store.Batch{store.PutUser{User: ann}}); err != nil {
			t.Fatal(err)
		}
	})
	path, err := theProgram()
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(path, slices.Concat([]string{"doctor", "--support"}, p.args[1:])...).Output()
	if err == nil {
		t.Error("it ends with 0, and the mail server is away")
	}
	text := string(out)
	for _, part := range []string{"keypeg ", "\n  database = ", "\n  smtp-user = \"xxxxx\"", "\n  failed    Others, mail server: ", "users have no sign-in method left\n"} {
		if !strings.Contains(text, part) {
			t.Errorf("there is no %q in\n%s", part, text)
		}
	}
	for _, secret := range []string{"hunter22", "mailer@example.com", "Zoe", "zoe@", "annabel", "the-id"} {
		if strings.Contains(text, secret) {
			t.Errorf("there is %q in\n%s", secret, text)
		}
	}
}
