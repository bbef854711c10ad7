package server_test

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/store/memstore"
)

// library is a program with people and sessions of its own. A real one looks its cookie
// up; this one believes a header.
type library struct{}

func (library) User(_ context.Context, id string) (server.HostUser, error) {
	if id != "17" {
		return server.HostUser{}, server.ErrNoUser
	}
	return server.HostUser{ID: "17", Name: "ann@example.com", DisplayName: "Ann", HasPassword: true}, nil
}

func (library) SignedIn(r *http.Request) (server.HostSession, error) {
	if r.Header.Get("Reader") == "" {
		return server.HostSession{}, server.ErrNobody
	}
	return server.HostSession{ID: "session of " + r.Header.Get("Reader"), UserID: r.Header.Get("Reader"), Proved: time.Now()}, nil
}

func (library) SignIn(w http.ResponseWriter, r *http.Request, userID, passkeyID string) error {
	return nil // begin a session and set its cookie
}

func newLibrary() *server.Server {
	address, err := server.ParseAddress("https://library.example", "", true)
	if err != nil {
		log.Fatal(err)
	}
	// memstore forgets everything; boltstore.Open and pgstore.Open don't.
	keypeg, err := server.New(context.Background(), server.Config{
		Store: memstore.New(time.Now), Host: library{}, Address: address, Product: "Library",
		Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		log.Fatal(err)
	}
	return keypeg
}

// A program mounts Keypeg's API beside its own routes, and keeps its users and sessions.
func ExampleNew() {
	mux := http.NewServeMux()
	mux.Handle("/api/v1/", newLibrary())
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, "the library's own page") })

	for _, reader := range []string{"", "17"} {
		r := httptest.NewRequest("GET", "https://library.example/api/v1/passkeys", nil)
		r.Header.Set("Reader", reader)
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		fmt.Println(w.Code, w.Header().Get("Content-Type"))
	}
	// Output:
	// 401 application/problem+json
	// 200 application/json
}

// A handler behind Protect runs for signed-in users only, and knows who they are.
func ExampleServer_Protect() {
	shelf := newLibrary().Protect(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, _ := server.UserFrom(r.Context())
		fmt.Println("the shelf of", user.DisplayName)
	}))

	for _, reader := range []string{"17", "", "18"} {
		r := httptest.NewRequest("GET", "https://library.example/shelf", nil)
		r.Header.Set("Reader", reader)
		w := httptest.NewRecorder()
		shelf.ServeHTTP(w, r)
		fmt.Println(w.Code)
	}
	// Output:
	// the shelf of Ann
	// 200
	// 401
	// 401
}
