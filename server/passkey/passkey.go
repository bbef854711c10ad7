// Package passkey holds the rules of passkeys: registering one, signing in or
// confirming with one, listing, renaming and removing one's own.
//
// It knows nothing of HTTP, cookies or how sessions begin, and it is the only package
// that uses go-webauthn. Package server calls it, with the [session.Actor] who asks: of
// Keypeg's own users and of those of a host program alike. It calls down to package
// activity, by which it reads and writes, and knows nothing of package account.
// What that library leaves to its caller is closed here:
// single use, purpose and expiry of a ceremony (ticket.go), the strict reading of
// what browsers send (credential.go), and the checks that WebAuthn asks of a relying
// party but the library doesn't make (check.go).
//
// A ceremony is two calls. The first ([Service.BeginSignIn] and its siblings)
// writes nothing: all it knows travels in a sealed ticket. The second
// ([Service.FinishSignIn]) verifies, and then applies one batch that spends the
// ticket, updates the user and adds what the caller hands in ([Also]), such as the
// session that begins. Start with [New].
package passkey

import (
	"cmp"
	"context"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/keypeg/keypeg/server/activity"
	"github.com/keypeg/keypeg/server/internal/seal"
	"github.com/keypeg/keypeg/server/limit"
	"github.com/keypeg/keypeg/server/policy"
	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

const (
	// DefaultMax is how many passkeys a user may have, if nothing else is set.
	DefaultMax = 20
	// ticketLife is how long a ceremony may take. It is also the timeout that the
	// browser is told (WebAuthn Level 3, 15.1 recommends 5 to 10 minutes).
	ticketLife = 5 * time.Minute

	// additionsAtOnce is how many passkeys a user may add at once, and additionsRecover
	// after what time one more: far more than any person does.
	additionsAtOnce  = 200
	additionsRecover = 2 * time.Minute
)

// Config is what a [Service] needs.
type Config struct {
	// Activity has the Store of passkeys and takes in attempts that failed.
	Activity *activity.Service
	Now      store.Clock

	RPID   string // WebAuthn's relying party id, such as "example.com"
	RPName string // what people see in the browser's dialog
	Origin string // the only origin whose answers are taken, such as "https://id.example.com"
	Max    int    // passkeys per user; 0 means DefaultMax

	// Verification says how sure an authenticator must be of its user.
	Verification policy.Verification

	// AttestationRoots are certificates of makers of authenticators. If set, only
	// passkeys that one of these vouches for can be added.
	AttestationRoots *x509.CertPool
}

// Service applies the rules of passkeys. It is safe for concurrent use.
type Service struct {
	store    store.Store
	activity *activity.Service
	now      store.Clock
	rp       *webauthn.WebAuthn
	rpID     string
	origin   string
	max      int
	roots    *x509.CertPool
	seal     *seal.Sealer
	failed   *failedTickets // see [Service.settle]
	// additions are the passkeys that were added, by user id. Each that is removed leaves a
	// tombstone for ten years, and removing is never refused.
	additions *limit.Limiter

	signInOptions signInOptions
}

// Browser is the browser that a ceremony runs in. A confirmation needs none: it is bound to
// the actor's session.
type Browser struct {
	// Binding ties both halves of a ceremony to one browser: the hash of a cookie.
	Binding store.Hash
	// Text is in the user's language: a passkey that is added without a name gets one of it.
	Text *message.Catalogue
	// SentByIT: a link of IT's let it in. Nothing that was done as the user before keeps it
	// from adding a passkey.
	SentByIT bool
}

// Also returns what belongs into the same batch as a verified sign-in or
// confirmation with this passkey of the actor's user. It may be called again, with the user
// as they are then, when somebody else changed the record meanwhile.
type Also func(session.Actor, store.Passkey) (store.Batch, error)

// AlsoAdded may change more of a user who gets a passkey, and returns what belongs into the
// same batch. It may be called again, as [Also] may. Nil adds nothing.
type AlsoAdded func(*store.User) (store.Batch, error)

// New returns a Service. It creates the key of the tickets where the store has
// none yet, so every node of an installation can open every node's tickets.
func New(ctx context.Context, c Config) (*Service, error) {
	rp, err := webauthn.New(&webauthn.Config{
		RPID:                  libraryRPID,
		RPDisplayName:         c.RPName,
		RPOrigins:             []string{c.Origin},
		AttestationPreference: conveyance(c.AttestationRoots),
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey:        protocol.ResidentKeyRequirementRequired,
			RequireResidentKey: protocol.ResidentKeyRequired(),
			UserVerification:   verification(c.Verification),
		},
		Timeouts: webauthn.TimeoutsConfig{
			Login:        webauthn.TimeoutConfig{Enforce: true, Timeout: ticketLife, TimeoutUVD: ticketLife},
			Registration: webauthn.TimeoutConfig{Enforce: true, Timeout: ticketLife, TimeoutUVD: ticketLife},
		},
		// Browsers send credProps, and security keys credProtect, without being asked.
		ExtensionsUnsolicitedOutputPolicy: protocol.UnsolicitedOutputPolicyIgnore,
	})
	if err != nil {
		return nil, fmt.Errorf("configuring WebAuthn: %w", err)
	}

	signIns, err := newSignInOptions(rp, c.RPID)
	if err != nil {
		return nil, err
	}
	key, err := store.SecretOrNew(ctx, c.Activity.Store(), "ticket-key", seal.KeySize)
	if err != nil {
		return nil, err
	}
	sealer, err := seal.New(key, ticketFormat)
	if err != nil {
		return nil, err
	}

	if c.Max == 0 {
		c.Max = DefaultMax
	}
	return &Service{
		store: c.Activity.Store(), activity: c.Activity, now: c.Now, additions: limit.New(additionsAtOnce, additionsRecover),
		rp: rp, rpID: c.RPID, origin: c.Origin, max: c.Max, roots: c.AttestationRoots,
		seal: sealer, failed: newFailedTickets(), signInOptions: signIns,
	}, nil
}

