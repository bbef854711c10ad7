package passkeytest_test

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"testing"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/keypeg/keypeg/server/passkey/passkeytest"
)

const (
	origin = "https://id.example.com"
	rpID   = "id.example.com"
)

// site is a relying party of go-webauthn, the second opinion.
type site struct {
	t       *testing.T
	library *webauthn.WebAuthn
	users   []*user
}

func newSite(t *testing.T) *site {
	t.Helper()
	library, err := webauthn.New(&webauthn.Config{
		RPID: rpID, RPDisplayName: "Example", RPOrigins: []string{origin},
		ExtensionsUnsolicitedOutputPolicy: protocol.UnsolicitedOutputPolicyIgnore,
	})
	if err != nil {
		t.Fatal(err)
	}
	return &site{t: t, library: library}
}

type user struct {
	handle   []byte
	passkeys []webauthn.Credential
}

func (u *user) WebAuthnID() []byte                         { return u.handle }
func (u *user) WebAuthnName() string                       { return "ann" }
func (u *user) WebAuthnDisplayName() string                { return "Ann" }
func (u *user) WebAuthnCredentials() []webauthn.Credential { return u.passkeys }

func (s *site) user() *user {
	u := &user{handle: make([]byte, 64)}
	rand.Read(u.handle)
	s.users = append(s.users, u)
	return u
}

// asked are options as a browser gets them, and what the server remembers.
type asked struct {
	options json.RawMessage
	session *webauthn.SessionData
}

func (s *site) asks(publicKey any, session *webauthn.SessionData, err error) asked {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
	options, err := json.Marshal(publicKey)
	if err != nil {
		s.t.Fatal(err)
	}
	return asked{options, session}
}

func (s *site) asksToRegister(u *user, more ...webauthn.RegistrationOption) asked {
	s.t.Helper()
	options := append([]webauthn.RegistrationOption{
		webauthn.WithCredentialParameters(webauthn.CredentialParametersRecommendedL3()),
		webauthn.WithAuthenticatorSelection(protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementRequired, UserVerification: protocol.VerificationRequired,
		}),
	}, more...)
	creation, session, err := s.library.BeginRegistration(u, options...)
	if err != nil {
		s.t.Fatal(err)
	}
	return s.asks(creation.Response, session, nil)
}

func (s *site) asksToSignIn() asked {
	s.t.Helper()
	assertion, session, err := s.library.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
	if err != nil {
		s.t.Fatal(err)
	}
	return s.asks(assertion.Response, session, nil)
}

// registers verifies an answer and adds its passkey.
func (s *site) registers(u *user, a asked, answer json.RawMessage) (*webauthn.Credential, error) {
	parsed, err := protocol.ParseCredentialCreationResponseBytes(answer)
	if err != nil {
		return nil, errors.Join(reason(err), reasonWithin(answer))
	}
	made, err := s.library.CreateCredential(u, *a.session, parsed)
	if err != nil {
		return nil, reason(err)
	}
	u.passkeys = append(u.passkeys, *made)
	return made, nil
}

// signsIn verifies an answer and tells whose it is.
func (s *site) signsIn(a asked, answer json.RawMessage) (*user, *webauthn.Credential, error) {
	parsed, err := protocol.ParseCredentialRequestResponseBytes(answer)
	if err != nil {
		return nil, nil, reason(err)
	}
	find := func(_, handle []byte) (webauthn.User, error) {
		for _, u := range s.users {
			if bytes.Equal(u.handle, handle) {
				return u, nil
			}
		}
		return nil, errors.New("nobody has this handle")
	}
	who, used, err := s.library.ValidatePasskeyLogin(find, *a.session, parsed)
	if err != nil {
		return nil, nil, reason(err)
	}
	return who.(*user), used, nil
}

// reason is all that the library knows about a failure.
func reason(err error) error {
	if known, ok := errors.AsType[*protocol.Error](err); ok {
		return fmt.Errorf("%s: %s (%w)", known.Details, known.DevInfo, err)
	}
	return err
}

