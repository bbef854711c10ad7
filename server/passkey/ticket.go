package passkey

import (
	"encoding/binary"
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

// purpose is the only use of a ticket.
type purpose string

const (
	forRegistration purpose = "register"
	forSignIn       purpose = "sign in"
	forConfirmation purpose = "confirm"
	forTrial        purpose = "try"
)

// ticketFormat is authenticated with every ticket. Change it together with the encoding.
const ticketFormat = "keypeg ticket 2"

// ticket is the state of a ceremony between its two requests. The browser keeps it sealed,
// so nobody else can read, change or forge it.
type ticket struct {
	ID        store.TicketID
	Purpose   purpose
	UserID    string // "" at sign-in, where the user isn't known yet
	Binding   store.Hash
	Challenge string
	Mediation string
	Expires   time.Time
}

// encode writes the fields of fixed length, and then each text with its length. No text is
// longer than 255 bytes.
func (t ticket) encode() []byte {
	b := make([]byte, 0, 192)
	b = append(append(b, t.ID[:]...), t.Binding[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(t.Expires.UnixNano()))
	for _, text := range []string{string(t.Purpose), t.UserID, t.Challenge, t.Mediation} {
		b = append(append(b, byte(len(text))), text...)
	}
	return b
}

// decodeTicket reverses [ticket.encode].
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

// begun returns the answer to the first request of a ceremony: the options for the browser,
// and the sealed ticket. It sets the ticket's id and expiry.
func (s *Service) begun(t ticket, options json.RawMessage) shared.Ceremony {
	now := s.now()
	t.ID, t.Expires = store.NewTicketID(now), now.Add(ticketLife)
	return shared.Ceremony{Ticket: s.seal.Seal(t.encode()), PublicKey: options, Mediation: t.Mediation}
}

// redeem opens a ticket. It checks that the ticket is ours, hasn't expired, is for this
// purpose, this user and this browser, and that no request has failed with it. The batch
// that spends it finds out whether it was used already.
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

// spend returns the operation that spends the ticket. It succeeds once: whoever the user is,
// and on all nodes together.
func (t ticket) spend() store.Op { return store.SpendTicket(t.ID, t.Expires) }

// settle handles the error of a finished ceremony. A refusal spends the ticket too, so that
// nobody can try answers until one is right. After a fault of ours, or a lost race, the
// user may try again with the same ticket.
func (s *Service) settle(t ticket, err error) error {
	switch {
	case errors.Is(err, store.ErrStale):
		return err
	case store.IsSpent(err):
		err = refused(fmt.Errorf("spent ticket: %w", err))
	}
	if shared.CodeOf(err) != "" {
		s.failed.add(t.ID, s.now())
	}
	return err
}

// failedTickets remembers the tickets of refused ceremonies until they expire. It is in
// memory only: after a restart such a ticket can be tried again, but it still needs a valid
// answer to its challenge.
type failedTickets struct {
	mu  sync.Mutex
	ids *recent.Map[store.TicketID, struct{}]
}

// maxFailed bounds one generation of ids. With 16 bytes each and the overhead of a map,
// that is about 3 MB.
const maxFailed = 1 << 16

func newFailedTickets() *failedTickets {
	return &failedTickets{ids: recent.NewMap[store.TicketID, struct{}](ticketLife, maxFailed)}
}

func (f *failedTickets) add(id store.TicketID, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ids.Put(id, struct{}{}, now)
}

func (f *failedTickets) has(id store.TicketID, now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, failed := f.ids.Get(id, now)
	return failed
}
