package live

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
)

// remembered is how many changes are known one by one. Between a page that is drawn and its stream there
// are seconds, and on a slow line a quarter of a minute.
const remembered = 4096

// marks number the changes of a process. A page that was drawn at a mark isn't out of date while nothing
// that it shows has changed after it.
type marks struct {
	// names encrypts the numbers. With them anybody could count the changes of others, also in other
	// organisations. Its key is the process's: marks of other processes, and of this one before its start,
	// say nothing.
	names   cipher.Block
	last    uint64
	changed [remembered]user // by number, the latest in the place of the one before the window
}

func newMarks() marks {
	var key [32]byte
	rand.Read(key[:]) // never fails
	names, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err) // keys of this length are valid
	}
	return marks{names: names}
}

// name returns the mark of a number: one block, of which the first half is zero before it is encrypted.
func (m *marks) name(number uint64) string {
	var block [aes.BlockSize]byte
	binary.BigEndian.PutUint64(block[8:], number)
	m.names.Encrypt(block[:], block[:])
	return hex.EncodeToString(block[:])
}

// number returns the number of a mark, if it is one of this process.
func (m *marks) number(mark string) (number uint64, known bool) {
	block, err := hex.DecodeString(mark)
	if err != nil || len(block) != aes.BlockSize {
		return 0, false
	}
	m.names.Decrypt(block, block)
	return binary.BigEndian.Uint64(block[8:]), binary.BigEndian.Uint64(block) == 0
}

func (m *marks) add(u user) {
	m.last++
	m.changed[m.last%remembered] = u
}

// Mark returns a mark of this moment, for [Listener.Same]. It tells its reader nothing.
func (h *Hub) Mark() string {
	h.streams.mu.Lock()
	defer h.streams.mu.Unlock()
	return h.streams.marks.name(h.streams.marks.last)
}

// Same reports whether nothing that the listener hears of has changed between a mark and the moment when it
// began to listen. It doesn't know that of a mark of another process, or of one that is too old.
func (l *Listener) Same(mark string) bool {
	l.streams.mu.Lock()
	defer l.streams.mu.Unlock()
	known := &l.streams.marks
	at, is := known.number(mark)
	if !is || at > known.last || known.last-at >= remembered {
		return false
	}
	for n := at + 1; n <= known.last; n++ {
		if u := known.changed[n%remembered]; u == l.to || l.others != nil && u.hub == l.to.hub {
			return false
		}
	}
	return true
}
