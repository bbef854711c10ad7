package checks

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/keypeg/keypeg/server/internal/probe"
	"github.com/keypeg/keypeg/server/internal/warning"
	"github.com/keypeg/keypeg/shared"
)

// GroupBrowser is the group of what a browser sees.
const GroupBrowser = "This browser"

// judgement is what one browser sees, with what it is compared with.
type judgement struct {
	*Checks
	seen    shared.Observed
	request *http.Request
	now     time.Time
	at      string // the origin
	https   bool
	arrived probe.Arrived
	page    *probe.Sent
}

// NamesOfBrowser are the names of all checks of a browser, in their order.
func NamesOfBrowser() (names []string) {
	for _, q := range questions {
		names = append(names, q.name)
	}
	return names
}

// questions are all checks of a browser.
var questions = []struct {
	name string
	ask  func(*judgement) shared.Check
}{
	{"secure page", (*judgement).secure},
	{"abilities", (*judgement).abilities},
	{"Permissions-Policy", (*judgement).permissions},
	{"Content-Security-Policy", (*judgement).contentPolicy},
	{"page", (*judgement).pageItself},
	{"other headers", (*judgement).otherHeaders},
	{"Origin", (*judgement).origin},
	{"X-Forwarded-For", (*judgement).forwardedFor},
	{"X-Forwarded-Proto", (*judgement).forwardedProto},
	{"cookies", (*judgement).cookies},
	{"app.wasm", (*judgement).programFile},
	{"service worker", (*judgement).worker},
	{"event stream", (*judgement).stream},
	{"clock", (*judgement).clock},
	{"throwaway passkey", (*judgement).throwaway},
}

// Judge says what is wrong with what a browser sees, and with its request.
func (c *Checks) Judge(r *http.Request, seen shared.Observed, now time.Time) (found []shared.Check) {
	c.program.Do(func() { c.programSent = c.Sent(r, c.Program) })
	j := &judgement{
		Checks: c, seen: seen, request: r, now: now,
		arrived: c.Arrived(r), page: c.Sent(r, shared.PageChecks),
	}
	j.at, j.https = c.At(r)
	for _, q := range questions {
		check := q.ask(j)
		check.ID, check.Group, check.Title = GroupBrowser+"/"+q.name, GroupBrowser, q.name
		found = append(found, check)
	}
	return found
}

func answers(state shared.CheckState, mends []shared.Mend, format string, args ...any) shared.Check {
	return shared.Check{State: state, Compared: limited(fmt.Sprintf(format, args...)), Mend: mends}
}

func ok(format string, args ...any) shared.Check {
	return answers(shared.CheckOK, nil, format, args...)
}

func leftOut(why string) shared.Check { return answers(shared.CheckLeftOut, nil, "%s", why) }

func failed(mends []shared.Mend, format string, args ...any) shared.Check {
	return answers(shared.CheckFailed, mends, format, args...)
}

func warn(mends []shared.Mend, format string, args ...any) shared.Check {
	return answers(shared.CheckWarning, mends, format, args...)
}

func do(what string) []shared.Mend { return []shared.Mend{{Line: what}} }

func lines(nginx, caddy string) []shared.Mend {
	return []shared.Mend{{In: "nginx", Line: nginx}, {In: "Caddy", Line: caddy}}
}

// limited keeps what a browser says on its line, and short.
func limited(text string) string {
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
	const most = 1000
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most]) + "…"
	}
	return text
}

func (j *judgement) secure() shared.Check {
	switch {
	case !j.seen.Secure:
		return failed(warning.Mends(warning.PlainHTTP), "the page came without https, and browsers offer no passkeys there")
	case j.seen.Origin != j.at:
		return failed(warning.Mends(warning.Host), "the page is open at %q, and people should come by %s", j.seen.Origin, j.at)
	}
	return ok("it is open at %s, where browsers offer passkeys", j.seen.Origin)
}

// wanted are the abilities that Keypeg uses, by their names of WebAuthn Level 3, 5.1.7.
var wanted = []string{"conditionalGet", "conditionalCreate", "passkeyPlatformAuthenticator", "hybridTransport", "signalAllAcceptedCredentials", "signalUnknownCredential", "signalCurrentUserDetails", "relatedOrigins"}

// able returns the abilities that are there.
func able(all map[string]bool) (names []string) {
	for _, name := range wanted {
		if all[name] {
			names = append(names, name)
		}
	}
	return names
}

