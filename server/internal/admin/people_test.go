package admin_test

import (
	"io"
	"runtime"
	"strconv"
	"testing"

	"github.com/keypeg/keypeg/server/internal/admin"
	"github.com/keypeg/keypeg/shared"
)

// people is a table of as many lines. The last one has the name of the first.
type people struct {
	lines, at int
	left      []byte
}

func (p *people) Read(into []byte) (int, error) {
	for len(p.left) == 0 {
		switch {
		case p.at == 0:
			p.left = []byte("name;email\r\n")
		case p.at == p.lines:
			p.left = []byte("user1;another@example.com\r\n")
		case p.at > p.lines:
			return 0, io.EOF
		default:
			n := strconv.Itoa(p.at)
			p.left = []byte("user" + n + ";user" + n + "@example.com\r\n")
		}
		p.at++
	}
	n := copy(into, p.left)
	p.left = p.left[n:]
	return n, nil
}

// TestManyPeople reads a million lines, and finds the name that comes twice. Memory is bounded.
func TestManyPeople(t *testing.T) {
	const lines = 1_000_000
	var memory runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&memory)
	before, most := int64(memory.HeapAlloc), int64(0)
	read, wrong := 0, 0
	_, err := admin.ReadPeople(&people{lines: lines}, func(line int, who shared.Invite, refusal error) error {
		if read++; refusal != nil {
			wrong++
			if line != lines+1 || shared.CodeOf(refusal) != shared.CodeNameTaken {
				t.Errorf("line %d: %v", line, refusal)
			}
		}
		if read%100_000 == 0 {
			runtime.GC()
			runtime.ReadMemStats(&memory)
			most = max(most, int64(memory.HeapAlloc)-before) // less than before, if something else is collected
		}
		return nil
	})
	if err != nil || read != lines || wrong != 1 {
		t.Errorf("read %d lines, %d wrong (%v)", read, wrong, err)
	}
	t.Logf("at most %d MB", most>>20)
	if most > 100<<20 {
		t.Errorf("it takes %d MB", most>>20)
	}
}
