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

	"github.com/keypeg/keypeg/server/store"
)

// Stage is the step at which a mail wasn't sent.
type Stage string

// The values of [Stage].
const (
	StageName      Stage = "name"      // the server's name has no address
	StageConnect   Stage = "connect"   // nobody answers there
	StageTLS       Stage = "tls"       // no encrypted connection
	StageSignIn    Stage = "sign-in"   // the server refuses the user or the password, or wants one
	StageRelay     Stage = "relay"     // the server takes no mails from this machine or of this sender
	StageSender    Stage = "sender"    // the server refuses the address in From
	StageRecipient Stage = "recipient" // the server refuses the address in To
	StageContent   Stage = "content"   // the server refuses the mail itself
	StageAnswer    Stage = "answer"    // the server has got the mail, and doesn't say whether it takes it
	StageStopped   Stage = "stopped"   // the program stops
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

// isOfOneMail reports whether the server may well take another mail.
func (t *Trouble) isOfOneMail() bool {
	return t.Stage == StageRecipient || t.Stage == StageContent || t.Stage == StageRelay
}

func (s Sender) at() string { return fmt.Sprintf("%s, port %d", s.Host, s.Port) }

// trouble says at which step before MAIL err came. Ctx is that of the conversation.
func (s Sender) trouble(ctx context.Context, err error) *Trouble {
	var name *net.DNSError
	var answer *textproto.Error
	switch text := err.Error(); {
	case errors.Is(ctx.Err(), context.Canceled):
		return stopped(err)
	case errors.As(err, &name):
		return &Trouble{Stage: StageName, Detail: "the name of --smtp-server has no address", cause: err}
	case errors.Is(err, syscall.ECONNREFUSED):
		return &Trouble{Stage: StageConnect, Detail: "nothing listens at " + s.at(), cause: err}
	case isTLS(err):
		return &Trouble{Stage: StageTLS, Detail: "no encrypted connection to " + s.at() + ", see --smtp-security", cause: err}
	case errors.As(err, &answer) && (answer.Code == 534 || answer.Code == 535 || answer.Code == 538 || answer.Code == 454),
		strings.Contains(text, "AUTH"):
		return &Trouble{Stage: StageSignIn, Detail: "the server doesn't accept --smtp-user with this password", cause: err}
	case answer != nil:
		return &Trouble{Stage: StageRelay, Detail: noRelay, cause: err}
	}
	return s.broken(ctx, err)
}

// broken is the trouble where the server has said nothing.
func (s Sender) broken(ctx context.Context, err error) *Trouble {
	var unreachable *net.OpError
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return stopped(err)
	case isTimeout(err), ctx.Err() != nil:
		return &Trouble{Stage: StageConnect, Detail: "no answer from " + s.at(), cause: err}
	case errors.As(err, &unreachable):
		return &Trouble{Stage: StageConnect, Detail: "no connection to " + s.at(), cause: err}
	}
	return &Trouble{Stage: StageOther, Detail: "the conversation with " + s.at() + " failed", cause: err}
}

func stopped(err error) *Trouble {
	return &Trouble{Stage: StageStopped, Detail: "the program stops", cause: err}
}

// troubleAt says what it means that a command failed. Ctx is that of the conversation.
func (s Sender) troubleAt(ctx context.Context, at command, err error) *Trouble {
	if answer, is := errors.AsType[*textproto.Error](err); is {
		return refusal(at, answer)
	}
	if at != atEnd {
		return s.broken(ctx, err)
	}
	why := "the connection ended"
	if isTimeout(err) {
		why = "it didn't answer in time"
	}
	return &Trouble{Stage: StageAnswer, Detail: s.at() + " has got the whole mail and hasn't said whether it takes it: " + why, cause: err}
}

// needsUTF8 is the trouble with a server that lacks SMTPUTF8 (RFC 6531), if an address needs it.
func needsUTF8(from, to string) error {
	const why = " has letters beyond ASCII before the @, and the server lacks SMTPUTF8, which they need"
	switch {
	case !store.IsASCII(from):
		return &Trouble{Stage: StageSender, Detail: "the address of --mail-from" + why}
	case !store.IsASCII(to):
		return &Trouble{Stage: StageRecipient, Detail: "the recipient's address" + why}
	}
	return nil
}

func isTimeout(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded)
}

func isTLS(err error) bool {
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var alert tls.AlertError
	return errors.As(err, &certificate) || errors.As(err, &record) || errors.As(err, &alert) ||
		strings.Contains(err.Error(), "STARTTLS") || strings.Contains(err.Error(), "tls:")
}
