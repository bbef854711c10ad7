package boltstore

import (
	"bufio"
	"bytes"
	"context"
	"encoding/gob"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/internal/transfer"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/memstore"
	"github.com/keypeg/keypeg/server/store/storetest"
)

// A child process writes random batches and tells what it does. A model in memory follows. After
// a crash, the file must have exactly what the model has, with or without the batch that was not
// answered.

// task is what a child does.
type task struct {
	Path    string
	Begin   time.Time // of its clock
	Seed    uint64
	Batches int
}

// taskVariable is the environment variable with a child's task.
const taskVariable = "KEYPEG_TEST_TASK"

func TestMain(m *testing.M) {
	for _, op := range []store.Op{
		store.PutUser{}, store.RemoveUser{}, store.AddSession{}, store.EndSessions{}, store.AddEvent{}, store.PutItem{}, store.RemoveItem{},
	} {
		gob.Register(op)
	}
	given, isChild := os.LookupEnv(taskVariable)
	if !isChild {
		os.Exit(m.Run())
	}
	var t task
	if err := errors.Join(json.Unmarshal([]byte(given), &t), t.perform(os.Stdout)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// command returns a child that runs under a program, if there is one.
func (t task) command(under ...string) *exec.Cmd {
	given, _ := json.Marshal(t)
	line := append(under, os.Args[0])
	child := exec.Command(line[0], line[1:]...)
	child.Env, child.Stderr = append(os.Environ(), taskVariable+"="+string(given)), os.Stderr
	return child
}

// said is what a child says before a batch, and after it.
type said struct {
	At     time.Time   // by the child's clock
	Batch  store.Batch // that begins; nil in an answer
	Answer string      // the refusal, or ""
}

func (t task) perform(out io.Writer) error {
	now := t.Begin
	s, err := openSweeping(t.Path, func() time.Time { return now }, never)
	if err != nil {
		return err
	}
	s.passed.Store(math.MaxInt64)
	dice, line := rand.New(rand.NewPCG(18, t.Seed)), bufio.NewWriter(out)
	speaking := speaker{s, &now, line, gob.NewEncoder(line)}
	for i := range t.Batches {
		now = now.Add(time.Duration(dice.IntN(100)) * time.Second)
		err := storetest.RandomBatch(context.Background(), speaking, dice, now)
		switch {
		case err == nil && i%10 == 9:
			_, err = s.sweep()
		case err == nil && i%25 == 0:
			err = s.Probe(context.Background())
		}
		if err != nil {
			return err
		}
	}
	return s.Close()
}

// speaker says of each batch when it begins and how it is answered, each in one write.
type speaker struct {
	*Store
	now  *time.Time
	line *bufio.Writer
	*gob.Encoder
}

func (s speaker) Apply(ctx context.Context, batch store.Batch) error {
	if err := errors.Join(s.Encode(said{At: *s.now, Batch: batch}), s.line.Flush()); err != nil {
		return err
	}
	err := s.Store.Apply(ctx, batch)
	return errors.Join(err, s.Encode(said{At: *s.now, Answer: fmt.Sprint(err)}), s.line.Flush())
}

// model follows what a child says.
type model struct {
	*memstore.Store
	now      time.Time
	begun    *said // a batch without an answer
	ops      int   // operations that were answered
	answered int   // batches that were answered
}

func newModel() *model {
	m := &model{now: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)}
	m.Store = memstore.New(func() time.Time { return m.now })
	return m
}

func (m *model) follow(ctx context.Context, word said) error {
	if word.Batch != nil {
		m.begun = &word
		return nil
	}
	batch := m.begun.Batch
	if answer := fmt.Sprint(m.perform(ctx)); answer != word.Answer {
		return fmt.Errorf("the answer is %q, want %q, to %+v", word.Answer, answer, batch)
	}
	m.ops += len(batch)
	m.answered++
	return nil
}

// perform performs the batch that has begun.
func (m *model) perform(ctx context.Context) error {
	batch := m.begun.Batch
	m.now, m.begun = m.begun.At, nil
	return m.Apply(ctx, batch)
}

// compare opens a file after a crash. It fails unless the file is whole and has what the model
// has. The model then has what the file has.
func (m *model) compare(ctx context.Context, path string) error {
	same, err := m.isSame(ctx, path)
	if err == nil && !same && m.begun != nil {
		m.perform(ctx)
		same, err = m.isSame(ctx, path)
	}
	if err == nil && !same {
		err = errors.New("its records are not those of the last answer, nor of the batch after it")
	}
	return err
}

func (m *model) isSame(ctx context.Context, path string) (same bool, err error) {
	if _, err := Check(path, m.now); err != nil {
		return false, err
	}
	s, err := openSweeping(path, func() time.Time { return m.now }, never)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := storetest.Consistent(ctx, s, m.now); err != nil {
		return false, err
	}
	got, err := transfer.AddUp(ctx, s)
	if err != nil {
		return false, err
	}
	want, err := transfer.AddUp(ctx, m)
	return got.Same(want), err
}

// TestKilled kills a child 30 times, each time as it begins or ends a batch that is drawn, and
// lets the next one go on with the file.
func TestKilled(t *testing.T) {
	t.Parallel()
	m, path := newModel(), filepath.Join(t.TempDir(), "keypeg.db")
	dice := rand.New(rand.NewPCG(18, 2))
	for round := range uint64(30) {
		child := task{path, m.now, round, 10_000}.command()
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { child.Process.Kill() })
		words, left := gob.NewDecoder(out), 140+dice.IntN(100)
		for {
			var word said
			if words.Decode(&word) != nil {
				break // it is dead, perhaps in the middle of a word
			}
			if left--; left == 0 {
				child.Process.Kill()
			}
			if err := m.follow(t.Context(), word); err != nil {
				t.Fatal(err)
			}
		}
		if child.Wait(); left > 0 {
			t.Fatalf("round %d: the child ended by itself: %v", round, child.ProcessState)
		}
		if err := m.compare(t.Context(), path); err != nil {
			t.Fatalf("after round %d and %d batches: %v", round, m.answered, err)
		}
	}
	t.Logf("%d batches with %d operations", m.answered, m.ops)
	if m.ops < 10_000 {
		t.Errorf("only %d operations were answered: the test shows little", m.ops)
	}
}

// wordsOf decodes all that a child said.
func wordsOf(b []byte) (words []said, err error) {
	for decoder := gob.NewDecoder(bytes.NewReader(b)); ; {
		var word said
		if err := decoder.Decode(&word); err == io.EOF {
			return words, nil
		} else if err != nil {
			return nil, err
		}
		words = append(words, word)
	}
}
