package ceremony

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/keypeg/keypeg/shared"
)

// script is server and authenticator. It records the steps, and fails at those in fails.
type script struct {
	asked  []string
	fails  map[string]error
	answer shared.FinishCeremony
	name   string

	mediation string // that the authenticator was asked with
	waits     func(context.Context) error
	forgot    []string
}

func (s *script) step(name string) error {
	s.asked = append(s.asked, name)
	return s.fails[name]
}

var begun = shared.Ceremony{Ticket: "ticket", PublicKey: json.RawMessage(`{"challenge":"c"}`)}

func (s *script) BeginRegistration(_ context.Context, request shared.BeginRegistration) (shared.Ceremony, error) {
	begun := begun
	begun.Mediation = request.Mediation
	return begun, s.step("begin registration")
}

func (s *script) FinishRegistration(_ context.Context, a shared.FinishRegistration) (shared.Passkey, error) {
	s.answer, s.name = a.FinishCeremony, a.Name
	return shared.Passkey{ID: "1"}, s.step("finish registration")
}

func (s *script) BeginSignIn(_ context.Context, mediation string) (shared.Ceremony, error) {
	begun := begun
	begun.Mediation = mediation
	return begun, s.step("begin sign-in")
}

func (s *script) FinishSignIn(_ context.Context, a shared.FinishCeremony) (shared.SignedIn, error) {
	s.answer = a
	return shared.SignedIn{}, s.step("finish sign-in")
}

func (s *script) BeginConfirmation(context.Context) (shared.Ceremony, error) {
	return begun, s.step("begin confirmation")
}

func (s *script) FinishConfirmation(_ context.Context, a shared.FinishCeremony) (shared.Confirmed, error) {
	s.answer = a
	return shared.Confirmed{}, s.step("finish confirmation")
}

func (s *script) BeginTrial(context.Context, string) (shared.Ceremony, error) {
	return begun, s.step("begin trial")
}

func (s *script) FinishTrial(_ context.Context, id string, a shared.FinishCeremony) (shared.Passkey, error) {
	s.answer = a
	return shared.Passkey{ID: id}, s.step("finish trial")
}

func (s *script) Create(_ context.Context, _ json.RawMessage, mediation string) (json.RawMessage, error) {
	s.mediation = mediation
	return json.RawMessage(`"made"`), s.step("create")
}

func (s *script) Get(ctx context.Context, _ json.RawMessage, mediation string) (json.RawMessage, error) {
	s.mediation = mediation
	if s.waits != nil {
		return json.RawMessage(`"proof"`), errors.Join(s.waits(ctx), s.step("get"))
	}
	return json.RawMessage(`"proof"`), s.step("get")
}

func (s *script) Forget(_ context.Context, publicKey, credential json.RawMessage) {
	s.forgot = append(s.forgot, string(publicKey)+string(credential))
}

// counting is a script whose authenticator counts.
type counting struct {
	*script
	failed             shared.FailedTries
	removed, succeeded int
}

func (c *counting) Failed() shared.FailedTries { return c.failed }
func (c *counting) Removed()                   { c.removed++ }
func (c *counting) Succeeded()                 { c.succeeded++ }

func TestFailedTries(t *testing.T) {
	for finish, run := range map[string]func(Ceremonies) error{
		"finish registration": func(c Ceremonies) error { _, err := c.Register(t.Context(), "Laptop", ""); return err },
		"finish sign-in":      func(c Ceremonies) error { _, err := c.SignIn(t.Context()); return err },
		"finish confirmation": func(c Ceremonies) error { _, err := c.Confirm(t.Context()); return err },
		"finish trial":        func(c Ceremonies) error { _, err := c.Try(t.Context(), "1"); return err },
	} {
		t.Run(finish+" takes along what failed, until it succeeds", func(t *testing.T) {
			c := &counting{script: &script{}, failed: shared.FailedTries{shared.ReasonClosed: 2}}
			for _, refused := range []shared.Code{shared.CodeCeremonyRefused, shared.CodePasskeyRemoved} {
				c.fails = map[string]error{finish: shared.Errorf(refused, "no")}
				run(Ceremonies{c, c})
			}
			if c.answer.Failed[shared.ReasonClosed] != 2 || c.succeeded != 0 || c.removed != 1 {
				t.Errorf("after refusals: %+v", c)
			}
			c.fails = nil
			if err := run(Ceremonies{c, c}); err != nil || c.answer.Failed[shared.ReasonClosed] != 2 || c.succeeded != 1 || c.removed != 1 {
				t.Errorf("after a success: %+v (%v)", c, err)
			}
		})
	}
}

