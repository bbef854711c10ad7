package passkey

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// defaultName is the name of a passkey whose user typed none: the name of its provider, or
// else browser and system, or else "Passkey". A nil text means English.
func defaultName(aaguid [16]byte, client store.Client, text *message.Catalogue) string {
	if text == nil {
		text = &message.English
	}
	switch provider := providerName(aaguid); {
	case provider != "":
		return shorten(provider, shared.MaxNameLength)
	case client.Browser != "" && client.System != "":
		return message.Fill(text.Sessions.BrowserOn, "browser", client.Browser, "system", client.System)
	case client.Browser != "" || client.System != "":
		return client.Browser + client.System
	default:
		return text.Panel.Nameless
	}
}

// numbered returns the name. If another passkey of the user has it, it adds the smallest
// number, from 2 on, that makes it unique.
func numbered(user store.User, name string) string {
	for n := 1; ; n++ {
		candidate := name
		if n > 1 {
			suffix := fmt.Sprintf(" %d", n)
			candidate = shorten(name, shared.MaxNameLength-len(suffix)) + suffix
		}
		if !hasName(user, candidate, "") {
			return candidate
		}
	}
}

// hasName reports whether a passkey of the user, other than the one with the id except, has
// this name. It ignores case, because readers do.
func hasName(user store.User, name, except string) bool {
	for _, p := range user.Passkeys {
		if p.ID != except && strings.EqualFold(p.Name, name) {
			return true
		}
	}
	return false
}

func shorten(name string, most int) string {
	if utf8.RuneCountInString(name) <= most {
		return name
	}
	return strings.TrimSpace(string([]rune(name)[:most]))
}

//go:embed aaguid-names.json
var aaguidNames []byte

// providers maps AAGUIDs to the names of password managers and security keys. Nothing is
// decided by them, because without attestation an authenticator may send any AAGUID.
var providers = sync.OnceValue(func() map[uuid.UUID]string {
	var names map[uuid.UUID]string
	if err := json.Unmarshal(aaguidNames, &names); err != nil {
		panic("passkey: aaguid-names.json: " + err.Error())
	}
	return names
})

// providerName returns the name for an AAGUID, or "".
func providerName(aaguid [16]byte) string { return providers()[aaguid] }
