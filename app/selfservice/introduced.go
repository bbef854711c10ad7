package selfservice

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/keypeg/keypeg/app/browser"
	"github.com/keypeg/keypeg/app/client"
	"github.com/keypeg/keypeg/shared"
)

// Introduced is the transport of a page whose user a program in another language introduces (see package
// server/embed). An introduction lasts for some minutes. When the server wants another one, Introduced gets it from
// the program, brings it to the server, and sends the request again.
type Introduced struct {
	// Transport reaches the server and the program, which have the same origin.
	Transport interface {
		client.Transport
		SendForm(ctx context.Context, path string, form url.Values) (browser.Posted, error)
	}
	// Fresh is the path at which the program gives introductions: to a GET one of the user who is signed in there, and to
	// a POST with their password one that says that it has just been proved. It is empty if the program gives none.
	Fresh string
	// User returns the user that the page shows, or the zero User as long as it shows none. Nil stands for that too.
	User func() shared.User

	isKnown atomic.Bool // a request was answered as the user's
}

// Send implements client.Transport. If the program says that nobody is signed in there, or redirects to its sign-in, the
// answer is the server's refusal. Whatever else keeps the page from an introduction is no sign-out: the page says it, and
// what it shows stays.
//
// A browser that doesn't send the cookie back which it got for an introduction isn't signed out either: the program's page,
// loaded again, would bring the next introduction, and so on without end. That is [shared.TroubleCookies]. The server says
// whether it is so: the introduction may also have ended before the first request, or the session just now.
func (i *Introduced) Send(ctx context.Context, method, path string, body []byte) (int, []byte, error) {
	status, answer, err := i.Transport.Send(ctx, method, path, body)
	switch {
	case err == nil && status != 401:
		i.isKnown.Store(i.isKnown.Load() || path != shared.PathTrouble) // which takes reports from everybody
		return status, answer, nil
	case err == nil && i.Fresh == "" && !i.isKnown.Load() && isNobody(answer) && i.isCookieless(ctx): // the page around was introduced just now
		return 0, nil, shared.TroubleCookies.Refusal()
	case err != nil || i.Fresh == "":
		return status, answer, err
	}
	given, introduction, err := i.Transport.Send(ctx, "GET", i.Fresh, nil)
	switch {
	case shared.CodeOf(err) != "":
		return status, answer, nil
	case err != nil || given >= 500:
		return given, introduction, err
	case given != 200:
		return status, answer, nil
	}
	taken, refusal, err := i.bring(ctx, shared.Introduce{Introduction: string(introduction), Fresh: true})
	switch {
	case err != nil || taken != 204 && taken != 401:
		return taken, refusal, err
	case taken != 204: // the program has ended the session
		return status, answer, nil
	case method != "GET" && i.isOther(introduction): // they haven't asked for what the page does
		return status, answer, nil
	}
	status, answer, err = i.Transport.Send(ctx, method, path, body)
	if err == nil && status == 401 && isNobody(answer) && i.isCookieless(ctx) {
		return 0, nil, shared.TroubleCookies.Refusal()
	}
	return status, answer, err
}

// isNobody reports whether the server has refused a request because it doesn't know whose it is.
func isNobody(refusal []byte) bool {
	var problem shared.Problem
	return json.Unmarshal(refusal, &problem) == nil && problem.Code == shared.CodeUnauthenticated
}

// isCookieless reports whether the server agrees that this browser sends no cookies back.
func (i *Introduced) isCookieless(ctx context.Context) bool {
	report, err := json.Marshal(shared.TroubleReport{Trouble: shared.TroubleCookies})
	if err != nil {
		panic(err) // a string can always be encoded
	}
	status, _, err := i.Transport.Send(ctx, "POST", shared.PathTrouble, report)
	return err == nil && status == 200
}

// isOther reports whether an introduction is another user's than the one that the page shows.
func (i *Introduced) isOther(introduction []byte) bool {
	var claims struct {
		Subject string `json:"sub"`
	}
	parts := strings.Split(string(introduction), ".")
	if i.User == nil || len(parts) != 3 {
		return false
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(payload, &claims) != nil {
		return false
	}
	shown := i.User().ID
	return shown != "" && claims.Subject != shown
}

// Confirm is a [Password]: the program checks it. A refusal of the program has no body. One that has some comes from
// something else, such as the framework, which knows nothing of the password.
func (i *Introduced) Confirm(ctx context.Context, password string) error {
	answer, err := i.Transport.SendForm(ctx, i.Fresh, url.Values{"password": {password}})
	switch {
	case err != nil:
		return shared.Errorf(shared.CodeOffline, "The server can't be reached. Check your connection and try again.").Because(err)
	case answer.Status == 401:
		return shared.Errorf(shared.CodeUnauthenticated, "Please sign in.")
	case answer.Status == 403 && len(answer.Body) == 0:
		return shared.Errorf(shared.CodeSignInRefused, "This password is not right.")
	case answer.Status == 429:
		return shared.Errorf(shared.CodeTooManyAttempts, "Too many attempts. Please try again in %d seconds.", waitFor(answer.RetryAfter))
	case answer.Status != 200:
		browser.TellDeveloper(fmt.Sprintf("%s answers a password with %d and %d bytes. A wrong password is 403 with an empty body.", i.Fresh, answer.Status, len(answer.Body)))
		return shared.Errorf(shared.CodeInternal, "The server sent something unexpected. Please reload the page.")
	case i.isOther(answer.Body): // their password was for another user's panel
		return shared.Errorf(shared.CodeUnauthenticated, "Please sign in.")
	}
	return i.introduce(ctx, answer.Body)
}

// waitFor returns how many seconds a user is told to wait after too many wrong passwords: what the program says, or a
// minute if it says nothing that is a number of seconds.
func waitFor(retryAfter string) int {
	const unsaid, longest = 60, 24 * 60 * 60
	seconds, err := strconv.Atoi(retryAfter)
	if err != nil || seconds <= 0 || seconds > longest {
		return unsaid
	}
	return seconds
}

// bring brings an introduction to the server, which says to the program's developer what is wrong with it.
func (i *Introduced) bring(ctx context.Context, introduction shared.Introduce) (status int, answer []byte, err error) {
	body, err := json.Marshal(introduction)
	if err != nil {
		return 0, nil, fmt.Errorf("encoding an introduction: %w", err)
	}
	status, answer, err = i.Transport.Send(ctx, "POST", shared.PathIntroduction, body)
	var refusal shared.Problem
	if json.Unmarshal(answer, &refusal) == nil && refusal.Developer != "" {
		browser.TellDeveloper(refusal.Developer)
	}
	return status, answer, err
}

// introduce does it for a user who waits. Its error is what they read.
func (i *Introduced) introduce(ctx context.Context, introduction []byte) error {
	status, answer, err := i.bring(ctx, shared.Introduce{Introduction: string(introduction), Fresh: true, Confirmed: true})
	var problem shared.Problem
	switch {
	case err != nil:
		return shared.Errorf(shared.CodeOffline, "The server can't be reached. Check your connection and try again.").Because(err)
	case status == 204:
		return nil
	case json.Unmarshal(answer, &problem) != nil || problem.Code == "" || problem.Detail == "":
		return shared.Errorf(shared.CodeInternal, "The server sent something unexpected. Please reload the page.")
	}
	return shared.Errorf(problem.Code, "%s", problem.Detail)
}
