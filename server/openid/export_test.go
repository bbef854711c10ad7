package openid

import (
	"net/http"
)

// What tests look at from outside.
var (
	PublicOnly    = publicOnly
	CheckDocument = checkDocument
	DescribedBy   = describedBy
	LetterTag     = letterTag
)

// Documents returns what reads documents with this client, in the place of one that connects to public addresses only.
func (h *Handlers) FetchDocumentsWith(client *http.Client) { h.documents.http = client }
