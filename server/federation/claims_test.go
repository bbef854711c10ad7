package federation

import (
	"encoding/json"
	"testing"
	"time"
)

// TestEntra checks that an address of Microsoft Entra ID is verified only if the owner of
// its domain has done so, and only there.
func TestEntra(t *testing.T) {
	const entra, other = "https://login.microsoftonline.com/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0", "https://login.example.com"
	for _, row := range []struct {
		issuer, claims string
		verified       bool
	}{
		{entra, `{"email":"ann@example.com"}`, false},
		{entra, `{"email":"ann@example.com","xms_edov":true}`, true},
		{entra, `{"email":"ann@example.com","xms_edov":1}`, true},
		{entra, `{"email":"ann@example.com","xms_edov":"1"}`, true},
		{entra, `{"email":"ann@example.com","xms_edov":false}`, false},
		{entra, `{"email":"ann@example.com","xms_edov":"0"}`, false},
		{entra, `{"email":"ann@example.com","xms_edov":true,"email_verified":false}`, false},
		{entra, `{"xms_edov":true}`, false},
		{entra, `{"preferred_username":"ann@example.com","xms_edov":true}`, false},
		{other, `{"email":"ann@example.com","xms_edov":true}`, false},
		{other, `{"email":"ann@example.com","email_verified":true}`, true},
		{"https://login.microsoftonline.com.evil.example/x/v2.0", `{"email":"ann@example.com","xms_edov":true}`, false},
	} {
		var claims members
		if err := json.Unmarshal([]byte(row.claims), &claims); err != nil {
			t.Fatal(err)
		}
		p := New(Config{Issuer: row.issuer}, "", time.Now)
		if got := p.profile(claims); got.EmailVerified != row.verified {
			t.Errorf("%s of %s: %+v", row.claims, row.issuer, got)
		}
	}
}

// FuzzKeys checks that anything that a provider gives as its keys is read without harm.
func FuzzKeys(f *testing.F) {
	f.Add([]byte(`{"keys":[{"kty":"EC","crv":"P-256","x":"AQ","y":"AQ"},{"kty":"RSA","n":"AQAB","e":"AQAB"},{"kty":"OKP","crv":"Ed25519","x":"AA"}]}`))
	f.Add([]byte(`{"keys":{}}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, set []byte) {
		for _, key := range readKeys(set) {
			if !key.IsPublic() || !key.Valid() {
				t.Errorf("%s: a key that can't verify: %+v", set, key)
			}
		}
	})
}

// FuzzClaims checks the same of what it claims of a person and of itself.
func FuzzClaims(f *testing.F) {
	f.Add([]byte(`{"auth_time":"1e9","email":["x"],"email_verified":"true","exp":1.5e300,"issuer":{},"hd":[1,true,null,[""]]}`))
	f.Fuzz(func(t *testing.T, object []byte) {
		var claims members
		if json.Unmarshal(object, &claims) != nil {
			return
		}
		p := New(Config{Issuer: "https://login.example.com"}, "", time.Now)
		if d := p.profile(claims); d.EmailVerified && d.Email == "" {
			t.Errorf("%s: no address is verified", object)
		}
		for name := range claims {
			if at, is := claims.instant(name); is && (at.Unix() < 0 || at.Unix() > latest) {
				t.Errorf("%s: %s is at %s", object, name, at)
			}
		}
		claims.values()
		p.read(claims)
	})
}
