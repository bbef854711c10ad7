package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/keypeg/keypeg/server/internal/probe"
	"github.com/keypeg/keypeg/server/internal/warning"
	"github.com/keypeg/keypeg/shared"
)

const groupRoundTrip = "Round trip by the public URL"

// ofRoundTrip are the checks of what arrives at the server.
func (v *visit) ofRoundTrip() []Check {
	return []Check{
		{Group: groupRoundTrip, Name: "server", Run: v.server, Within: 15 * time.Second},
		{Group: groupRoundTrip, Name: "database is writable", OfMachine: true, Run: v.needs(v.writable)},
		{Group: groupRoundTrip, Name: "Host", Run: v.needs(v.host)},
		{Group: groupRoundTrip, Name: "X-Forwarded-For", OfMachine: true, Run: v.needs(v.forwardedFor)},
		{Group: groupRoundTrip, Name: "X-Forwarded-Proto", Run: v.needs(v.forwardedProto)},
		{Group: groupRoundTrip, Name: "cookies", Run: v.needs(v.cookies)},
		{Group: groupRoundTrip, Name: "Origin", Run: v.needs(v.origin)},
		{Group: groupRoundTrip, Name: "Keypeg-Nonce", Run: v.needs(v.nonce)},
		{Group: groupRoundTrip, Name: "Accept-Encoding", Run: v.needs(v.acceptEncoding)},
		{Group: groupRoundTrip, Name: "HTTP version", Run: v.needs(v.version)},
	}
}

const noAnswer = "no answer of this installation arrives by the public URL"

// needs leaves a check out if this installation doesn't answer by the public URL.
func (v *visit) needs(run func(ctx context.Context) Result) func(ctx context.Context) Result {
	return func(ctx context.Context) Result {
		if v.answer == nil {
			return leftOut(noAnswer)
		}
		return run(ctx)
	}
}

// server asks who answers by the public URL.
func (v *visit) server(ctx context.Context) Result {
	switch {
	case !v.connects.IsValid():
		return leftOut("nothing answers at " + v.address.Origin)
	case v.address.Secure && v.leaf() == nil:
		return leftOut(noCertificate)
	case v.examined == nil:
		return leftOut("without the database it can't be known whose answer arrives")
	case v.examined.Key == nil:
		return failed("no keypeg serve of this version has used the database yet", keypegLine("keypeg serve, with this version; then keypeg doctor again"))
	}
	v.client = to(v.connects.String())
	a := &asking{path: probe.Path + "?" + probe.QueryWrite, signed: true}
	got, err := v.fetch(ctx, a)
	if err != nil {
		return failed("nothing comes back: "+reason(err), v.passOn()...)
	}
	answer, r := v.isOurs(got, a.nonce)
	if answer == nil {
		return r
	}
	v.answer, v.arrived = answer, got
	if v.hosted {
		return ok(v.address.Origin + " is answered by this server")
	}
	return ok(fmt.Sprintf("%s is answered by the server that uses %s", v.address.Origin, v.Installation.DatabaseName()))
}

// passOn are the lines with which a proxy passes everything on.
func (v *visit) passOn() []Mend {
	at := strings.Replace(v.Listen, "localhost:", "127.0.0.1:", 1)
	if strings.HasPrefix(at, ":") {
		at = "127.0.0.1" + at
	}
	nginx, caddy := "http://"+at, at
	if path, is := strings.CutPrefix(v.Listen, "unix:"); is {
		nginx, caddy = "http://unix:"+path+":", "unix/"+path
	}
	if v.organisation.Host != nil {
		return []Mend{keypegLine("see that keypeg serve runs, and listens on " + v.Listen),
			{In: "nginx", Line: "location ~ ^/(keypeg|api/v1)/ { proxy_pass " + nginx + "; }"}, {In: "Caddy", Line: "@keypeg path /keypeg/* /api/v1/*  and  reverse_proxy @keypeg " + caddy}}
	}
	return []Mend{keypegLine("see that keypeg serve runs, and listens on " + v.Listen), {In: "nginx", Line: "location / { proxy_pass " + nginx + "; }"}, {In: "Caddy", Line: "reverse_proxy " + caddy}}
}

