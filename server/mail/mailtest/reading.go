package mailtest

import (
	"encoding/base64"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"strings"
)

// Mail is a mail as a relay has accepted it. Hello is what the client called
// itself, and UTF8 whether it said that addresses have letters beyond ASCII.
type Mail struct {
	Hello, From, To, Raw string
	UTF8                 bool
}

// Header returns the lines before the first empty one.
func (m Mail) Header() string {
	head, _, _ := strings.Cut(m.Raw, "\r\n\r\n")
	return head
}

// Read is a mail as a mail program reads it.
type Read struct {
	Header     mail.Header
	Subject    string // decoded
	MessageID  string
	Text, HTML string
}

// Read decodes a mail that has a text and the same in HTML, and nothing else.
func (r *Relay) Read(m Mail) (read Read) {
	r.t.Helper()
	fails := func(why string, err error) {
		r.t.Helper()
		r.t.Fatalf("%s (%v):\n%s", why, err, m.Raw)
	}
	parsed, err := mail.ReadMessage(strings.NewReader(m.Raw))
	if err != nil {
		fails("the mail can't be read", err)
	}
	read.Header, read.MessageID = parsed.Header, parsed.Header.Get("Message-ID")
	if read.Subject, err = new(mime.WordDecoder).DecodeHeader(parsed.Header.Get("Subject")); err != nil {
		fails("the subject can't be read", err)
	}
	kind, parameters, err := mime.ParseMediaType(parsed.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		fails("the mail is "+kind, err)
	}
	parts, bodies := multipart.NewReader(parsed.Body, parameters["boundary"]), map[string]string{}
	for range 2 { // the better form comes last (RFC 2046, 5.1.4)
		part, err := parts.NextRawPart()
		if err != nil {
			fails("a part can't be read", err)
		}
		kind, parameters, err := mime.ParseMediaType(part.Header.Get("Content-Type"))
		if err != nil || !strings.EqualFold(parameters["charset"], "UTF-8") || kind == "text/plain" && len(bodies) > 0 {
			fails("a part is "+part.Header.Get("Content-Type"), err)
		}
		var decoded io.Reader = part
		switch part.Header.Get("Content-Transfer-Encoding") {
		case "quoted-printable":
			decoded = quotedprintable.NewReader(part)
		case "base64":
			decoded = base64.NewDecoder(base64.StdEncoding, part)
		}
		body, err := io.ReadAll(decoded)
		if err != nil {
			fails("a part can't be read", err)
		}
		bodies[kind] = strings.ReplaceAll(string(body), "\r\n", "\n")
	}
	if _, err := parts.NextRawPart(); err != io.EOF {
		fails("there are more parts", err)
	}
	read.Text, read.HTML = bodies["text/plain"], bodies["text/html"]
	if read.Text == "" || read.HTML == "" {
		fails("a form is missing", nil)
	}
	return read
}
