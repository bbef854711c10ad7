// Package mail tells users by e-mail what happened to their accounts.
//
// A [Queue] stands in front of the store. Where a batch records an event that its user should
// hear of, it adds the mail to the same batch: a mail is queued if and only if the change is
// written, and writing a change never waits for a mail server. [Queue.Run] sends what is queued,
// by a [Sender]. Nothing in a mail lets anybody in, and nothing in it is a secret.
//
// The events that are told are one table, [notices], with one text for each language in package
// message. The package refuses to send over an unencrypted connection unless IT says so.
package mail

import (
	"crypto/x509"
	netmail "net/mail"

	gomail "github.com/wneessen/go-mail"

	"github.com/keypeg/keypeg/server/store"
)

// Security is how the connection to the mail server is encrypted.
type Security string

// The values of [Security].
const (
	StartTLS Security = "starttls" // required (RFC 3207)
	TLS      Security = "tls"      // from the first byte on (RFC 8314)
	None     Security = "none"
)

// DefaultPort returns the port that is usual.
func (s Security) DefaultPort() int {
	switch s {
	case TLS:
		return 465
	case None:
		return 25
	}
	return 587
}

// Server is the mail server that takes our mails (a submission server, RFC 6409).
type Server struct {
	Host           string
	Port           int
	Security       Security
	User, Password string         // "" for a server that asks for none
	Roots          *x509.CertPool // nil means the system's
}

// Sender sends mails for one organisation. The zero Sender sends none: see [Sender.IsOn].
type Sender struct {
	Server
	Name string // of the organisation, as the mail program shows it
	From string // an address
}

// IsOn reports whether there is a server that takes mails.
func (s Sender) IsOn() bool { return s.Host != "" }

// Letter is one mail.
type Letter struct {
	ID         string // unique; a receiver that gets it twice may show it once
	To         string
	Subject    string
	Text, HTML string
}

// message returns a letter in the library's form, which encodes every header.
func (s Sender) message(letter Letter) (*gomail.Msg, error) {
	m := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	m.FromMailAddress(&netmail.Address{Name: plain(s.Name), Address: store.ASCIIDomain(s.From)})
	if err := m.To(store.ASCIIDomain(letter.To)); err != nil {
		return nil, &Trouble{Stage: StageRecipient, Permanent: true, Detail: "the address can't be read", cause: err}
	}
	m.Subject(plain(letter.Subject))
	m.SetDate()
	m.SetMessageIDWithValue(letter.ID + "@" + domainOf(store.ASCIIDomain(s.From)))
	m.SetGenHeader("Auto-Submitted", "auto-generated") // no answer by a machine (RFC 3834, 5)
	m.SetBodyString(gomail.TypeTextPlain, letter.Text)
	m.AddAlternativeString(gomail.TypeTextHTML, letter.HTML)
	return m, nil
}
