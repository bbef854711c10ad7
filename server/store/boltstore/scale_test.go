package boltstore

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/store"
)

// TestReadersDontWait reads while a write is on its way.
func TestReadersDontWait(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "keypeg.db"), time.Now)
	if err := s.Apply(t.Context(), store.Batch{store.PutUser{User: userOf(1)}}); err != nil {
		t.Fatal(err)
	}
	started, goOn := make(chan struct{}), make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		s.submit(func(*writing) (apply, error) { close(started); <-goOn; return nil, errNothingToWrite })
	})
	<-started
	if _, err := s.User(t.Context(), userOf(1).ID); err != nil { // it would wait for ever
		t.Error(err)
	}
	close(goOn)
	all.Wait()
}

// BenchmarkOpen opens a file of many users with two passkeys each.
func BenchmarkOpen(b *testing.B) {
	for _, users := range []int{1000, 1_000_000} {
		b.Run(fmt.Sprintf("users=%d", users), func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "keypeg.db")
			s, err := Open(path, time.Now)
			if err != nil {
				b.Fatal(err)
			}
			var batch store.Batch
			for i := range users {
				user := userOf(i)
				user.Passkeys = []store.Passkey{
					{ID: "a", CredentialID: []byte(fmt.Sprintf("%032d", i)), PublicKey: make([]byte, 77), Name: "Laptop"},
					{ID: "b", CredentialID: []byte(fmt.Sprintf("b%031d", i)), PublicKey: make([]byte, 77), Name: "Phone"},
				}
				if batch = append(batch, store.PutUser{User: user}); len(batch) == 5000 || i == users-1 {
					if err := s.Apply(b.Context(), batch); err != nil {
						b.Fatal(err)
					}
					batch = nil
				}
			}
			if err := s.Close(); err != nil {
				b.Fatal(err)
			}
			info, err := os.Stat(path)
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				s, err := Open(path, time.Now)
				if err != nil {
					b.Fatal(err)
				}
				_, err = s.UserByName(b.Context(), userOf(users-1).Name)
				if err := errors.Join(err, s.Close()); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(info.Size())/float64(users), "bytes/user")
		})
	}
}
