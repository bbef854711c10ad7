package passkeytest_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/go-webauthn/webauthn/protocol"

	"github.com/keypeg/keypeg/server/passkey/passkeytest"
)

// Each row is refused for what it lies about and for nothing before that.
func TestLieOfRegistration(t *testing.T) {
	otherModel := func(a *passkeytest.Answer) { a.AAGUID = [16]byte{9} }
	both := func(lies ...passkeytest.Lie) passkeytest.Lie {
		return func(a *passkeytest.Answer) {
			for _, lie := range lies {
				lie(a)
			}
		}
	}
	for name, row := range map[string]struct {
		lie  passkeytest.Lie
		want string
	}{
		"type":                      {passkeytest.WithType("webauthn.get"), "ceremony type"},
		"challenge":                 {passkeytest.WithChallenge("AAAA"), "validating challenge"},
		"origin":                    {passkeytest.WithOrigin("https://evil.test"), "validating origin"},
		"an origin with quotes":     {passkeytest.WithOrigin(`https://id.example.com"\` + "\n"), "validating origin"},
		"cross origin":              {passkeytest.WithCrossOrigin(), "cross origin flag"},
		"top origin":                {passkeytest.WithTopOrigin("https://evil.test"), "topOrigin"},
		"client data":               {passkeytest.WithClientData([]byte("{")), "unexpected end of JSON"},
		"relying party":             {passkeytest.WithRPID("evil.test"), "RP Hash mismatch"},
		"relying party's hash":      {passkeytest.WithRPIDHash([32]byte{}), "RP Hash mismatch"},
		"user presence":             {passkeytest.WithoutUserPresence(), "User presence"},
		"user verification":         {passkeytest.WithoutUserVerification(), "User verification"},
		"backup":                    {passkeytest.WithFlags(passkeytest.FlagBackedUp, 0), "Backup State"},
		"attested data":             {passkeytest.WithFlags(0, passkeytest.FlagAttested), "missing attested credential data"},
		"extensions, flag alone":    {passkeytest.WithFlags(passkeytest.FlagExtensions, 0), "extensions data is missing"},
		"extensions, not CBOR":      {passkeytest.WithExtensions([]byte{0xff}), "authenticator extension outputs"},
		"authenticator data":        {passkeytest.WithAuthData(make([]byte, 36)), "too short"},
		"a byte too many":           {func(a *passkeytest.Answer) { a.AuthData = append(a.EncodeAuthData(), 0) }, "Leftover bytes"},
		"attestation object":        {passkeytest.WithAttestationObject([]byte{0xbf}), "indefinite-length"},
		"id":                        {passkeytest.WithClaimedID([]byte("another")), "attested credential id"},
		"rawId":                     {passkeytest.WithClaimedRawID([]byte("another")), "ID does not match rawId"},
		"an algorithm not offered":  {passkeytest.WithPublicKey(passkeytest.CoseEC2(-35, 2, make([]byte, 48), make([]byte, 48))), "algorithm not supported"},
		"none with a statement":     {passkeytest.WithAttestation("none", map[string]any{"sig": []byte{1}}), "none with attestation present"},
		"an unknown format":         {passkeytest.WithAttestation("homemade", map[string]any{}), "homemade is unsupported"},
		"self attestation":          {both(passkeytest.WithPackedSelf(), passkeytest.WithKey(otherKey(t))), "Unable to verify signature"},
		"a certificate's AAGUID":    {both(passkeytest.WithPackedX5C(), otherModel), "AAGUID does not match"},
		"a certificate's signature": {both(passkeytest.WithPackedX5C(), passkeytest.WithSignature([]byte{})), "Signature validation"},
		"members missing":           {passkeytest.WithoutMember("id"), "Missing ID"},
		"members altered":           {both(passkeytest.WithMember("x", 1), passkeytest.WithMember("type", "password")), "Type not public-key"},
		"members of a wrong type":   {passkeytest.WithResponseMember("clientDataJSON", 1), "Parse error"},
		"response members missing":  {passkeytest.WithoutResponseMember("attestationObject"), "EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			ann, device := s.user(), passkeytest.New(origin)
			asked := s.asksToRegister(ann)
			made, err := s.registers(ann, asked, must(t)(device.Create(asked.options, row.lie)))
			if err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("got %+v (%v), want a refusal that says %q", made, err, row.want)
			}
		})
	}
}

// These the library believes; servers have to look for themselves. What it read
// shows that the answer has the lie.
func TestLieThatTheLibraryBelieves(t *testing.T) {
	type read = *protocol.ParsedCredentialCreationData
	key := func(r read) any { return r.Response.AttestationObject.AuthData.AttData.CredentialPublicKey }
	nothing := passkeytest.CoseEC2(passkeytest.ES256, 1, nil, nil)
	offCurve := passkeytest.CoseEC2(passkeytest.ES256, 1, make([]byte, 32), make([]byte, 32))
	otherType := passkeytest.CoseOKP(passkeytest.ES256, 6, make([]byte, 32))
	weak := passkeytest.CoseRSA(passkeytest.RS256, bytes.Repeat([]byte{0xff}, 64), []byte{1, 0, 1})

	for name, row := range map[string]struct {
		lie  passkeytest.Lie
		got  func(read) any
		want any
	}{
		"none without a statement": {passkeytest.WithAttestation("none", nil),
			func(r read) any { return r.Response.AttestationObject.AttStatement }, map[string]any(nil)},
		"a key without coordinates": {passkeytest.WithPublicKey(nothing), key, nothing},
		"a key off the curve":       {passkeytest.WithPublicKey(offCurve), key, offCurve},
		"a key of another type":     {passkeytest.WithPublicKey(otherType), key, otherType},
		"a weak key":                {passkeytest.WithPublicKey(weak), key, weak},
		"another AAGUID": {passkeytest.WithAAGUID([16]byte{9}),
			func(r read) any { return r.Response.AttestationObject.AuthData.AttData.AAGUID }, append([]byte{9}, make([]byte, 15)...)},
		"an id of another's": {passkeytest.WithCredentialID([]byte("another's")),
			func(r read) any { return []byte(r.RawID) }, []byte("another's")},
		"no transports": {passkeytest.WithTransports(),
			func(r read) any { return len(r.Response.Transports) }, 0},
		"markup for a transport": {passkeytest.WithTransports("<b>"),
			func(r read) any { return r.Response.Transports }, []protocol.AuthenticatorTransport{"<b>"}},
		"extension data": {passkeytest.WithExtensions([]byte{0xa1, 0x61, 'x', 0xf5}),
			func(r read) any { return r.Response.AttestationObject.AuthData.ExtData }, []byte{0xa1, 0x61, 'x', 0xf5}},
		"a count": {passkeytest.WithSignCount(1 << 31),
			func(r read) any { return r.Response.AttestationObject.AuthData.Counter }, uint32(1 << 31)},
		"members that nobody knows": {passkeytest.WithResponseMember("x", 1),
			func(r read) any { return r.Response.AttestationObject.Format }, "none"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			ann, device := s.user(), passkeytest.New(origin)
			asked := s.asksToRegister(ann)
			answer := must(t)(device.Create(asked.options, row.lie))
			if _, err := s.registers(ann, asked, answer); err != nil {
				t.Errorf("refused: %v", err)
			}

			parsed, err := protocol.ParseCredentialCreationResponseBytes(answer)
			if err != nil {
				t.Fatal(err)
			}
			if got := row.got(parsed); !reflect.DeepEqual(got, row.want) {
				t.Errorf("got %v, want %v", got, row.want)
			}
		})
	}
}

func TestLieOfSignIn(t *testing.T) {
	for name, row := range map[string]struct {
		lie  passkeytest.Lie
		want string
	}{
		"type":                 {passkeytest.WithType("webauthn.create"), "ceremony type"},
		"challenge":            {passkeytest.WithChallenge(""), "validating challenge"},
		"origin":               {passkeytest.WithOrigin("http://id.example.com"), "validating origin"},
		"cross origin":         {passkeytest.WithCrossOrigin(), "cross origin flag"},
		"top origin":           {passkeytest.WithTopOrigin(origin), "topOrigin"},
		"relying party":        {passkeytest.WithRPID("example.com"), "RP Hash mismatch"},
		"user presence":        {passkeytest.WithoutUserPresence(), "User presence"},
		"user verification":    {passkeytest.WithoutUserVerification(), "User verification"},
		"backup eligibility":   {passkeytest.WithFlags(passkeytest.FlagBackupEligible, 0), "Backup Eligible flag"},
		"no user handle":       {passkeytest.WithUserHandle(nil), "blank User Handle"},
		"another user handle":  {passkeytest.WithUserHandle([]byte("bob")), "nobody has this handle"},
		"an unknown passkey":   {passkeytest.WithCredentialID([]byte("unknown")), "Unable to find the credential"},
		"an empty signature":   {passkeytest.WithSignature([]byte{}), "the assertion signature"},
		"a signature as r‖s":   {passkeytest.WithResigned(passkeytest.RawES256), "the assertion signature"},
		"a byte too many":      {passkeytest.WithResigned(trailingByte), "the assertion signature"},
		"another key":          {passkeytest.WithKey(otherKey(t)), "the assertion signature"},
		"another passkey's id": {passkeytest.WithClaimedRawID([]byte("x")), "does not match the rawId"},
		"a missing signature":  {passkeytest.WithoutResponseMember("signature"), "the assertion signature"},
	} {
		t.Run(name, func(t *testing.T) {
			device := passkeytest.New(origin)
			s, _ := registered(t, device)
			asked := s.asksToSignIn()
			who, _, err := s.signsIn(asked, must(t)(device.Get(asked.options, row.lie)))
			if err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("got %+v (%v), want a refusal that says %q", who, err, row.want)
			}

			if _, _, err := s.signsIn(asked, must(t)(device.Get(asked.options))); err != nil {
				t.Errorf("the truth afterwards: %v", err)
			}
		})
	}
	t.Run("a count that fell", func(t *testing.T) {
		device := passkeytest.New(origin)
		s, ann := registered(t, device)
		ann.passkeys[0].Authenticator.SignCount = 5
		asked := s.asksToSignIn()
		_, used, err := s.signsIn(asked, must(t)(device.Get(asked.options, passkeytest.WithSignCount(4))))
		if err != nil || !used.Authenticator.CloneWarning {
			t.Errorf("got %+v (%v), want a warning of a clone", used, err)
		}
	})
}

func TestClientData(t *testing.T) {
	// The spaces and the order are the specification's (5.8.1.1), as is what's
	// escaped and what isn't.
	var got string
	must(t)(passkeytest.New(origin).Create(creation(`{}`),
		passkeytest.WithOrigin("<&>\u2028é\"\\\t"), passkeytest.WithTopOrigin("t"), passkeytest.WithCrossOrigin(),
		func(a *passkeytest.Answer) { got = string(a.EncodeClientData()) }))
	want := `{"type":"webauthn.create","challenge":"b25lIGNoYWxsZW5nZQ","origin":"<&>` + "\u2028é" + `\"\\\u0009","crossOrigin":true,"topOrigin":"t"}`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if !json.Valid([]byte(got)) {
		t.Errorf("%s isn't JSON", got)
	}
}

func otherKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}
