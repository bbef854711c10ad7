package embed

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
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
	user, err := h.user(r.Context(), id)
	if err != nil {
		return err
	}
	return httpapi.Respond(w, http.StatusOK, shared.HostPasskeyList{Passkeys: h.Passkeys.List(user)})
}

func (h *Handlers) removePasskey(w http.ResponseWriter, r *http.Request) error {
	id, err := userOf(r)
	if err != nil {
		return err
	}
	user, err := h.user(r.Context(), id)
	if err != nil {
		return err
	}
	passkey := r.PathValue("passkey")
	if slices.ContainsFunc(user.Passkeys, func(p store.Passkey) bool { return p.ID == passkey }) {
		// First the sessions: if that fails, the program asks again, and the passkey must still be there.
		if err := h.endNow(r, id, endOfPasskey(id, passkey)); err != nil {
			return err
		}
	}
	if err := h.Passkeys.Remove(r.Context(), id, passkey); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// user returns the record of a user, which is empty for one of whom nothing is stored.
func (h *Handlers) user(ctx context.Context, id string) (store.User, error) {
	user, err := h.Store.User(ctx, h.RecordID(id))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return user, fmt.Errorf("looking up a user: %w", err)
	}
	return user, nil
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
	if err := h.endNow(r, id, key); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// EndPasskey ends the introductions of sessions that began with a passkey, but for one session's.
func (h *Handlers) EndPasskey(ctx context.Context, userID, passkeyID, except string) error {
	if err := h.Store.Apply(ctx, store.Batch{h.end(endOfPasskey(userID, passkeyID), except)}); err != nil {
		return fmt.Errorf("ending the sessions of a passkey: %w", err)
	}
	h.Notify(h.RecordID(userID))
	return nil
}

// endNow ends introductions of a user, and the link with which they could add a passkey on a phone.
func (h *Handlers) endNow(r *http.Request, id, key string) error {
	if err := h.Store.Apply(r.Context(), store.Batch{h.end(key, r.URL.Query().Get(shared.QueryExcept))}); err != nil {
		return fmt.Errorf("ending the sessions of a user: %w", err)
	}
	if err := h.Passkeys.EndPhoneLink(r.Context(), id); err != nil {
		return err
	}
	h.Notify(h.RecordID(id))
	return nil
}