// isOurs returns the answer if this installation has given it to this request, and otherwise says who may have.
func (v *visit) isOurs(got *fetched, nonce string) (*probe.Answer, Result) {
	var answer probe.Answer
	body, _ := got.decoded() // a proxy may compress it
	if got.status == http.StatusOK && json.Unmarshal(body, &answer) == nil && answer.Proof != "" {
		if answer.Proof == probe.Prove(v.examined.Key, nonce) {
			return &answer, Result{}
		}
		return nil, failed("an older answer came, which something in between had kept", linesFor(warning.Cause(shared.TroubleCached))...)
	}
	var problem shared.Problem
	isProblem := json.Unmarshal(body, &problem) == nil && problem.Code != ""
	switch {
	case isProblem && problem.Code == shared.CodeWrongHost || got.status == http.StatusMisdirectedRequest:
		return nil, failed("the server that answers knows no such host as the one that arrives: the proxy in front replaces the Host header, or another server answers", linesFor(warning.UnknownHost)...)
	case isProblem:
		return nil, failed(fmt.Sprintf("another Keypeg answers, with another database, or one of an earlier version (status %d, code %s)", got.status, problem.Code), v.passOn()...)
	case got.status == http.StatusBadGateway || got.status == http.StatusServiceUnavailable || got.status == http.StatusGatewayTimeout:
		return nil, failed(fmt.Sprintf("a proxy answers with status %d, because it doesn't reach Keypeg", got.status), v.passOn()...)
	case got.status == http.StatusUnauthorized || got.status == http.StatusForbidden:
		return nil, failed(fmt.Sprintf("something in front of Keypeg refuses requests (status %d)", got.status), linesFor(warning.Cause(shared.TroubleOtherAnswer))...)
	case got.status == http.StatusBadRequest && strings.Contains(string(body), "HTTP request to an HTTPS server"):
		return nil, failed("Keypeg itself serves https here, and the proxy sends it plain http", keypegLine("leave --tls-cert and --tls-key, or --acme, out: the proxy has https"))
	case got.status == http.StatusBadRequest && strings.HasPrefix(string(body), "400 Bad Request"):
		return nil, failed("what the proxy sends is no http (status 400): it may begin with the PROXY protocol, which Keypeg doesn't read; X-Forwarded-For tells it who asks",
			Mend{In: "nginx", Line: "remove proxy_protocol from the stream in front"}, Mend{In: "Caddy", Line: "remove proxy_protocol from the transport"}, do("in HAProxy: option forwardfor, and the server without send-proxy"))
	case got.status/100 == 3:
		return nil, failed(fmt.Sprintf("something in front of Keypeg redirects requests to %q", got.header.Get("Location")), v.passOn()...)
	}
	return nil, failed(fmt.Sprintf("something else than Keypeg answers, with status %d; a path below the proxy's root does that too", got.status), append(v.passOn(), linesFor(warning.Prefix)[1:]...)...)
}

// writable is what the server said of its database.
func (v *visit) writable(context.Context) Result {
	if why := v.answer.WriteFailed; why != "" {
		return failed("the server can't write to its database, so nobody can sign in: "+why, do("make room on its disk, or mend what it says"))
	}
	return ok(fmt.Sprintf("the server writes to it in %s", v.answer.Write.Round(100*time.Microsecond)))
}

func (v *visit) host(context.Context) Result {
	if v.answer.Origin != v.address.Origin {
		v.isRefused = true
		return failed(fmt.Sprintf("the running server was started for %s, and these settings are for %s", v.answer.Origin, v.address.Origin), do("start the server again, with these settings; or give the doctor those of the server"))
	}
	if got, want := v.answer.Arrived.Host, v.address.Host; !v.address.IsHost(got) {
		v.isRefused = true
		return failed(fmt.Sprintf("%q arrives, and %q was sent: every page is refused", got, want), linesFor(warning.Host)...)
	}
	return ok(v.answer.Arrived.Host + " arrives as it was sent")
}

// forged is an address that nobody has (RFC 5737), which somebody might send to avoid the limits on guessing.
const forged = "203.0.113.77"

func (v *visit) forwardedFor(ctx context.Context) Result {
	a := v.answer.Arrived
	peer, _ := netip.ParseAddr(a.Peer)
	isTrusted := slices.ContainsFunc(v.Trusted, func(n netip.Prefix) bool { return n.Contains(peer.Unmap()) })
	switch forwarded := len(a.ForwardedFor) > 0; {
	case forwarded && !a.Trusted && isTrusted:
		return failed(fmt.Sprintf("it comes from %s, and the running server was started without that in --trusted-proxies", a.Peer), do("start the server again, with these settings"))
	case forwarded && !a.Trusted:
		return failed(fmt.Sprintf("it comes from %s, which isn't in --trusted-proxies, and isn't believed: all users of that proxy share one limit on wrong passwords", a.Peer), keypegLine("--trusted-proxies "+a.Peer))
	case forwarded && a.OddForwarded:
		return failed(fmt.Sprintf("%q arrives, which is no address: all users share one limit on wrong passwords", strings.Join(a.ForwardedFor, ", ")), linesFor(warning.OddForwardedFor)...)
	case !forwarded && (a.Trusted || v.address.Secure && !a.TLS):
		return failed("it doesn't arrive, though there is a proxy: all users share one limit on wrong passwords", linesFor(warning.NoForwardedFor)...)
	case !forwarded:
		return ok("there is no proxy: requests come from " + a.Address)
	}
	second, err := v.signed(ctx, &asking{header: map[string]string{"X-Forwarded-For": forged}})
	if err != nil {
		return failed(err.Error(), v.passOn()...)
	}
	if hops := strings.Split(strings.Join(second.Arrived.ForwardedFor, ","), ","); strings.TrimSpace(hops[len(hops)-1]) == forged {
		return failed("the proxy passes on what a browser sends, and doesn't add where the request came from: anybody can choose the address that Keypeg believes, and so avoid the limits on guessing", linesFor(warning.NoForwardedFor)...)
	}
	return ok(fmt.Sprintf("%s arrives from %s, and %s is believed", strings.Join(a.ForwardedFor, ", "), a.Peer, a.Address))
}

