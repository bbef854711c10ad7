package server_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The adversary tests send what an attacker may send, and check the answer. They are claims,
// each held on every store. After each refusal the whole store is what it was, but for what
// the claim allows; and neither the refusals nor the log hold a challenge, a ticket, a token
// or a password.

// claim is one of them. Its test gets a fresh installation.
type claim struct {
	name  string
	holds func(*scene)
}

// adversaries are the claims by what is attacked. SECURITY.md names a group as
// TestAdversary/tickets, and a claim as TestAdversary/tickets/an expired ticket is refused;
// go test -run takes both.
var adversaries = []struct {
	attacks string
	claims  []claim
}{
	{"tickets", ticketClaims},
	{"origins", originClaims},
	{"verification", verificationClaims},
	{"copies", copyClaims},
	{"keys", keyClaims},
	{"encodings", encodingClaims},
	{"passkeys", passkeyClaims},
	{"users", userClaims},
	{"accounts", accountClaims},
	{"mails", append(mailClaims, holdClaims...)},
	{"requests", requestClaims},
	{"greetings", greetingClaims},
}

func TestAdversary(t *testing.T) {
	for _, group := range adversaries {
		t.Run(group.attacks, func(t *testing.T) {
			for _, claim := range group.claims {
				t.Run(claim.name, func(t *testing.T) {
					for store, open := range stores {
						t.Run(store, func(t *testing.T) {
							t.Parallel()
							s := newScene(t, open)
							claim.holds(s)
							s.keepsSecrets()
						})
					}
				})
			}
		})
	}
}

// TestAdversaryInSecurity checks SECURITY.md against the claims: each that it names is
// there, and it names each claim or its group, and how many there are.
func TestAdversaryInSecurity(t *testing.T) {
	text, err := os.ReadFile("../SECURITY.md")
	if err != nil {
		t.Fatal(err)
	}
	var named []string
	for line := range strings.Lines(string(text)) {
		for _, found := range regexp.MustCompile("`server: TestAdversary/([^`]*)`").FindAllStringSubmatch(line, -1) {
			named = append(named, found[1])
		}
	}

	var known []string
	claims := 0
	for _, group := range adversaries {
		claims += len(group.claims)
		known = append(known, group.attacks)
		for _, claim := range group.claims {
			if strings.Contains(claim.name, "/") || strings.ContainsFunc(claim.name, isInPattern) {
				t.Errorf("go test -run doesn't find %q by its name", claim.name)
			}
			path := group.attacks + "/" + claim.name
			if slices.Contains(known, path) {
				t.Errorf("there are two claims %s", path)
			}
			known = append(known, path)
			if !slices.Contains(named, group.attacks) && !slices.Contains(named, path) {
				t.Errorf("TestAdversary/%s holds no promise of SECURITY.md: add it to a promise's row", path)
			}
		}
	}
	if count := fmt.Sprintf("`TestAdversary` has %d claims", claims); !strings.Contains(string(text), count) {
		t.Errorf("SECURITY.md doesn't say that %s", count)
	}
	for _, name := range named {
		if !slices.Contains(known, name) {
			t.Errorf("SECURITY.md names TestAdversary/%s, which isn't a claim", name)
		}
	}
}

// isInPattern reports whether a letter means something else in a regular expression.
func isInPattern(letter rune) bool { return strings.ContainsRune(`\.+*?()|[]{}^$`, letter) }
