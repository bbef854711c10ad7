package config

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	netmail "net/mail"
	"strconv"

	"github.com/spf13/pflag"

	"github.com/keypeg/keypeg/server/internal/shown"
	"github.com/keypeg/keypeg/server/internal/textfile"
	"github.com/keypeg/keypeg/server/mail"
	"github.com/keypeg/keypeg/shared/message"
)

// mailServer are the settings of the server that takes mails. All organisations share it.
type mailServer struct {
	SMTPServer   string
	SMTPSecurity mail.Security
	SMTPUser     string
	smtpPassword secretFile

	host string
	port int
}

func (s *mailServer) declare(flags *pflag.FlagSet) {
	flags.StringVar(&s.SMTPServer, "smtp-server", "", "Mail server that takes mails to users, as `HOST` or HOST:PORT. Unset: no mails.")
	flags.Var(OneOf(&s.SMTPSecurity, mail.StartTLS, mail.StartTLS, mail.TLS, mail.None), "smtp-security",
		"How the connection to it is encrypted. Without HOST:PORT: port 587, 465 for tls, 25 for none.")
	flags.StringVar(&s.SMTPUser, "smtp-user", "", "`NAME` with which Keypeg signs in there. Unset: it doesn't.")
	flags.Var(&s.smtpPassword, "smtp-password-file", "File that holds the password for it, and nothing else.")
}

// check returns what contradicts each other, and reads the server's address.
func (s *mailServer) check(org organisationSettings) []fault {
	if s.SMTPServer == "" {
		return nil
	}
	s.host, s.port = s.SMTPServer, s.SMTPSecurity.DefaultPort()
	if host, port, err := net.SplitHostPort(s.SMTPServer); err == nil {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 {
			return []fault{faultOf(fmt.Errorf("--smtp-server has no port from 1 to 65535: write it like smtp.example.com:587, and not %s", shown.Quoted(s.SMTPServer)), "smtp-server")}
		}
		s.host, s.port = host, int(n)
	}
	var found []fault
	refuse := func(is bool, err error, of ...string) {
		if is {
			found = append(found, faultOf(err, of...))
		}
	}
	refuse(s.host == "" || net.ParseIP(s.host) == nil && !isHostName(s.host), fmt.Errorf("--smtp-server must be a name such as smtp.example.com, or smtp.example.com:587, not %s", shown.Quoted(s.SMTPServer)), "smtp-server")
	refuse(org.MailFrom == "", errors.New("--smtp-server needs --mail-from too: the address that mails come from"), "smtp-server", "mail-from")
	refuse((s.SMTPUser == "") != (s.smtpPassword.secret == ""), errors.New("--smtp-user and --smtp-password-file go together: set both or none"), "smtp-user", "smtp-password-file")
	refuse(s.SMTPUser != "" && s.SMTPSecurity == mail.None, errors.New("--smtp-user doesn't go with --smtp-security none: everybody on the way could read the password"), "smtp-user", "smtp-security")
	return found
}

// isHostName reports whether a text has only the characters of a host's name.
func isHostName(text string) bool {
	for _, r := range text {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '.' && r != '_' {
			return false
		}
	}
	return true
}

func (s *mailServer) logNotices(log *slog.Logger) {
	if s.SMTPServer == "" {
		return
	}
	if mode, is := textfile.ReadableByAll(s.smtpPassword.path); is {
		log.Warn("everybody on this machine can read the password for the mail server: chmod o-rwx "+s.smtpPassword.path, "mode", mode.String())
	}
	if s.SMTPSecurity == mail.None {
		log.Warn("mails go to the mail server unencrypted, so everybody on the way can read them: set --smtp-security starttls or tls", "smtp_server", s.SMTPServer)
	}
}

// sender returns what sends the mails of one organisation.
func (s *Settings) sender(org organisationSettings) mail.Sender {
	return mail.Sender{
		Server: mail.Server{Host: s.host, Port: s.port, Security: s.SMTPSecurity, User: s.SMTPUser, Password: s.smtpPassword.secret},
		Name:   org.Product, From: org.MailFrom,
	}
}

// declareMail declares what each organisation may override.
func (s *organisationSettings) declareMail(flags *pflag.FlagSet) {
	flags.StringVar(&s.MailFrom, "mail-from", "", "`ADDRESS` that mails to users come from. Their sender is called like the product.")
	var languages []string
	for _, catalogue := range message.Languages {
		languages = append(languages, catalogue.Lang)
	}
	flags.Var(OneOf(&s.MailLanguage, message.English.Lang, languages...), "mail-language", "Language of mails to users who have chosen none.")
}

func (s *organisationSettings) checkMail() error {
	if s.MailFrom == "" {
		return nil
	}
	parsed, err := netmail.ParseAddress(s.MailFrom)
	if err == nil && parsed.Address != s.MailFrom { // with a name, or within < and >
		return fmt.Errorf("--mail-from takes only the address, because the sender is called like the product: write --mail-from %s", parsed.Address)
	}
	if err != nil {
		return fmt.Errorf("--mail-from must be an address such as keypeg@example.com, not %s", shown.Quoted(s.MailFrom))
	}
	return nil
}

// secretFile is a flag that names a file with a secret. It may be empty.
type secretFile struct{ path, secret string }

// Set implements pflag.Value.
func (f *secretFile) Set(path string) (err error) {
	f.path, f.secret = path, ""
	if path == "" {
		return nil
	}
	if f.secret, err = textfile.Secret(path); err != nil {
		return fmt.Errorf("can't be used: %w", err)
	}
	return nil
}

// String implements pflag.Value. It doesn't show the secret.
func (f *secretFile) String() string { return f.path }

// Type implements pflag.Value.
func (f *secretFile) Type() string { return "FILE" }
