package httpapi_test

import (
	"encoding/json"
	"net/http/httptest"
	"testing"

	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/shared"
)

// TestRespondBegun checks that what is written without an encoder is what the encoder
// would write.
func TestRespondBegun(t *testing.T) {
	options := json.RawMessage(`{"challenge":"AAAA","timeout":300000}`)
	for _, begun := range []shared.Ceremony{{Ticket: "a-b_c", PublicKey: options}, {Ticket: "a-b_c", PublicKey: options, Mediation: "conditional"}} {
		want, err := json.Marshal(begun)
		if err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		if err := httpapi.RespondBegun(w, begun); err != nil {
			t.Fatal(err)
		}
		if w.Body.String() != string(want) || w.Header().Get("Content-Type") != "application/json" {
			t.Errorf("%s as %q, want %s", w.Body, w.Header().Get("Content-Type"), want)
		}
	}
}
