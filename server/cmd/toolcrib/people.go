package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/alexedwards/argon2id"

	"github.com/keypeg/keypeg/app/toolcrib"
)

// person is somebody who may borrow tools.
type person struct {
	ID       string `json:"id"` // never reused
	Name     string `json:"name"`
	Keeper   bool   `json:"keeper,omitempty"`
	Password string `json:"password"` // a hash
}

func (p person) public() toolcrib.Person {
	return toolcrib.Person{ID: p.ID, Name: p.Name, Keeper: p.Keeper}
}

// session is a browser that somebody is signed in with.
type session struct {
	Person  string    `json:"person"`
	Begun   time.Time `json:"begun"`
	Proved  time.Time `json:"proved"`            // the last proof of who they are
	Passkey string    `json:"passkey,omitempty"` // the id of the passkey that they signed in with
}

const (
	cookie = "toolcrib"
	// sessionLife is how long a session lasts.
	sessionLife = 12 * time.Hour
)

// admit adds people with new passwords, and returns the passwords by name.
func (c *crib) admit(names ...string) (passwords map[string]string, err error) {
	passwords = map[string]string{}
	return passwords, c.change(func(k *kept) error {
		for i, name := range names {
			passwords[name] = strings.ToLower(rand.Text()[:16])
			hash, err := argon2id.CreateHash(passwords[name], argon2id.DefaultParams)
			if err != nil {
				return err
			}
			k.People = append(k.People, person{ID: rand.Text(), Name: name, Password: hash, Keeper: i == 0 && len(k.People) == 0})
		}
		return nil
	})
}

func (k *kept) person(id string) (person, bool) {
	i := slices.IndexFunc(k.People, func(p person) bool { return p.ID == id })
	if i < 0 {
		return person{}, false
	}
	return k.People[i], true
}

func (c *crib) person(id string) (found person, ok bool) {
	c.read(func(k kept) { found, ok = k.person(id) })
	return found, ok
}

var errKeeper = refusal{409, "A crib needs its keeper."}

// remove removes a person and their sessions. The tools that they had are in the crib
// again.
func (c *crib) remove(id string) error {
	return c.change(func(k *kept) error {
		if p, _ := k.person(id); p.Keeper {
			return errKeeper
		}
		k.People = slices.DeleteFunc(k.People, func(p person) bool { return p.ID == id })
		for token, s := range k.Sessions {
			if s.Person == id {
				delete(k.Sessions, token)
			}
		}
		for i := range k.Tools {
			if k.Tools[i].Holder == id {
				k.Tools[i].Holder, k.Tools[i].Since = "", time.Time{}
			}
		}
		return nil
	})
}

// nobody is a person with a password that nothing matches. It is compared if a name doesn't
// exist, so that the answer takes the same time.
var nobody = func() person {
	hash, err := argon2id.CreateHash(rand.Text(), argon2id.DefaultParams)
	if err != nil {
		panic(err) // the machine has no random numbers
	}
	return person{Password: hash}
}()

// byPassword finds the person with this name and password.
func (c *crib) byPassword(name, password string) (person, bool) {
	var found person
	c.read(func(k kept) {
		if i := slices.IndexFunc(k.People, func(p person) bool { return strings.EqualFold(p.Name, strings.TrimSpace(name)) }); i >= 0 {
			found = k.People[i]
		}
	})
	right, err := argon2id.ComparePasswordAndHash(password, cmp.Or(found, nobody).Password)
	return found, right && err == nil && found.ID != ""
}

// session finds the session of a request. The id is the key under which it is stored.
func (c *crib) session(r *http.Request) (id string, s session, ok bool) {
	sent, err := r.Cookie(cookie)
	if err != nil {
		return "", session{}, false
	}
	id = hashOf(sent.Value)
	c.read(func(k kept) { s, ok = k.Sessions[id] })
	return id, s, ok && time.Since(s.Begun) < sessionLife
}

// begin gives a browser a new session in place of the one that it had.
func (c *crib) begin(w http.ResponseWriter, r *http.Request, personID, passkeyID string) error {
	token, now := rand.Text(), time.Now()
	old, _, _ := c.session(r)
	err := c.change(func(k *kept) error {
		if _, found := k.person(personID); !found {
			return errors.New("this person was removed")
		}
		delete(k.Sessions, old)
		for id, s := range k.Sessions {
			if now.Sub(s.Begun) >= sessionLife {
				delete(k.Sessions, id)
			}
		}
		k.Sessions[hashOf(token)] = session{Person: personID, Begun: now, Proved: now, Passkey: passkeyID}
		return nil
	})
	if err == nil {
		http.SetCookie(w, &http.Cookie{Name: cookie, Value: token, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode, MaxAge: int(sessionLife.Seconds())})
	}
	return err
}

// EndSessions implements server.SessionEnder: when the passkey of a lost phone is removed,
// its sessions end too.
func (c *crib) EndSessions(_ context.Context, personID, passkeyID, except string) error {
	return c.change(func(k *kept) error {
		maps.DeleteFunc(k.Sessions, func(id string, s session) bool {
			return s.Person == personID && s.Passkey == passkeyID && id != except
		})
		return nil
	})
}

// end ends the session that a request comes from.
func (c *crib) end(w http.ResponseWriter, r *http.Request) error {
	id, _, _ := c.session(r)
	http.SetCookie(w, &http.Cookie{Name: cookie, Path: "/", MaxAge: -1})
	return c.change(func(k *kept) error {
		delete(k.Sessions, id)
		return nil
	})
}

func hashOf(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}
