package boltstore

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// sector is what a disk writes as a whole.
const sector = 512

// call is a system call of a child.
type call struct {
	name  string // pwrite64, ftruncate, fdatasync, fsync; write is a word to us
	file  int    // its number in the child
	at    int64  // the offset in the file, or its new length
	bytes []byte
	begun int // how many calls were complete when it began
}

// callsOf reads the log of strace, in the order in which the calls were complete. A call that
// was interrupted by one of another thread stands in two lines.
func callsOf(log []byte) (calls []call, err error) {
	type pending struct {
		line  string
		begun int
	}
	interrupted := map[string]pending{} // by thread
	for line := range strings.Lines(string(log)) {
		thread, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		rest, begun := strings.TrimSpace(rest), len(calls)
		if first, is := strings.CutSuffix(rest, " <unfinished ...>"); is {
			interrupted[thread] = pending{first, begun}
			continue
		}
		if strings.HasPrefix(rest, "<... ") {
			_, last, _ := strings.Cut(rest, " resumed>")
			rest, begun = interrupted[thread].line+last, interrupted[thread].begun
			delete(interrupted, thread)
		}
		if strings.HasPrefix(rest, "+++") {
			continue // a thread ends
		}
		c, err := callOf(rest)
		if err != nil {
			return nil, err
		}
		if c.name == "write" && c.file != 1 {
			continue // of Go's scheduler
		}
		c.begun = begun
		calls = append(calls, c)
	}
	return calls, nil
}

// callForm is a call without its bytes.
var callForm = regexp.MustCompile(`^(\w+)\((\d+)<[^>]*>((?:, \d+)*)\) += \d+$`)

func callOf(line string) (c call, err error) {
	before, rest, hasBytes := strings.Cut(line, `, "`)
	if hasBytes {
		text, after, _ := strings.Cut(rest, `"`)
		if c.bytes, err = hex.DecodeString(strings.ReplaceAll(text, `\x`, "")); err != nil {
			return c, err
		}
		line = before + after
	}
	parts := callForm.FindStringSubmatch(line)
	if parts == nil {
		return c, fmt.Errorf("a line of another form: %.200s", line)
	}
	c.name = parts[1]
	c.file, _ = strconv.Atoi(parts[2])
	if numbers := strings.Split(parts[3], ", "); c.name == "pwrite64" || c.name == "ftruncate" {
		c.at, err = strconv.ParseInt(numbers[len(numbers)-1], 10, 64)
	}
	return c, err
}

// disk is a file as the calls leave it.
type disk []byte

func (d *disk) grows(size int64) {
	if more := size - int64(len(*d)); more > 0 {
		*d = append(*d, make([]byte, more)...)
	}
}

// perform performs the part of a call that a choice of sectors leaves.
func (d *disk) perform(c call, kept func() bool) {
	switch {
	case c.name == "ftruncate" && kept():
		d.grows(c.at)
	case c.name == "pwrite64":
		for i := 0; i < len(c.bytes); i += sector {
			if kept() {
				part := c.bytes[i:min(i+sector, len(c.bytes))]
				d.grows(c.at + int64(i+len(part)))
				copy((*d)[c.at+int64(i):], part)
			}
		}
	}
}

func whole() bool { return true }

// cut returns the file as a power cut may leave it after some calls: all that a sync made
// durable, and of later writes none, all, or some sectors.
func cut(calls []call, honest bool, dice *rand.Rand) disk {
	durable := 0
	for _, c := range calls {
		if honest && strings.HasSuffix(c.name, "sync") {
			durable = c.begun
		}
	}
	var d disk
	if !honest {
		durable = max(0, len(calls)-40)
	}
	for _, c := range calls[:durable] {
		d.perform(c, whole)
	}
	for _, c := range calls[durable:] {
		switch dice.IntN(3) {
		case 0:
			d.perform(c, whole)
		case 1:
			d.perform(c, func() bool { return dice.IntN(2) == 0 })
		}
	}
	return d
}

// TestPowerCut cuts the power 30 times at moments that are drawn, in the middle of commits and of
// erasing, under three different fates of what was not synced.
func TestPowerCut(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("strace"); err != nil {
		t.Skip("strace isn't installed")
	}
	folder, began := t.TempDir(), newModel().now
	log := filepath.Join(folder, "log")
	child := task{filepath.Join(folder, "keypeg.db"), began, 99, 150}.command("strace", "-f", "-qq", "-e", "signal=none",
		"-y", "-xx", "-s", "1048576", "-e", "trace=pwrite64,fdatasync,fsync,ftruncate,write", "-o", log)
	if err := child.Run(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	calls, err := callsOf(text)
	if err != nil {
		t.Fatal(err)
	}
	var spoken []byte
	var speaking []int // the places of the words among the calls
	erasing := 0
	for i, c := range calls {
		switch {
		case c.name == "write":
			spoken = append(spoken, c.bytes...)
			speaking = append(speaking, i)
		case c.name == "pwrite64" && len(bytes.Trim(c.bytes, "\x00")) == 0:
			erasing++
		}
	}
	words, err := wordsOf(spoken)
	if err != nil || len(words) != len(speaking) {
		t.Fatalf("%d words in %d writes, %v", len(words), len(speaking), err)
	}
	t.Logf("%d batches in %d calls, of which %d erase", len(words)/2, len(calls), erasing)
	if erasing == 0 {
		t.Error("no page was erased: the test shows little")
	}

	dice := rand.New(rand.NewPCG(18, 3))
	var moments []int
	for range 30 {
		moments = append(moments, speaking[2]+dice.IntN(len(calls)-speaking[2])) // after the first answer
	}
	slices.Sort(moments)
	// check compares one file with the words that were said before the cut.
	check := func(at int, honest bool) error {
		m := newModel()
		for i, word := range words {
			if speaking[i] >= at {
				break
			}
			if err := m.follow(t.Context(), word); err != nil {
				t.Fatal(err)
			}
		}
		path := filepath.Join(t.TempDir(), "cut.db")
		if err := os.WriteFile(path, cut(calls[:at], honest, dice), 0o600); err != nil {
			t.Fatal(err)
		}
		return m.compare(t.Context(), path)
	}
	t.Run("nothing that was answered is lost, and the file is whole", func(t *testing.T) {
		for _, at := range moments {
			for range 3 {
				if err := check(at, true); err != nil {
					t.Errorf("after %d of %d calls: %v", at, len(calls), err)
				}
			}
		}
	})
	t.Run("a disk that doesn't do what a sync promises is noticed", func(t *testing.T) {
		noticed := 0
		for _, at := range moments {
			if check(at, false) != nil {
				noticed++
			}
		}
		if noticed < len(moments)/2 {
			t.Errorf("of %d files that lack writes before a sync, only %d are found", len(moments), noticed)
		}
	})
}
