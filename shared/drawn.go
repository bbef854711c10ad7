package shared

// PathDrawn answers with a [DrawnPage] for the signed-in user. The query has the address of the page as
// "page", and [HeaderNonce] is required.
const PathDrawn = "/drawn"

// QueryOffers has words about offers of a passkey, separated by commas: what the browser knows of them and
// the server doesn't. Another word is the time at which the session began after whose recovery code nothing is
// offered any more (RFC 3339).
const (
	QueryOffers = "offers"
	OfferHere   = "here"   // the passkey of this sign-in was on another device
	OffersRest  = "rest"   // the user chose "Not now"
	SecondRests = "second" // the same for the offer of a second passkey
)

// QueryInline is the last word of the query of [PagePanel], as it is drawn, for a panel within the page of a program.
const QueryInline = "inline"

// DrawnPage is a page as the program will draw it, for the time until it is there.
type DrawnPage struct {
	Title string `json:"title"`
	Lang  string `json:"lang"` // BCP 47
	HTML  string `json:"html"`
	// Answers are those of the API that the page was drawn from, by their paths with queries. The program
	// begins with them, and doesn't ask again.
	Answers map[string]DrawnAnswer `json:"answers"`
}

// DrawnAnswer is an answer of the API.
type DrawnAnswer struct {
	Status int    `json:"status"`
	Body   string `json:"body"`
}
