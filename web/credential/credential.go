// Package credential holds the script by which pages ask for passkeys, and write what
// browsers and password managers give as WebAuthn's JSON. It is one for the sign-in pages,
// which web's build puts before their own script, and for the app, which loads it from
// the server at shared.PathCredentialScript, in programs of others too.
package credential

import _ "embed"

// Script is a classic script, which may stand in a module as well. It defines the object
// keypegCredentials, and nothing else.
//
//go:embed credential.js
var Script []byte
