package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"os"
	"strings"
	"syscall"

	gomail "github.com/wneessen/go-mail"
)

// Stage is the step at which a mail wasn't sent.
type Stage string

// The values of [Stage].
const (
	StageName      Stage = "name"      // the server's name has no address
	StageConnect   Stage = "connect"   // nobody answers there
	StageTLS       Stage = "tls"       // no encrypted connection
	StageSignIn    Stage = "sign-in"   // the server refuses the user or the password
	StageSender    Stage = "sender"    // the server refuses the address in From
	StageRecipient Stage = "recipient" // the server refuses the address in To
	StageContent   Stage = "content"   // the server refuses the mail itself
	StageOther     Stage = "other"
)

// Trouble is why a mail wasn't sent, in words for IT.
type Trouble struct {
	Stage     Stage
	Permanent bool // it makes no sense to try this mail again
	Detail    string
	cause     error
}

// Error implements error. The answer of the server is in it, on one line.
func (t *Trouble) Error() string {
	if t.cause == nil {
		return t.Detail
	}
	return t.Detail + ": " + plain(t.cause.Error())
}

// Unwrap returns the cause.
func (t *Trouble) Unwrap() error { return t.cause }

// trouble says at which step err came.
func (s Sender) trouble(err error) *Trouble {
	at := fmt.Sprintf("%s, port %d", s.Host, s.Port)
	if t, is := stageOf(err); is {
		return t
	}
	var name *net.DNSError
	var answer *textproto.Error
	var unreachable *net.OpError
	switch text := err.Error(); {
	case errors.As(err, &name):
		return &Trouble{Stage: StageName, Detail: "the name of --smtp-server has no address", cause: err}
	case errors.Is(err, syscall.ECONNREFUSED):
		return &Trouble{Stage: StageConnect, Detail: "nothing listens at " + at, cause: err}
	case isTLS(err):
		return &Trouble{Stage: StageTLS, Detail: "no encrypted connection to " + at + ", see --smtp-security", cause: err}
	case errors.As(err, &answer) && (answer.Code == 534 || answer.Code == 535 || answer.Code == 538 || answer.Code == 454),
		strings.Contains(text, "AUTH"):
		return &Trouble{Stage: StageSignIn, Detail: "the server doesn't accept --smtp-user with this password", cause: err}
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return &Trouble{Stage: StageConnect, Detail: "no answer from " + at, cause: err}
	case errors.As(err, &unreachable):
		return &Trouble{Stage: StageConnect, Detail: "no connection to " + at, cause: err}
	}
	return &Trouble{Stage: StageOther, Detail: "the conversation with " + at + " failed", cause: err}
}

// stageOf reads the reason that the library gives once the conversation has begun.
func stageOf(err error) (*Trouble, bool) {
	refused, is := errors.AsType[*gomail.SendError](err)
	if !is {
		return nil, false
	}
	permanent := refused.ErrorCode() >= 500
	isAnswer := refused.ErrorCode() != 0 || refused.Reason == gomail.ErrGetSender || refused.Reason == gomail.ErrGetRcpts
	if !isAnswer { // the connection broke
		return nil, false
	}
	switch refused.Reason {
	case gomail.ErrSMTPMailFrom, gomail.ErrGetSender:
		return &Trouble{Stage: StageSender, Detail: "the server refuses the address of --mail-from", cause: err}, true
	case gomail.ErrSMTPRcptTo, gomail.ErrGetRcpts:
		return &Trouble{Stage: StageRecipient, Permanent: permanent, Detail: "the server refuses the recipient", cause: err}, true
	case gomail.ErrSMTPData, gomail.ErrSMTPDataClose:
		return &Trouble{Stage: StageContent, Permanent: permanent, Detail: "the server refuses the mail", cause: err}, true
	}
	return nil, false
}

func isTLS(err error) bool {
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var alert tls.AlertError
	return errors.As(err, &certificate) || errors.As(err, &record) || errors.As(err, &alert) ||
		strings.Contains(err.Error(), "STARTTLS") || strings.Contains(err.Error(), "tls:")
}
