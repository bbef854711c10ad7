package embed

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// proofType is the type of a proof in its header, so that no other token of ours is taken for one (RFC 8725, 3.11).
const proofType = "keypeg-proof+jwt"

// ProofLife is how long a proof works.
const ProofLife = time.Minute

// proof says that a user has just used a passkey, in the claims of a JWT (RFC 7519, 4), signed with ES256.
type proof struct {
	Issuer    string   `json:"iss"` // the origin
	Audience  string   `json:"aud"` // the address of the program that gets it
	Subject   string   `json:"sub"` // the program's id of the user
	Issued    int64    `json:"iat"`
	Expires   int64    `json:"exp"`
	ID        string   `json:"jti"`
	PasskeyID string   `json:"passkeyId"`
	ACR       string   `json:"acr"`
	AMR       []string `json:"amr"`
	// Bound is base64url(SHA-256(value)) of the cookie [cookieArrival], which is in the browser of the user alone:
	// without it, a link from somebody else's browser would sign its reader in as them.
	Bound string `json:"bound"`
}

// cookieArrival binds a proof to a browser.
const cookieArrival = "keypeg-arrival"

func boundTo(cookie string) string {
	sum := sha256.Sum256([]byte(cookie))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// Prove gives the browser of a user who has just used a passkey a proof for the program. It stores nothing.
func (h *Handlers) Prove(w http.ResponseWriter, r *http.Request, userID, passkeyID string) error {
	user, err := h.Store.User(r.Context(), h.RecordID(userID))
	if err != nil {
		return fmt.Errorf("looking up the user of a proof: %w", err)
	}
	now, arrival := h.Now(), rand.Text()
	p := proof{
		Issuer: h.Origin, Audience: h.Program().Arrive, Subject: userID, Issued: now.Unix(), Expires: now.Add(ProofLife).Unix(),
		ID: rand.Text(), PasskeyID: passkeyID, Bound: boundTo(arrival),
	}
	p.ACR, p.AMR = h.Authentication(user, passkeyID)
	signed, err := h.Keys.Sign(r.Context(), proofType, p)
	if err != nil {
		return fmt.Errorf("signing a proof: %w", err)
	}
	h.Cookies.SetStrict(w, cookieArrival, arrival, ProofLife)
	w.Header().Set(shared.HeaderProof, signed)
	w.Header().Set(shared.HeaderArrive, h.Program().Arrive)
	return nil
}

// The refusals of a proof. The program shows the user its own sentence, and may show this one.
var (
	errNoProof    = shared.Errorf(shared.CodeProofInvalid, "The sign-in did not work. Please try again.")
	errLateProof  = shared.Errorf(shared.CodeProofExpired, "The sign-in took too long. Please try again.")
	errUsedProof  = shared.Errorf(shared.CodeProofUsed, "The sign-in did not work. Please try again.")
	errOtherProof = shared.Errorf(shared.CodeProofBrowser, "The sign-in did not work. Please try again.")
)

// redeem tells the program who has proved what. The program passes the browser's Cookie header on.
func (h *Handlers) redeem(w http.ResponseWriter, r *http.Request) error {
	form, err := httpapi.Form(r)
	if err != nil {
		return err
	}
	if form.Get(shared.FieldProof) == "" {
		return errNoProof.Telling("the field proof is missing or empty")
	}
	payload, err := h.Keys.Verify(r.Context(), form.Get(shared.FieldProof), proofType)
	if err != nil {
		return errNoProof.Telling("the field proof has no proof of this Keypeg: %w", err)
	}
	var p proof
	if err := json.Unmarshal(payload, &p); err != nil {
		return errNoProof.Because(err)
	}
	arrival, now := h.Cookies.Value(r, cookieArrival), h.Now()
	switch {
	case p.Issuer != h.Origin || p.Audience != h.Program().Arrive:
		return errNoProof.Telling("the proof is for %s, and this program's arrive is %s", p.Audience, h.Program().Arrive)
	case now.Unix() >= p.Expires:
		return errLateProof.Telling("the proof ended %d seconds ago: redeem it at once", now.Unix()-p.Expires)
	case arrival == "":
		return errOtherProof.Telling("the cookie %s is missing: pass the header Cookie of the browser's request on to Keypeg; if it isn't in there, the request came from another site", h.Cookies.Name(cookieArrival))
	case subtle.ConstantTimeCompare([]byte(boundTo(arrival)), []byte(p.Bound)) != 1:
		return errOtherProof.Telling("the proof was made in another browser, or before a later one of this browser")
	}
	user, err := h.Store.User(r.Context(), h.RecordID(p.Subject))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("looking up the user of a proof: %w", err)
	}
	at := slices.IndexFunc(user.Passkeys, func(of store.Passkey) bool { return of.ID == p.PasskeyID })
	if at < 0 {
		return errNoProof.Telling("the passkey was removed after it was used")
	}
	spend := store.SpendTicket(store.TicketIDOf(time.Unix(p.Issued, 0), p.ID), time.Unix(p.Expires, 0).Add(clocks))
	if err := h.Store.Apply(r.Context(), store.Batch{spend}); store.IsSpent(err) {
		return errUsedProof.Telling("the proof was redeemed before")
	} else if err != nil {
		return fmt.Errorf("redeeming a proof: %w", err)
	}
	return httpapi.Respond(w, http.StatusOK, shared.Proved{
		UserID: p.Subject, PasskeyID: p.PasskeyID, PasskeyName: user.Passkeys[at].Name, Proved: p.Issued, ACR: p.ACR, AMR: p.AMR,
	})
}
