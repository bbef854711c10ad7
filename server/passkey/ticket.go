package passkey

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/crypto/cryptobyte"

	"github.com/keypeg/keypeg/server/internal/recent"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// purpose is what a ticket may be used for, and nothing else.
type purpose string

const (
	forRegistration purpose = "register"
	forSignIn       purpose = "sign in"
	forConfirmation purpose = "confirm"
)

// ticketFormat goes into every seal. Another format gets another.
const ticketFormat = "keypeg ticket 2"

// ticket is the state of a ceremony between its two halves. The browser holds
// it sealed: nothing of it can be read, altered or made up outside.
type ticket struct {
	ID        [16]byte
	Purpose   purpose
	UserID    string // "" at sign-in, where nobody is known yet
	Binding   store.Hash
	Challenge string
	Mediation string
	Expires   time.Time
}

// encode writes fixed fields, and texts behind their lengths. None has over 255 bytes.
func (t ticket) encode() []byte {
	b := cryptobyte.NewBuilder(make([]byte, 0, 192))
	b.AddBytes(t.ID[:])
	b.AddBytes(t.Binding[:])
	b.AddUint64(uint64(t.Expires.UnixNano()))
	for _, text := range []string{string(t.Purpose), t.UserID, t.Challenge, t.Mediation} {
		b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte(text)) })
	}
	return b.BytesOrPanic()
}

// decodeTicket reverses it.
func decodeTicket(plain []byte) (t ticket, ok bool) {
	var expires uint64
	rest := cryptobyte.String(plain)
	if !rest.CopyBytes(t.ID[:]) || !rest.CopyBytes(t.Binding[:]) || !rest.ReadUint64(&expires) {
		return ticket{}, false
	}
	t.Expires = time.Unix(0, int64(expires))
	for _, into := range []*string{(*string)(&t.Purpose), &t.UserID, &t.Challenge, &t.Mediation} {
		var text cryptobyte.String
		if !rest.ReadUint8LengthPrefixed(&text) {
			return ticket{}, false
		}
		*into = string(text)
	}
	return t, rest.Empty()
}

// begun is the answer of every first half: a new ticket, sealed, and the options that the
// browser passes to its authenticators. It gives the ticket its id and its end.
func (s *Service) begun(t ticket, options json.RawMessage) shared.Ceremony {
	now := s.now()
	t.ID, t.Expires = store.NewTicketID(now), now.Add(ticketLife)
	return shared.Ceremony{Ticket: s.seal.Seal(t.encode()), PublicKey: options, Mediation: t.Mediation}
}

// redeem opens a ticket and checks that it is what this half of a ceremony
// needs: ours, in time, for this purpose, this user and this browser, and not
// failed before. Whether it was used is found out when its use is written.
func (s *Service) redeem(sealed string, p purpose, userID string, binding store.Hash) (ticket, error) {
	plain, err := s.seal.Open(sealed)
	if err != nil {
		return ticket{}, refused(fmt.Errorf("ticket %w", err))
	}

	t, ok := decodeTicket(plain)
	switch {
	case !ok:
		return ticket{}, refused(errors.New("ticket can't be decoded"))
	case t.Purpose != p:
		return ticket{}, refused(fmt.Errorf("ticket is for %q, not for %q", t.Purpose, p))
	case t.Binding != binding:
		return ticket{}, refused(errors.New("ticket was issued to another browser"))
	case t.UserID != userID:
		return ticket{}, refused(errors.New("ticket was issued to another user"))
	case !s.now().Before(t.Expires), t.Expires.After(s.now().Add(ticketLife + store.ClockSkew)):
		return ticket{}, shared.Errorf(shared.CodeCeremonyExpired, "That took longer than five minutes. Please try again.")
	case s.failed.has(t.ID, s.now()):
		return ticket{}, refused(errors.New("ticket failed before"))
	}
	return t, nil
}

// spent is the operation that uses a ticket up, once on all nodes together.
func (t ticket) spent() store.SpendTicket {
	return store.SpendTicket{Ticket: store.SpentTicket{ID: t.ID, Expires: t.Expires}}
}

// settle looks at how a ceremony ended. A refusal uses the ticket up, so that
// nobody can try answers until one fits; a fault of ours doesn't, so that the
// user may try again, and so they may after a race that was lost.
func (s *Service) settle(t ticket, err error) error {
	switch {
	case errors.Is(err, store.ErrStale):
		return err
	case errors.Is(err, store.ErrTicketSpent):
		err = refused(err)
	}
	if shared.CodeOf(err) != "" {
		s.failed.add(t.ID, s.now())
	}
	return err
}

// failedTickets remembers tickets whose ceremony was refused until they have
// expired. It lives in memory: a node that restarts forgets, and then such a
// ticket still needs a valid answer to its challenge.
type failedTickets struct {
	mu  sync.Mutex
	ids *recent.Map[[16]byte, struct{}]
}

// maxFailed bounds one generation: at 16 bytes and a map's overhead, about 3 MB.
const maxFailed = 1 << 16

func newFailedTickets() *failedTickets {
	return &failedTickets{ids: recent.NewMap[[16]byte, struct{}](ticketLife, maxFailed)}
}

func (f *failedTickets) add(id [16]byte, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ids.Put(id, struct{}{}, now)
}

func (f *failedTickets) has(id [16]byte, now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, failed := f.ids.Get(id, now)
	return failed
}
