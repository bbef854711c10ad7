package httpapi_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/shared"
)

// TestRespond checks that answers are what encoding/json, which the app reads them with, would
// write.
func TestRespond(t *testing.T) {
	used := time.Date(2026, 11, 29, 1, 2, 3, 456789000, time.UTC)
	for _, answer := range []any{
		shared.PasskeyList{Passkeys: []shared.Passkey{}, HasPassword: true},
		shared.PasskeyList{Passkeys: []shared.Passkey{
			{ID: "a", Name: "Ann's \"key\" – 鍵", Created: used, LastUsed: &used, Kind: shared.KindManager, Synced: true, Current: true}, {},
		}, Signals: &shared.Signals{UnknownCredential: &shared.UnknownCredential{RPID: "localhost"}}},
		shared.SignedIn{User: shared.User{ID: "a", Name: "not \xff UTF-8"}},
		shared.TroubleExplained{},
	} {
		want, err := json.Marshal(answer)
		if err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		if err := httpapi.Respond(w, http.StatusCreated, answer); err != nil {
			t.Fatal(err)
		}
		// Here alone they differ: encoding/json writes U+FFFD as an escape.
		want = bytes.ReplaceAll(want, []byte(`\ufffd`), []byte("\ufffd"))
		if w.Body.String() != string(want) || w.Code != http.StatusCreated || w.Header().Get("Content-Type") != "application/json" {
			t.Errorf("%d %s as %q, want %s", w.Code, w.Body, w.Header().Get("Content-Type"), want)
		}
	}
}

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
