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
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"strconv"
	"time"

	gomail "github.com/wneessen/go-mail"
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

// sendTime bounds a conversation with the server.
const sendTime = 30 * time.Second

// Send gives a mail to the server. After it has returned nil, the server is responsible for it
// (RFC 5321, 4.2.5). It fails with a [*Trouble].
func (s Sender) Send(ctx context.Context, letter Letter) error {
	ctx, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()

	message, err := s.message(letter)
	if err != nil {
		return err
	}
	var connection net.Conn
	client, err := s.client(func(ctx context.Context, network, address string) (net.Conn, error) {
		var err error
		connection, err = s.dial(ctx, network, address)
		return connection, err
	})
	if err != nil {
		return s.trouble(err)
	}
	defer func() {
		if connection != nil {
			connection.Close() // the library leaves it open if the conversation fails early
		}
	}()
	if err := client.DialWithContext(ctx); err != nil {
		return s.trouble(err)
	}
	if err := client.Send(message); err != nil && !message.IsDelivered() {
		return s.trouble(err)
	}
	// The mail is accepted. Whether the server answers to RSET and QUIT changes nothing.
	_ = client.Close()
	return nil
}

// message returns a letter in the library's form, which encodes every header.
func (s Sender) message(letter Letter) (*gomail.Msg, error) {
	m := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	if err := m.FromFormat(plain(s.Name), s.From); err != nil {
		return nil, &Trouble{Stage: StageSender, Detail: "the address of --mail-from can't be read", cause: err}
	}
	if err := m.To(letter.To); err != nil {
		return nil, &Trouble{Stage: StageRecipient, Permanent: true, Detail: "the address can't be read", cause: err}
	}
	m.Subject(plain(letter.Subject))
	m.SetDate()
	m.SetMessageIDWithValue(letter.ID + "@" + domainOf(s.From))
	m.SetGenHeader("Auto-Submitted", "auto-generated") // no answer by a machine (RFC 3834, 5)
	m.SetBodyString(gomail.TypeTextPlain, letter.Text)
	m.AddAlternativeString(gomail.TypeTextHTML, letter.HTML)
	return m, nil
}

// dial connects, with TLS from the first byte on if the server wants that.
func (s Sender) dial(ctx context.Context, network, _ string) (net.Conn, error) {
	address := net.JoinHostPort(s.Host, strconv.Itoa(s.Port))
	if s.Security == TLS {
		connection, err := (&tls.Dialer{Config: s.tls()}).DialContext(ctx, network, address)
		return connection, err
	}
	return (&net.Dialer{}).DialContext(ctx, network, address)
}

func (s Sender) tls() *tls.Config {
	return &tls.Config{ServerName: s.Host, RootCAs: s.Roots, MinVersion: tls.VersionTLS12}
}

func (s Sender) client(dial gomail.DialContextFunc) (*gomail.Client, error) {
	policy := gomail.TLSMandatory
	if s.Security != StartTLS {
		policy = gomail.NoTLS // none, or it is encrypted already
	}
	options := []gomail.Option{
		gomail.WithPort(s.Port), gomail.WithTimeout(sendTime), gomail.WithDialContextFunc(dial),
		gomail.WithTLSPolicy(policy), gomail.WithTLSConfig(s.tls()), gomail.WithHELO(domainOf(s.From)),
	}
	if s.User != "" {
		options = append(options, gomail.WithUsername(s.User), gomail.WithPassword(s.Password),
			gomail.WithOpportunisticSMTPAuth(gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthPlain, gomail.SMTPAuthLogin))
	}
	return gomail.NewClient(s.Host, options...)
}
