package storetest_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/memstore"
	"github.com/keypeg/keypeg/server/store/storetest"
)

// journal is a store of somebody's own: it keeps every batch in one file, and plays them
// all again when it opens. What it then holds is in memory, in a memstore, which answers
// every question; Apply is all that is left to write. It will do for some hundred people.
type journal struct {
	*memstore.Store
	now store.Clock

	mu   sync.Mutex // one batch after the other, in memory as in the file
	file *os.File
	at   atomic.Pointer[time.Time] // when the batch that is being applied came
}

// entry is a batch as it stands in the file. The time belongs to it: whether a link was
// still good is decided again as it was then.
type entry struct {
	At    time.Time
	Batch store.Batch
}

// Batches are lists of an interface, of which gob has to know the types.
func init() {
	for _, op := range []store.Op{
		store.PutUser{}, store.AddSession{}, store.ReplaceSession{}, store.EndSession{}, store.EndSessions{}, store.AddEvent{},
		store.PutItem{}, store.RemoveItem{}, store.RemoveUser{}, store.HasUser{},
	} {
		gob.Register(op)
	}
}

func openJournal(path string, now store.Clock) (*journal, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	j := &journal{now: now, file: file}
	j.Store = memstore.New(j.time)
	whole, err := j.replay()
	// A crash may have left the beginning of an entry, whose writer got no answer.
	if err = errors.Join(err, file.Truncate(whole)); err == nil {
		_, err = file.Seek(whole, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return j, nil
}

func (j *journal) time() time.Time {
	if at := j.at.Load(); at != nil {
		return *at
	}
	return j.now()
}

// replay returns where the last whole entry ends.
func (j *journal) replay() (whole int64, err error) {
	for {
		var length int64
		if err := binary.Read(j.file, binary.BigEndian, &length); err != nil {
			return whole, unlessEnded(err)
		}
		encoded := make([]byte, length)
		if _, err := io.ReadFull(j.file, encoded); err != nil {
			return whole, unlessEnded(err)
		}
		var e entry
		if err := gob.NewDecoder(bytes.NewReader(encoded)).Decode(&e); err != nil {
			return whole, err
		}
		// What was refused then is refused again.
		_ = j.apply(e)
		whole += 8 + length
	}
}

func unlessEnded(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}

// Apply writes first and decides then: the file is right however it ends.
func (j *journal) Apply(ctx context.Context, batch store.Batch) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	e := entry{j.now(), batch}
	var encoded bytes.Buffer
	if err := gob.NewEncoder(&encoded).Encode(e); err != nil {
		return err
	}
	line := append(binary.BigEndian.AppendUint64(nil, uint64(encoded.Len())), encoded.Bytes()...)
	_, err := j.file.Write(line)
	if err = errors.Join(err, j.file.Sync()); err != nil {
		// Nobody knows now where the file ends: it takes no more until it is opened again.
		return errors.Join(err, j.file.Close())
	}
	return j.apply(e)
}

func (j *journal) apply(e entry) error {
	j.at.Store(&e.At)
	defer j.at.Store(nil)
	return j.Store.Apply(context.Background(), e.Batch)
}

func (j *journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.file.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		return err
	}
	return j.Store.Close()
}

// contract is the backend's own test and nothing more: TestContract in its package. It says
// by name which promise is broken.
func contract(t *testing.T) {
	storetest.Run(t, func(t *testing.T, now store.Clock) store.Store {
		j, err := openJournal(filepath.Join(t.TempDir(), "journal"), now)
		if err != nil {
			t.Fatal(err)
		}
		return j
	})
}

// A store of one's own keeps what it was given when it opens again, and keeps the promises
// of store.Store, which Run tests.
func ExampleRun() {
	ctx, path := context.Background(), filepath.Join(os.TempDir(), fmt.Sprint("journal-", os.Getpid()))
	defer os.Remove(path)
	for _, name := range []string{"ann", "bob", "ann"} {
		j, err := openJournal(path, time.Now)
		if err != nil {
			fmt.Println(err)
			return
		}
		err = j.Apply(ctx, store.Batch{store.PutUser{User: store.User{ID: storetest.UserID(int(name[0])), Name: name}}})
		users, _, _ := j.Users(ctx, store.UserQuery{}, 10)
		fmt.Println(len(users), err)
		if err := j.Close(); err != nil {
			fmt.Println(err)
		}
	}

	// Output:
	// 1 <nil>
	// 2 <nil>
	// 2 store: exists already: user id
}
