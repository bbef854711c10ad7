package recent

import (
	"testing"
	"time"
)

func TestMap(t *testing.T) {
	const life = time.Minute
	start := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

	t.Run("a key is there for its life, and gone after two", func(t *testing.T) {
		m := NewMap[string, int](life, 100)
		m.Put("other", 0, start) // so that the key comes late in its generation
		m.Put("key", 7, start.Add(life-1))
		if v, found := m.Get("key", start.Add(2*life-2)); !found || v != 7 {
			t.Errorf("within its life: %d %t", v, found)
		}
		if _, found := m.Get("key", start.Add(10*life)); found {
			t.Error("it was there after ten lives")
		}
		if m.Len() != 0 {
			t.Errorf("%d keys are held", m.Len())
		}
	})
	t.Run("using it keeps it", func(t *testing.T) {
		m := NewMap[string, int](life, 100)
		m.Put("used", 1, start)
		m.Put("unused", 1, start)
		for i := range 20 {
			if _, found := m.Get("used", start.Add(time.Duration(i)*life/2)); !found {
				t.Fatalf("it was forgotten after %d half lives", i)
			}
		}
		if _, found := m.Get("unused", start.Add(10*life)); found {
			t.Error("so was the unused one")
		}
	})
	t.Run("of a flood it holds twice the most, the latest among them", func(t *testing.T) {
		m := NewMap[int, int](life, 100)
		for i := range 100_000 {
			m.Put(i, i, start)
			if m.Len() > 200 {
				t.Fatalf("%d keys after %d", m.Len(), i)
			}
		}
		for i := 99_900; i < 100_000; i++ {
			if _, found := m.Get(i, start); !found {
				t.Errorf("%d was forgotten", i)
			}
		}
	})
	t.Run("a clock that goes back forgets nothing", func(t *testing.T) {
		m := NewMap[string, int](life, 100)
		m.Put("key", 7, start)
		if _, found := m.Get("key", start.Add(-time.Hour)); !found {
			t.Error("it was forgotten")
		}
	})
}
