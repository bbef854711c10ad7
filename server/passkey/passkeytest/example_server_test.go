package passkeytest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"time"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/live"
	"github.com/keypeg/keypeg/server/passkey/passkeytest"
	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store/memstore"
	"github.com/keypeg/keypeg/shared"
)

// A device adds a passkey at a handler, and signs in with it: a test of a program that
// Keypeg is built into needs no browser.
func ExampleDevice() {
	keypeg := httptest.NewUnstartedServer(nil)
	_, port, _ := net.SplitHostPort(keypeg.Listener.Addr().String())
	origin := "http://localhost:" + port // passkeys need a name, and 127.0.0.1 is none
	keypeg.Config.Handler = newKeypeg(origin)
	keypeg.Start()
	defer keypeg.Close()
	ann := visitor{origin: origin, device: passkeytest.New(origin)}
	ann.client.Jar, _ = cookiejar.New(nil)

	ann.posts(shared.PathSignInPassword, shared.PasswordSignIn{Name: "ann", Password: "correct horse battery"}, nil)

	var begun shared.Ceremony
	ann.posts(shared.PathRegisterBegin, shared.BeginRegistration{}, &begun)
	credential, err := ann.device.Create(begun.PublicKey)
	if err != nil {
		log.Fatal(err)
	}
	var added shared.Passkey
	ann.posts(shared.PathRegisterFinish, shared.FinishRegistration{
		FinishCeremony: shared.FinishCeremony{Ticket: begun.Ticket, Credential: credential}, Name: "Laptop",
	}, &added)
	fmt.Println("added", added.Name)
	ann.posts(shared.PathSignOut, nil, nil)

	ann.posts(shared.PathSignInBegin, shared.BeginSignIn{}, &begun)
	if credential, err = ann.device.Get(begun.PublicKey); err != nil {
		log.Fatal(err)
	}
	var signedIn shared.SignedIn
	ann.posts(shared.PathSignInFinish, shared.FinishCeremony{Ticket: begun.Ticket, Credential: credential}, &signedIn)
	fmt.Println("signed in as", signedIn.User.DisplayName)

	// Output:
	// added Laptop
	// signed in as Ann Miller
}

// visitor is a browser with a device.
type visitor struct {
	origin string
	device *passkeytest.Device
	client http.Client
}

// posts sends a request as a page of the server does, and decodes the answer.
func (v *visitor) posts(path string, request, answer any) {
	body, err := json.Marshal(request)
	if err != nil {
		log.Fatal(err)
	}
	response, err := v.client.Post(v.origin+path, "application/json", bytes.NewReader(body))
	if err != nil {
		log.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode >= 400 {
		log.Fatalf("%s: %s %s (%v)", path, response.Status, content, err)
	}
	if answer == nil {
		return
	}
	if err := json.Unmarshal(content, answer); err != nil {
		log.Fatal(err)
	}
}

// newKeypeg is a server with one user.
func newKeypeg(origin string) http.Handler {
	ctx, hub := context.Background(), live.NewHub()
	records := hub.Store(memstore.New(time.Now))
	accounts := account.New(account.Config{Store: records, Now: time.Now})
	if _, err := accounts.AddUser(ctx, session.Actor{}, account.NewUser{Name: "ann", DisplayName: "Ann Miller", Password: "correct horse battery"}); err != nil {
		log.Fatal(err)
	}
	address, err := server.ParseAddress(origin, "", true)
	if err != nil {
		log.Fatal(err)
	}
	handler, err := server.New(ctx, server.Config{
		Store: records, Accounts: accounts, Live: hub, Now: time.Now, Log: slog.New(slog.DiscardHandler),
		Address: address, Product: "Example", Asset: func(string) string { return "" },
	})
	if err != nil {
		log.Fatal(err)
	}
	return handler
}
