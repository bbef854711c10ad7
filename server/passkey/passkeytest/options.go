package passkeytest

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
)

const publicKeyType = "public-key"

// creationOptions is a PublicKeyCredentialCreationOptionsJSON (5.1.8), as far as
// a device cares.
type creationOptions struct {
	RP struct {
		ID string `json:"id"`
	} `json:"rp"`
	User struct {
		ID base64url `json:"id"`
	} `json:"user"`
	Challenge  base64url    `json:"challenge"`
	Parameters []parameter  `json:"pubKeyCredParams"`
	Exclude    []descriptor `json:"excludeCredentials"`
	Selection  struct {
		Attachment         string `json:"authenticatorAttachment"`
		ResidentKey        string `json:"residentKey"`
		RequireResidentKey bool   `json:"requireResidentKey"`
		UserVerification   string `json:"userVerification"`
	} `json:"authenticatorSelection"`
}

// requestOptions is a PublicKeyCredentialRequestOptionsJSON (5.1.9).
type requestOptions struct {
	RPID             string       `json:"rpId"`
	Challenge        base64url    `json:"challenge"`
	Allow            []descriptor `json:"allowCredentials"`
	UserVerification string       `json:"userVerification"`
}

type parameter struct {
	Type      string    `json:"type"`
	Algorithm Algorithm `json:"alg"`
}

type descriptor struct {
	Type string    `json:"type"`
	ID   base64url `json:"id"`
}

func readCreationOptions(text json.RawMessage) (creationOptions, error) {
	var o creationOptions
	if err := json.Unmarshal(text, &o); err != nil {
		return o, fmt.Errorf("reading creation options: %w", err)
	}
	if o.Challenge == nil {
		return o, errors.New("TypeError: creation options without a challenge")
	}
	if n := len(o.User.ID); n < 1 || n > 64 {
		return o, fmt.Errorf("TypeError: a user handle of %d bytes, and it must have 1 to 64 (5.4.3)", n)
	}
	return o, nil
}

func readRequestOptions(text json.RawMessage) (requestOptions, error) {
	var o requestOptions
	if err := json.Unmarshal(text, &o); err != nil {
		return o, fmt.Errorf("reading request options: %w", err)
	}
	if o.Challenge == nil {
		return o, errors.New("TypeError: request options without a challenge")
	}
	return o, nil
}

// discoverable reports whether the passkey must be found without its id. If that is only
// preferred it is true, because the device has room.
func (o creationOptions) discoverable() bool {
	if o.Selection.ResidentKey == "" {
		return o.Selection.RequireResidentKey // of Level 1 (5.4.4)
	}
	return o.Selection.ResidentKey != "discouraged"
}

// base64url is a Base64URLString (5.1): bytes without padding. A browser refuses
// any other alphabet with an EncodingError.
type base64url []byte

func (b *base64url) UnmarshalJSON(text []byte) error {
	var s *string
	if err := json.Unmarshal(text, &s); err != nil || s == nil {
		return err
	}
	decoded, err := base64.RawURLEncoding.DecodeString(*s)
	if err != nil {
		return fmt.Errorf("EncodingError: %q isn't base64url without padding: %w", *s, err)
	}
	*b = decoded
	return nil
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
