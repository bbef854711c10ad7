package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/keypeg/keypeg/server/store/pgstore"
	"github.com/keypeg/keypeg/server/store/pgstore/pgtest"
)

// postgres signs people in on PostgreSQL, beside bare updates of the same PostgreSQL. It waits for its disk, as it does for whoever runs one.
func (b *bench) postgres() (err error) {
	database, err := pgtest.Run("fsync = on", "shared_buffers = 256MB")
	if err != nil {
		return err
	}
	defer database.Kill()
	url := database.URL("postgres")
	people, err := newPopulation(smallUsers)
	if err != nil {
		return err
	}
	records, err := pgstore.Open(context.Background(), url, "", time.Now)
	if err != nil {
		return err
	}
	if err := errors.Join(people.live(context.Background(), records), records.Close()); err != nil {
		return err
	}
	remote, _, err := b.startKeypeg(url)
	if err != nil {
		return err
	}

	var bare, ratio series
	var alone, together figures
	for range b.rounds {
		four, err := updates(url, 4, b.round)
		if err != nil {
			return err
		}
		bare.add(four)
		for n, kind := range map[int]*figures{1: &alone, 64: &together} {
			l, err := phase(remote, n, b.round, people.signIn(remote))
			if err != nil {
				return err
			}
			kind.add(l)
		}
		ratio.add(together.rate[len(together.rate)-1] / four)
	}
	b.title("PostgreSQL")
	b.line("bare UPDATE and COMMIT, 4 connections", bare.text("%.0f /s"))
	b.line("sign-ins, 1 connection", alone.text())
	b.line("sign-ins, 64 connections", together.text())
	b.line("  of bare updates on 4", ratio.text("%.2f×"))
	return nil
}

// updates is how many transactions a second change one row each, on so many connections.
func updates(url string, connections int, d time.Duration) (float64, error) {
	ctx := context.Background()
	setUp, err := pgx.Connect(ctx, url)
	if err != nil {
		return 0, err
	}
	defer setUp.Close(ctx)
	if _, err := setUp.Exec(ctx, `CREATE TABLE IF NOT EXISTS bench_floor (id int PRIMARY KEY, n int)`); err != nil {
		return 0, err
	}
	if _, err := setUp.Exec(ctx, `INSERT INTO bench_floor SELECT i, 0 FROM generate_series(0, 999) i ON CONFLICT DO NOTHING`); err != nil {
		return 0, err
	}
	var done atomic.Int64
	var together sync.WaitGroup
	errs := make([]error, connections)
	begin := time.Now()
	for i := range connections {
		together.Go(func() {
			errs[i] = func() error {
				conn, err := pgx.Connect(ctx, url)
				if err != nil {
					return err
				}
				defer conn.Close(ctx)
				for n := i; time.Since(begin) < d; n += connections {
					if _, err := conn.Exec(ctx, `UPDATE bench_floor SET n = n + 1 WHERE id = $1`, n%1000); err != nil {
						return fmt.Errorf("a bare update: %w", err)
					}
					done.Add(1)
				}
				return nil
			}()
		})
	}
	together.Wait()
	return float64(done.Load()) / time.Since(begin).Seconds(), errors.Join(errs...)
}
