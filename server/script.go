package server

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"time"

	"github.com/keypeg/keypeg/web/credential"
)

var scriptTag = func() string {
	sum := sha256.Sum256(credential.Script)
	return `"` + hex.EncodeToString(sum[:8]) + `"`
}()

// credentialScript serves the JavaScript part of the app. It is part of the API because a
// host program's pages get everything else from there. Browsers cache it, and ask each time
// whether it has changed.
func credentialScript(w http.ResponseWriter, r *http.Request) error {
	header := w.Header()
	header.Set("Content-Type", "text/javascript; charset=utf-8")
	header.Set("Cache-Control", "no-cache")
	header.Set("ETag", scriptTag)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(credential.Script))
	return nil
}