func (j *judgement) abilities() shared.Check {
	switch {
	case !j.seen.Secure:
		return leftOut("without https there are none")
	case !j.seen.Passkeys:
		return failed(do("use a newer browser, or switch passkeys on in the policies of this one"), "it can't use passkeys")
	case j.seen.Capabilities == nil:
		return ok("it can use passkeys, and doesn't say more")
	}
	can := able(j.seen.Capabilities)
	not := slices.DeleteFunc(slices.Clone(wanted), func(name string) bool { return slices.Contains(can, name) })
	if len(not) == 0 {
		return ok("it can do everything that Keypeg uses")
	}
	return ok("it can use passkeys; of what Keypeg would use it lacks %s", strings.Join(not, ", "))
}

// came returns what came of a header, in one text as fetch gives it, and what the server sends.
func came(file shared.ObservedFile, sent *probe.Sent, name string) (got, want string) {
	return file.Headers[strings.ToLower(name)], strings.Join(sent.Header.Values(name), ", ")
}

func orNone(value string) string {
	if value == "" {
		return "none"
	}
	return fmt.Sprintf("%q", value)
}

const noPage = "the page doesn't come a second time"

func (j *judgement) isMissing() bool {
	return j.seen.Page.Failed != "" || j.seen.Page.Status != http.StatusOK
}

func (j *judgement) permissions() shared.Check {
	if j.isMissing() {
		return leftOut(noPage)
	}
	got, want := came(j.seen.Page, j.page, "Permissions-Policy")
	mends := warning.Mends(warning.Cause(shared.TroublePasskeyPolicy))
	switch {
	case got == want:
		return ok("it comes as the server sends it, and allows passkeys")
	case probe.Forbids(got, "publickey-credentials-get") || probe.Forbids(got, "publickey-credentials-create"):
		return failed(mends, "%s comes, which forbids passkeys", orNone(got))
	}
	return warn(mends, "%s comes, and the server sends %s", orNone(got), orNone(want))
}

func (j *judgement) contentPolicy() shared.Check {
	if j.isMissing() {
		return leftOut(noPage)
	}
	if got, want := came(j.seen.Page, j.page, "Content-Security-Policy"); got != want {
		return failed(warning.Mends(warning.Cause(shared.TroubleAppBlocked)), "%s comes, and the server sends %s: browsers obey all that come, and the app may not start", orNone(got), orNone(want))
	}
	return ok("it comes as the server sends it")
}

func (j *judgement) pageItself() shared.Check {
	file := j.seen.Page
	if j.isMissing() {
		return failed(warning.Mends(warning.Cause(shared.TroubleOtherAnswer)), "this page doesn't come a second time: status %d, %s", file.Status, orNone(file.Failed))
	}
	for _, name := range []string{"Content-Type", "Cache-Control"} {
		if got, want := came(file, j.page, name); got != want {
			return failed(lines("remove expires, types, default_type, add_header "+name+" and proxy_hide_header "+name, "remove header "+name), "%s comes as %s, and the server sends %s", name, orNone(got), orNone(want))
		}
	}
	return ok("it comes with the type and the Cache-Control that the server sends")
}

// protecting are headers whose loss makes a page less safe, but still works.
var protecting = []string{"X-Content-Type-Options", "X-Frame-Options", "Referrer-Policy", "Cross-Origin-Opener-Policy", "Cross-Origin-Resource-Policy", "Strict-Transport-Security"}

func (j *judgement) otherHeaders() shared.Check {
	if j.isMissing() {
		return leftOut(noPage)
	}
	var changed []string
	var mends []shared.Mend
	for _, name := range protecting {
		got, want := came(j.seen.Page, j.page, name)
		if got == want || name == "Strict-Transport-Security" && (!j.https || got != "") { // a proxy may have its own
			continue
		}
		changed = append(changed, fmt.Sprintf("%s comes as %s, and the server sends %s", name, orNone(got), orNone(want)))
		mends = append(mends, lines("remove add_header "+name+" and proxy_hide_header "+name, "remove header "+name)...)
	}
	if len(changed) > 0 {
		return warn(mends, "%s", strings.Join(changed, "; "))
	}
	return ok("they come as the server sends them")
}

