package namedfile

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestChanging(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("one")
	files := Changes(path)
	var wrong error
	var reads, uses, refusals int
	again := func(always bool) {
		files.Again(always, func() (func(), error) {
			reads++
			return func() { uses++ }, wrong
		}, func(error) { refusals++ })
	}
	for _, step := range []struct {
		what                  string
		happens               func()
		always                bool
		reads, uses, refusals int
	}{
		{"nothing has changed", func() {}, false, 0, 0, 0},
		{"nothing has changed, and somebody asks", func() {}, true, 1, 1, 0},
		{"it has changed", func() { write("another") }, false, 2, 2, 0},
		{"it is wrong", func() { write("it is wrong"); wrong = errors.New("wrong") }, false, 3, 2, 1},
		{"it is still wrong", func() {}, false, 4, 2, 1},
		{"it is wrong for another reason", func() { wrong = errors.New("the mode is wrong") }, false, 5, 2, 2},
		{"it is wrong, and somebody asks", func() {}, true, 6, 2, 3},
		{"only the owner or the mode was wrong", func() { wrong = nil }, false, 7, 3, 3},
		{"and then nothing has changed", func() {}, false, 7, 3, 3},
		{"it is being written", func() {
			files.Again(true, func() (func(), error) { write("half of it"); return func() { uses++ }, nil }, nil)
		}, false, 8, 4, 3},
	} {
		step.happens()
		if again(step.always); reads != step.reads || uses != step.uses || refusals != step.refusals {
			t.Errorf("%s: read %d, used %d, refused %d times, want %d, %d, %d", step.what, reads, uses, refusals, step.reads, step.uses, step.refusals)
		}
	}
}