// signed sends another request with a token.
func (v *visit) signed(ctx context.Context, a *asking) (*probe.Answer, error) {
	a.signed = true
	if !strings.HasPrefix(a.path, probe.Path) {
		a.path = probe.Path + a.path
	}
	got, err := v.fetch(ctx, a)
	if err != nil {
		return nil, fmt.Errorf("nothing comes back: %s", reason(err))
	}
	answer, r := v.isOurs(got, a.nonce)
	if answer == nil {
		return nil, fmt.Errorf("%s", r.Compared)
	}
	return answer, nil
}

func (v *visit) forwardedProto(context.Context) Result {
	a := v.answer.Arrived
	all := strings.Split(strings.Join(a.ForwardedProto, ","), ",")
	last := strings.ToLower(strings.TrimSpace(all[len(all)-1]))
	switch {
	case last == "" && a.TLS:
		return ok("the server itself has TLS")
	case last == "":
		return ok("it isn't sent, and isn't needed")
	case v.address.Secure && last != "https":
		return warn(fmt.Sprintf("%q arrives for a request with https, so the log will say that people come without it", last), Mend{In: "nginx", Line: "proxy_set_header X-Forwarded-Proto $scheme;"}, Mend{In: "Caddy", Line: "remove header_up lines for X-Forwarded-Proto"})
	}
	return ok(last + " arrives")
}

func (v *visit) cookies(ctx context.Context) Result {
	mends := linesFor(warning.Cookies)
	sent, got := v.answer.SetCookie, v.arrived.header["Set-Cookie"]
	own := ""
	for _, line := range got {
		if strings.HasPrefix(line, strings.SplitN(sent, "=", 2)[0]+"=") {
			own = line
		}
	}
	switch {
	case own == "":
		return failed("the cookie that the server set doesn't arrive", mends...)
	case own != sent:
		return failed(fmt.Sprintf("the cookie arrives as %q, and the server set it as %q", attributes(own), attributes(sent)), mends...)
	}
	pair, _, _ := strings.Cut(sent, ";")
	_, value, _ := strings.Cut(pair, "=")
	second, err := v.signed(ctx, &asking{header: map[string]string{"Cookie": pair}})
	if err != nil {
		return failed(err.Error(), v.passOn()...)
	}
	if second.Arrived.Cookie != value {
		return failed("the cookie that a browser sends back doesn't arrive at the server: everybody is signed out at once", mends...)
	}
	return ok("one arrives, and comes back, as it was set")
}

// attributes leaves the value out.
func attributes(cookie string) string {
	name, rest, _ := strings.Cut(cookie, "=")
	_, after, _ := strings.Cut(rest, ";")
	return name + "=…;" + after
}

func (v *visit) origin(ctx context.Context) Result {
	second, err := v.signed(ctx, &asking{method: http.MethodPost})
	if err != nil {
		return failed("a POST isn't passed on: "+err.Error(), linesFor(warning.Cause(shared.TroubleRefused))...)
	}
	a := second.Arrived
	if a.Origin != v.address.Origin || a.SecFetchSite != "same-origin" {
		return failed(fmt.Sprintf("Origin %q and Sec-Fetch-Site %q arrive, and %q and %q were sent: forms are refused", a.Origin, a.SecFetchSite, v.address.Origin, "same-origin"), linesFor(warning.Origin)...)
	}
	return ok("it arrives as it was sent, and so does Sec-Fetch-Site")
}

func (v *visit) nonce(context.Context) Result {
	a := v.answer.Arrived
	came := v.arrived.header.Get(shared.HeaderNonce)
	if a.Nonce == "" || came != a.Nonce {
		return failed("the header by which pages know that an answer is to their own request doesn't arrive at both ends: pages show nothing", linesFor(warning.Cause(shared.TroubleCached))...)
	}
	return ok("it arrives at both ends")
}

func (v *visit) acceptEncoding(context.Context) Result {
	if got := v.answer.Arrived.AcceptEncoding; got != encodings {
		return warn(fmt.Sprintf("%q arrives, and %q was sent: the app may load several times as slowly", got, encodings), Mend{In: "nginx", Line: "proxy_set_header Accept-Encoding $http_accept_encoding;"}, Mend{In: "Caddy", Line: "remove header_up lines for Accept-Encoding"})
	}
	return ok("it arrives as it was sent")
}

func (v *visit) version(context.Context) Result {
	return ok(fmt.Sprintf("%s for browsers, %s at the server", v.arrived.protocol, v.answer.Arrived.Protocol))
}
