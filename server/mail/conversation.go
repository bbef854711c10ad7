package mail

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	netmail "net/mail"
	"strconv"
	"time"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"

	"github.com/keypeg/keypeg/server/store"
)

// How long the server may take for a step (RFC 5321, 4.5.3.2). Some look up who we are before they
// greet, and look into a mail before they accept it. Who doesn't wait for the answer to a whole
// mail sends it again and again, because the server has taken it each time.
const (
	connectTime  = 30 * time.Second
	greetingTime = 5 * time.Minute // and as much for what follows until MAIL
	commandTime  = 5 * time.Minute // MAIL, RCPT
	dataTime     = 2 * time.Minute
	bodyTime     = 3 * time.Minute
	answerTime   = 10 * time.Minute // to the whole mail
	quitTime     = 5 * time.Second

	// beforeEnd bounds all steps before the end of the mail together, and sendTime all.
	beforeEnd = 10 * time.Minute
	sendTime  = beforeEnd + answerTime
	// stopTime is how long a program that stops waits for the answer to a whole mail. Before its
	// end it hangs up at once, since the server has taken nothing then.
	stopTime = 5 * time.Second
)

// Send gives a mail to the server. After it has returned nil, the server is responsible for it
// (RFC 5321, 4.2.5). It fails with a [*Trouble].
func (s Sender) Send(ctx context.Context, letter Letter) error {
	message, err := s.message(letter)
	if err != nil {
		return err
	}
	talking, cancel := context.WithTimeout(ctx, beforeEnd)
	defer cancel()
	var connection net.Conn
	goesOn := func() bool { return true }
	client, err := s.client(func(ctx context.Context, network, _ string) (_ net.Conn, err error) {
		if connection, err = s.dial(ctx, network); err == nil {
			goesOn = context.AfterFunc(talking, func() { connection.Close() })
		}
		return connection, err
	})
	if err != nil {
		return s.trouble(talking, err)
	}
	defer func() {
		if connection != nil {
			connection.Close() // the library leaves it open if the conversation fails early
		}
	}()
	server, err := client.DialToSMTPClientWithContext(talking)
	if err != nil {
		return s.trouble(talking, err)
	}
	body, err := s.offer(talking, server, message)
	if err != nil {
		return err
	}
	if !goesOn() {
		return s.trouble(talking, net.ErrClosed)
	}

	// From here on the server may have taken the mail.
	if err := server.UpdateDeadline(answerTime); err != nil {
		return s.troubleAt(talking, atEnd, err)
	}
	defer context.AfterFunc(ctx, func() { _ = connection.SetDeadline(time.Now().Add(stopTime)) })()
	if err := body.Close(); err != nil {
		return s.troubleAt(context.WithoutCancel(ctx), atEnd, err)
	}
	// The mail is accepted. Whether the server answers to QUIT changes nothing.
	if server.UpdateDeadline(quitTime) == nil {
		_ = server.Quit()
	}
	return nil
}

// offer says everything but the end of the mail, which is when body is closed.
func (s Sender) offer(ctx context.Context, server *smtp.Client, message *gomail.Msg) (body io.WriteCloser, err error) {
	from, to := addressOf(message.GetFrom()), addressOf(message.GetTo())
	server.SkipSMTPUTF8(store.IsASCII(from + to)) // servers refuse what the next one can't take, even if it isn't needed
	if has, _ := server.Extension("SMTPUTF8"); !has {
		if err := needsUTF8(from, to); err != nil {
			return nil, err
		}
	}
	for _, step := range []struct {
		at   command
		time time.Duration
		does func() error
	}{
		{atMail, commandTime, func() error { return server.Mail(from) }},
		{atRcpt, commandTime, func() error { return server.Rcpt(to) }},
		{atData, dataTime, func() error { body, err = server.Data(); return err }},
		{atBody, bodyTime, func() error { _, err := message.WriteTo(body); return err }},
	} {
		err := server.UpdateDeadline(step.time)
		if err == nil {
			err = step.does()
		}
		if err != nil {
			return nil, s.troubleAt(ctx, step.at, err)
		}
	}
	return body, nil
}

// addressOf returns the address in a header of one address as it stands in commands, in brackets.
func addressOf(header []*netmail.Address) string {
	return (&netmail.Address{Address: header[0].Address}).String()
}

// dialTCP connects; tests have a network of their own.
var dialTCP = (&net.Dialer{Timeout: connectTime}).DialContext

// dial connects, with TLS from the first byte on if the server wants that.
func (s Sender) dial(ctx context.Context, network string) (net.Conn, error) {
	connection, err := dialTCP(ctx, network, net.JoinHostPort(s.Host, strconv.Itoa(s.Port)))
	if err != nil || s.Security != TLS {
		return connection, err
	}
	encrypted := tls.Client(connection, s.tls())
	if err := encrypted.HandshakeContext(ctx); err != nil {
		connection.Close()
		return nil, err
	}
	return encrypted, nil
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
		gomail.WithPort(s.Port), gomail.WithTimeout(greetingTime), gomail.WithDialContextFunc(dial),
		gomail.WithTLSPolicy(policy), gomail.WithTLSConfig(s.tls()), gomail.WithHELO(domainOf(store.ASCIIDomain(s.From))),
	}
	if s.User != "" {
		options = append(options, gomail.WithUsername(s.User), gomail.WithPassword(s.Password),
			gomail.WithOpportunisticSMTPAuth(gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthPlain, gomail.SMTPAuthLogin))
	}
	return gomail.NewClient(s.Host, options...)
}
