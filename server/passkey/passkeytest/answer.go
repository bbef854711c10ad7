package passkeytest

import (
	"crypto"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Flags of authenticator data (6.1).
const (
	FlagUserPresent    byte = 1 << 0
	FlagUserVerified   byte = 1 << 2
	FlagBackupEligible byte = 1 << 3
	FlagBackedUp       byte = 1 << 4
	FlagAttested       byte = 1 << 6 // attested credential data follow
	FlagExtensions     byte = 1 << 7 // extension data follow
)

// Answer has the parts of an answer before it is sent. A [Lie] changes parts before they
// are put together and signed, so that nothing else is wrong.
type Answer struct {
	// Client data (5.8.1).
	Type        string
	Challenge   string // base64url
	Origin      string
	CrossOrigin bool
	TopOrigin   string // left out if empty
	ClientData  []byte // in the place of all the above, if set

	// Authenticator data (6.1). The flags decide which of the later parts are
	// written.
	RPIDHash   [32]byte
	Flags      byte
	SignCount  uint32
	AAGUID     [16]byte
	PublicKey  []byte // COSE_Key
	Extensions []byte // a CBOR map; a true answer has none
	AuthData   []byte // in the place of all the above, if set

	// Attestation (6.5). A nil Statement is left out; a [Signed] one is made from
	// the finished authenticator data.
	Format            string
	Statement         any
	AttestationObject []byte // in the place of all the above, if set

	CredentialID []byte        // attested, and said by the browser
	Key          crypto.Signer // signs the assertion, or the packed self attestation
	UserHandle   []byte        // nil is left out
	Signature    []byte        // in the place of the true one, if set

	// Resign, if set, changes the true signature of the assertion, or of the
	// attestation statement if that is Signed.
	Resign func(signature []byte) []byte

	// What the browser says around it.
	ClaimedID    []byte // in the place of CredentialID, if set
	ClaimedRawID []byte // in the place of rawId alone, if set
	Attachment   string
	Transports   []string
	SPKI         []byte // DER, of a registration
	Algorithm    Algorithm
	Discoverable bool // credProps (10.1.3)

	// Rewrite, if set, changes the finished JSON object: members of any name and
	// type may be added, altered and deleted.
	Rewrite func(credential map[string]any)
}

// Signed makes an attestation statement over authenticator data and the hash of
// the client data.
type Signed func(authData, clientDataHash []byte) (map[string]any, error)

// EncodeClientData writes the client data as they are now, in the one form that
// limited verifiers rely on (5.8.1.1). A lie about its bytes starts from it:
//
//	a.ClientData = bytes.TrimSuffix(a.EncodeClientData(), []byte("}"))
func (a *Answer) EncodeClientData() []byte {
	if a.ClientData != nil {
		return a.ClientData
	}

	var b strings.Builder
	fmt.Fprintf(&b, `{"type":%s,"challenge":%s,"origin":%s,"crossOrigin":%t`,
		quote(a.Type), quote(a.Challenge), quote(a.Origin), a.CrossOrigin)
	if a.TopOrigin != "" {
		fmt.Fprintf(&b, `,"topOrigin":%s`, quote(a.TopOrigin))
	}
	b.WriteByte('}')
	return []byte(b.String())
}

// quote is CCDToString (5.8.1.1). It escapes less than encoding/json does.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ':
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// EncodeAuthData writes the authenticator data as they are now (6.1 and 6.5.1). A
// lie about their bytes starts from it:
//
//	a.AuthData = append(a.EncodeAuthData(), 0)
func (a *Answer) EncodeAuthData() []byte {
	if a.AuthData != nil {
		return a.AuthData
	}

	data := slices.Clone(a.RPIDHash[:])
	data = append(data, a.Flags)
	data = binary.BigEndian.AppendUint32(data, a.SignCount)
	if a.Flags&FlagAttested != 0 {
		data = append(data, a.AAGUID[:]...)
		data = binary.BigEndian.AppendUint16(data, uint16(len(a.CredentialID)))
		data = append(data, a.CredentialID...)
		data = append(data, a.PublicKey...)
	}
	if a.Flags&FlagExtensions != 0 {
		data = append(data, a.Extensions...)
	}
	return data
}

// registration writes a RegistrationResponseJSON (5.1).
func (a *Answer) registration() (json.RawMessage, error) {
	object, err := a.attestationObject()
	if err != nil {
		return nil, err
	}
	return a.credential(map[string]any{
		"clientDataJSON":     encode(a.EncodeClientData()),
		"attestationObject":  encode(object),
		"authenticatorData":  encode(a.EncodeAuthData()),
		"transports":         a.Transports,
		"publicKey":          encode(a.SPKI),
		"publicKeyAlgorithm": a.Algorithm,
	}, map[string]any{"credProps": map[string]any{"rk": a.Discoverable}})
}

func (a *Answer) attestationObject() ([]byte, error) {
	if a.AttestationObject != nil {
		return a.AttestationObject, nil
	}

	authData, hash := a.EncodeAuthData(), sha256.Sum256(a.EncodeClientData())
	statement := a.Statement
	if signed, ok := statement.(Signed); ok {
		made, err := signed(authData, hash[:])
		if err != nil {
			return nil, fmt.Errorf("making a statement of format %q: %w", a.Format, err)
		}
		statement = made
	}

	object := map[string]any{"fmt": a.Format, "authData": authData}
	if statement != nil {
		object["attStmt"] = statement
	}
	encoded, err := canonical.Marshal(object)
	if err != nil {
		return nil, fmt.Errorf("encoding an attestation object: %w", err)
	}
	return encoded, nil
}

// assertion writes an AuthenticationResponseJSON (5.1), signed over authenticator
// data and the hash of the client data (6.3.3).
func (a *Answer) assertion() (json.RawMessage, error) {
	clientData, authData := a.EncodeClientData(), a.EncodeAuthData()
	hash := sha256.Sum256(clientData)
	signature, err := a.sign(a.Key, authData, hash[:])
	if err != nil {
		return nil, err
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

// sign makes the answer's signature, in truth or not.
func (a *Answer) sign(key crypto.Signer, parts ...[]byte) ([]byte, error) {
	if a.Signature != nil {
		return a.Signature, nil
	}
	signature, err := sign(key, slices.Concat(parts...))
	if err != nil {
		return nil, err
	}
	if a.Resign != nil {
		signature = a.Resign(signature)
	}
	return signature, nil
}

func (a *Answer) credential(response, extensions map[string]any) (json.RawMessage, error) {
	id := a.CredentialID
	if a.ClaimedID != nil {
		id = a.ClaimedID
	}
	rawID := id
	if a.ClaimedRawID != nil {
		rawID = a.ClaimedRawID
	}

	credential := map[string]any{
		"id": encode(id), "rawId": encode(rawID), "type": publicKeyType,
		"authenticatorAttachment": a.Attachment,
		"clientExtensionResults":  extensions,
		"response":                response,
	}
	if a.Rewrite != nil {
		a.Rewrite(credential)
	}
	encoded, err := json.Marshal(credential)
	if err != nil {
		return nil, fmt.Errorf("encoding a credential: %w", err)
	}
	return encoded, nil
}
