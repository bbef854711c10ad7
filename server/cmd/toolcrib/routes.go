package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/keypeg/keypeg/app/toolcrib"
	"github.com/keypeg/keypeg/server/limit"
)

// refusal is a refusal, in a sentence for the person at the screen.
type refusal struct {
	status   int
	sentence string
}

func (r refusal) Error() string { return r.sentence }

var (
	errWho      = refusal{401, "Please sign in."}
	errWrong    = refusal{403, "The name or the password is not right."}
	errPassword = refusal{403, "This password is not right."}
	errKeeps    = refusal{403, "This is for the keeper."}
	errBody     = refusal{400, "This request could not be read."}
)

// routes is the API of the crib, at the paths of package toolcrib.
type routes struct {
	*crib
	guesses *limit.Limiter
	// forget removes the passkeys of a person who was removed.
	forget func(ctx context.Context, id string) error
}

func (s routes) handler() http.Handler {
	mux := http.NewServeMux()
	handle := func(pattern string, h func(http.ResponseWriter, *http.Request) (any, error)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
			answer, err := h(w, r)
			respond(w, r, answer, err)
		})
	}
	handle("GET "+toolcrib.PathCrib, s.signedIn(func(_ *http.Request, me person) error { return nil }))
	handle("POST "+toolcrib.PathSignIn, s.signIn)
	handle("POST "+toolcrib.PathConfirm, s.confirm)
	handle("POST "+toolcrib.PathSignOut, func(w http.ResponseWriter, r *http.Request) (any, error) { return nil, s.end(w, r) })
	handle("POST "+toolcrib.PathBorrow, s.signedIn(chosen(s.borrow)))
	handle("POST "+toolcrib.PathReturn, s.signedIn(chosen(s.bringBack)))
	handle("POST "+toolcrib.PathRemove, s.signedIn(s.removes))
	// The cookie's SameSite=Lax alone would accept requests from sibling domains.
	return http.NewCrossOriginProtection().Handler(mux)
}

// signedIn runs work for signed-in people only, and answers with the crib afterwards.
func (s routes) signedIn(work func(*http.Request, person) error) func(http.ResponseWriter, *http.Request) (any, error) {
	return func(_ http.ResponseWriter, r *http.Request) (any, error) {
		_, session, found := s.session(r)
		me, known := s.person(session.Person)
		if !found || !known {
			return nil, errWho
		}
		if err := work(r, me); err != nil {
			return nil, err
		}
		return s.as(me), nil
	}
}

// chosen reads the id that a person has chosen.
func chosen(work func(me person, id string) error) func(*http.Request, person) error {
	return func(r *http.Request, me person) error {
		var choice toolcrib.Choice
		if err := json.NewDecoder(r.Body).Decode(&choice); err != nil {
			return errBody
		}
		return work(me, choice.ID)
	}
}

func (s routes) removes(r *http.Request, me person) error {
	return chosen(func(me person, id string) error {
		if !me.Keeper {
			return errKeeps
		}
		if err := s.remove(id); err != nil {
			return err
		}
		return s.forget(r.Context(), id)
	})(r, me)
}

func (s routes) signIn(w http.ResponseWriter, r *http.Request) (any, error) {
	var typed toolcrib.Password
	if err := json.NewDecoder(r.Body).Decode(&typed); err != nil {
		return nil, errBody
	}
	found, err := s.guess(typed.Name, typed.Password, errWrong)
	if err != nil {
		return nil, err
	}
	return nil, s.begin(w, r, found.ID, "")
}

func (s routes) confirm(w http.ResponseWriter, r *http.Request) (any, error) {
	_, session, found := s.session(r)
	me, known := s.person(session.Person)
	if !found || !known {
		return nil, errWho
	}
	var typed toolcrib.Password
	if err := json.NewDecoder(r.Body).Decode(&typed); err != nil {
		return nil, errBody
	}
	if _, err := s.guess(me.Name, typed.Password, errPassword); err != nil {
		return nil, err
	}
	return nil, s.begin(w, r, me.ID, session.Passkey)
}

// guess compares a password. It allows ten wrong ones for a name, and then one more each
// minute.
func (s routes) guess(name, password string, wrong refusal) (person, error) {
	attempt, wait := s.guesses.Begin(name, time.Now())
	if wait > 0 {
		return person{}, refusal{429, fmt.Sprintf("Too many wrong passwords. Please wait %d seconds.", int(wait.Seconds())+1)}
	}
	found, right := s.byPassword(name, password)
	attempt.End(!right, time.Now())
	if !right {
		return person{}, wrong
	}
	return found, nil
}

func respond(w http.ResponseWriter, r *http.Request, answer any, err error) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if err != nil {
		refused, ok := errors.AsType[refusal](err)
		if !ok {
			slog.Error("a request failed", "path", r.URL.Path, "error", err)
			refused = refusal{500, "The crib had a problem. Please try again."}
		}
		w.WriteHeader(refused.status)
		answer = toolcrib.Refusal{Sentence: refused.sentence}
	}
	if answer != nil {
		json.NewEncoder(w).Encode(answer)
	}
}
