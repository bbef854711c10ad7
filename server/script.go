package server

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"time"

	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/web/credential"
)

// credentialScript serves the JavaScript part of the app. It is part of the API because a
// host program's pages get everything else from there. Browsers cache it, and ask each time
// whether it has changed.
func (s *Server) credentialScript() httpapi.Handler {
	script := credential.Script
	if s.hasSeveralRPIDs() {
		script = slices.Concat(script, credential.Related)
	}
	sum := sha256.Sum256(script)
	tag := `"` + hex.EncodeToString(sum[:8]) + `"`
	return func(w http.ResponseWriter, r *http.Request) error {
		header := w.Header()
		header.Set("Content-Type", "text/javascript; charset=utf-8")
		header.Set("Cache-Control", "no-cache")
		header.Set("ETag", tag)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(script))
		return nil
	}
}
