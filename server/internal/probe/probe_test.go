package probe_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/internal/probe"
)

func TestToken(t *testing.T) {
	key, other := bytes.Repeat([]byte{1}, probe.KeySize), bytes.Repeat([]byte{2}, probe.KeySize)
	now := time.Unix(1_800_000_000, 0)
	token, nonce := probe.Token(key, now)
	if got, ok := probe.Open(key, token, now.Add(time.Minute)); !ok || got != nonce {
		t.Errorf("the server reads %q %t, want the nonce %q", got, ok, nonce)
	}
	for claim, opens := range map[string]func() (string, bool){
		"another key opens nothing":      func() (string, bool) { return probe.Open(other, token, now) },
		"no key opens nothing":           func() (string, bool) { return probe.Open(nil, token, now) },
		"an old token opens nothing":     func() (string, bool) { return probe.Open(key, token, now.Add(6*time.Minute)) },
		"a changed token opens nothing":  func() (string, bool) { return probe.Open(key, "A"+token[1:len(token)-1]+"A", now) },
		"an empty token opens nothing":   func() (string, bool) { return probe.Open(key, "", now) },
		"a short token opens nothing":    func() (string, bool) { return probe.Open(key, token[:40], now) },
		"the proof is no token for this": func() (string, bool) { return probe.Open(key, probe.Prove(key, nonce), now) },
	} {
		if _, ok := opens(); ok {
			t.Error(claim + ", and it does")
		}
	}
	if probe.Prove(key, nonce) == probe.Prove(other, nonce) || probe.Prove(key, nonce) == probe.Prove(key, nonce+"x") {
		t.Error("the proof is the same for another key or another request")
	}
}

func TestPermissionsPolicy(t *testing.T) {
	for policy, want := range map[string]bool{
		"": false,
		"camera=(), publickey-credentials-get=()": true,
		"publickey-credentials-get=(self)":        false,
		"publickey-credentials-get=*":             false,
		`publickey-credentials-get=("https://a")`: true,
		"publickey-credentials-create=()":         false,
	} {
		if got := probe.Forbids(policy, "publickey-credentials-get"); got != want {
			t.Errorf("%q forbids: %t, want %t", policy, got, want)
		}
	}
}