type exception string

func (e exception) Error() string        { return string(e) }
func (e exception) DOMException() string { return string(e) }

func TestSteps(t *testing.T) {
	register := func(c Ceremonies) error { _, err := c.Register(context.Background(), "Laptop", ""); return err }
	signIn := func(c Ceremonies) error { _, err := c.SignIn(context.Background()); return err }
	confirm := func(c Ceremonies) error { _, err := c.Confirm(context.Background()); return err }
	try := func(c Ceremonies) error { _, err := c.Try(context.Background(), "1"); return err }
	for name, test := range map[string]struct {
		run   func(Ceremonies) error
		steps []string
	}{
		"registering": {register, []string{"begin registration", "create", "finish registration"}},
		"signing in":  {signIn, []string{"begin sign-in", "get", "finish sign-in"}},
		"confirming":  {confirm, []string{"begin confirmation", "get", "finish confirmation"}},
		"trying":      {try, []string{"begin trial", "get", "finish trial"}},
	} {
		t.Run(name+" asks in order and hands the ticket back", func(t *testing.T) {
			s := &script{}
			if err := test.run(Ceremonies{s, s}); err != nil || !slices.Equal(s.asked, test.steps) || s.answer.Ticket != "ticket" {
				t.Errorf("asked %q with ticket %q (%v), want %q", s.asked, s.answer.Ticket, err, test.steps)
			}
		})
		for i, step := range test.steps {
			t.Run(name+" says which ceremony failed at "+step, func(t *testing.T) {
				s := &script{fails: map[string]error{step: exception("NotAllowedError")}}
				failure, at := errors.AsType[*Failure](test.run(Ceremonies{s, s}))
				if device := step == "create" || step == "get"; at != device {
					t.Fatalf("got %v", failure)
				} else if device && (failure.Registering != (name == "registering") || failure.Confirming != (name == "confirming")) {
					t.Errorf("got %+v", failure)
				}
			})
			t.Run(name+" ends where "+step+" is refused", func(t *testing.T) {
				no := shared.Errorf(shared.CodeCeremonyExpired, "no")
				s := &script{fails: map[string]error{step: no}}
				err := test.run(Ceremonies{s, s})
				if err == nil || !slices.Equal(s.asked, test.steps[:i+1]) {
					t.Errorf("asked %q (%v), want %q", s.asked, err, test.steps[:i+1])
				}
			})
		}
	}
}

func TestRegisterSilently(t *testing.T) {
	s := &script{}
	if _, err := (Ceremonies{s, s}).RegisterSilently(t.Context()); err != nil || s.mediation != "conditional" {
		t.Errorf("asked with mediation %q (%v), want conditional", s.mediation, err)
	}
}

func TestSignInByAutofill(t *testing.T) {
	t.Run("it waits until somebody picks a passkey", func(t *testing.T) {
		s := &script{}
		_, err := Ceremonies{s, s}.SignInByAutofill(t.Context())
		if want := []string{"begin sign-in", "get", "finish sign-in"}; err != nil || s.mediation != "conditional" || !slices.Equal(s.asked, want) {
			t.Errorf("asked %q with mediation %q (%v), want %q", s.asked, s.mediation, err, want)
		}
	})
	t.Run("with a new ticket before the old one ends", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s, waited := &script{}, 0
			s.waits = func(ctx context.Context) error {
				if waited++; waited == 3 {
					return nil
				}
				<-ctx.Done()
				return exception("AbortError")
			}
			begin := time.Now()
			_, err := Ceremonies{s, s}.SignInByAutofill(t.Context())
			want := []string{"begin sign-in", "get", "begin sign-in", "get", "begin sign-in", "get", "finish sign-in"}
			if took := time.Since(begin); err != nil || !slices.Equal(s.asked, want) || took > 2*5*time.Minute {
				t.Errorf("asked %q within %v (%v), want %q with tickets of five minutes", s.asked, took, err, want)
			}
		})
	})
	t.Run("until it is ended", func(t *testing.T) {
		s := &script{}
		ctx, end := context.WithCancel(t.Context())
		s.waits = func(ctx context.Context) error { end(); <-ctx.Done(); return exception("AbortError") }
		_, err := Ceremonies{s, s}.SignInByAutofill(ctx)
		if failure, ok := errors.AsType[*Failure](err); !ok || failure.Reason != Aborted || len(s.asked) != 2 {
			t.Errorf("asked %q (%v)", s.asked, err)
		}
	})
	t.Run("a server that is away is nobody's business", func(t *testing.T) {
		s := &script{fails: map[string]error{"begin sign-in": shared.Errorf(shared.CodeOffline, "%s", "offline")}}
		_, err := Ceremonies{s, s}.SignInByAutofill(t.Context())
		if failure, ok := errors.AsType[*Failure](err); !ok || failure.Reason != Aborted {
			t.Errorf("got %v", err)
		}
	})
}

