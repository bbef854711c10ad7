package store_test

import (
	"context"
	"fmt"
	"time"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/memstore"
)

// A change of a user reads the record, decides in plain Go, and writes with the revision
// that was read. Somebody else's change in between starts it again.
func ExampleUpdate() {
	ctx, records := context.Background(), memstore.New(time.Now)
	ann := store.User{ID: store.NewUserID(), Name: "ann", DisplayName: "Ann", Handle: []byte("handle")}
	if err := records.Apply(ctx, store.Batch{store.PutUser{User: ann}}); err != nil {
		fmt.Println(err)
	}

	decided := 0
	err := store.Update(ctx, records, ann.ID, func(user store.User) (store.Batch, error) {
		if decided++; decided == 1 { // another node is faster
			other := user
			other.Language = "de"
			if err := records.Apply(ctx, store.Batch{store.PutUser{User: other}}); err != nil {
				return nil, err
			}
		}
		user.DisplayName = "Ann Miller"
		return store.Batch{store.PutUser{User: user}}, nil
	})
	user, _ := records.User(ctx, ann.ID)
	fmt.Println(err, decided, user.DisplayName, user.Language)

	// Output: <nil> 2 Ann Miller de
}
