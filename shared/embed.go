package shared

// The paths of a Keypeg that is built into a program of any language. The program's reverse proxy leads
// what is below [PathEmbed], and below /api/v1/, to Keypeg, under the program's own host name.
const (
	PathEmbed = "/keypeg/"
	// PathElements answers GET with the script that draws the elements.
	PathElements = "/keypeg/elements.js"
	// PagePanel is the page in the frame that the elements open.
	PagePanel = "/keypeg/panel"
	// PathPanelDrawn is [PathDrawn] of that page.
	PathPanelDrawn = "/keypeg/drawn"
	// PathIntroduction takes a POST with an [Introduce] and answers 204: from then on the browser's
	// requests are the introduced user's, until the introduction ends. DELETE forgets it in this browser.
	PathIntroduction = "/keypeg/introduction"
	// PathRedeem takes a program's POST of a form with a proof, and answers [Proved].
	PathRedeem = "/keypeg/redeem"
	// PathProofKeys answers GET with the keys that proofs are signed with, as a JWK Set (RFC 7517, 5).
	PathProofKeys = "/keypeg/jwks.json"
	// PathHostUser, followed by the program's id of a user, is for the program alone, which sends its secret
	// as a bearer token (RFC 6750, 2.1). DELETE removes all that is stored of the user. Under the id:
	//
	//   - [PathHostPasskeys] answers GET with a [HostPasskeyList]. With a passkey's id behind, DELETE removes that.
	//   - [PathHostSessions] takes DELETE: what the user's browsers may do until now ends. With a session's
	//     id behind, that one's alone. The query's except names a session that stays.
	PathHostUser     = "/keypeg/users/"
	PathHostPasskeys = "/passkeys"
	PathHostSessions = "/sessions"
)

// Headers of the answer to a sign-in in a program: the proof that its page posts, and the address for it.
const (
	HeaderProof  = "Keypeg-Proof"
	HeaderArrive = "Keypeg-Arrive"
)

// FieldProof is the name of the form's field with a proof.
const FieldProof = "proof"

// QueryExcept names a session of a program that stays.
const QueryExcept = "except"

// Introduce hands over what a program says of its signed-in user.
type Introduce struct {
	Introduction string `json:"introduction"` // a compact JWS (RFC 7515, 7.1)
	// Fresh says that the page has got it just now, so that an old one means that a clock is wrong.
	Fresh bool `json:"fresh,omitempty"`
	// Confirmed says that the program has made it after its user's password was right. It then says that the user has
	// just proved who they are.
	Confirmed bool `json:"confirmed,omitempty"`
}

// Proved is what a program learns from a proof.
type Proved struct {
	UserID      string `json:"userId"` // the program's own
	PasskeyID   string `json:"passkeyId"`
	PasskeyName string `json:"passkeyName"`
	Proved      int64  `json:"proved"` // Unix time in seconds
	// ACR is "phr", or "phrh" if the key can't leave its device, as its maker attests (OpenID Connect EAP ACR Values 1.0, 3).
	ACR string   `json:"acr"`
	AMR []string `json:"amr"` // RFC 8176, 2
}

// HostPasskeyList is what a program's administration may show of a user.
type HostPasskeyList struct {
	Passkeys []Passkey `json:"passkeys"` // the oldest first
}
