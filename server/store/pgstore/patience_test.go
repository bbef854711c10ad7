package pgstore

import (
	"context"
	"fmt"
	"io"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

// TestTriedAgain holds that a write is sent again only if it certainly didn't happen, and a
// read also if its answer was lost.
func TestTriedAgain(t *testing.T) {
	for _, row := range []struct {
		err                   error
		writeAgain, readAgain bool
	}{
		{&pgconn.PgError{Code: serializationFailure}, true, true},
		{&pgconn.PgError{Code: cannotConnectNow}, true, true},
		{&pgconn.PgError{Code: "57P01"}, false, true}, // an administrator ended the connection
		{&pgconn.PgError{Code: "23505"}, false, false},
		{fmt.Errorf("receiving: %w", io.ErrUnexpectedEOF), false, true},
		{fmt.Errorf("receiving: %w", pgconn.ErrConnClosed), false, true},
		{context.Canceled, false, false},
	} {
		if got := isUndone(row.err); got != row.writeAgain {
			t.Errorf("a write after %v: sent again is %t, want %t", row.err, got, row.writeAgain)
		}
		if got := isLost(row.err); got != row.readAgain {
			t.Errorf("a read after %v: sent again is %t, want %t", row.err, got, row.readAgain)
		}
	}
}
