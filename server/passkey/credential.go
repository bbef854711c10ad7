package passkey

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/protocol/webauthncbor"

	"github.com/keypeg/keypeg/server/internal/strictjson"
)

// This file reads the credentials that browsers send: WebAuthn Level 3's
// RegistrationResponseJSON and AuthenticationResponseJSON (5.1). Password managers write
// many of them, so only members that decide something are read strictly. The library's own
// readers ignore the case of member names, refuse hints of a wrong type, and can't read
// client data that begin with a byte order mark.

// credentialJSON has the members of both forms.
type credentialJSON[Response any] struct {
	ID         base64url          `json:"id"`
	RawID      base64url          `json:"rawId"`
	Type       string             `json:"type"`
	Attachment strictjson.Lenient `json:"authenticatorAttachment"`
	Extensions json.RawMessage    `json:"clientExtensionResults"`
	Response   Response           `json:"response"`
}

type assertionJSON struct {
	ClientData        base64url `json:"clientDataJSON"`
	AuthenticatorData base64url `json:"authenticatorData"`
	Signature         base64url `json:"signature"`
	UserHandle        base64url `json:"userHandle"`
}

// registrationJSON leaves out the members that repeat parts of the attestation object.
type registrationJSON struct {
	ClientData        base64url       `json:"clientDataJSON"`
	AttestationObject base64url       `json:"attestationObject"`
	Transports        json.RawMessage `json:"transports"`
}

// base64url is bytes in base64url, with or without padding.
type base64url []byte

// UnmarshalText implements encoding.TextUnmarshaler.
func (b *base64url) UnmarshalText(text []byte) error {
	if bytes.ContainsAny(text, "\r\n") { // which Go's decoder skips
		return errors.New("base64url with a line break")
	}
	decoded, err := base64.RawURLEncoding.DecodeString(string(bytes.TrimRight(text, "=")))
	*b = decoded
	return err
}

// parseAssertion reads an answer and makes the checks that need no passkey.
func (s *Service) parseAssertion(answer json.RawMessage) (*protocol.ParsedCredentialAssertionData, error) {
	sent, of, data, err := opened[assertionJSON](s, answer)
	if err != nil {
		return nil, refused(err)
	}

	parsed := &protocol.ParsedCredentialAssertionData{
		ParsedPublicKeyCredential: of,
		Response: protocol.ParsedAssertionResponse{
			CollectedClientData: data,
			Signature:           sent.Response.Signature,
			UserHandle:          sent.Response.UserHandle,
		},
	}
	parsed.Raw.AssertionResponse.ClientDataJSON = protocol.URLEncodedBase64(sent.Response.ClientData)
	parsed.Raw.AssertionResponse.AuthenticatorData = protocol.URLEncodedBase64(sent.Response.AuthenticatorData)
	if err := parsed.Response.AuthenticatorData.Unmarshal(sent.Response.AuthenticatorData); err != nil {
		return nil, refused(err)
	}
	return parsed, nil
}

// parseRegistration reads an answer and makes the checks that need no ticket.
func (s *Service) parseRegistration(answer json.RawMessage) (*protocol.ParsedCredentialCreationData, error) {
	sent, of, data, err := opened[registrationJSON](s, answer)
	if err != nil {
		return nil, refused(err)
	}

	parsed := &protocol.ParsedCredentialCreationData{
		ParsedPublicKeyCredential: of,
		Response:                  protocol.ParsedAttestationResponse{CollectedClientData: data},
	}
	parsed.Raw.AttestationResponse.ClientDataJSON = protocol.URLEncodedBase64(sent.Response.ClientData)
	parsed.Raw.AttestationResponse.AttestationObject = protocol.URLEncodedBase64(sent.Response.AttestationObject)
	parsed.Raw.AttestationResponse.Transports = knownTransports(sent.Response.Transports)
	if err := readAttestation(sent.Response.AttestationObject, &parsed.Response.AttestationObject); err != nil {
		return nil, refused(err)
	}
	if neverFound(sent.Extensions) {
		return nil, notDiscoverable()
	}
	return parsed, nil
}

