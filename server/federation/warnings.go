package federation

import (
	"errors"
	"log/slog"
	"time"

	"github.com/keypeg/keypeg/server/internal/warning"
	"github.com/keypeg/keypeg/shared"
)

// What IT reads in the log when sign-ins fail: a sentence that claims no more than is
// known, the cause, and what to do about it.
const (
	// The check at the start found what every sign-in needs.
	warnsNobody = "nobody can sign in at an OpenID provider"
	// The check can't see all that a browser sees.
	warnsMayFail = "sign-ins at an OpenID provider may fail until this is mended"
	// One sign-in failed. Others may not: one person's claims can be odd.
	warnsFailed = "a sign-in at an OpenID provider failed, and will fail again until this is mended"
	warnsAway   = "a sign-in at an OpenID provider failed, because the provider can't be reached or can't serve now"
	// The provider refused a code that a browser brought. It may accept another one.
	warnsCode = "an OpenID provider refused a code that a browser brought: if people can't sign in there, mend this"
	// Only a browser says so, and anybody can make a browser say it.
	warnsReported = "an OpenID provider may refuse sign-ins: if people can't sign in there, mend this"
)

// warnings warns IT of sign-ins that fail for a reason that IT can mend, or because a
// provider can't be reached: of each failure once a day, until the provider has worked
// again. If the provider works for some people and fails for others, it warns once an hour.
// It is safe for concurrent use.
type warnings struct{ daily, hourly *warning.Seldom[failure] }

// failure identifies a warning. A failure that a browser reported, or caused with a forged
// code, differs from one that the server has seen by itself. So a forged failure never
// suppresses the warning of a real one.
type failure struct{ provider, says, mend string }

// newWarnings returns warnings that have warned of nothing yet.
func newWarnings(now func() time.Time) warnings {
	return warnings{warning.NewSeldom[failure](warning.Again, now), warning.NewSeldom[failure](time.Hour, now)}
}

// warn warns of a failure of p, and ignores any other error. An error that a browser
// brought must be the answer to an authorization request of that browser, except
// [Provider.answeredByPOST], which shares its warning with nothing else.
func (w warnings) warn(log *slog.Logger, p *Provider, err error) {
	if mendOf(err) == "" && shared.CodeOf(err) != shared.CodeProviderUnavailable {
		return
	}
	says := known(err)
	if f := (failure{p.c.ID, says, advice(err)}); w.hourly.Due(f) && w.daily.Due(f) {
		warn(log, says, p, err)
	}
}

// known returns what is known from one failure.
func known(err error) string {
	_, byBrowser := errors.AsType[*browserError](err)
	refusal, refused := errors.AsType[*tokenError](err)
	switch {
	case byBrowser:
		return warnsReported
	case refused && refusal.mayBeOfCode():
		return warnsCode
	case mendOf(err) == "":
		return warnsAway
	default:
		return warnsFailed
	}
}

// works records that p has worked.
func (w warnings) works(p *Provider) {
	w.daily.Forget(func(f failure) bool { return f.provider == p.c.ID })
}

// warn logs what has failed at p, and what IT should do about it.
func warn(log *slog.Logger, says string, p *Provider, err error) {
	log.Warn(says, "provider", p.c.ID, "issuer", p.c.Issuer, "cause", causeOf(err), "mend", advice(err))
}

// causeOf returns the cause of a failure, in words that nobody outside can choose.
func causeOf(err error) error {
	if reported, is := errors.AsType[*browserError](err); is {
		return errors.New(reported.warns)
	}
	if refusal, is := errors.AsType[*shared.Error](err); is {
		err = errors.Unwrap(refusal) // the sentence is for people
	}
	if setup, is := errors.AsType[*setupError](err); is {
		err = setup.Cause
	}
	return err
}

// advice returns what IT should do about a failure, also if it may pass by itself.
func advice(err error) string {
	if todo := mendOf(err); todo != "" {
		return todo
	}
	_, byBrowser := errors.AsType[*browserError](err)
	if refusal, is := errors.AsType[*tokenError](err); byBrowser || is && refusal.code != "" {
		return "the provider itself says that it can't serve: if that lasts, read the reason in its own log or on its status page"
	}
	return "see whether this machine reaches the provider, through HTTPS_PROXY if it must"
}

// Explain returns the cause of an error of [Provider.Check], and what IT should do about it.
func Explain(err error) (cause, mend string) { return causeOf(err).Error(), advice(err) }