func TestForget(t *testing.T) {
	refusal := shared.Errorf(shared.CodeCeremonyRefused, "%s", "no")
	for _, unknown := range []bool{true, false} {
		refusal.UnknownCredential = unknown
		s := &script{fails: map[string]error{"finish sign-in": refusal}}
		if _, err := (Ceremonies{s, s}).SignIn(t.Context()); !errors.Is(err, refusal) {
			t.Errorf("got %v", err)
		}
		want := []string(nil)
		if unknown {
			want = []string{`{"challenge":"c"}"proof"`}
		}
		if !slices.Equal(s.forgot, want) {
			t.Errorf("a passkey that is unknown %t: forgot %q, want %q", unknown, s.forgot, want)
		}
	}
}

func TestFailure(t *testing.T) {
	for _, test := range []struct {
		thrown      error
		registering bool
		want        Reason
	}{
		{exception("NotAllowedError"), true, Denied},
		{exception("NotAllowedError"), false, Denied},
		{exception("AbortError"), true, Aborted},
		{exception("InvalidStateError"), true, Exists},
		{exception("InvalidStateError"), false, Faulty},
		{exception("SecurityError"), true, WrongAddress},
		{exception("NotSupportedError"), true, NotSupported},
		{exception("ConstraintError"), true, NoLock},
		{exception("NotLoadedError"), true, NotLoaded},
		{exception("EncodingError"), true, Faulty},
		{errors.New("anything"), true, Faulty},
	} {
		s := &script{fails: map[string]error{"create": test.thrown, "get": test.thrown}}
		c := Ceremonies{s, s}
		var err error
		if test.registering {
			_, err = c.Register(t.Context(), "", "")
		} else {
			_, err = c.SignIn(t.Context())
		}
		failure, ok := errors.AsType[*Failure](err)
		if !ok || failure.Reason != test.want || failure.Registering != test.registering {
			t.Errorf("%v while registering %t: got %+v, want %s", test.thrown, test.registering, err, test.want)
		}
	}
}

// chosen is an exception after the user has picked or made a passkey.
type chosen struct{ exception }

func (chosen) Chosen() bool { return true }

func TestAfterAChoice(t *testing.T) {
	for _, test := range []struct {
		step             string
		thrown           error
		isChosen, isKept bool // isKept of a registration
	}{
		{"create", exception("NotAllowedError"), false, false},
		{"create", chosen{"DataError"}, true, true},
		{"finish registration", shared.Errorf(shared.CodeCeremonyRefused, "no"), false, true},
		{"finish registration", shared.Errorf(shared.CodeTooManyPasskeys, "no"), false, true},
		{"finish registration", shared.Errorf(shared.CodePasskeyExists, "no"), false, false},
		{"finish registration", errors.New("who knows"), false, false},
		{"finish registration", shared.Errorf(shared.CodeOffline, "no"), false, false},
		{"finish registration", shared.Errorf(shared.CodeAway, "no"), false, false},
		{"finish registration", shared.Errorf(shared.CodeInBetween, "no"), false, false},
		{"finish registration", shared.Errorf(shared.CodeInternal, "no"), false, false},
		{"begin registration", shared.Errorf(shared.CodeTooManyPasskeys, "no"), false, false},
	} {
		s := &script{fails: map[string]error{test.step: test.thrown}}
		_, err := Ceremonies{s, s}.Register(t.Context(), "", "")
		failure, _ := errors.AsType[*Failure](err)
		if isChosen := failure != nil && failure.Chosen; isChosen != test.isChosen || MayBeKept(err) != test.isKept {
			t.Errorf("%s: %v: chosen %t, may be kept %t", test.step, test.thrown, isChosen, MayBeKept(err))
		}
		if code := shared.CodeOf(test.thrown); shared.CodeOf(err) != code {
			t.Errorf("%s: got %v, want code %q", test.step, err, code)
		}
	}
	t.Run("a sign-in leaves nothing behind", func(t *testing.T) {
		s := &script{fails: map[string]error{"get": chosen{"DataError"}}}
		_, err := Ceremonies{s, s}.SignInByAutofill(t.Context())
		if failure, ok := errors.AsType[*Failure](err); !ok || !failure.Chosen || MayBeKept(err) {
			t.Errorf("got %+v", err)
		}
	})
}