// reasonWithin is why the response inside an answer can't be read, which the
// library keeps to itself.
func reasonWithin(answer json.RawMessage) error {
	var credential protocol.CredentialCreationResponse
	if err := json.Unmarshal(answer, &credential); err != nil {
		return err
	}
	if _, err := credential.AttestationResponse.Parse(); err != nil {
		return reason(err)
	}
	return nil
}

// must is for answers that only a broken device fails to give.
func must(t *testing.T) func(answer json.RawMessage, err error) json.RawMessage {
	return func(answer json.RawMessage, err error) json.RawMessage {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
}

// registered is a site with a user whose device has a passkey there.
func registered(t *testing.T, device *passkeytest.Device) (*site, *user) {
	t.Helper()
	s := newSite(t)
	ann := s.user()
	asked := s.asksToRegister(ann)
	if _, err := s.registers(ann, asked, must(t)(device.Create(asked.options))); err != nil {
		t.Fatal(err)
	}
	return s, ann
}

func TestAnotherImplementationAgrees(t *testing.T) {
	for name, algorithm := range map[string]passkeytest.Algorithm{
		"ES256": passkeytest.ES256, "EdDSA": passkeytest.EdDSA, "RS256": passkeytest.RS256,
	} {
		t.Run(name, func(t *testing.T) {
			device := passkeytest.New(origin)
			device.Algorithms = []passkeytest.Algorithm{algorithm}
			device.AAGUID = [16]byte{1, 2, 3}
			device.Transports = []string{"usb", "nfc", "usb"}
			device.BackupEligible, device.BackedUp = true, true
			s, ann := registered(t, device)

			made := ann.passkeys[0]
			if want := []protocol.AuthenticatorTransport{"nfc", "usb"}; !slices.Equal(made.Transport, want) {
				t.Errorf("transports %q, want %q", made.Transport, want)
			}
			if !bytes.Equal(made.Authenticator.AAGUID, device.AAGUID[:]) || made.Authenticator.Attachment != protocol.Platform {
				t.Errorf("authenticator %+v, want AAGUID %x on the platform", made.Authenticator, device.AAGUID)
			}
			if f := made.Flags; !f.UserPresent || !f.UserVerified || !f.BackupEligible || !f.BackupState {
				t.Errorf("flags %+v, want all set", f)
			}
			kept := device.Credentials()
			if len(kept) != 1 || !bytes.Equal(kept[0].ID, made.ID) || !bytes.Equal(kept[0].PublicKey, made.PublicKey) || kept[0].Algorithm != algorithm {
				t.Errorf("the device has %+v, want the one that the server has: %+v", kept, made)
			}

			asked := s.asksToSignIn()
			who, _, err := s.signsIn(asked, must(t)(device.Get(asked.options)))
			if err != nil || who != ann {
				t.Errorf("signed in as %v (%v), want ann", who, err)
			}
		})
	}
}

func TestAttestation(t *testing.T) {
	for name, row := range map[string]struct {
		lie  passkeytest.Lie
		kind string
	}{
		"packed, by the passkey itself": {passkeytest.WithPackedSelf(), "basic_surrogate"},
		"packed, with a certificate":    {passkeytest.WithPackedX5C(), "basic_full"},
		"fido-u2f":                      {passkeytest.WithFIDOU2F(), "basic_full"},
	} {
		t.Run(name+" is sound", func(t *testing.T) {
			s := newSite(t)
			ann, device := s.user(), passkeytest.New(origin)
			device.AAGUID = [16]byte{1, 2, 3}
			asked := s.asksToRegister(ann, preferred)
			made, err := s.registers(ann, asked, must(t)(device.Create(asked.options, row.lie)))
			if err != nil {
				t.Fatal(err)
			}
			if made.AttestationType != row.kind {
				t.Errorf("type %q, want %q", made.AttestationType, row.kind)
			}
		})
		t.Run(name+" with a wrong signature isn't", func(t *testing.T) {
			s := newSite(t)
			ann, device := s.user(), passkeytest.New(origin)
			asked := s.asksToRegister(ann, preferred)
			answer := must(t)(device.Create(asked.options, row.lie, passkeytest.WithResigned(trailingByte)))
			if made, err := s.registers(ann, asked, answer); err == nil {
				t.Errorf("registered %+v", made)
			}
		})
	}
	t.Run("every algorithm attests itself", func(t *testing.T) {
		for _, algorithm := range []passkeytest.Algorithm{passkeytest.ES256, passkeytest.EdDSA, passkeytest.RS256} {
			s := newSite(t)
			ann, device := s.user(), passkeytest.New(origin)
			device.Algorithms = []passkeytest.Algorithm{algorithm}
			asked := s.asksToRegister(ann)
			if _, err := s.registers(ann, asked, must(t)(device.Create(asked.options, passkeytest.WithPackedSelf()))); err != nil {
				t.Errorf("algorithm %d: %v", algorithm, err)
			}
		}
	})
}

// A server that trusts the root trusts the device.
func TestAttestationRoot(t *testing.T) {
	root, err := passkeytest.AttestationRoot()
	if err != nil {
		t.Fatal(err)
	}
	trusted := x509.NewCertPool()
	trusted.AddCert(root)

	answer := must(t)(passkeytest.New(origin).Create(creation(`{}`), passkeytest.WithPackedX5C()))
	parsed, err := protocol.ParseCredentialCreationResponseBytes(answer)
	if err != nil {
		t.Fatal(err)
	}
	chain, _ := parsed.Response.AttestationObject.AttStatement["x5c"].([]any)
	if len(chain) != 1 {
		t.Fatalf("x5c %v, want one certificate", chain)
	}
	certificate, err := x509.ParseCertificate(chain[0].([]byte))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := certificate.Verify(x509.VerifyOptions{Roots: trusted, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}); err != nil {
		t.Errorf("the certificate isn't the root's: %v", err)
	}
}

// preferred lets a security key in that doesn't verify its user.
func preferred(o *protocol.PublicKeyCredentialCreationOptions) error {
	o.AuthenticatorSelection.UserVerification = protocol.VerificationPreferred
	return nil
}

func trailingByte(signature []byte) []byte { return append(signature, 0) }

func TestCounter(t *testing.T) {
	t.Run("a counter that is kept grows with every use", func(t *testing.T) {
		device := passkeytest.New(origin)
		device.Counts = true
		s, _ := registered(t, device)
		for want := range uint32(3) {
			asked := s.asksToSignIn()
			_, used, err := s.signsIn(asked, must(t)(device.Get(asked.options)))
			if err != nil {
				t.Fatal(err)
			}
			if got := used.Authenticator.SignCount; got != want+1 || used.Authenticator.CloneWarning {
				t.Errorf("sign-in %d: count %d (a clone: %t), want %d", want+1, got, used.Authenticator.CloneWarning, want+1)
			}
		}
	})
	t.Run("many at once get counts of their own", func(t *testing.T) {
		device := passkeytest.New(origin)
		device.Counts = true
		s, _ := registered(t, device)
		asked := s.asksToSignIn()
		counts := make(chan uint32, 16)
		for range cap(counts) {
			go func() {
				var count uint32
				_, err := device.Get(asked.options, func(a *passkeytest.Answer) { count = a.SignCount })
				if err != nil {
					t.Error(err)
				}
				counts <- count
			}()
		}
		var seen []uint32
		for range cap(counts) {
			seen = append(seen, <-counts)
		}
		slices.Sort(seen)
		if seen[0] != 1 || len(slices.Compact(seen)) != cap(counts) {
			t.Errorf("counts %v, want 1 to %d", seen, cap(counts))
		}
	})
	t.Run("a counter that isn't kept stays zero", func(t *testing.T) {
		device := passkeytest.New(origin)
		s, _ := registered(t, device)
		asked := s.asksToSignIn()
		_, used, err := s.signsIn(asked, must(t)(device.Get(asked.options)))
		if err != nil || used.Authenticator.SignCount != 0 {
			t.Errorf("passkey %+v (%v), want a count of zero", used, err)
		}
	})
}

// creation are options with changes by JSON merge of the top members.
func creation(members string) json.RawMessage {
	return merged(`{
		"rp": {"id": "id.example.com", "name": "Example"},
		"user": {"id": "YW5u", "name": "ann", "displayName": "Ann"},
		"challenge": "b25lIGNoYWxsZW5nZQ",
		"pubKeyCredParams": [{"type": "public-key", "alg": -7}],
		"authenticatorSelection": {"residentKey": "required"}
	}`, members)
}

func request(members string) json.RawMessage {
	return merged(`{"rpId": "id.example.com", "challenge": "YW5vdGhlciBvbmU"}`, members)
}

func merged(options, members string) json.RawMessage {
	all := map[string]json.RawMessage{}
	for _, text := range []string{options, members} {
		if err := json.Unmarshal([]byte(text), &all); err != nil {
			panic(err)
		}
	}
	encoded, err := json.Marshal(all)
	if err != nil {
		panic(err)
	}
	return encoded
}

func TestCreateRefuses(t *testing.T) {
	for name, row := range map[string]struct {
		origin  string
		options string
		want    error
	}{
		"the page's own host":                  {origin, `{}`, nil},
		"a domain around it":                   {origin, `{"rp":{"id":"example.com"}}`, nil},
		"no id, which is the host":             {origin, `{"rp":{}}`, nil},
		"localhost without TLS":                {"http://localhost:8080", `{"rp":{"id":"localhost"}}`, nil},
		"another host":                         {origin, `{"rp":{"id":"evil.test"}}`, passkeytest.ErrSecurity},
		"a domain below the page's":            {origin, `{"rp":{"id":"a.id.example.com"}}`, passkeytest.ErrSecurity},
		"half a label":                         {origin, `{"rp":{"id":"ample.com"}}`, passkeytest.ErrSecurity},
		"a public suffix":                      {origin, `{"rp":{"id":"com"}}`, passkeytest.ErrSecurity},
		"a public suffix of two labels":        {"https://ann.github.io", `{"rp":{"id":"github.io"}}`, passkeytest.ErrSecurity},
		"a part of the public suffix":          {"https://a.b.kobe.jp", `{"rp":{"id":"kobe.jp"}}`, passkeytest.ErrSecurity},
		"a page without TLS":                   {"http://id.example.com", `{}`, passkeytest.ErrSecurity},
		"an address":                           {"https://127.0.0.1", `{"rp":{"id":"127.0.0.1"}}`, passkeytest.ErrSecurity},
		"no algorithm that is known":           {origin, `{"pubKeyCredParams":[{"type":"public-key","alg":-35}]}`, passkeytest.ErrNotSupported},
		"an algorithm of another type":         {origin, `{"pubKeyCredParams":[{"type":"x","alg":-7}]}`, passkeytest.ErrNotSupported},
		"no list of algorithms, which is some": {origin, `{"pubKeyCredParams":[]}`, nil},
		"another attachment":                   {origin, `{"authenticatorSelection":{"authenticatorAttachment":"cross-platform"}}`, passkeytest.ErrNotAllowed},
	} {
		t.Run(name, func(t *testing.T) {
			device := passkeytest.New(row.origin)
			_, err := device.Create(creation(row.options))
			if err != row.want {
				t.Errorf("on %s with %s: got %v, want %v", row.origin, row.options, err, row.want)
			}
			if kept := len(device.Credentials()); (kept == 1) != (row.want == nil) {
				t.Errorf("%d passkeys after %v", kept, err)
			}
		})
	}
	for name, options := range map[string]string{
		"no challenge":                   `{"challenge":null}`,
		"a padded challenge":             `{"challenge":"YQ=="}`,
		"no user handle":                 `{"user":{"id":""}}`,
		"members that have a wrong type": `{"rp":1}`,
	} {
		t.Run(name, func(t *testing.T) {
			if answer, err := passkeytest.New(origin).Create(creation(options)); err == nil {
				t.Errorf("with %s: got %s, want an error", options, answer)
			}
		})
	}
	t.Run("a passkey that is excluded and there", func(t *testing.T) {
		device := passkeytest.New(origin)
		s, ann := registered(t, device)
		exclude := webauthn.WithExclusions(webauthn.Credentials(ann.passkeys).CredentialDescriptors())
		asked := s.asksToRegister(ann, exclude)
		if _, err := device.Create(asked.options); err != passkeytest.ErrInvalidState {
			t.Errorf("got %v, want %v", err, passkeytest.ErrInvalidState)
		}

		another := passkeytest.New(origin)
		if _, err := another.Create(asked.options); err != nil {
			t.Errorf("on another device: %v", err)
		}
		device.ForgetID(ann.passkeys[0].ID)
		if _, err := device.Create(asked.options); err != nil {
			t.Errorf("after it was forgotten: %v", err)
		}
	})
	t.Run("user verification that is required and can't be had", func(t *testing.T) {
		device := passkeytest.New(origin)
		device.SkipsVerification = true
		required := `{"authenticatorSelection":{"userVerification":"required"}}`
		if _, err := device.Create(creation(required)); err != passkeytest.ErrNotAllowed {
			t.Errorf("got %v, want %v", err, passkeytest.ErrNotAllowed)
		}
		if _, err := device.Create(creation(`{}`)); err != nil {
			t.Errorf("where it isn't required: %v", err)
		}
		if _, err := device.Get(request(`{"userVerification":"required"}`)); err != passkeytest.ErrNotAllowed {
			t.Errorf("signing in: got %v, want %v", err, passkeytest.ErrNotAllowed)
		}
	})
}

func TestCreate(t *testing.T) {
	t.Run("the device's favourite algorithm is taken, whatever the order", func(t *testing.T) {
		device := passkeytest.New(origin)
		all := `{"pubKeyCredParams":[{"type":"public-key","alg":-257},{"type":"public-key","alg":-8},{"type":"public-key","alg":-7}]}`
		must(t)(device.Create(creation(all)))
		if got := device.Credentials()[0].Algorithm; got != passkeytest.ES256 {
			t.Errorf("algorithm %d, want %d", got, passkeytest.ES256)
		}
	})
	t.Run("an account's second passkey takes the first one's place", func(t *testing.T) {
		device := passkeytest.New(origin)
		must(t)(device.Create(creation(`{}`)))
		first := device.Credentials()[0]
		must(t)(device.Create(creation(`{}`)))
		must(t)(device.Create(creation(`{"user":{"id":"Ym9i"}}`)))
		kept := device.Credentials()
		if len(kept) != 2 || bytes.Equal(kept[0].ID, first.ID) || string(kept[1].UserHandle) != "bob" {
			t.Errorf("passkeys %+v, want ann's second and bob's", kept)
		}
	})
	t.Run("many at once get one each", func(t *testing.T) {
		device := passkeytest.New(origin)
		var all sync.WaitGroup
		for i := range 16 {
			handle := base64.RawURLEncoding.EncodeToString([]byte{byte(i)})
			all.Go(func() {
				if _, err := device.Create(creation(`{"user":{"id":"` + handle + `"}}`)); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if n := len(device.Credentials()); n != 16 {
			t.Errorf("%d passkeys, want 16", n)
		}
	})
	t.Run("the answer has the members of a browser's toJSON, and no more", func(t *testing.T) {
		answer := must(t)(passkeytest.New(origin).Create(creation(`{}`)))
		wantMembers(t, answer, "authenticatorAttachment", "clientExtensionResults", "id", "rawId", "response", "type")
		wantMembers(t, member(t, answer, "response"), "attestationObject", "authenticatorData", "clientDataJSON",
			"publicKey", "publicKeyAlgorithm", "transports")
	})
	t.Run("what the browser writes twice is the same", func(t *testing.T) {
		for _, algorithm := range []passkeytest.Algorithm{passkeytest.ES256, passkeytest.EdDSA, passkeytest.RS256} {
			device := passkeytest.New(origin)
			device.Algorithms = []passkeytest.Algorithm{algorithm}
			all := `{"pubKeyCredParams":[{"type":"public-key","alg":-257},{"type":"public-key","alg":-8},{"type":"public-key","alg":-7}]}`
			var public any
			answer := must(t)(device.Create(creation(all), func(a *passkeytest.Answer) { public = a.Key.Public() }))
			parsed, err := protocol.ParseCredentialCreationResponseBytes(answer)
			if err != nil {
				t.Fatal(err)
			}
			raw := parsed.Raw.AttestationResponse
			if !bytes.Equal(raw.AuthenticatorData, parsed.Response.AttestationObject.RawAuthData) {
				t.Errorf("algorithm %d: authenticatorData %x, attested %x", algorithm, raw.AuthenticatorData, parsed.Response.AttestationObject.RawAuthData)
			}
			spki, err := x509.ParsePKIXPublicKey(raw.PublicKey)
			if err != nil || !reflect.DeepEqual(spki, public) || raw.PublicKeyAlgorithm != int64(algorithm) {
				t.Errorf("algorithm %d: publicKey %v of algorithm %d (%v), want %v", algorithm, spki, raw.PublicKeyAlgorithm, err, public)
			}
		}
	})
	t.Run("backup is settled when a passkey is made", func(t *testing.T) {
		device := passkeytest.New(origin)
		must(t)(device.Create(creation(`{}`)))
		device.BackupEligible, device.BackedUp = true, true
		must(t)(device.Get(request(`{}`), func(a *passkeytest.Answer) {
			if got := a.Flags & (passkeytest.FlagBackupEligible | passkeytest.FlagBackedUp); got != 0 {
				t.Errorf("flags %#x of a passkey that may not be backed up", got)
			}
		}))
	})
}

func TestGet(t *testing.T) {
	t.Run("without a list the newest is taken", func(t *testing.T) {
		device := passkeytest.New(origin)
		must(t)(device.Create(creation(`{}`)))
		must(t)(device.Create(creation(`{"user":{"id":"Ym9i"}}`)))
		answer := must(t)(device.Get(request(`{}`)))
		if got := string(member(t, member(t, answer, "response"), "userHandle")); got != `"Ym9i"` {
			t.Errorf("user handle %s, want bob's", got)
		}
	})
	t.Run("a passkey that isn't discoverable must be listed, and gives no handle", func(t *testing.T) {
		device := passkeytest.New(origin)
		answer := must(t)(device.Create(creation(`{"authenticatorSelection":{"residentKey":"discouraged"}}`)))
		if got := string(member(t, answer, "clientExtensionResults")); got != `{"credProps":{"rk":false}}` {
			t.Errorf("extension results %s", got)
		}
		if _, err := device.Get(request(`{}`)); err != passkeytest.ErrNotAllowed {
			t.Errorf("without a list: got %v, want %v", err, passkeytest.ErrNotAllowed)
		}
		id := base64.RawURLEncoding.EncodeToString(device.Credentials()[0].ID)
		answer = must(t)(device.Get(request(`{"allowCredentials":[{"type":"public-key","id":"` + id + `"}]}`)))
		wantMembers(t, member(t, answer, "response"), "authenticatorData", "clientDataJSON", "signature")
	})
	t.Run("where nothing fits, the user may not", func(t *testing.T) {
		device := passkeytest.New(origin)
		must(t)(device.Create(creation(`{}`)))
		for _, options := range []string{
			`{"rpId":"example.com"}`,
			`{"allowCredentials":[{"type":"public-key","id":"AAAA"}]}`,
		} {
			if _, err := device.Get(request(options)); err != passkeytest.ErrNotAllowed {
				t.Errorf("with %s: got %v, want %v", options, err, passkeytest.ErrNotAllowed)
			}
		}
		if _, err := device.Get(request(`{"rpId":"evil.test"}`)); err != passkeytest.ErrSecurity {
			t.Errorf("for another site: got %v, want %v", err, passkeytest.ErrSecurity)
		}
		device.Forget()
		if _, err := device.Get(request(`{}`)); err != passkeytest.ErrNotAllowed {
			t.Errorf("after forgetting: got %v, want %v", err, passkeytest.ErrNotAllowed)
		}
	})
}

func member(t *testing.T, object json.RawMessage, name string) json.RawMessage {
	t.Helper()
	var members map[string]json.RawMessage
	if err := json.Unmarshal(object, &members); err != nil {
		t.Fatalf("%s: %v", object, err)
	}
	return members[name]
}

func wantMembers(t *testing.T, object json.RawMessage, want ...string) {
	t.Helper()
	var members map[string]json.RawMessage
	if err := json.Unmarshal(object, &members); err != nil {
		t.Fatalf("%s: %v", object, err)
	}
	var got []string
	for name := range members {
		got = append(got, name)
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("members %q, want %q", got, want)
	}
}
