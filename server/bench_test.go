package server_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/internal/metrics"
	"github.com/keypeg/keypeg/server/passkey/passkeytest"
	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store/memstore"
	"github.com/keypeg/keypeg/shared"
)

// BenchmarkServe measures our handlers without a network and a disk: the first half of a
// sign-in, a whole one with the device that signs, and a list of passkeys.
func BenchmarkServe(b *testing.B) { serves(b, nil) }

// BenchmarkCounted measures the same with figures for monitoring. Compare it with BenchmarkServe of the same
// run: go test ./server -run '^$' -bench 'Serve|Counted' -count 6
func BenchmarkCounted(b *testing.B) { serves(b, metrics.New("")) }

func serves(b *testing.B, figures *metrics.Metrics) {
	log, err := os.Create(filepath.Join(b.TempDir(), "log"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { log.Close() })
	logger := slog.New(slog.NewTextHandler(log, nil))
	counted := figures.Organisation("")
	records := counted.Store(memstore.New(time.Now))
	accounts := account.New(account.Config{Store: records, Now: time.Now, Log: logger, PasswordCost: account.Cost{MemoryKiB: 64, Time: 1, Threads: 1}})
	address, err := server.ParseAddress(origin, "", true)
	if err != nil {
		b.Fatal(err)
	}
	handler, err := server.New(b.Context(), server.Config{
		Store: records, Accounts: accounts, Log: logger, Address: address, Product: "Keypeg",
		Asset: func(name string) string { return name }, Answered: counted.Answered(),
	})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := accounts.AddUser(b.Context(), session.Actor{}, account.NewUser{Name: "ann", DisplayName: "Ann", Password: password}); err != nil {
		b.Fatal(err)
	}

	cookies := map[string]string{}
	send := func(method, path string, body, into any) {
		sent, err := json.Marshal(body)
		if err != nil {
			b.Fatal(err)
		}
		r := httptest.NewRequest(method, origin+path, bytes.NewReader(sent))
		r.Header = http.Header{
			"Accept": {"application/json"}, "Accept-Language": {"en-GB,en;q=0.9"}, "Content-Type": {"application/json"}, "Sec-Fetch-Site": {"same-origin"},
			"User-Agent": {"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/148.0.0.0 Safari/537.36"},
		}
		for name, value := range cookies {
			r.AddCookie(&http.Cookie{Name: name, Value: value})
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code >= http.StatusBadRequest {
			b.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
		}
		for _, cookie := range w.Result().Cookies() {
			cookies[cookie.Name] = cookie.Value
		}
		if into != nil {
			if err := json.Unmarshal(w.Body.Bytes(), into); err != nil {
				b.Fatal(err)
			}
		}
	}
	device := passkeytest.New(origin)
	signIn := func() {
		var begun shared.Ceremony
		send("POST", shared.PathSignInBegin, nil, &begun)
		credential, err := device.Get(begun.PublicKey)
		if err != nil {
			b.Fatal(err)
		}
		send("POST", shared.PathSignInFinish, shared.FinishCeremony{Ticket: begun.Ticket, Credential: credential}, nil)
	}

	send("POST", shared.PathSignInPassword, shared.PasswordSignIn{Name: "ann", Password: password}, nil)
	var begun shared.Ceremony
	send("POST", shared.PathRegisterBegin, nil, &begun)
	credential, err := device.Create(begun.PublicKey)
	if err != nil {
		b.Fatal(err)
	}
	send("POST", shared.PathRegisterFinish, shared.FinishRegistration{FinishCeremony: shared.FinishCeremony{Ticket: begun.Ticket, Credential: credential}}, nil)

	b.Run("begin", func(b *testing.B) {
		for b.Loop() {
			send("POST", shared.PathSignInBegin, nil, nil)
		}
	})
	b.Run("sign in", func(b *testing.B) {
		for b.Loop() {
			signIn()
		}
	})
	b.Run("list", func(b *testing.B) {
		for b.Loop() {
			send("GET", shared.PathPasskeys, nil, nil)
		}
	})
}