// origin looks at the headers by which a request of another site is told. Browsers send Sec-Fetch-Site to secure
// pages only.
func (j *judgement) origin() shared.Check {
	a := j.arrived
	if a.Origin != j.at || j.seen.Secure && a.SecFetchSite != "same-origin" {
		return failed(warning.Mends(warning.Origin), "Origin %s and Sec-Fetch-Site %s arrive, and a browser sends %q and %q: forms may be refused", orNone(a.Origin), orNone(a.SecFetchSite), j.at, "same-origin")
	}
	return ok("they arrive for the host %s: Origin %s, Sec-Fetch-Site %s", a.Host, a.Origin, orNone(a.SecFetchSite))
}

func (j *judgement) forwardedFor() shared.Check {
	a := j.arrived
	switch forwarded := len(a.ForwardedFor) > 0; {
	case forwarded && !a.Trusted:
		return failed([]shared.Mend{{In: "keypeg", Line: "--trusted-proxies with the address of the proxy, which the log names"}}, "it arrives by a proxy that isn't in --trusted-proxies, and isn't believed: all its users share one limit on wrong passwords")
	case forwarded && a.OddForwarded:
		return failed(warning.Mends(warning.OddForwardedFor), "what arrives is no address: all users share one limit on wrong passwords")
	case !forwarded && (a.Trusted || j.https && !a.TLS):
		return failed(warning.Mends(warning.NoForwardedFor), "it doesn't arrive, though there is a proxy: all users share one limit on wrong passwords")
	case !forwarded:
		return ok("there is no proxy; this browser is at %s", a.Address)
	}
	return ok("it arrives and is believed; this browser is at %s", a.Address)
}

func (j *judgement) forwardedProto() shared.Check {
	all := strings.Split(strings.Join(j.arrived.ForwardedProto, ","), ",")
	switch last := strings.ToLower(strings.TrimSpace(all[len(all)-1])); {
	case last == "":
		return ok("it isn't sent, and isn't needed")
	case j.https && last != "https":
		return warn(lines("proxy_set_header X-Forwarded-Proto $scheme;", "remove header_up lines for X-Forwarded-Proto"), "%q arrives for a request with https, so the log will say that people come without it", last)
	default:
		return ok("%s arrives", last)
	}
}

// cookies names those that arrived. Their values are nobody's business.
func (j *judgement) cookies() shared.Check {
	count := map[string]int{}
	for _, cookie := range j.request.Cookies() {
		count[cookie.Name]++
	}
	names := slices.Sorted(maps.Keys(count))
	twice := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return count[name] == 1 })
	if len(twice) > 0 {
		return warn(append(warning.Mends(warning.Cookies), do("then delete the cookies of this site in the browser")...), "%s arrives more than once, for different domains or paths: something in between changed it, and users may be signed out at once", strings.Join(twice, ", "))
	}
	return ok("these arrive: %s", strings.Join(names, ", "))
}

func (j *judgement) programFile() shared.Check {
	file := j.seen.Program
	switch {
	case j.Program == "" || j.programSent == nil || j.programSent.Status != http.StatusOK:
		return leftOut("the server has no app: it wasn't built (make build)")
	case file.Status != 0 && file.Status != http.StatusOK:
		return failed(warning.Mends(warning.Cause(shared.TroubleAppMissing)), "it comes with status %d", file.Status)
	case file.Failed != "" && file.Status == 0:
		return failed(warning.Mends(warning.Cause(shared.TroubleAppMissing)), "it doesn't come: %s", file.Failed)
	case file.Failed != "":
		return failed(warning.Mends(warning.Cause(shared.TroubleAppCoding)), "what comes can't be decoded (%s); Content-Encoding is %s", file.Failed, orNone(file.Headers["content-encoding"]))
	case file.Headers["content-type"] != "application/wasm":
		return failed(warning.Mends(warning.Cause(shared.TroubleAppType)), "%s comes, and %q must: browsers refuse it", orNone(file.Headers["content-type"]), "application/wasm")
	case file.SHA256 != "" && file.SHA256 != j.programSent.SHA256 && file.Size < j.programSent.Size && !j.isCoded():
		return failed(warning.Mends(warning.Cause(shared.TroubleAppCoding)), "%d bytes come that are still compressed; Content-Encoding is %s", file.Size, orNone(file.Headers["content-encoding"]))
	case file.Size < j.programSent.Size:
		return failed(warning.Mends(warning.Cause(shared.TroubleAppCut)), "%d bytes of it come, and it has %d", file.Size, j.programSent.Size)
	case file.SHA256 != "" && file.SHA256 != j.programSent.SHA256:
		return failed(warning.Mends(warning.Cause(shared.TroubleAppCoding)), "%d other bytes come than the server sends", file.Size)
	}
	return ok("all %d bytes come, as %s, Content-Encoding %s", file.Size, file.Headers["content-type"], orNone(file.Headers["content-encoding"]))
}

