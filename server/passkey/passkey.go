// Package passkey holds the rules of passkeys: registering one, signing in or confirming
// with one, listing, renaming and removing one's own.
//
// It knows nothing of HTTP, of cookies or of how sessions begin, and it is the only package
// that uses go-webauthn. Package server calls it with the [session.Actor] who asks, for
// local users and for the users of a host program. It reads and writes through package
// activity, and doesn't import package account. Three files do what go-webauthn leaves to
// its caller: ticket.go ensures single use, purpose and expiry of a ceremony, credential.go
// reads strictly what browsers send, and check.go makes the checks that WebAuthn requires
// of a relying party and the library doesn't make.
//
// A ceremony is two calls. The first ([Service.BeginSignIn] and its siblings) writes
// nothing: its state travels in a sealed ticket. The second ([Service.FinishSignIn])
// verifies, and then applies one batch that spends the ticket, updates the user and adds
// the caller's operations ([Also]), such as a new session. Start with [New].
package passkey

import (
	"cmp"
	"context"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"sync/atomic"
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
	// ticketLife is how long a ceremony may take. It is also the timeout in the options for
	// the browser (WebAuthn Level 3, 15.1 recommends 5 to 10 minutes).
	ticketLife = 5 * time.Minute

	// A user may add additionsAtOnce passkeys at once, and one more after each
	// additionsRecover. That is far more than any person does.
	additionsAtOnce  = 200
	additionsRecover = 2 * time.Minute
)

// Config is what a [Service] needs.
type Config struct {
	// Activity has the Store of passkeys, and takes failed attempts.
	Activity *activity.Service
	Now      store.Clock

	RPID   string // WebAuthn's relying party id, such as "example.com"
	RPName string // shown in the browser's dialog
	Origin string // that is accepted, such as "https://id.example.com"
	Max    int    // passkeys per user; 0 means DefaultMax

	// Related are further addresses of the same organisation, whose origins and passkeys are accepted too.
	Related []Related

	// Verification says whether an authenticator must verify its user at sign-in.
	Verification policy.Verification

	// AttestationRoots are root certificates of makers of authenticators. If set, only
	// passkeys with an attestation that leads to one of them can be added.
	AttestationRoots *x509.CertPool
}

// Related is a further address of the organisation.
type Related struct {
	RPID   string
	Origin string
	Former bool // people move away from it
}

// Service applies the rules of passkeys. It is safe for concurrent use.
type Service struct {
	store    store.Store
	activity *activity.Service
	now      store.Clock
	rp       *webauthn.WebAuthn
	rpIDs    rpIDs
	origins  []string
	max      int
	roots    *x509.CertPool
	seal     *seal.Sealer
	failed   *failedTickets // see [Service.settle]
	// additions limits the passkeys that a user adds. A removed passkey leaves a tombstone
	// for ten years, and removing is never refused, so adding must be limited.
	additions *limit.Limiter

	order atomic.Pointer[order] // see [Service.Prefer]
}

// Browser is the browser in which a ceremony runs. A confirmation needs none, because it is
// bound to the actor's session.
type Browser struct {
	// Binding binds both requests of a ceremony to one browser. It is the hash of a cookie.
	Binding store.Hash
	// Text is the catalogue in the user's language. It gives a name to a passkey that is
	// added without one.
	Text *message.Catalogue
	// SentByIT says that the ceremony runs by a link from an administrator or IT. Then the
	// limit on additions doesn't apply, because somebody else may have used it up, nor does
	// the most passkeys per user, because all of them may be lost.
	SentByIT bool
}

// Also returns the operations that belong in the batch of a verified sign-in or
// confirmation with this passkey of the actor's user. It is called again, with the new
// record of the user, if another request has changed the record meanwhile.
type Also func(session.Actor, store.Passkey) (store.Batch, error)

// AlsoAdded may change the user who gets a passkey, and returns operations for the same
// batch. It may be called again, as [Also] may. Nil adds nothing.
type AlsoAdded func(*store.User) (store.Batch, error)

// New returns a Service. It loads the key of the tickets from the store, or makes one, so
// that every node of an installation can open every node's tickets.
func New(ctx context.Context, c Config) (*Service, error) {
	origins := []string{c.Origin}
	for _, related := range c.Related {
		origins = append(origins, related.Origin)
	}
	rp, err := webauthn.New(&webauthn.Config{
		RPID:                  libraryRPID,
		RPDisplayName:         c.RPName,
		RPOrigins:             origins,
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
	s := &Service{
		store: c.Activity.Store(), activity: c.Activity, now: c.Now, additions: limit.New(additionsAtOnce, additionsRecover),
		rp: rp, rpIDs: newRPIDs(c), origins: origins, max: c.Max, roots: c.AttestationRoots,
		seal: sealer, failed: newFailedTickets(),
	}
	return s, s.prefer(s.rpIDs.forUse())
}

// libraryRPID satisfies the library, which refuses relying party ids of one label, such as
// intranet, although browsers accept them. The options get the real id before they are
// encoded, and each verification gets the real one.
const libraryRPID = "localhost"

// verification translates the policy into WebAuthn's words.
func verification(v policy.Verification) protocol.UserVerificationRequirement {
	return protocol.UserVerificationRequirement(cmp.Or(v, policy.VerificationRequired))
}

// checkMediation refuses a mediation that isn't issued here.
func checkMediation(mediation string) error {
	if mediation != "" && mediated(mediation) != protocol.MediationConditional {
		return shared.Errorf(shared.CodeInvalidRequest, "Mediation must be empty or conditional.")
	}
	return nil
}

// mediated translates a mediation for the library.
func mediated(mediation string) protocol.CredentialMediationRequirement {
	return protocol.CredentialMediationRequirement(mediation)
}

// libraryUser adapts a store.User to go-webauthn.
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
