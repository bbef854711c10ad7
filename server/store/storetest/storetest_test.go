package storetest_test

import (
	"log/slog"
	"testing"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/storetest"
)

// TestExample holds the example's store to what the example says of it.
func TestExample(t *testing.T) {
	storetest.Run(t, func(t *testing.T, now store.Clock) store.Store {
		return newAudited(now, slog.New(slog.DiscardHandler))
	})
}
