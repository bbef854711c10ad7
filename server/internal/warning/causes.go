package warning

import "github.com/keypeg/keypeg/shared"

// Cause names something that a proxy breaks. Pages report those of [shared.Troubles]; the
// others are seen in requests.
type Cause string

const (
	// Host: requests name another host than the public URL's.
	Host Cause = "host"
	// UnknownHost: requests name a host that no organisation has.
	UnknownHost Cause = "unknown-host"
	// UntrustedProxy: an untrusted proxy sends X-Forwarded-For.
	UntrustedProxy Cause = "untrusted-proxy"
	// NoForwardedFor: a proxy doesn't send X-Forwarded-For.
	NoForwardedFor Cause = "no-forwarded-for"
	// OddForwardedFor: a proxy sends an X-Forwarded-For that can't be read.
	OddForwardedFor Cause = "odd-forwarded-for"
	// PlainHTTP: people come without https.
	PlainHTTP Cause = "plain-http"
	// Prefix: people come by a path below the proxy's root.
	Prefix Cause = "prefix"
	// Origin: the headers are lost that say where a request comes from.
	Origin Cause = "origin"
	// Cookies: browsers don't send our cookies back.
	Cookies = Cause(shared.TroubleCookies)

	// GateUntrusted: an untrusted proxy asks whether a request may pass.
	GateUntrusted Cause = "gate-untrusted"
	// GateHeaders: a proxy asks without the headers that say what about.
	GateHeaders Cause = "gate-headers"
	// GateHost: a proxy asks about a host that isn't protected.
	GateHost Cause = "gate-host"
	// GatePlain: a proxy asks about a request without https.
	GatePlain Cause = "gate-plain-http"
	// GateOwn: a proxy asks about our own paths on a protected host.
	GateOwn Cause = "gate-own-path"

	// Introduction: an introduction of the program that Keypeg is built into is refused, because of the program.
	Introduction Cause = "introduction"
	// ProgramSecret: a request for that program alone came without its secret.
	ProgramSecret Cause = "program-secret"
)

// Advice is what IT reads of a cause: what was seen, what follows from it, and which
// configuration to write.
type Advice struct{ What, Keypeg, Nginx, Caddy string }

// AdviceOn returns what IT reads of a cause.
func AdviceOn(cause Cause) Advice { return causes[cause] }

// Mends returns the lines to write for a cause.
func Mends(cause Cause) (mends []shared.Mend) {
	advice := causes[cause]
	for _, m := range []shared.Mend{{In: "keypeg", Line: advice.Keypeg}, {In: "nginx", Line: advice.Nginx}, {In: "Caddy", Line: advice.Caddy}} {
		if m.Line != "" {
			mends = append(mends, m)
		}
	}
	return mends
}

