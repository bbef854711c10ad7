package client_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"github.com/keypeg/keypeg/app/client"
)

// overHTTP is a transport for programs outside of a browser. In a browser use
// browser.Transport: net/http would add megabytes to the WebAssembly program.
type overHTTP struct {
	origin string      // "https://id.example.com"
	client http.Client // with a jar: the session is a cookie
}

func (t *overHTTP) Send(ctx context.Context, method, path string, body []byte) (int, []byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, t.origin+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := t.client.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	return response.StatusCode, answer, err
}

// A Client needs only a Transport.
func ExampleNew() {
	keypeg := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println(r.Method, r.URL.Path)
		fmt.Fprint(w, `{"passkeys":[{"id":"1","name":"Laptop"},{"id":"2","name":"Phone"}]}`)
	}))
	defer keypeg.Close()

	api := client.New(&overHTTP{origin: keypeg.URL})
	list, err := api.Passkeys(context.Background())
	if err != nil {
		fmt.Println(err)
	}
	for _, passkey := range list.Passkeys {
		fmt.Println(passkey.Name)
	}

	// Output:
	// GET /api/v1/passkeys
	// Laptop
	// Phone
}
