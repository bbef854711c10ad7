package ceremony_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/keypeg/keypeg/app/browser"
	"github.com/keypeg/keypeg/app/ceremony"
	"github.com/keypeg/keypeg/app/client"
	"github.com/keypeg/keypeg/shared"
)

// In a browser this calls the server and the authenticators. Here, outside of one, no request
// arrives.
func Example() {
	passkeys := ceremony.Ceremonies{
		API:           client.New(browser.Transport{}),
		Authenticator: browser.Authenticator{},
	}
	fmt.Println(addPasskey(passkeys, "Laptop"))

	// Output: The server can't be reached. Check your connection and try again.
}

// addPasskey is the handler of a button in a page of one's own. It returns the sentence to
// show.
func addPasskey(passkeys ceremony.Ceremonies, name string) string {
	added, err := passkeys.Register(context.Background(), name, "")
	failure, atAuthenticator := errors.AsType[*ceremony.Failure](err)
	refusal, byServer := errors.AsType[*shared.Error](err)
	switch {
	case atAuthenticator && failure.Reason == ceremony.Exists:
		return "This device has a passkey already."
	case atAuthenticator:
		return "Nothing was added."
	case byServer && refusal.Code == shared.CodeConfirmRequired:
		return "Is it you? Confirm, and it goes on." // with passkeys.Confirm
	case byServer:
		return refusal.Message
	case err != nil:
		return "Something went wrong."
	}
	return added.Name + " was added."
}

// The possible results, with a server and a device of the example's own.
func ExampleCeremonies_Register() {
	fmt.Println(addPasskey(ceremony.Ceremonies{API: server{}, Authenticator: device{}}, "Laptop"))

	late := server{refuses: shared.Errorf(shared.CodeConfirmRequired, "Please confirm that it's you.")}
	fmt.Println(addPasskey(ceremony.Ceremonies{API: late, Authenticator: device{}}, "Laptop"))

	again := device{throws: &browser.Exception{Name: "InvalidStateError"}}
	fmt.Println(addPasskey(ceremony.Ceremonies{API: server{}, Authenticator: again}, "Laptop"))

	// Output:
	// Laptop was added.
	// Is it you? Confirm, and it goes on.
	// This device has a passkey already.
}

// server answers registrations, or refuses them.
type server struct {
	ceremony.API
	refuses error
}

func (s server) BeginRegistration(context.Context, shared.BeginRegistration) (shared.Ceremony, error) {
	return shared.Ceremony{Ticket: "sealed", PublicKey: json.RawMessage(`{}`)}, s.refuses
}

func (s server) FinishRegistration(_ context.Context, answer shared.FinishRegistration) (shared.Passkey, error) {
	return shared.Passkey{ID: "1", Name: answer.Name}, s.refuses
}

// device makes passkeys, or throws what a browser throws.
type device struct {
	ceremony.Authenticator
	throws error
}

func (d device) Create(context.Context, json.RawMessage, string) (json.RawMessage, error) {
	return json.RawMessage(`{}`), d.throws
}
