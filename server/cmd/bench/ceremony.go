package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"time"

	"github.com/keypeg/keypeg/shared"
)

const (
	rpID  = "localhost"
	flags = 0x05 // present and verified (WebAuthn Level 3, 6.1)
)

// signIn is a whole sign-in of some user: begin, the authenticator's answer, finish.
func (p *population) signIn(s *process) func(*connection, int) task {
	authData := append(sha256Of([]byte(rpID)), flags, 0, 0, 0, 0)
	authDataText := base64.RawURLEncoding.EncodeToString(authData)
	return func(c *connection, i int) task {
		cookies, empty := fmt.Sprintf("keypeg-browser=%d-%s", i, rand.Text()), []byte("{}")
		var clientData, body []byte
		return func() (time.Duration, error) {
			begin := time.Now()
			begun, err := c.ask("POST", shared.PathSignInBegin, cookies, empty)
			wait := time.Since(begin)
			if err != nil {
				return 0, err
			}
			ticket, challenge := member(begun, "ticket"), member(begun, "challenge")
			if ticket == nil || challenge == nil {
				return 0, errors.New("the answer to begin has no ticket")
			}

			user := mathrand.IntN(p.users)
			clientData = fmt.Appendf(clientData[:0], `{"type":"webauthn.get","challenge":"%s","origin":"http://%s","crossOrigin":false}`, challenge, s.address)
			signature, err := ecdsa.SignASN1(rand.Reader, p.key(user), sha256Of(authData, sha256Of(clientData)))
			if err != nil {
				return 0, err
			}
			id := base64.RawURLEncoding.EncodeToString(p.credential(user, 0))
			body = fmt.Appendf(body[:0], `{"ticket":"%s","credential":{"id":"%s","rawId":"%s","type":"public-key","authenticatorAttachment":"platform","clientExtensionResults":{},"response":{"authenticatorData":"%s","clientDataJSON":"`, ticket, id, id, authDataText)
			body = base64.RawURLEncoding.AppendEncode(body, clientData)
			body = append(body, `","signature":"`...)
			body = base64.RawURLEncoding.AppendEncode(body, signature)
			body = append(body, `","userHandle":"`...)
			body = base64.RawURLEncoding.AppendEncode(body, p.handle(user))
			body = append(body, `"}}}`...)

			again := time.Now()
			_, err = c.ask("POST", shared.PathSignInFinish, cookies, body)
			return wait + time.Since(again), err
		}
	}
}

// begins asks for sign-ins that nobody finishes.
func begins(s *process) func(*connection, int) task {
	return func(c *connection, i int) task {
		cookies, empty := fmt.Sprintf("keypeg-browser=%d", i), []byte("{}")
		return timed(func() error {
			_, err := c.ask("POST", shared.PathSignInBegin, cookies, empty)
			return err
		})
	}
}

// asks gets a path as some user who is signed in.
func (p *population) asks(s *process, path string) func(*connection, int) task {
	return func(c *connection, _ int) task {
		return timed(func() error {
			_, err := c.ask("GET", path, "keypeg="+p.token(mathrand.IntN(p.signedIn())), nil)
			return err
		})
	}
}

// member finds a text in JSON that the server wrote.
func member(json []byte, name string) []byte {
	_, rest, found := bytes.Cut(json, []byte(`"`+name+`":"`))
	if !found {
		return nil
	}
	value, _, _ := bytes.Cut(rest, []byte(`"`))
	return value
}

func sha256Of(parts ...[]byte) []byte {
	h := sha256.New()
	for _, part := range parts {
		h.Write(part)
	}
	return h.Sum(nil)
}
