package passkey

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/go-webauthn/webauthn/protocol"

	"github.com/keypeg/keypeg/server/store"
)

// An organisation may have several addresses, for ever or during a move. A passkey belongs to
// one relying party id. A browser with related origin requests (WebAuthn Level 3, 5.11) uses it
// at the other addresses too; any other browser uses it at its own address alone. One ceremony
// has one relying party id, so the options name the others as alternatives: the page takes the
// one that the browser used last, and another one if the browser refuses it
// (web/credential/related.js).

// rpIDs are the relying party ids of the organisation, each once.
type rpIDs struct {
	main   string
	former []string
	others []string
}

func newRPIDs(c Config) rpIDs {
	ids := rpIDs{main: c.RPID}
	for _, related := range c.Related {
		switch {
		case ids.has(related.RPID):
		case related.Former:
			ids.former = append(ids.former, related.RPID)
		default:
			ids.others = append(ids.others, related.RPID)
		}
	}
	return ids
}

func (ids rpIDs) has(id string) bool {
	return id == ids.main || slices.Contains(ids.former, id) || slices.Contains(ids.others, id)
}

// of returns the relying party id of a passkey. Early records have none.
func (ids rpIDs) of(p store.Passkey) string { return cmp.Or(p.RPID, ids.main) }

// forUse returns all in the order in which a browser that remembers none tries them, until they
// are counted: at the beginning of a move, nearly all passkeys are of the former address.
func (ids rpIDs) forUse() []string { return slices.Concat(ids.former, []string{ids.main}, ids.others) }

// order is the order in which a browser that remembers none is asked for passkeys.
type order struct {
	ids    []string
	signIn signInOptions
}

// Prefer sets the order in which a browser that remembers none is asked for passkeys, by the number of passkeys of
// each relying party id: most people find theirs at once then. A user who has made a new one has made it in a browser
// that remembers that.
func (s *Service) Prefer(passkeys func(rpID string) int) error {
	ids := s.rpIDs.forUse()
	slices.SortStableFunc(ids, func(a, b string) int { return cmp.Compare(passkeys(b), passkeys(a)) })
	return s.prefer(ids)
}

func (s *Service) prefer(ids []string) error {
	signIn, err := newSignInOptions(s.rp, ids)
	if err == nil {
		s.order.Store(&order{ids, signIn})
	}
	return err
}

// RPIDs returns the relying party ids of the organisation, in the order in which a browser that remembers none is
// asked for a passkey.
func (s *Service) RPIDs() []string { return s.order.Load().ids }

// Moving returns the relying party id of a former address, if the user's passkeys that work are for
// such addresses alone, and else "".
func (s *Service) Moving(user store.User) (from string) {
	for _, p := range user.Passkeys {
		switch id := s.rpIDs.of(p); {
		case slices.Contains(s.rpIDs.former, id):
			from = id
		case s.rpIDs.has(id):
			return ""
		}
	}
	return from
}

// forCreation returns all in the order in which new passkeys are made: for the main one where
// the browser can, so that they work at every address.
func (ids rpIDs) forCreation() []string {
	return slices.Concat([]string{ids.main}, ids.former, ids.others)
}

// Alternatives is the member of the options that names what else a page may ask the browser
// for. Each has the members of the options that differ.
const Alternatives = "alternatives"

// withAlternatives encodes options, and adds those for other relying party ids, if any.
func withAlternatives(options any, others ...any) (json.RawMessage, error) {
	encoded, err := json.Marshal(options)
	if err == nil && len(others) > 0 {
		var list []byte
		if list, err = json.Marshal(others); err == nil {
			encoded = slices.Concat(encoded[:len(encoded)-1], []byte(`,"`+Alternatives+`":`), list, []byte("}"))
		}
	}
	if err != nil {
		return nil, fmt.Errorf("encoding options: %w", err)
	}
	return encoded, nil
}

// requestFor are the members of the request options that differ by relying party id.
type requestFor struct {
	RPID  string                          `json:"rpId"`
	Allow []protocol.CredentialDescriptor `json:"allowCredentials,omitempty"`
}

// requestsFor returns the options for each relying party id that a user's passkeys have: that
// of the passkey with this id first, if there is one. Passkeys for other addresses are left out, unless there are no others.
func (ids rpIDs) requestsFor(passkeys []store.Passkey, first string) (list []requestFor) {
	for _, id := range ids.forUse() {
		of := slices.DeleteFunc(slices.Clone(passkeys), func(p store.Passkey) bool { return ids.of(p) != id })
		if len(of) == 0 {
			continue
		}
		request := requestFor{id, descriptors(of)}
		if slices.ContainsFunc(of, func(p store.Passkey) bool { return p.ID == first }) {
			list = append([]requestFor{request}, list...)
			continue
		}
		list = append(list, request)
	}
	if len(list) == 0 {
		list = []requestFor{{ids.main, descriptors(passkeys)}}
	}
	return list
}

// creationFor is the member of the creation options that differs by relying party id.
type creationFor struct {
	RP protocol.RelyingPartyEntity `json:"rp"`
}

// hashed returns the relying party id with this SHA-256, or the main one.
func (ids rpIDs) hashed(hash []byte) string {
	for _, id := range ids.forCreation() {
		if sum := sha256.Sum256([]byte(id)); bytes.Equal(sum[:], hash) {
			return id
		}
	}
	return ids.main
}

// anyOf is a slice's elements for a variadic parameter.
func anyOf[T any](list []T) []any {
	elements := make([]any, len(list))
	for i, element := range list {
		elements[i] = element
	}
	return elements
}
