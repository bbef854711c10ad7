package openid

import (
	"net/http"
	"testing"
	"time"
)

// What tests look at from outside.
var (
	PublicOnly    = publicOnly
	CheckDocument = checkDocument
	DescribedBy   = describedBy
	NewCode       = newCode
	ShownBy       = shownBy
)

// FetchesWith lets the handlers that a test makes fetch documents with this client.
func FetchesWith(t *testing.T, client *http.Client) {
	usual := outside
	outside = func(time.Duration) *http.Client { return client }
	t.Cleanup(func() { outside = usual })
}
