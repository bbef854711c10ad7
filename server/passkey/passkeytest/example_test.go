package passkeytest_test

import (
	"encoding/json"
	"fmt"

	"github.com/keypeg/keypeg/server/passkey/passkeytest"
)

// A server's options go in, a browser's answer comes out.
func Example() {
	device := passkeytest.New("https://id.example.com")

	// The publicKey member of what the server sent.
	registration := json.RawMessage(`{
		"rp": {"id": "id.example.com", "name": "Example"},
		"user": {"id": "YW5u", "name": "ann", "displayName": "Ann"},
		"challenge": "b25lIGNoYWxsZW5nZQ",
		"pubKeyCredParams": [{"type": "public-key", "alg": -7}],
		"authenticatorSelection": {"residentKey": "required", "userVerification": "required"}
	}`)
	if _, err := device.Create(registration); err != nil {
		fmt.Println(err)
	}
	fmt.Printf("%d passkey for %s\n", len(device.Credentials()), device.Credentials()[0].UserHandle)

	signIn := json.RawMessage(`{"rpId": "id.example.com", "challenge": "YW5vdGhlciBvbmU"}`)
	lie := passkeytest.WithOrigin("https://id.example.com.evil.test")
	answer, err := device.Get(signIn, lie)
	if err != nil {
		fmt.Println(err)
	}
	// Send answer to the server: the signature is good, so it must refuse the origin.
	fmt.Println(len(answer) > 0)

	// Output:
	// 1 passkey for ann
	// true
}
