package boltstore

import (
	"encoding/binary"
	"strings"

	"go.etcd.io/bbolt"

	"github.com/keypeg/keypeg/server/store"
)

// Counts lie in two buckets: category -> number. bucketCounts has those that a sign-in may
// change: of the users, the passkeys, and the newest day. It is so small that bbolt keeps it in
// the page that each commit writes anyway. bucketDays has the earlier days, the groups, and the
// ceremonies that failed: of these there are many, and a sign-in changes none. Each category lies
// in one of them.

// count adds to a category. The empty category is none.
func (w *writing) count(category string, n int) {
	if category != "" {
		w.counts[category] += n
	}
}

// countEvent adds an event, or takes one away.
func (w *writing) countEvent(v store.Event, sign int) {
	category, n := v.Counted()
	w.count(category, sign*n)
}

func (w *writing) countUser(u store.User, n int) {
	for _, category := range u.Counted() {
		w.count(category, n)
	}
}

// dayOf returns the beginning of the categories of a day, or "" for a category without one.
func dayOf(category string) string {
	kind, rest, _ := strings.Cut(category, "/")
	day, _, isDay := strings.Cut(rest, "/")
	if !isDay {
		return ""
	}
	return kind + "/" + day + "/"
}

// putCounts writes what was counted.
func (w *writing) putCounts() error {
	now, days := w.Bucket(bucketCounts), w.Bucket(bucketDays)
	for category, n := range w.counts {
		if n == 0 {
			continue
		}
		in := now
		if store.IsGroup(category) || store.IsFailed(category) {
			in = days
		} else if day := dayOf(category); day != "" {
			newest := newestDay(now)
			switch {
			case day < newest || days.Get([]byte(category)) != nil: // the newest day may have none any more
				in = days
			case day > newest:
				if err := moveDay(now, days, newest); err != nil {
					return err
				}
			}
		}
		if err := addTo(in, []byte(category), n); err != nil {
			return err
		}
	}
	return nil
}

func newestDay(counts *bbolt.Bucket) (day string) {
	counts.ForEach(func(category, _ []byte) error {
		day = max(day, dayOf(string(category)))
		return nil
	})
	return day
}

// moveDay moves the counts of a day to those of earlier days.
func moveDay(from, to *bbolt.Bucket, day string) error {
	var categories []string
	from.ForEach(func(category, _ []byte) error {
		if day != "" && strings.HasPrefix(string(category), day) {
			categories = append(categories, string(category))
		}
		return nil
	})
	for _, category := range categories {
		if err := addTo(to, []byte(category), numberOf(from.Get([]byte(category)))); err != nil {
			return err
		}
		if err := from.Delete([]byte(category)); err != nil {
			return err
		}
	}
	return nil
}

func numberOf(value []byte) int {
	n, _ := binary.Varint(value)
	return int(n)
}

// addTo adds to a number. It removes a number that becomes 0, so a day goes with the last of its
// events.
func addTo(counts *bbolt.Bucket, category []byte, n int) error {
	if n += numberOf(counts.Get(category)); n <= 0 {
		return counts.Delete(category)
	}
	return counts.Put(category, binary.AppendVarint(nil, int64(n)))
}
