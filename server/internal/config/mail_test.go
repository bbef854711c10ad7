package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/keypeg/keypeg/server/internal/config"
	"github.com/keypeg/keypeg/server/internal/tenant"
	"github.com/keypeg/keypeg/server/mail"
)

func TestMailSettings(t *testing.T) {
	password := filepath.Join(t.TempDir(), "smtp.secret")
	if err := os.WriteFile(password, []byte("the relay's secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	read := func(words ...string) (*config.Settings, error) {
		s, flags := &config.Settings{}, config.NewFlagSet()
		s.Declare(flags)
		if err := flags.Parse(words); err != nil {
			return s, err
		}
		return s, s.Check(config.Use{})
	}
	for _, test := range []struct {
		words  string
		server mail.Server
	}{
		{"", mail.Server{Security: mail.StartTLS}},
		{"--smtp-server smtp.example.com --mail-from k@example.com", mail.Server{Host: "smtp.example.com", Port: 587, Security: mail.StartTLS}},
		{"--smtp-server smtp.example.com --mail-from k@example.com --smtp-security tls", mail.Server{Host: "smtp.example.com", Port: 465, Security: mail.TLS}},
		{"--smtp-server 10.0.0.3:2525 --mail-from k@example.com --smtp-security none", mail.Server{Host: "10.0.0.3", Port: 2525, Security: mail.None}},
		{"--smtp-server smtp.example.com:25 --mail-from k@example.com --smtp-user u --smtp-password-file FILE", mail.Server{Host: "smtp.example.com", Port: 25, Security: mail.StartTLS, User: "u", Password: "the relay's secret"}},
	} {
		s, err := read(strings.Fields(strings.ReplaceAll(test.words, "FILE", password))...)
		if err != nil {
			t.Errorf("%s: %v", test.words, err)
			continue
		}
		org, err := s.Organisation(tenant.Tenant{})
		if err != nil || org.Mail.Server != test.server || org.Mail.Name != "Keypeg" || org.Mail.IsOn() != (test.words != "") {
			t.Errorf("%s: got %+v (%v), want %+v", test.words, org.Mail, err, test.server)
		}
	}
	for words, want := range map[string]string{
		"--smtp-server smtp.example.com":                                                                                 "--mail-from",
		"--smtp-server smtp.example.com --mail-from nobody":                                                              "--mail-from must be an address",
		"--smtp-server smtp.example.com --mail-from <k@example.com>":                                                     "write --mail-from k@example.com",
		"--smtp-server smtp.example.com:0 --mail-from k@example.com":                                                     "no port",
		"--smtp-server https://smtp.example.com --mail-from k@example.com":                                               "no port",
		"--smtp-server smtp/example --mail-from k@example.com":                                                           "must be a name",
		"--smtp-server smtp.example.com --mail-from k@example.com --smtp-user u":                                         "go together",
		"--smtp-server s.example --mail-from k@example.com --smtp-user u --smtp-password-file FILE --smtp-security none": "everybody on the way",
		"--smtp-password-file the-secret-itself":                                                                         "names no file",
	} {
		_, err := read(strings.Fields(strings.ReplaceAll(words, "FILE", password))...)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want a refusal with %q", words, err, want)
		}
	}
}
