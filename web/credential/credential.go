// Package credential holds the script that runs WebAuthn's ceremonies in a page. It turns the
// credentials that browsers and password managers give into WebAuthn's JSON.
//
// The sign-in pages and the app use the same script. Package web puts it before the script of
// the sign-in pages. The app, also that of a host program, loads it from the server at
// shared.PathCredentialScript.
package credential

import _ "embed"

// Script is a classic script, which may also stand in a module. It defines only the object
// keypegCredentials.
//
//go:embed credential.js
var Script []byte

// Related is another one, to load after it where an organisation has several addresses.
//
//go:embed related.js
var Related []byte
