package live

import (
	"fmt"
	"testing"
)

func ended(l *Listener) bool {
	select {
	case <-l.Ended:
		return true
	default:
		return false
	}
}

func TestStreams(t *testing.T) {
	t.Run("a session has so many, and the oldest of them ends", func(t *testing.T) {
		streams := NewStreams(1000, func() { t.Error("the limit was reported") })
		hub := streams.NewHub()
		other := hub.Listen("ann", "other")
		first := hub.Listen("ann", "1")
		second := hub.Listen("ann", "1")
		for range MostOfSession - 1 {
			hub.Listen("ann", "1")
		}
		if !ended(first) || ended(second) || ended(other) {
			t.Error("not the oldest of the session ended")
		}
		first.Close() // once more
		if n := streams.Open(); n != MostOfSession+1 {
			t.Errorf("%d are open, want %d", n, MostOfSession+1)
		}
	})
	t.Run("a user has so many, and nobody else notices", func(t *testing.T) {
		streams := NewStreams(1000, nil)
		hub := streams.NewHub()
		bob := hub.Listen("bob", "bob")
		for i := range 4000 {
			hub.Listen("ann", fmt.Sprint(i))
		}
		if n := streams.Open(); n != mostOfUser+1 || ended(bob) {
			t.Errorf("%d are open, want %d with bob's", n, mostOfUser+1)
		}
	})
	t.Run("the streams of all organisations are bounded: the oldest of the user with most ends, and that is reported once", func(t *testing.T) {
		reported := 0
		streams := NewStreams(16, func() { reported++ })
		one, two := streams.NewHub(), streams.NewHub()
		bob := two.Listen("ann", "somebody else of that name")
		var anns []*Listener
		for range 10 {
			anns = append(anns, one.Listen("ann", "1"))
		}
		for i := range 11 {
			one.Listen(fmt.Sprint("user ", i), "3")
		}
		if streams.Open() != 16 || reported != 1 {
			t.Errorf("%d are open, and it was reported %d times, want 16 and once", streams.Open(), reported)
		}
		if ended(bob) || !ended(anns[5]) || ended(anns[6]) {
			t.Error("not the oldest of who has most have ended")
		}
		for _, l := range anns[6:] {
			l.Close()
		}
		for i := range 10 {
			one.Listen(fmt.Sprint("new user ", i), "4")
		}
		if reported != 2 {
			t.Errorf("reported %d times after a pause, want twice", reported)
		}
	})
}