// isCoded reports whether the app comes with an encoding, as far as the browser knows.
func (j *judgement) isCoded() bool { return j.seen.Program.Headers["content-encoding"] != "" }

func (j *judgement) worker() shared.Check {
	w := j.seen.Worker
	mends := lines("location / { proxy_pass http://127.0.0.1:8080; }  without a location of its own for /app-worker.js", "reverse_proxy 127.0.0.1:8080, without handle for /app-worker.js")
	switch {
	case !j.seen.Secure:
		return leftOut("without https there is none")
	case !w.Able:
		return leftOut("this browser has none, as in some private windows: the app works, but not without a network")
	case w.Failed != "":
		return failed(mends, "/app-worker.js doesn't come as it should: %s", w.Failed)
	case !w.Registered && j.programFile().State == shared.CheckFailed:
		return leftOut("it keeps app.wasm, which doesn't come as it should")
	case !w.Registered:
		return failed(mends, "it isn't registered, so the app doesn't open without a network")
	case w.Scope != j.at+"/":
		return failed(mends, "its scope is %q, and should be %q", w.Scope, j.at+"/")
	case w.Loaded != w.Served:
		return warn(do("reload this page; if that doesn't help, something in between keeps old files"), "this page is of version %s, and the server has %s", orNone(w.Loaded), orNone(w.Served))
	case !w.Controlling:
		return ok("it is registered, of the version of this page, and takes over when the page is loaded again")
	}
	return ok("it is registered and in control, of the version of this page")
}

// soon is how much later than another answer the first event may come, in milliseconds.
const soon = 3000

func (j *judgement) stream() shared.Check {
	s := j.seen.Stream
	mends := warning.Mends(warning.Cause(shared.TroubleHeld))
	switch {
	case s.Failed != "":
		return failed(mends, "the first event doesn't come: %s", s.Failed)
	case s.After > soon:
		return failed(mends, "the first event comes %d ms after another answer: something in between holds it back, and pages don't hear what changes", s.After)
	}
	return ok("the first event comes %d ms after another answer", s.After)
}

// apart is how far the clocks may be apart.
const apart = 30 * time.Second

func (j *judgement) clock() shared.Check {
	by := time.UnixMilli(j.seen.Clock).Sub(j.now)
	if by.Abs() > apart {
		return warn(do("set the clock of this device right; if it is right, that of the server: timedatectl set-ntp true"), "the clock of this device is %s %s that of the server, so times on pages are wrong", by.Abs().Round(time.Second), either(by > 0, "ahead of", "behind"))
	}
	return ok("it agrees with that of the server")
}

func either(is bool, then, otherwise string) string {
	if is {
		return then
	}
	return otherwise
}

func (j *judgement) throwaway() shared.Check {
	k := j.seen.Throwaway
	again := do("press the button again; if it stays so, try another password manager or browser")
	switch {
	case k == nil:
		return leftOut("press the button to make one")
	case !k.Made && j.forbidsPasskeys():
		return leftOut("the Permissions-Policy forbids it")
	case !k.Made:
		return failed(again, "none was made: the browser says %s", orNone(k.Failed))
	case !k.Used:
		return failed(append(again, do("otherwise delete the passkey “Keypeg check” by hand in the password manager")...), "one was made, but couldn't be used: the browser says %s", orNone(k.Failed))
	case !k.Proven:
		return failed(do("use another password manager"), "one was made and used, but its answer isn't right: %s", orNone(k.Failed))
	case !k.Signalled:
		return ok("one was made and used. This browser can't have it deleted: please delete it by hand in the password manager. %s", verified(k))
	}
	return ok("one was made and used, and the password manager was told that it exists no more. %s", verified(k))
}

func (j *judgement) forbidsPasskeys() bool {
	policy := j.seen.Page.Headers["permissions-policy"]
	return probe.Forbids(policy, "publickey-credentials-get") || probe.Forbids(policy, "publickey-credentials-create")
}

func verified(k *shared.ObservedKey) string {
	return either(k.Verified, "The device verified its user.", "The device didn't verify its user.")
}
