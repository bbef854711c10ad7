package live

import "sync"

// How many streams may be open. A browser needs one for all its tabs; an old browser, whose
// tabs can't share one, needs one for each tab.
const (
	MostOfSession = 16
	mostOfUser    = 64
	// defaultMost is for a process whose limit on open files isn't known.
	defaultMost = 4096
)

// Streams are the open streams of a process, of all its hubs, because these share its
// memory and its file descriptors. If a session or a user has too many, their oldest one
// ends. If there are too many in total, the oldest one of the user with the most ends, so
// that nobody can keep others out by opening many.
type Streams struct {
	most int
	full func()

	mu   sync.Mutex
	open map[user]map[*Listener]struct{}
	// curious are the listeners to other users: those of administrators, who are few.
	curious map[*Listener]struct{}
	count   int
	marks   marks
	number  uint64
	isFull  bool // full was called, and an eighth hasn't ended since
}

type user struct {
	hub *Hub
	id  string
}

// NewStreams returns Streams of which at most most are open. If full isn't nil, it is
// called when that many are open, and again only after an eighth of them has ended.
func NewStreams(most int, full func()) *Streams {
	if full == nil {
		full = func() {}
	}
	return &Streams{most: max(most, 1), full: full, marks: newMarks(), open: map[user]map[*Listener]struct{}{}, curious: map[*Listener]struct{}{}}
}

// NewHub returns a Hub for one organisation.
func (s *Streams) NewHub() *Hub { return &Hub{streams: s} }

// Open returns how many streams are open.
func (s *Streams) Open() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count
}

func (s *Streams) add(l *Listener) {
	if s.added(l) {
		s.full()
	}
}

// added adds a listener, and reports whether to call full.
func (s *Streams) added(l *Listener) (callFull bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	own := s.open[l.to]
	ofSession := 0
	for other := range own {
		if other.session == l.session {
			ofSession++
		}
	}
	switch {
	case ofSession >= MostOfSession:
		s.end(oldest(own, func(other *Listener) bool { return other.session == l.session }))
	case len(own) >= mostOfUser:
		s.end(oldest(own, func(*Listener) bool { return true }))
	case s.count >= s.most:
		s.end(s.oldestOfMost())
		callFull, s.isFull = !s.isFull, true
	}

	s.number++
	l.number = s.number
	if s.open[l.to] == nil {
		s.open[l.to] = map[*Listener]struct{}{}
	}
	s.open[l.to][l] = struct{}{}
	s.count++
	return callFull
}

// oldestOfMost returns the oldest stream of the user with the most streams. If several
// users have as many, it is the oldest of all of theirs.
func (s *Streams) oldestOfMost() (found *Listener) {
	most := 0
	for _, own := range s.open {
		if len(own) < most {
			continue
		}
		first := oldest(own, func(*Listener) bool { return true })
		if len(own) > most || first.number < found.number {
			most, found = len(own), first
		}
	}
	return found
}

func oldest(of map[*Listener]struct{}, counts func(*Listener) bool) (found *Listener) {
	for l := range of {
		if counts(l) && (found == nil || l.number < found.number) {
			found = l
		}
	}
	return found
}

func (s *Streams) end(l *Listener) {
	close(l.ended)
	s.remove(l)
}

// remove removes a listener, if it is there.
func (s *Streams) remove(l *Listener) {
	own := s.open[l.to]
	if _, is := own[l]; !is {
		return
	}
	delete(own, l)
	delete(s.curious, l)
	if len(own) == 0 {
		delete(s.open, l.to)
	}
	s.count--
	if s.count <= s.most-max(s.most/8, 1) {
		s.isFull = false
	}
}