// causes is the table of all causes.
var causes = map[Cause]Advice{
	Host: {
		What:  "a request named another host than --public-url, and was refused; if all of them are, the proxy in front replaces the Host header",
		Nginx: "proxy_set_header Host $http_host;",
		Caddy: "header_up Host {hostport}",
	},
	UnknownHost: {
		What:   "a request named a host that no organisation has, and was refused; if all of them are, the proxy in front replaces the Host header",
		Keypeg: "keypeg tenant list",
		Nginx:  "proxy_set_header Host $http_host;",
		Caddy:  "header_up Host {hostport}",
	},
	UntrustedProxy: {
		What:  "X-Forwarded-For came from an address that isn't in --trusted-proxies, and isn't believed; if that is your proxy, all its users share one limit on wrong passwords, and sessions show its address",
		Nginx: "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;",
		Caddy: "reverse_proxy sends it by itself",
	},
	NoForwardedFor: {
		What:  "a browser's request came by a proxy without X-Forwarded-For; all its users share one limit on wrong passwords, and sessions show its address",
		Nginx: "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;",
		Caddy: "reverse_proxy sends it by itself: remove header_up -X-Forwarded-For",
	},
	OddForwardedFor: {
		What:  "the proxy wrote something else than an IP address into X-Forwarded-For, so the proxy's own address is taken; all its users share one limit on wrong passwords, and sessions show its address",
		Nginx: "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;",
		Caddy: "reverse_proxy sends it by itself: remove header_up lines for X-Forwarded-For",
	},
	PlainHTTP: {
		What:  "somebody came without https, though the public URL has it; browsers keep no session there and offer no passkeys",
		Nginx: "proxy_set_header X-Forwarded-Proto $scheme;  and in the server that listens on port 80: return 301 https://$host$request_uri;",
		Caddy: "name the site without http:// in front: Caddy redirects by itself",
	},
	Prefix: {
		What:  "a request came by a path below the proxy's root; Keypeg needs a host name of its own",
		Nginx: "location / { proxy_pass http://127.0.0.1:8080; }",
		Caddy: "reverse_proxy 127.0.0.1:8080, without handle_path in front",
	},
	Origin: {
		What:  "a form or a request of a page was refused as one from another site; if the people there did nothing wrong, the proxy in front changes the header Origin or removes Sec-Fetch-Site",
		Nginx: "proxy_set_header Origin $http_origin;  proxy_set_header Sec-Fetch-Site $http_sec_fetch_site;",
		Caddy: "remove header_up lines for Origin and Sec-Fetch-Site",
	},
	Cookies: {
		What:  "a browser sent back no cookie right after it got one; if this happens to everybody, the proxy in front removes or rewrites them",
		Nginx: "proxy_pass_header Set-Cookie;  proxy_cookie_path off;  proxy_cookie_domain off;  proxy_cookie_flags off;  proxy_set_header Cookie $http_cookie;",
		Caddy: "remove header_down lines for Set-Cookie and header_up lines for Cookie",
	},
	// What is written about gates is written as in the manual: $http_host or $host would be the name that the client
	// wrote, and open one gate by the name of another.
	GateUntrusted: {
		What: "something asked whether a request to a protected host may pass, and isn't in --trusted-proxies; if that is your proxy, nobody gets to the programs behind it",
	},
	GateHeaders: {
		What:  "a proxy asked whether a request may pass, and didn't say which, or said it twice; nobody gets to the programs behind it",
		Nginx: "proxy_set_header X-Original-URL $scheme://$server_name$request_uri;  proxy_set_header X-Original-Method $request_method;",
		Caddy: "forward_auth sends them by itself: remove header_up lines for X-Forwarded-Host, X-Forwarded-Proto and X-Forwarded-Uri",
	},
	GateHost: {
		What:   "a proxy asked about a host that no gate protects, and was refused; write a gate for it, or remove it from the proxy's",
		Keypeg: "[gate.NAME]  host = \"wiki.example.com\"",
		Nginx:  "proxy_set_header X-Original-URL $scheme://$server_name$request_uri;",
		Caddy:  "forward_auth sends X-Forwarded-Host by itself: remove header_up lines for it",
	},
	GatePlain: {
		What:  "a proxy asked about a request that came without https, and was refused; browsers keep no cookie of a gate there",
		Nginx: "in the server that listens on port 80: return 301 https://$server_name$request_uri;",
		Caddy: "name the site without http:// in front, and set trusted_proxies if another proxy in front has the https",
	},
	GateOwn: {
		What:  "a proxy asked about a path below /.keypeg/ on a protected host, so nobody can sign in there; it must lead these paths to Keypeg without asking",
		Nginx: "location /.keypeg/ { proxy_pass http://127.0.0.1:8080; proxy_set_header Host $server_name; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Forwarded-Proto $scheme; }",
		Caddy: "handle /.keypeg/* { reverse_proxy 127.0.0.1:8080 }",
	},

	Introduction: {
		What: "what the program says of its users is refused, so they get no panel; the line above has the cause, and the manual's page on building Keypeg in, in any language, has the mend",
	},
	ProgramSecret: {
		What: "a request for the program alone had another secret; if it was the program's, nobody can sign in with a passkey there: it needs the first line of secret-file, without the line break",
	},

	Cause(shared.TroubleAppBlocked): {
		What:  "a page reports that its Content-Security-Policy doesn't let the app start; the proxy in front replaces or adds one, and Keypeg sends its own",
		Nginx: "remove add_header Content-Security-Policy and proxy_hide_header Content-Security-Policy",
		Caddy: "remove header Content-Security-Policy",
	},
	Cause(shared.TroubleAppScripts): {
		What:  "a page reports that its scripts don't run: the proxy in front forbids them by a Content-Security-Policy of its own, rewrites them (as Cloudflare's Rocket Loader does: switch it off), or doesn't pass /static/, /app.js, /administration.js and /wasm_exec.js on",
		Nginx: "location / { proxy_pass http://127.0.0.1:8080; }  without add_header Content-Security-Policy and without a location of its own for .js, .css or /static/",
		Caddy: "reverse_proxy 127.0.0.1:8080, without header Content-Security-Policy and without file_server for /static/",
	},
	Cause(shared.TroubleAppType): {
		What:  "a page reports that app.wasm comes with another type than application/wasm; the proxy in front changes it",
		Nginx: "proxy_pass_header Content-Type;  and remove add_header Content-Type, types and default_type for /static/",
		Caddy: "remove header Content-Type for /static/",
	},
	Cause(shared.TroubleAppCoding): {
		What:  "a page reports that app.wasm comes with a wrong Content-Encoding; the proxy in front compresses what is compressed already, or removes the header",
		Nginx: "proxy_set_header Accept-Encoding $http_accept_encoding;  and remove gzip_types application/wasm, proxy_hide_header Content-Encoding and add_header Content-Encoding",
		Caddy: "remove header Content-Encoding, and encode for /static/",
	},
	Cause(shared.TroubleAppCut): {
		What:  "a page reports that app.wasm doesn't arrive whole; the proxy in front cuts it off",
		Nginx: "proxy_max_temp_file_size 16m;  proxy_read_timeout 120s;  and see that the disk of proxy_temp_path isn't full",
		Caddy: "remove timeouts below two minutes from servers and transport http",
	},
	Cause(shared.TroubleAppMissing): {
		What:  "a page reports that app.wasm doesn't come: something else answers for it, such as another location of the proxy in front, or a filter that blocks it",
		Nginx: "location / { proxy_pass http://127.0.0.1:8080; }  without a location of its own for .wasm or /static/",
		Caddy: "reverse_proxy 127.0.0.1:8080, without file_server or respond for /static/",
	},
	Cause(shared.TroublePasskeyPolicy): {
		What:  "a page reports that its Permissions-Policy forbids passkeys; the proxy in front replaces or adds one",
		Nginx: `remove publickey-credentials-create and publickey-credentials-get from add_header Permissions-Policy, or write: add_header Permissions-Policy "publickey-credentials-create=(self), publickey-credentials-get=(self)";`,
		Caddy: `remove both from header Permissions-Policy, or write: header Permissions-Policy "publickey-credentials-create=(self), publickey-credentials-get=(self)"`,
	},
	Cause(shared.TroubleTooLarge): {
		What:  "a page reports that a request was refused as too large by something in front of Keypeg, which takes 64 kB",
		Nginx: "client_max_body_size 64k;",
		Caddy: "request_body { max_size 64KB }",
	},
	Cause(shared.TroubleRefused): {
		What:  "a page reports that something in front of Keypeg refused a request, such as a filter that doesn't know PATCH and DELETE",
		Nginx: "remove limit_except, deny and filter rules for /api/",
		Caddy: "remove respond, error and method matchers for /api/",
	},
	Cause(shared.TroubleOtherAnswer): {
		What:  "a page reports that something else than Keypeg answered a request, such as a proxy with a sign-in page of its own",
		Nginx: "remove auth_request, error_page and sub_filter for /api/",
		Caddy: "remove forward_auth, handle_errors and replace for /api/",
	},
	Cause(shared.TroubleCutAnswer): {
		What:  "a page reports that an answer didn't arrive whole; the proxy in front cuts it off or rewrites it",
		Nginx: "remove sub_filter for /api/, and see that the disk of proxy_temp_path isn't full",
		Caddy: "remove replace for /api/",
	},
	Cause(shared.TroubleCached): {
		What:  "a page reports that it got an older answer, which the proxy in front had kept, or that the proxy takes the header Keypeg-Nonce away; answers are for one user alone, and were not shown",
		Nginx: "proxy_cache off;  and remove proxy_ignore_headers, and proxy_hide_header and proxy_set_header for Keypeg-Nonce",
		Caddy: "remove cache, and header_down and header_up -Keypeg-Nonce",
	},
	Cause(shared.TroubleHeld): {
		What:  "a page reports that it doesn't hear what changes; the proxy in front holds the event stream back",
		Nginx: "proxy_buffering off;  and remove proxy_ignore_headers X-Accel-Buffering",
		Caddy: "flush_interval -1",
	},
}
