package pgstore_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/keypeg/keypeg/server/store/pgstore"
	"github.com/keypeg/keypeg/server/store/pgstore/pgtest"
	"github.com/keypeg/keypeg/server/store/storetest"
)

// task is what a child does: it writes random batches until it is killed, and says each answer.
type task struct {
	URL   string
	Begin time.Time // of its clock
	Seed  uint64
}

// taskVariable is the environment variable with a child's task.
const taskVariable = "KEYPEG_TEST_TASK"

func TestMain(m *testing.M) {
	given, isChild := os.LookupEnv(taskVariable)
	if !isChild {
		os.Exit(m.Run())
	}
	var t task
	err := json.Unmarshal([]byte(given), &t)
	if err == nil {
		err = t.perform()
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func (t task) perform() error {
	now := t.Begin
	s, err := pgstore.Open(context.Background(), t.URL, "acme", func() time.Time { return now })
	if err != nil {
		return err
	}
	for dice := rand.New(rand.NewPCG(18, t.Seed)); ; now = now.Add(30 * time.Second) {
		if err := storetest.RandomBatch(context.Background(), s, dice, now); err != nil {
			return errors.Join(err, s.Close())
		}
		fmt.Println("done")
	}
}

// TestKilled kills two nodes that write the same users, ten times, in the middle of batches.
// Then the order of events and the counts are those of a full scan.
func TestKilled(t *testing.T) {
	url, now := pgtest.Empty(t), time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	dice, answered := rand.New(rand.NewPCG(18, 4)), 0
	for round := range uint64(10) {
		var both sync.WaitGroup
		for node := range uint64(2) {
			given, _ := json.Marshal(task{url, now, 2*round + node})
			child := exec.Command(os.Args[0])
			child.Env, child.Stderr = append(os.Environ(), taskVariable+"="+string(given)), os.Stderr
			out, err := child.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := child.Start(); err != nil {
				t.Fatal(err)
			}
			left := 60 + dice.IntN(60)
			answered += left
			both.Go(func() {
				for lines := bufio.NewScanner(out); lines.Scan(); left-- {
					if left == 0 {
						child.Process.Kill()
					}
				}
				if child.Wait(); left > 0 {
					t.Errorf("node %d of round %d ended by itself: %v", node, round, child.ProcessState)
				}
			})
		}
		both.Wait()
		now = now.Add(time.Hour)
		waitsForNobody(t, url)
		s, err := pgstore.Open(t.Context(), url, "acme", func() time.Time { return now })
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(storetest.Consistent(t.Context(), s, now), s.Close()); err != nil {
			t.Fatalf("after round %d: %v", round, err)
		}
	}
	t.Logf("%d answered batches", answered)
}

// waitsForNobody waits until the server has noticed that its clients are gone.
func waitsForNobody(t *testing.T, url string) {
	t.Helper()
	db, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(context.Background())
	for others := 1; others > 0; {
		err := db.QueryRow(t.Context(), `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()`).Scan(&others)
		if err != nil {
			t.Fatal(err)
		}
	}
}
