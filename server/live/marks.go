package live

import (
	"crypto/rand"
	"fmt"
	"strconv"
	"strings"
)

// remembered is how many changes are known one by one. Between a page that is drawn and its stream there
// are seconds, and on a slow line a quarter of a minute.
const remembered = 4096

// marks number the changes of a process. A page that was drawn at a mark isn't out of date while nothing
// that it shows has changed after it.
type marks struct {
	process string // marks of other processes, and of this one before its start, say nothing
	last    uint64
	changed [remembered]user // by number, the latest in the place of the one before the window
}

func newMarks() marks { return marks{process: rand.Text()} }

func (m *marks) add(u user) {
	m.last++
	m.changed[m.last%remembered] = u
}

// Mark returns a mark of this moment, for [Listener.Same]. It holds no secret.
func (h *Hub) Mark() string {
	h.streams.mu.Lock()
	defer h.streams.mu.Unlock()
	return fmt.Sprintf("%s-%d", h.streams.marks.process, h.streams.marks.last)
}

// Same reports whether nothing that the listener hears of has changed between a mark and the moment when it
// began to listen. It doesn't know that of a mark of another process, or of one that is too old.
func (l *Listener) Same(mark string) bool {
	l.streams.mu.Lock()
	defer l.streams.mu.Unlock()
	process, digits, _ := strings.Cut(mark, "-")
	at, err := strconv.ParseUint(digits, 10, 64)
	known := &l.streams.marks
	if err != nil || process != known.process || at > known.last || known.last-at >= remembered {
		return false
	}
	for n := at + 1; n <= known.last; n++ {
		if u := known.changed[n%remembered]; u == l.to || l.others != nil && u.hub == l.to.hub {
			return false
		}
	}
	return true
}
