package shared

import "strings"

// The pages. The server draws those of the first groups, for people who aren't signed in.
// The app's own are in the table of app/pages. Here are those to which other parts lead.
const (
	PageSignIn = "/sign-in"
	PageSetup  = "/setup"
	// PageRecovery is for who has lost every other way in.
	PageRecovery = "/recovery"
	// PageEnrol is where enrolment links lead, and PageEnrolled what follows.
	PageEnrol    = "/enrol"
	PageEnrolled = "/enrol/done"
	// PageSSO, followed by a provider's id, sends the browser to the provider, which
	// sends it back to the same address with [PageSSOAnswer] behind it.
	PageSSO       = "/sign-in/sso/"
	PageSSOAnswer = "/callback"

	// PageSignedIn is where a sign-in leads. It goes on to the page that the query's next
	// names, if the browser has kept the session's cookie.
	PageSignedIn = "/signed-in"
	// FileScriptless is what the style sheet asks for when no script of a page has run.
	FileScriptless = "/scriptless"

	PageHome     = "/"
	PagePasskeys = "/passkeys"
	// PageManual is the manual's list of pages, and begins the path of each page. They are
	// plain pages, and belong neither to the sign-in pages nor to the app.
	PageManual = "/manual/"
	// PageShell is the app without a user: what the service worker keeps and
	// opens when the network is away, whatever address was asked for.
	PageShell = "/shell"
)

// PagePattern is the address of a page of the app, "/users". A segment in braces is a
// parameter: "/users/{id}" is the page of each user. A parameter's value is an id of ours,
// of letters, digits, "-" and "_" only, so that the address of a page never has to be
// escaped: in a header, in a query, or in another page.
type PagePattern string

// Match reports whether a path is one of the pattern's, and returns the values of its
// parameters by name.
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
