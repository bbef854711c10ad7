package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/keypeg/keypeg/app/ceremony"
	"github.com/keypeg/keypeg/app/client"
	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/live"
	"github.com/keypeg/keypeg/server/passkey/passkeytest"
	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store/boltstore"
	"github.com/keypeg/keypeg/shared"
)

// TestFlow joins both halves without a browser: the app's client and ceremonies,
// a real server over HTTP with a real database, and an authenticator in software.
func TestFlow(t *testing.T) {
	clock := time.Now()
	now := func() time.Time { return clock }
	db, err := boltstore.Open(filepath.Join(t.TempDir(), "keypeg.db"), now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	accounts := account.New(account.Config{Store: db, Now: now, PasswordCost: account.Cost{MemoryKiB: 64, Time: 1, Threads: 1}})

	listener, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	address, err := server.ParseAddress("http://localhost:"+port, "", true)
	if err != nil {
		t.Fatal(err)
	}
	handler, err := server.New(t.Context(), server.Config{
		Store: db, Accounts: accounts, Live: live.NewHub(), Now: now, Log: slog.New(slog.DiscardHandler),
		Address: address, Product: "Keypeg", Asset: func(string) string { return "" },
	})
	if err != nil {
		t.Fatal(err)
	}
	running := httptest.NewUnstartedServer(handler)
	running.Listener = listener
	running.Start()
	t.Cleanup(func() {
		running.Close()
		handler.Close(context.WithoutCancel(t.Context()))
	})

	if _, err := accounts.AddUser(t.Context(), session.Actor{}, account.NewUser{Name: "ann", DisplayName: "Ann", Password: "correct horse battery"}); err != nil {
		t.Fatal(err)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	api := client.New(&transport{origin: address.Origin, client: &http.Client{Jar: jar}})
	device := passkeytest.New(address.Origin)
	steps := ceremony.Ceremonies{API: api, Authenticator: authenticator{device}}
	ok := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	refused := func(what string, err error, code shared.Code) {
		t.Helper()
		if got := shared.CodeOf(err); got != code {
			t.Errorf("%s: got %v, want %s", what, err, code)
		}
	}

	_, err = api.Account(t.Context())
	refused("the account, without a session", err, shared.CodeUnauthenticated)
	_, err = api.SignInWithPassword(t.Context(), "ann", "wrong")
	refused("a wrong password", err, shared.CodeSignInRefused)
	_, err = api.SignInWithPassword(t.Context(), "Ann", "correct horse battery")
	ok("sign in with a password", err)

	first, err := steps.Register(t.Context(), "Laptop", "")
	ok("register", err)
	_, err = steps.Register(t.Context(), "Again", "")
	if failure, is := err.(*ceremony.Failure); !is || failure.Reason != ceremony.Exists {
		t.Errorf("registering the same device again: %v", err)
	}
	_, err = api.SignOut(t.Context(), false)
	ok("sign out", err)
	who, err := steps.SignIn(t.Context())
	ok("sign in with the passkey", err)
	if who.User.Name != "ann" {
		t.Errorf("signed in as %q", who.User.Name)
	}

	clock = clock.Add(11 * time.Minute)
	_, err = api.RemovePasskey(t.Context(), first.ID, false)
	refused("removing after eleven minutes", err, shared.CodeConfirmRequired)
	_, err = steps.Confirm(t.Context())
	ok("confirm with the passkey", err)
	renamed, err := api.RenamePasskey(t.Context(), first.ID, "Phone")
	ok("rename", err)
	list, err := api.Passkeys(t.Context())
	ok("list", err)
	if renamed.Name != "Phone" || len(list.Passkeys) != 1 || list.Passkeys[0].Name != "Phone" || !list.Passkeys[0].Current {
		t.Errorf("renamed %+v, list %+v", renamed, list)
	}
	left, err := api.RemovePasskey(t.Context(), first.ID, false)
	ok("remove", err)
	if len(left.Passkeys) != 0 {
		t.Errorf("left %+v", left)
	}
	_, err = api.SignOut(t.Context(), false)
	ok("sign out", err)
	_, err = steps.SignIn(t.Context())
	refused("sign in with the removed passkey", err, shared.CodePasskeyRemoved)

	running.Close()
	_, err = api.Account(t.Context())
	refused("without a server", err, shared.CodeOffline)
}

// transport is fetch, outside of a browser.
type transport struct {
	origin string
	client *http.Client
}

func (tr *transport) Send(ctx context.Context, method, path string, body []byte) (int, []byte, error) {
	r, err := http.NewRequestWithContext(ctx, method, tr.origin+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	r.Header.Set("Origin", tr.origin)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	response, err := tr.client.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	return response.StatusCode, answer, err
}

// authenticator is navigator.credentials over the software device.
type authenticator struct{ device *passkeytest.Device }

func (a authenticator) Create(_ context.Context, options json.RawMessage, _ string) (json.RawMessage, error) {
	made, err := passkeytest.Take(a.device.Create, options)
	return made, thrown(err)
}

func (a authenticator) Get(_ context.Context, options json.RawMessage, _ string) (json.RawMessage, error) {
	proof, err := passkeytest.Take(a.device.Get, options)
	return proof, thrown(err)
}

// thrown is an error as a browser throws it.
func thrown(err error) error {
	switch err {
	case nil:
		return nil
	case passkeytest.ErrInvalidState:
		return exception("InvalidStateError")
	case passkeytest.ErrNotAllowed:
		return exception("NotAllowedError")
	}
	return exception("UnknownError")
}

type exception string

func (e exception) Error() string        { return string(e) }
func (e exception) DOMException() string { return string(e) }
