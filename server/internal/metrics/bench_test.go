package metrics

import (
	"testing"
	"time"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/memstore"
	"github.com/keypeg/keypeg/server/store/storetest"
	"github.com/keypeg/keypeg/shared"
)

// BenchmarkCount measures what is added to a request, and to a call of the store.
func BenchmarkCount(b *testing.B) {
	o := New("").Organisation("")
	answered := o.Answered()
	for name, a := range map[string]server.Answered{
		"request":  {Pattern: "GET " + shared.PathPasskeys, Status: 200, Took: time.Millisecond},
		"ceremony": {Pattern: "POST " + shared.PathSignInFinish, Status: 200, Took: time.Millisecond},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				answered(a)
			}
		})
	}
	plain := memstore.New(time.Now)
	for name, db := range map[string]store.Store{"store without": plain, "store with": o.Store(plain)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				db.User(b.Context(), storetest.UserID(1))
			}
		})
	}
}
