package passkeytest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"

	"github.com/fxamacker/cbor/v2"
)

// Answer is what the device is about to say, in parts. A [Lie] changes them
// before they are put together and signed, so that only what is lied about is
// wrong.
type Answer struct {
	// Client data (5.8.1).
	Type        string
	Challenge   string
	Origin      string
	CrossOrigin bool
	TopOrigin   string
	ClientData  []byte // in the place of all the above, if set

	// Authenticator data (6.1).
	RPIDHash  [32]byte
	Flags     byte
	SignCount uint32
	AAGUID    [16]byte
	PublicKey []byte // COSE_Key
	AuthData  []byte // in the place of all the above, if set

	// Attestation (6.5). A nil Statement is left out.
	Format    string
	Statement any

	CredentialID []byte // attested, and said by the browser
	SaidID       []byte // what the browser says in its place, if set
	UserHandle   []byte
	Signature    []byte // in the place of the true one, if set
	Transports   []string
	Attachment   string
}

// Lie changes an answer.
type Lie func(*Answer)

// WithType says another type of ceremony: "webauthn.get" or "webauthn.create".
func WithType(kind string) Lie { return func(a *Answer) { a.Type = kind } }

// WithChallenge answers another challenge (base64url).
func WithChallenge(challenge string) Lie { return func(a *Answer) { a.Challenge = challenge } }

// WithOrigin answers from another page.
func WithOrigin(origin string) Lie { return func(a *Answer) { a.Origin = origin } }

// WithCrossOrigin answers from a frame of another site.
func WithCrossOrigin() Lie { return func(a *Answer) { a.CrossOrigin = true } }

// WithTopOrigin names a page around the frame.
func WithTopOrigin(origin string) Lie { return func(a *Answer) { a.TopOrigin = origin } }

// WithRPID answers another relying party.
func WithRPID(rpID string) Lie {
	return func(a *Answer) { a.RPIDHash = sha256.Sum256([]byte(rpID)) }
}

// WithFlags sets and clears flags of the authenticator data.
func WithFlags(set, clear byte) Lie {
	return func(a *Answer) { a.Flags = a.Flags&^clear | set }
}

// WithSignCount says another signature count.
func WithSignCount(n uint32) Lie { return func(a *Answer) { a.SignCount = n } }

// WithUserHandle says another user handle; nil leaves it out.
func WithUserHandle(handle []byte) Lie { return func(a *Answer) { a.UserHandle = handle } }

// WithCredentialID attests, and says, another credential id.
func WithCredentialID(id []byte) Lie { return func(a *Answer) { a.CredentialID = id } }

// WithSaidID lets the browser say another credential id than the authenticator.
func WithSaidID(id []byte) Lie { return func(a *Answer) { a.SaidID = id } }

// WithPublicKey attests another COSE_Key.
func WithPublicKey(cose []byte) Lie { return func(a *Answer) { a.PublicKey = cose } }

// WithAttestation sends another attestation; a nil statement is left out.
func WithAttestation(format string, statement any) Lie {
	return func(a *Answer) { a.Format, a.Statement = format, statement }
}

// WithSignature sends another signature.
func WithSignature(signature []byte) Lie { return func(a *Answer) { a.Signature = signature } }

// WithTransports says other transports.
func WithTransports(names ...string) Lie { return func(a *Answer) { a.Transports = names } }

// clientData writes the members in the order of 5.8.1.1.
func (a *Answer) clientData() []byte {
	if a.ClientData != nil {
		return a.ClientData
	}
	data, err := json.Marshal(struct {
		Type        string `json:"type"`
		Challenge   string `json:"challenge"`
		Origin      string `json:"origin"`
		CrossOrigin bool   `json:"crossOrigin"`
		TopOrigin   string `json:"topOrigin,omitempty"`
	}{a.Type, a.Challenge, a.Origin, a.CrossOrigin, a.TopOrigin})
	if err != nil {
		panic(err) // strings and a boolean can always be encoded
	}
	return data
}

func (a *Answer) authData() []byte {
	if a.AuthData != nil {
		return a.AuthData
	}
	data := append([]byte(nil), a.RPIDHash[:]...)
	data = append(data, a.Flags)
	data = binary.BigEndian.AppendUint32(data, a.SignCount)
	if a.Flags&FlagAttested != 0 {
		data = append(data, a.AAGUID[:]...)
		data = binary.BigEndian.AppendUint16(data, uint16(len(a.CredentialID)))
		data = append(data, a.CredentialID...)
		data = append(data, a.PublicKey...)
	}
	return data
}

func (a *Answer) said() string {
	if a.SaidID != nil {
		return encode(a.SaidID)
	}
	return encode(a.CredentialID)
}

// registration writes a RegistrationResponseJSON (5.1).
func (a *Answer) registration() (json.RawMessage, error) {
	object := map[string]any{"fmt": a.Format, "authData": a.authData()}
	if a.Statement != nil {
		object["attStmt"] = a.Statement
	}
	encoded, err := canonical.Marshal(object)
	if err != nil {
		return nil, fmt.Errorf("encoding an attestation object: %w", err)
	}
	return a.credential(map[string]any{
		"clientDataJSON":     encode(a.clientData()),
		"attestationObject":  encode(encoded),
		"authenticatorData":  encode(a.authData()),
		"transports":         a.Transports,
		"publicKeyAlgorithm": -7,
	}, map[string]any{"credProps": map[string]any{"rk": true}})
}

// assertion writes an AuthenticationResponseJSON (5.1), signed over
// authenticator data and the hash of the client data (6.3.3).
func (a *Answer) assertion(key crypto.Signer) (json.RawMessage, error) {
	clientData, authData := a.clientData(), a.authData()
	hash := sha256.Sum256(clientData)
	digest := sha256.Sum256(append(append([]byte(nil), authData...), hash[:]...))
	signature, err := key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	if a.Signature != nil {
		signature = a.Signature
	}

	response := map[string]any{
		"clientDataJSON":    encode(clientData),
		"authenticatorData": encode(authData),
		"signature":         encode(signature),
	}
	if a.UserHandle != nil {
		response["userHandle"] = encode(a.UserHandle)
	}
	return a.credential(response, map[string]any{})
}

func (a *Answer) credential(response, extensions map[string]any) (json.RawMessage, error) {
	return json.Marshal(map[string]any{
		"id": a.said(), "rawId": a.said(), "type": "public-key",
		"authenticatorAttachment": a.Attachment,
		"clientExtensionResults":  extensions,
		"response":                response,
	})
}

// canonical is CTAP2's form of CBOR (CTAP 2.1, 8).
var canonical = func() cbor.EncMode {
	mode, err := cbor.CTAP2EncOptions().EncMode()
	if err != nil {
		panic(err)
	}
	return mode
}()

// coseKey encodes an ES256 key (RFC 9053, 7.1).
func coseKey(key *ecdsa.PublicKey) []byte {
	point, err := key.Bytes() // 4, x, y
	if err != nil {
		panic(err) // it was just made
	}
	return CoseEC2(-7, 1, point[1:33], point[33:])
}

// CoseEC2 encodes an elliptic curve key (RFC 9053, 7.1) of any numbers, sound or
// not.
func CoseEC2(algorithm, curve int, x, y []byte) []byte {
	encoded, err := canonical.Marshal(map[int]any{1: 2, 3: algorithm, -1: curve, -2: x, -3: y})
	if err != nil {
		panic(err) // numbers and bytes can always be encoded
	}
	return encoded
}
