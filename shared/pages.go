package shared

import "strings"

// The addresses of pages. The server draws the pages of the first groups, for people who
// aren't signed in. The app's pages are in the table of app/pages; only those that other
// parts link to are here.
const (
	PageSignIn = "/sign-in"
	PageSetup  = "/setup"
	// PageNotYou takes the form of the sign-in page's button *Not you?*, and forgets whom it greets.
	PageNotYou = "/sign-in/not-you"
	// PageLanguage takes the form with which a language is chosen on the pages before sign-in.
	PageLanguage = "/language"
	// PageRecovery is for users who have lost every other sign-in method.
	PageRecovery = "/recovery"
	// PageAbout says what a passkey is, and how they are used in the organisation. Everybody
	// can read it.
	PageAbout = "/about-passkeys"
	// PageEnrol is the page of enrolment links, and PageEnrolled the page after it.
	PageEnrol    = "/enrol"
	PageEnrolled = "/enrol/done"
	// PageHostEnrol and PageHostEnrolled are the same where a host program mounts only the API.
	PageHostEnrol    = "/api/v1/enrol"
	PageHostEnrolled = "/api/v1/enrol/done"
	// PageVerify is the page of a mail's link with which a user verifies their e-mail address, and
	// PageVerified the page after it.
	PageVerify   = "/verify-email"
	PageVerified = "/verify-email/done"
	// PageNotMe is the page of a notice's link "This wasn't me", and PageHeld the page after it.
	// PageRelease is the link of the mail about the hold: it leads to the start page, where the user
	// can end the hold.
	PageNotMe   = "/not-me"
	PageHeld    = "/not-me/done"
	PageRelease = "/not-me/undo"
	// PageSSO, followed by a provider's id, sends the browser to the provider. The provider
	// sends it back to the same address followed by [PageSSOAnswer].
	PageSSO       = "/sign-in/sso/"
	PageSSOAnswer = "/callback"

	// PageSignedIn is the page after a sign-in. It goes on to the page that the query's next
	// names, if the browser has kept the session's cookie.
	PageSignedIn = "/signed-in"
	// PageMoved leads from an address that people move away from to the new one. A POST of its form
	// makes the link for a new passkey there, and leads to it.
	PageMoved = "/moved"
	// PageContinue, followed by the id of a program's request that waits in the browser, goes on with it.
	PageContinue = "/openid/continue/"
	// PageConsent takes the form of the page on which a user lets a program in, and of the buttons that lead
	// back to the program. The form has the sealed request of the program, and as answer allow or cancel.
	// PageOtherAccount takes the request alone: the user signs in as somebody else.
	PageConsent      = "/openid/consent"
	PageOtherAccount = "/openid/other-account"
	// PageConfirmForm takes the form of the page on which a user confirms who they are for a program: the
	// sealed request, and either a password or the id of a provider that confirms it.
	PageConfirmForm = "/openid/confirm"
	// PageDevice takes the code that a device shows (RFC 8628, 3.3), and PageDeviceAnswer the answer of the
	// user whom it shows the program: as [PageConsent].
	PageDevice       = "/device"
	PageDeviceAnswer = "/device/answer"
	// PageGate gives a signed-in user a code for a host that is protected by forward authentication. The query
	// names the gate, and has the hash of the cookie that [GateEnter] has set.
	PageGate = "/gate/authorize"
	// FileScriptless is a file that the style sheet loads if no script of a page has run.
	FileScriptless = "/scriptless"

	PageHome     = "/"
	PagePasskeys = "/passkeys"
	PageActivity = "/activity" // mails lead to it
	PageChecks   = "/checks"   // of the administration, which the server looks at as a browser gets it
	// PageManual is the manual's list of pages, and the beginning of the path of each page.
	// They belong neither to the sign-in pages nor to the app.
	PageManual = "/manual/"
	// PageShell is the app without a user. The service worker keeps it, and opens it for
	// every address while the network is away.
	PageShell = "/shell"
)

// The addresses of forward authentication. Proxies ask the first three, each in its own dialect; behind
// [GateEnvoy] comes the path that they ask about.
const (
	GateNginx   = "/gate/nginx"
	GateForward = "/gate/forward"
	GateEnvoy   = "/gate/envoy"

	// GateOwn is the beginning of our paths on a protected host. The proxy there leads them to the server
	// without a check.
	GateOwn = "/.keypeg/"
	// GateEnter begins a sign-in, and the query's to is where it leads. GateArrive ends it.
	GateEnter  = "/.keypeg/enter"
	GateArrive = "/.keypeg/arrive"
	// GateRefused says why a user can't pass, where a proxy shows no page of ours by itself.
	GateRefused = "/.keypeg/refused"
	// GateSignOut signs out of the program behind the gate, and leads to the organisation's start page.
	GateSignOut = "/.keypeg/sign-out"
)

// PagePattern is the address of a page of the app, "/users". A segment in braces is a
// parameter: "/users/{id}" is the page of each user. A parameter's value is an id of ours,
// which has only letters, digits, "-" and "_". So the address of a page never needs to be
// escaped, neither in a header nor in a query nor in another page.
type PagePattern string

// Match reports whether a path matches the pattern, and returns the values of its parameters
// by name.
func (p PagePattern) Match(path string) (values map[string]string, matches bool) {
	wants, segments := strings.Split(string(p), "/"), strings.Split(path, "/")
	if len(wants) != len(segments) {
		return nil, false
	}
	for i, want := range wants {
		name, isParameter := strings.CutPrefix(want, "{")
		if !isParameter {
			if segments[i] != want {
				return nil, false
			}
			continue
		}
		if !isID(segments[i]) {
			return nil, false
		}
		if values == nil {
			values = map[string]string{}
		}
		values[strings.TrimSuffix(name, "}")] = segments[i]
	}
	return values, true
}

// isID reports whether text may be the value of a page's parameter.
func isID(text string) bool {
	return text != "" && strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == ""
}
