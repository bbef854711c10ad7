package selfservice_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/keypeg/keypeg/app/browser"
	"github.com/keypeg/keypeg/app/selfservice"
	"github.com/keypeg/keypeg/shared"
)

// oneLeft is a server whose user has one passkey and no other sign-in method.
type oneLeft struct{}

func (oneLeft) Send(_ context.Context, method, _ string, _ []byte) (int, []byte, error) {
	if method == "DELETE" {
		return 409, []byte(`{"code":"last_method","detail":"Add another way to sign in first."}`), nil
	}
	return 200, []byte(`{"passkeys":[{"id":"1","name":"Laptop","onlyMethod":true}]}`), nil
}

// A program that draws the passkeys by itself calls the service. In a page it makes it with
// selfservice.New(confirm). This example gives With another server.
func ExampleWith() {
	ctx, passkeys := context.Background(), selfservice.With(oneLeft{}, browser.Authenticator{}, nil)
	list, err := passkeys.Passkeys(ctx)
	if err != nil {
		fmt.Println(err)
	}
	for _, passkey := range list.Passkeys {
		_, err := passkeys.Remove(ctx, passkey.ID, false)
		if refusal, ok := errors.AsType[*shared.Error](err); ok {
			fmt.Println(passkey.Name+":", refusal.Message)
		}
	}

	// Output: Laptop: Add another way to sign in first.
}
