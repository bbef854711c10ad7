// Package embed gives programs in any language what [server.Host] gives Go programs: passkeys for users whom
// the program knows, signs in and gives sessions. Keypeg runs beside the program, under its host name, and
// they speak over HTTP in two ways.
//
// By an introduction ([Introduction]) the program says in its page who is signed in there. The page brings it
// to Keypeg, which keeps it in a cookie: from then on the browser's requests are that user's. Nothing but
// the introduction says who somebody is, so nobody is signed in here for longer than it lasts.
//
// By a proof ([Proof]) Keypeg says to the program that a user has just used a passkey. The page brings it to
// the program, which redeems it here and begins a session of its own.
//
// Beside these two, the program may ask what passkeys a user has, remove them, and say that sessions have
// ended (program.go), and Keypeg tells it what users do with their passkeys (hooks.go). Whoever has the
// secret is the program.
//
// Package server mounts [Handlers], and makes a Host of them.
package embed

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/keypeg/keypeg/shared"
)

// Program is a program that Keypeg is built into, as IT has set it up. See [Program.Check].
type Program struct {
	// Arrive is the address of the program to which pages post proofs: a URL at the program's origin.
	Arrive string
	// Hooks is the URL at which the program is told what happens. "" is for none.
	Hooks string
	// Secrets are the texts that Keypeg and the program share, at most [MostSecrets]. Each is accepted, so that one
	// can be replaced while both sides run. Keypeg signs hooks with each.
	Secrets []string
}

// Limits of a [Program]. Lengths are in bytes.
const (
	ShortestSecret = 32 // RFC 7518, 3.2: a key has at least as many bits as the hash
	LongestSecret  = 1024
	MostSecrets    = 4
	longestURL     = 2048
)

// Check refuses a Program that can't work at an origin. Its error is a sentence for IT.
func (p Program) Check(origin string) error {
	if err := CheckArrive(p.Arrive, origin); err != nil {
		return err
	}
	if err := CheckHooks(p.Hooks); err != nil {
		return err
	}
	return CheckSecrets(p.Secrets)
}

// CheckArrive refuses an address that can't be [Program.Arrive] at an origin. Its error is a sentence for IT.
func CheckArrive(address, origin string) error {
	arrive, err := url.Parse(address)
	switch {
	case address == "":
		return errors.New("arrive is missing: it is the address of the program to which a sign-in with a passkey goes")
	case err != nil || len(address) > longestURL || arrive.User != nil || arrive.Fragment != "" || arrive.Scheme+"://"+arrive.Host != origin:
		return fmt.Errorf("arrive must be an address of the program itself: %s/keypeg-arrive, for example", origin)
	case isOurs(arrive.Path):
		return errors.New("arrive must be a path of the program, and this one is Keypeg's")
	}
	return nil
}

// Moved returns what an address of the program is after the program has moved from an origin to another one. An address
// elsewhere, such as one of hooks behind the proxy, stays.
func Moved(address, from, to string) string {
	if path, is := strings.CutPrefix(address, from); is && (path == "" || path[0] == '/' || path[0] == '?') {
		return to + path
	}
	return address
}

// CheckHooks refuses an address that can't be [Program.Hooks]. Its error is a sentence for IT.
func CheckHooks(address string) error {
	if address == "" {
		return nil
	}
	hooks, err := url.Parse(address)
	if err != nil || len(address) > longestURL || hooks.Scheme != "https" && hooks.Scheme != "http" || hooks.Host == "" || hooks.User != nil || hooks.Fragment != "" {
		return errors.New("hooks must be a URL that begins with https:// or http://")
	}
	return nil
}

// isOurs reports whether the proxy leads a path to Keypeg.
func isOurs(path string) bool {
	return strings.HasPrefix(path, shared.PathEmbed) || strings.HasPrefix(path, "/api/v1/")
}

// CheckSecrets refuses secrets that are guessable, or that a program can't have. Its error is a sentence for
// IT, without a secret.
func CheckSecrets(secrets []string) error {
	switch n := len(secrets); {
	case n == 0:
		return errors.New("there is no secret")
	case n > MostSecrets:
		return fmt.Errorf("there are %d secrets, and at most %d can work at a time", n, MostSecrets)
	}
	for _, secret := range secrets {
		switch n := len(secret); {
		case n < ShortestSecret:
			return fmt.Errorf("a secret has %d characters, and at least %d are needed: openssl rand -base64 32 makes one", n, ShortestSecret)
		case n > LongestSecret:
			return fmt.Errorf("a secret has %d characters, and at most %d are possible", n, LongestSecret)
		}
		if strings.ContainsFunc(secret, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return errors.New("a secret must have printable ASCII characters alone, without blanks: it is a part of headers")
		}
	}
	return nil
}
