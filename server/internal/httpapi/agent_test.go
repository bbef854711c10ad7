package httpapi

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/internal/recent"
)

// TestAgents reads each header twice, because the second answer is one that was remembered.
func TestAgents(t *testing.T) {
	a := agents{read: recent.NewMap[string, agent](time.Hour, mostAgents)}
	const chrome = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/148.0.0.0 Safari/537.36"
	for header, want := range map[string]agent{
		chrome: {"Chrome", "Windows"},
		"Mozilla/5.0 (X11; Linux x86_64; rv:149.0) Gecko/20100101 Firefox/149.0": {"Firefox", "Linux"},
		"":                        {},
		chrome + " Edg/148.0.0.0": {"Edge", "Windows"},
		chrome + strings.Repeat(" ", maxAgent) + " Edg/148.0.0.0": {"Chrome", "Windows"}, // too long to be read
		strings.Repeat("A", 100) + "/1.0":                         {strings.Repeat("A", maxName), ""},
	} {
		for range 2 {
			if got := a.of(header); got != want {
				t.Errorf("%.150q: got %q, want %q", header, got, want)
			}
		}
	}

	for i := range 5 * mostAgents {
		a.of(fmt.Sprint("Browser/", i))
	}
	if n := a.read.Len(); n > 2*mostAgents {
		t.Errorf("%d headers are in memory, want %d at most", n, 2*mostAgents)
	}
}
