package e2e

import (
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net"
	"net/mail"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-smtp"
)

// inbox is a real mail server, which keeps all mails.
type inbox struct {
	t        *testing.T
	listener net.Listener

	mu    sync.Mutex
	mails []mailed
}

// mailed is a mail as a person reads it.
type mailed struct{ to, subject, text string }

// openInbox runs a mail server until the test ends.
func openInbox(t *testing.T) *inbox {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	i := &inbox{t: t, listener: listener}
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &delivery{inbox: i}, nil }))
	server.Domain = "localhost"
	go server.Serve(listener)
	t.Cleanup(func() {
		server.Close()
		listener.Close() // the server may not have begun to serve
	})
	return i
}

// flags have Keypeg send its mails there.
func (i *inbox) flags() []string {
	return []string{"--smtp-server", i.listener.Addr().String(), "--smtp-security", "none", "--mail-from", "keypeg@example.com"}
}

// delivery implements [smtp.Session].
type delivery struct {
	inbox *inbox
	to    string
}

func (d *delivery) Mail(string, *smtp.MailOptions) error { return nil }
func (d *delivery) Reset()                               { d.to = "" }
func (d *delivery) Logout() error                        { return nil }

func (d *delivery) Rcpt(to string, _ *smtp.RcptOptions) error {
	d.to = to
	return nil
}

func (d *delivery) Data(body io.Reader) error {
	m, err := read(body)
	if err != nil {
		d.inbox.t.Errorf("a mail can't be read: %v", err)
		return err
	}
	m.to = d.to
	d.inbox.mu.Lock()
	defer d.inbox.mu.Unlock()
	d.inbox.mails = append(d.inbox.mails, m)
	return nil
}

// read returns the subject and the text of a mail.
func read(raw io.Reader) (m mailed, err error) {
	message, err := mail.ReadMessage(raw)
	if err != nil {
		return m, err
	}
	if m.subject, err = new(mime.WordDecoder).DecodeHeader(message.Header.Get("Subject")); err != nil {
		return m, err
	}
	_, params, err := mime.ParseMediaType(message.Header.Get("Content-Type"))
	if err != nil {
		return m, err
	}
	first, err := multipart.NewReader(message.Body, params["boundary"]).NextPart()
	if err != nil {
		return m, err
	}
	text, err := io.ReadAll(first)
	m.text = strings.ReplaceAll(string(text), "\r\n", "\n")
	return m, err
}

// gets waits until n mails have come with a subject that begins so, and returns the last one.
func (i *inbox) gets(by *browser, subject string, n int) (last mailed) {
	i.t.Helper()
	by.until(fmt.Sprintf("mail %d: %s", n, subject), func() bool {
		i.mu.Lock()
		defer i.mu.Unlock()
		got := 0
		for _, m := range i.mails {
			if strings.HasPrefix(m.subject, subject) {
				got, last = got+1, m
			}
		}
		return got == n
	})
	return last
}

// link returns the link of a mail to a page.
func (m mailed) link(t *testing.T, page string) string {
	t.Helper()
	for line := range strings.Lines(m.text) {
		if line = strings.TrimSpace(line); strings.Contains(line, page+"?token=") {
			return line
		}
	}
	t.Fatalf("no link to %s in %s", page, m.text)
	return ""
}
