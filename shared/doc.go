// Package shared is what the program in the browser and the server have in common: the paths
// of the API, the requests and responses, the codes of errors, and the rules for names that
// both sides check. The texts that people read are in package message below it.
//
// It imports the standard library only, and no package that would make the WebAssembly
// program much larger, such as net/http. So it has no types for what WebAuthn defines:
// creation options, request options and credentials are [encoding/json.RawMessage]. The
// browser's own functions read and write them on one side, and go-webauthn on the other.
//
// Start with the constants in paths.go: each names the types of its request and its
// response. An error is an [Error]; see [Code] for what a program can distinguish.
// server/openapi.yaml describes the same for programs in other languages, with the limits of
// every member and the codes of every path.
package shared