// libraryRPID stands where the library checks relying party ids: it refuses names of one
// label, such as intranet, which browsers take. Options are given the real id before they
// are encoded, and each verification is told the real one.
const libraryRPID = "localhost"

// verification is what a sign-in or a confirmation must do, in WebAuthn's words.
func verification(v policy.Verification) protocol.UserVerificationRequirement {
	return protocol.UserVerificationRequirement(cmp.Or(v, policy.VerificationRequired))
}

// checkMediation refuses what isn't WebAuthn's or isn't of use here.
func checkMediation(mediation string) error {
	if mediation != "" && mediated(mediation) != protocol.MediationConditional {
		return shared.Errorf(shared.CodeInvalidRequest, "Mediation must be empty or conditional.")
	}
	return nil
}

// mediated is what the two mediations that we issue mean to the library.
func mediated(mediation string) protocol.CredentialMediationRequirement {
	return protocol.CredentialMediationRequirement(mediation)
}

// libraryUser shows a store.User to go-webauthn.
type libraryUser struct{ store.User }

func (u libraryUser) WebAuthnID() []byte          { return u.Handle }
func (u libraryUser) WebAuthnName() string        { return u.Name }
func (u libraryUser) WebAuthnDisplayName() string { return u.DisplayName }

func (u libraryUser) WebAuthnCredentials() []webauthn.Credential {
	credentials := make([]webauthn.Credential, len(u.Passkeys))
	for i, p := range u.Passkeys {
		credentials[i] = webauthn.Credential{
			ID:                p.CredentialID,
			PublicKey:         p.PublicKey,
			AttestationFormat: p.Format,
			Transport:         transports(p.Transports),
			// The raw byte carries all flags; go-webauthn's JSON form would lose it.
			Flags:         webauthn.NewCredentialFlags(protocol.AuthenticatorFlags(p.Flags)),
			Authenticator: webauthn.Authenticator{AAGUID: p.AAGUID[:], SignCount: p.SignCount},
		}
	}
	return credentials
}

func transports(names []string) []protocol.AuthenticatorTransport {
	transports := make([]protocol.AuthenticatorTransport, len(names))
	for i, name := range names {
		transports[i] = protocol.AuthenticatorTransport(name)
	}
	return transports
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
