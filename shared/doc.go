// Package shared is what Keypeg's browser and server say to each other: the
// paths of the API, the requests and responses, the codes of errors, and the
// rules for names that both sides check.
//
// It imports the standard library only, and nothing of it that would weigh on
// the WebAssembly program: no net/http, no go-webauthn. What WebAuthn defines
// (creation options, request options, credentials) therefore travels as
// [encoding/json.RawMessage], written and read by the browser's own functions
// on one side and by go-webauthn on the other.
//
// Start with the constants in paths.go: each names the types of its request
// and its response. Failures are [Error]; see [Code] for what a program can
// tell apart. server/openapi.yaml says the same to programs in other languages,
// with the limits of every member and the codes of every path.
package shared
