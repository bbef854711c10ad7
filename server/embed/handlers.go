package embed

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/server/internal/seal"
	"github.com/keypeg/keypeg/server/internal/warning"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// Keys sign proofs.
type Keys interface {
	// Sign signs claims, with a type in the header (RFC 7515, 4.1.9), by ES256.
	Sign(ctx context.Context, kind string, claims any) (string, error)
	// Verify returns the claims of what Sign has signed.
	Verify(ctx context.Context, token, kind string) ([]byte, error)
	// Published returns the public keys, as a JWK Set.
	Published(ctx context.Context) (any, error)
}

// Passkeys are those of the program's users, by its own ids.
type Passkeys interface {
	List(user store.User) []shared.Passkey
	// Remove removes a passkey, also the last one: the program decides. Refusal: [shared.CodeNotFound].
	Remove(ctx context.Context, userID, passkeyID string) error
	// Erase removes all that is stored of a user.
	Erase(ctx context.Context, userID string) error
	// EndPhoneLink ends the link with which a user could add a passkey on a phone.
	EndPhoneLink(ctx context.Context, userID string) error
}

// Handlers answer the pages of a program, and the program. [NewHandlers] completes them.
type Handlers struct {
	// Program returns the program as it is set up now: its secrets change while Keypeg runs.
	Program  func() Program
	Origin   string // of the program's address
	Contact  string // whom users ask, in IT's words; may be empty
	Store    store.Store
	Passkeys Passkeys
	Keys     Keys
	// RecordID returns the id of the record of a user, from the program's id.
	RecordID func(userID string) string
	// Authentication returns acr and amr of a sign-in with a passkey of a user (RFC 8176, 2).
	Authentication func(user store.User, passkeyID string) (acr string, amr []string)
	// Notify has the open pages of a user ask again.
	Notify func(recordID string)

	// Warn warns IT, once a day for each cause.
	Warn func(warning.Cause, ...slog.Attr)

	Cookies httpapi.Cookies
	Now     store.Clock
	Log     *slog.Logger

	seal *seal.Sealer
}

// secretName is the name of the key that seals the cookie of an introduction.
const secretName = "introduction-key"

// NewHandlers completes Handlers.
func NewHandlers(ctx context.Context, h Handlers) (*Handlers, error) {
	key, err := store.SecretOrNew(ctx, h.Store, secretName, seal.KeySize)
	if err != nil {
		return nil, err
	}
	h.seal, err = seal.New(key, "keypeg introduction 1")
	return &h, err
}

// Mount names the routes. Program is for those that the program itself calls.
func (h *Handlers) Mount(api func(pattern string, h httpapi.Handler)) {
	program := func(pattern string, next httpapi.Handler) { api(pattern, h.byProgram(next)) }
	api("POST "+shared.PathIntroduction, h.takeIntroduction)
	api("DELETE "+shared.PathIntroduction, h.forget)
	api("GET "+shared.PathProofKeys, h.listKeys)
	program("POST "+shared.PathRedeem, h.redeem)
	program("DELETE "+shared.PathHostUser+"{user}", h.removeUser)
	program("GET "+shared.PathHostUser+"{user}"+shared.PathHostPasskeys, h.listPasskeys)
	program("DELETE "+shared.PathHostUser+"{user}"+shared.PathHostPasskeys+"/{passkey}", h.removePasskey)
	program("DELETE "+shared.PathHostUser+"{user}"+shared.PathHostSessions, h.endSessions)
	program("DELETE "+shared.PathHostUser+"{user}"+shared.PathHostSessions+"/{session}", h.endSessions)
}

// takeIntroduction takes what a page brings. A refusal that only IT can mend names whom to ask.
func (h *Handlers) takeIntroduction(w http.ResponseWriter, r *http.Request) error {
	err := h.take(w, r)
	if refusal, is := errors.AsType[*shared.Error](err); is && h.Contact != "" && refusal.Message == errUnreadable.Message {
		return shared.Errorf(refusal.Code, "This program has not said correctly who you are. Please tell: %s", h.Contact).Telling("%w", errors.Unwrap(refusal))
	}
	return err
}

func (h *Handlers) take(w http.ResponseWriter, r *http.Request) error {
	var request shared.Introduce
	if err := httpapi.Decode(r, &request); err != nil {
		return err
	}
	i, err := readIntroduction(request.Introduction, h.Program().Secrets, h.Origin, request.Fresh, h.Now())
	if request.Confirmed && err == nil {
		err = i.checkConfirmed()
	}
	if code := shared.CodeOf(err); code == shared.CodeIntroductionInvalid || code == shared.CodeIntroductionOrigin || code == shared.CodeIntroductionClock {
		h.Warn(warning.Introduction, slog.String("code", string(code)))
	}
	if err != nil {
		return err
	}
	if before, err := h.Introduced(r); err == nil && before.Subject == i.Subject && before.Session == i.Session && before.Proved.After(i.Proved) {
		i.Proved = before.Proved // by a passkey, of which the page's introduction doesn't know
	}
	sealed, err := h.sealed(i)
	if err != nil {
		return err
	}
	err = h.stands(r.Context(), Introduced{i, h.Now()})
	if errors.Is(err, ErrNobody) {
		return errOld.Telling("the program has said that this session has ended: let no cache keep the page, and give a session a new id (sid) when somebody signs in; for a minute after the end of all sessions, only who has signed in or confirmed since (proved) is taken")
	}
	if err != nil {
		return err
	}
	err = h.introduce(r.Context(), i, h.Cookies.MarkBrowser(w, r))
	if shared.CodeOf(err) == shared.CodeIntroductionUsed && !h.Cookies.AreKept(r) {
		return errElsewhere.Telling("the introduction with the jti %q was used before, and this browser sends no cookie of Keypeg's: either it is another browser, or its cookies don't come back", i.ID)
	}
	if err != nil {
		return err
	}
	h.give(w, i, sealed)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (h *Handlers) forget(w http.ResponseWriter, _ *http.Request) error {
	h.Cookies.Drop(w, cookieIntroduction)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (h *Handlers) listKeys(w http.ResponseWriter, r *http.Request) error {
	keys, err := h.Keys.Published(r.Context())
	if err != nil {
		return err
	}
	return httpapi.Respond(w, http.StatusOK, keys)
}