// opened reads the parts that both forms share: the JSON, the credential's type and id, and
// the client data.
func opened[Response interface{ clientData() []byte }](s *Service, answer json.RawMessage) (
	sent credentialJSON[Response], of protocol.ParsedPublicKeyCredential, data protocol.CollectedClientData, err error,
) {
	if err = strictjson.Unmarshal(answer, &sent); err != nil {
		return sent, of, data, err
	}
	if of, err = identified(sent); err != nil {
		return sent, of, data, err
	}
	data, err = s.readClientData(sent.Response.clientData())
	return sent, of, data, err
}

func (a assertionJSON) clientData() []byte    { return a.ClientData }
func (r registrationJSON) clientData() []byte { return r.ClientData }

// readAttestation reads an attestation object (6.5.4). The library ignores the case of
// member names here too, so this function checks them first.
func readAttestation(encoded []byte, into *protocol.AttestationObject) error {
	var members map[string]webauthncbor.RawMessage
	if err := webauthncbor.Unmarshal(encoded, &members); err != nil {
		return fmt.Errorf("reading the attestation object: %w", err)
	}
	if members["attStmt"] == nil { // with format "none" it must be an empty map, not absent (8.7)
		return errors.New("the attestation object has no statement")
	}
	if len(members) != 3 || members["fmt"] == nil || members["authData"] == nil {
		return errors.New("the attestation object has other members than it should")
	}

	if err := webauthncbor.Unmarshal(encoded, into); err != nil {
		return fmt.Errorf("reading the attestation object: %w", err)
	}
	if err := into.AuthData.Unmarshal(into.RawAuthData); err != nil {
		return err
	}
	if !into.AuthData.Flags.HasAttestedCredentialData() {
		return errors.New("no credential is attested")
	}
	return nil
}

// identified reads the type, id and attachment of a credential. The id is there twice, and
// both must be equal.
func identified[Response any](sent credentialJSON[Response]) (protocol.ParsedPublicKeyCredential, error) {
	switch {
	case sent.Type != string(protocol.PublicKeyCredentialType):
		return protocol.ParsedPublicKeyCredential{}, fmt.Errorf("a credential of type %q", sent.Type)
	case len(sent.ID) == 0 || !bytes.Equal(sent.ID, sent.RawID):
		return protocol.ParsedPublicKeyCredential{}, errors.New("id and rawId are missing or differ")
	}
	of := protocol.ParsedPublicKeyCredential{RawID: sent.RawID}
	of.ID, of.Type = encode(sent.ID), sent.Type
	switch attachment := protocol.AuthenticatorAttachment(sent.Attachment); attachment {
	case protocol.Platform, protocol.CrossPlatform:
		of.AuthenticatorAttachment = attachment
	}
	return of, nil
}

// neverFound reports whether the browser says that the new passkey isn't discoverable
// (credProps, 10.1.3). The options require a discoverable one, because no sign-in finds
// another.
func neverFound(extensions json.RawMessage) bool {
	var results struct {
		CredProps struct {
			Discoverable *bool `json:"rk"`
		} `json:"credProps"`
	}
	err := strictjson.Unmarshal(extensions, &results)
	return err == nil && results.CredProps.Discoverable != nil && !*results.CredProps.Discoverable
}

// clientDataJSON has the members of CollectedClientData (5.8.1) that are read.
type clientDataJSON struct {
	Type        string          `json:"type"`
	Challenge   string          `json:"challenge"`
	Origin      string          `json:"origin"`
	CrossOrigin bool            `json:"crossOrigin"`
	TopOrigin   json.RawMessage `json:"topOrigin"`
}

// readClientData reads client data, and compares the origin byte for byte (7.1 step 9, 7.2
// step 12): the library also accepts one with a path, user info, a default port or capital
// letters. It refuses frames of other sites, because our pages are never embedded (7.1
// steps 10 and 11). The library checks type and challenge.
func (s *Service) readClientData(encoded []byte) (protocol.CollectedClientData, error) {
	var data clientDataJSON
	err := strictjson.UnmarshalUTF8(encoded, &data)
	switch {
	case err != nil:
		err = fmt.Errorf("reading client data: %w", err)
	case !slices.Contains(s.origins, data.Origin):
		err = fmt.Errorf("client data come from origin %q", data.Origin)
	case data.CrossOrigin:
		err = errors.New("client data come from a frame of another site")
	case data.TopOrigin != nil:
		err = errors.New("client data name a top origin")
	}
	return protocol.CollectedClientData{Type: protocol.CeremonyType(data.Type), Challenge: data.Challenge, Origin: data.Origin}, err
}
