package server_test

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/keypeg/keypeg/server/passkey/passkeytest"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// failures lists the failed ceremonies in the activity of a user, newest first.
func (s *scene) failures(v *visitor) (list []shared.Event) {
	s.Helper()
	s.handler.FlushFailures(s.Context())
	for _, e := range into[shared.Activity](v, v.sends("GET", shared.PathActivity, nil), 200).Events {
		if e.Kind == shared.EventPasskeyFailed {
			list = append(list, e)
		}
	}
	return list
}

// failedBefore answers a ceremony with what failed before it, in the browser's words.
func failedBefore(answer any, failed string) json.RawMessage {
	encoded, _ := json.Marshal(answer)
	return json.RawMessage(`{"failed":` + failed + `,` + string(encoded[1:]))
}

// TestFailedTries is about ceremonies that failed, as the browser or the server saw it.
func TestFailedTries(t *testing.T) {
	tried := []shared.Event{{Reason: shared.ReasonClosed, Count: 3}, {Reason: shared.ReasonRemoved}}
	wants := func(s *scene, what string, got []shared.Event, want ...shared.Event) {
		s.Helper()
		same := func(a, b shared.Event) bool { return a.Reason == b.Reason && a.Count == b.Count }
		if slices.Reverse(got); !slices.EqualFunc(got, want, same) {
			s.Errorf("%s: the activity has %+v, want %+v", what, got, want)
		}
	}
	const said = `{"closed":3,"removed":1,"of tomorrow":5}`

	t.Run("a ceremony that succeeds takes along what failed before", func(t *testing.T) {
		onEveryStoreScene(t, func(s *scene) {
			for what, do := range map[string]func(v *visitor) answer{
				"a sign-in": func(v *visitor) answer {
					return v.sends("POST", shared.PathSignInFinish, failedBefore(s.proof(v.device, s.beginsSignIn(v)), said))
				},
				"a confirmation": func(v *visitor) answer {
					return v.sends("POST", shared.PathConfirmFinish, failedBefore(s.proof(v.device, s.beginsConfirmation(v)), said))
				},
				"a new passkey": func(v *visitor) answer {
					return v.sends("POST", shared.PathRegisterFinish, failedBefore(s.made(s.beginsAdding(v)), said))
				},
				"a password": func(v *visitor) answer {
					return v.sends("POST", shared.PathSignInPassword, failedBefore(shared.PasswordSignIn{Name: v.name, Password: password}, said))
				},
				"a password without the script": func(v *visitor) answer {
					return v.submits(shared.PageSignIn, url.Values{"name": {v.name}, "password": {password}, "failed": {said}})
				},
			} {
				v := s.user("user-" + strings.ReplaceAll(what, " ", "-"))
				v.registers("Laptop")
				if a := do(v); a.status >= 400 {
					t.Errorf("%s: %s", what, a)
				}
				wants(s, what, s.failures(v), tried...)
			}
		})
	})
	t.Run("it counts in the rollout", func(t *testing.T) {
		onEveryStoreScene(t, func(s *scene) {
			s.promotes(s.ann)
			s.succeeds(s.ann.sends("POST", shared.PathConfirmFinish, failedBefore(s.proof(s.ann.device, s.beginsConfirmation(s.ann)), said)), 200)
			want := []shared.FailedCeremonies{{Reason: shared.ReasonClosed, Count: 3}, {Reason: shared.ReasonRemoved, Count: 1}}
			if got := into[shared.Rollout](s.ann, s.ann.sends("GET", shared.PathRollout, nil), 200).Failed; !slices.Equal(got, want) {
				t.Errorf("the rollout has %+v, want %+v", got, want)
			}
		})
	})
	t.Run("a link takes it along too, with a passkey or with a password", func(t *testing.T) {
		onEveryStoreScene(t, func(s *scene) {
			s.promotes(s.ann)
			carl, dora := s.visitor(), s.visitor()
			carl.name, dora.name = "carl", "dora"
			carl.opensLink(s.invites("carl"))
			made := s.madeOn(carl.device, into[shared.Ceremony](carl, carl.sends("POST", shared.PathEnrolBegin, nil), 200))
			s.succeeds(carl.sends("POST", shared.PathEnrolFinish, failedBefore(made, said)), 201)
			s.succeeds(s.signsIn(carl), 200)
			wants(s, "a passkey", s.failures(carl), tried...)

			dora.opensLink(s.invites("dora"))
			a := dora.submits(shared.PageEnrol, url.Values{"password": {"short"}, "failed": {said}})
			if !strings.Contains(string(a.body), `name="failed" value="{&#34;closed&#34;:3,&#34;removed&#34;:1}"`) {
				t.Errorf("the page that refuses a password has lost what failed: %s", a)
			}
			s.succeeds(dora.submits(shared.PageEnrol, url.Values{"password": {password}, "failed": {said}}), 303)
			dora.signsInWithPassword()
			wants(s, "a password", s.failures(dora), tried...)
		})
	})
	t.Run("a refused one writes nothing, and the page gets it back", func(t *testing.T) {
		onEveryStoreScene(t, func(s *scene) {
			proof := failedBefore(s.proof(s.ann.device, s.beginsSignIn(s.ann), passkeytest.WithSignature([]byte("wrong"))), said)
			s.refuses("", s.ann.finishes(shared.PathSignInFinish, proof))
			s.changesOnly([]shared.EventKind{shared.EventSignInFailed}, func() {
				a := s.visitor().submits(shared.PageSignIn, url.Values{"name": {"ann"}, "password": {"wrong"}, "failed": {said}})
				if a.status != 401 || !strings.Contains(string(a.body), `name="failed" value="{&#34;closed&#34;:3,&#34;removed&#34;:1}"`) {
					t.Errorf("got %s", a)
				}
			})
		})
	})
	t.Run("what the server refuses is in the activity, if it knows whose it was", func(t *testing.T) {
		onEveryStoreScene(t, func(s *scene) {
			s.ann.refused(s.signsIn(s.ann, passkeytest.WithoutUserVerification()), 400, shared.CodeUserNotVerified)
			s.ann.refused(s.signsIn(s.ann, passkeytest.WithoutUserVerification()), 400, shared.CodeUserNotVerified)
			s.ann.refused(s.adds(s.ann, passkeytest.WithoutUserVerification()), 400, shared.CodeUserNotVerified)
			list := s.failures(s.ann)
			if slices.SortFunc(list, func(a, b shared.Event) int { return len(b.Passkey) - len(a.Passkey) }); len(list) != 2 || list[0].Count != 2 || list[0].Passkey == "" || list[1].Passkey != "" {
				t.Errorf("the activity has %+v", list)
			}
			for _, e := range list {
				if e.Reason != shared.ReasonNoLock {
					t.Errorf("the activity has %+v", e)
				}
			}
		})
	})
	t.Run("nothing that a browser writes there keeps its user out, or is believed without a bound", func(t *testing.T) {
		onEveryStoreScene(t, func(s *scene) {
			long := strings.Repeat("x", 3000)
			for _, hostile := range []string{
				`null`, `""`, `"closed"`, `[]`, `[1,2]`, `true`, `-1`, `{}`, `{"closed":0}`, `{"closed":-1}`, `{"closed":"3"}`, `{"closed":null}`, `{"closed":{"closed":1}}`,
				`{"closed":0.5}`, `{"Closed":1}`, `{"":1}`, `{"<script>":1}`, `{"` + long + `":1}`, `"` + long + `"`,
			} {
				s.succeeds(s.ann.sends("POST", shared.PathConfirmFinish, failedBefore(s.proof(s.ann.device, s.beginsConfirmation(s.ann)), hostile)), 200)
				s.succeeds(s.visitor().submits(shared.PageSignIn, url.Values{"name": {"ann"}, "password": {password}, "failed": {hostile}}), 303)
			}
			wants(s, "what means nothing", s.failures(s.ann))
			all := `{"closed":1e300,"removed":21,"no_lock":20,"elsewhere":1.9,"unsupported":999999999999999999999,"provider":2,"refused":7,"other":1}`
			s.succeeds(s.ann.sends("POST", shared.PathConfirmFinish, failedBefore(s.proof(s.ann.device, s.beginsConfirmation(s.ann)), all)), 200)
			wants(s, "too much", s.failures(s.ann), shared.Event{Reason: shared.ReasonClosed, Count: 20}, shared.Event{Reason: shared.ReasonRemoved, Count: 20},
				shared.Event{Reason: shared.ReasonNoLock, Count: 20}, shared.Event{Reason: shared.ReasonElsewhere}, shared.Event{Reason: shared.ReasonUnsupported, Count: 20},
				shared.Event{Reason: shared.ReasonProvider, Count: 2}, shared.Event{Reason: shared.ReasonRefused, Count: 7})
			for range 100 {
				s.succeeds(s.ann.sends("POST", shared.PathConfirmFinish, failedBefore(s.proof(s.ann.device, s.beginsConfirmation(s.ann)), `{"closed":20}`)), 200)
			}
			lines, counted := 0, 0
			events, err := s.store.Events(t.Context(), s.record(s.ann).ID, store.EventID{}, 1000)
			for _, e := range events {
				if e.Kind == shared.EventPasskeyFailed && e.Reason == shared.ReasonClosed {
					lines, counted = lines+1, counted+int(e.Count)
				}
			}
			if err != nil || lines != 51 || counted != 101*20 {
				t.Errorf("%d lines that count %d (%v), want 51 that count %d", lines, counted, err, 101*20)
			}
		})
	})
}
