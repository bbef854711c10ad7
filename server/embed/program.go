package embed

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/server/internal/warning"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// What the program asks and says of its users, with the secret.

var errNoProgram = shared.Errorf(shared.CodeProgramRefused, "This is for the program itself.")

// byProgram lets a handler answer only to the program.
func (h *Handlers) byProgram(next httpapi.Handler) httpapi.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		kind, sent, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		right := 0
		for _, secret := range h.Program().Secrets {
			right |= subtle.ConstantTimeCompare([]byte(sent), []byte(secret))
		}
		if right != 1 || !strings.EqualFold(kind, "Bearer") {
			w.Header().Set("WWW-Authenticate", "Bearer") // RFC 6750, 3
			h.Warn(warning.ProgramSecret, slog.String("from", httpapi.Peer(r)))
			return errNoProgram.Telling("the request needs the header Authorization: Bearer, and then the secret as it stands in the file")
		}
		return next(w, r)
	}
}

// userOf returns the program's id of the user that a request is about.
func userOf(r *http.Request) (string, error) {
	id := r.PathValue("user")
	if id == "" || len(id) > longestID {
		return "", shared.Errorf(shared.CodeNotFound, "There is nothing at this address.").Because(fmt.Errorf("an id of a user has %d bytes", len(id)))
	}
	return id, nil
}

func (h *Handlers) listPasskeys(w http.ResponseWriter, r *http.Request) error {
	id, err := userOf(r)
	if err != nil {
		return err
	}
	user, err := h.Store.User(r.Context(), h.RecordID(id))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("looking up a user: %w", err)
	}
	return httpapi.Respond(w, http.StatusOK, shared.HostPasskeyList{Passkeys: h.Passkeys.List(user)})
}

func (h *Handlers) removePasskey(w http.ResponseWriter, r *http.Request) error {
	id, err := userOf(r)
	if err != nil {
		return err
	}
	if err := h.Passkeys.Remove(r.Context(), id, r.PathValue("passkey")); err != nil {
		return err
	}
	return h.ended(w, r, id, endOfPasskey(id, r.PathValue("passkey")))
}

func (h *Handlers) removeUser(w http.ResponseWriter, r *http.Request) error {
	id, err := userOf(r)
	if err != nil {
		return err
	}
	if err := h.RemoveUser(r.Context(), id); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// RemoveUser removes all that is stored of a user, by the program's id, and ends their open panels.
func (h *Handlers) RemoveUser(ctx context.Context, id string) error {
	// First what their browsers may do: a passkey that is added after the removal would stay.
	if err := h.Store.Apply(ctx, store.Batch{h.end(endOfAll(id), ""), h.end(endOfUser(id), "")}); err != nil {
		return fmt.Errorf("ending the sessions of a user: %w", err)
	}
	if err := h.Passkeys.Erase(ctx, id); err != nil {
		return err
	}
	h.Notify(h.RecordID(id))
	return nil
}

func (h *Handlers) endSessions(w http.ResponseWriter, r *http.Request) error {
	id, err := userOf(r)
	if err != nil {
		return err
	}
	key := endOfAll(id)
	if session := r.PathValue("session"); session != "" {
		key = endOfSession(id, session)
	}
	return h.ended(w, r, id, key)
}

// EndPasskey ends the introductions of sessions that began with a passkey, but for one session's.
func (h *Handlers) EndPasskey(ctx context.Context, userID, passkeyID, except string) error {
	if err := h.Store.Apply(ctx, store.Batch{h.end(endOfPasskey(userID, passkeyID), except)}); err != nil {
		return fmt.Errorf("ending the sessions of a passkey: %w", err)
	}
	h.Notify(h.RecordID(userID))
	return nil
}

// ended ends introductions of a user, and the link with which they could add a passkey on a phone.
func (h *Handlers) ended(w http.ResponseWriter, r *http.Request, id, key string) error {
	if err := h.Store.Apply(r.Context(), store.Batch{h.end(key, r.URL.Query().Get(shared.QueryExcept))}); err != nil {
		return fmt.Errorf("ending the sessions of a user: %w", err)
	}
	if err := h.Passkeys.EndPhoneLink(r.Context(), id); err != nil {
		return err
	}
	h.Notify(h.RecordID(id))
	w.WriteHeader(http.StatusNoContent)
	return nil
}
