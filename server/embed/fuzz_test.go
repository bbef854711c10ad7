package embed_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/embed"
	"github.com/keypeg/keypeg/shared"
)

const origin = "https://tools.example.com"

// FuzzIntroduction: whatever a program signs by mistake, and whatever a stranger sends, is refused with a code, or says who
// somebody is, within the limits.
func FuzzIntroduction(f *testing.F) {
	now := time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC)
	for _, claims := range []string{
		`{"sub":"17","name":"ann","sid":"s","proved":1796029200,"aud":"https://tools.example.com","iat":1796029200,"exp":1796029500,"jti":"j"}`,
		`{"sub":"17","name":"ann","displayName":"Ann","sid":"s","proved":1796029199.5,"passkey":"p","hasPassword":true,"otherMethods":1,"aud":["https://tools.example.com"],"iat":1796029200.25,"exp":1796029800,"jti":"j"}`,
		`{"sub":17}`, `[]`, `null`, `{"sub":"a","sub":"b"}`, `{"proved":1e400}`, `{"iat":-1}`, `{"aud":{}}`, ``,
	} {
		f.Add(`{"alg":"HS256"}`, claims, true)
		f.Add(`{"alg":"HS256","crit":["b64"],"b64":false}`, claims, true)
		f.Add(`{"alg":"none"}`, claims, false)
	}
	f.Fuzz(func(t *testing.T, header, claims string, knows bool) {
		text := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(claims))
		key := secret
		if !knows {
			key = "somebody else"
		}
		mac := hmac.New(sha256.New, []byte(key))
		mac.Write([]byte(text))
		i, err := embed.ReadIntroduction(text+"."+base64.RawURLEncoding.EncodeToString(mac.Sum(nil)), []string{secret}, origin, false, now)
		switch {
		case err != nil:
			if shared.CodeOf(err) == "" {
				t.Errorf("a failure without a code: %v", err)
			}
			return
		case !knows:
			t.Fatalf("a stranger introduces %+v", i)
		}
		var sent map[string]any
		if err := json.Unmarshal([]byte(claims), &sent); err != nil {
			t.Fatalf("what isn't JSON introduces %+v", i)
		}
		life := i.Expires.Sub(i.Issued)
		if i.Subject != sent["sub"] || i.Subject == "" || len(i.Subject) > 255 || strings.ContainsAny(i.Subject, "\x00\n") || i.Session == "" || i.Name == "" || i.DisplayName == "" || i.ID == "" ||
			life <= 0 || life > embed.LongestIntroduced || i.Proved.After(now) || !now.Before(i.Expires) || i.Issued.After(now.Add(time.Minute)) {
			t.Errorf("%s introduces %+v", claims, i)
		}
	})
}
