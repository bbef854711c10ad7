package forwardauth

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/keypeg/keypeg/shared"
)

// request is what a proxy says of the request that it asks about.
type request struct {
	method string // "" if the proxy doesn't say
	https  bool
	host   string
	uri    string // path and query, as the client sent them; "" if the proxy doesn't say
}

// dialect is how a kind of proxy asks, and which answers it understands.
type dialect struct {
	pattern string // for the log and for figures
	read    func(*http.Request) (request, error)
	// nginx's auth_request understands 200, 401 and 403 alone, and makes 500 of everything else. It passes on
	// neither body nor header of them; a setting of it reads Location.
	terse bool
}

// dialects are found by the path of a check.
var (
	nginx   = dialect{pattern: "GET " + shared.GateNginx, read: originalURL, terse: true}
	forward = dialect{pattern: "GET " + shared.GateForward, read: forwarded}
	envoy   = dialect{pattern: "* " + shared.GateEnvoy + "/", read: prefixed}
)

// dialectOf returns the dialect of a check, by its path. It compares what was sent, so that no decoded, cleaned
// or longer path is one.
func dialectOf(r *http.Request) (d dialect, is bool) {
	switch path := r.URL.EscapedPath(); {
	case path == shared.GateNginx:
		return nginx, true
	case path == shared.GateForward:
		return forward, true
	case strings.HasPrefix(path, shared.GateEnvoy+"/"):
		return envoy, true
	}
	return d, false
}

// OriginalHost returns the host of the request that a proxy asks about, if r is a check. It may be "".
func OriginalHost(r *http.Request) (host string, is bool) {
	d, is := dialectOf(r)
	if !is {
		return "", false
	}
	of, err := d.read(r)
	if err != nil {
		return "", true
	}
	return of.host, true
}

// errHeaders is for a check without the headers that its dialect demands, or with more of them.
var errHeaders = errors.New("the headers of the check")

// one returns the only value of a header. A value that one proxy has added to that of another, or of the
// client, is nobody's word.
func one(r *http.Request, name string) (string, error) {
	values := r.Header[name]
	if len(values) != 1 || values[0] == "" || strings.ContainsAny(values[0], ", \t") {
		return "", fmt.Errorf("%w: there must be one %s, and there are %d", errHeaders, name, len(values))
	}
	return values[0], nil
}

// scheme reports whether a scheme is https.
func scheme(text string) (https bool, err error) {
	switch strings.ToLower(text) {
	case "https", "wss":
		return true, nil
	case "http", "ws":
		return false, nil
	}
	return false, fmt.Errorf("%w: the scheme is neither https nor http", errHeaders)
}

// originalURL reads the headers that nginx is told to send: X-Original-URL, and X-Original-Method.
func originalURL(r *http.Request) (of request, err error) {
	values := r.Header["X-Original-Url"]
	if len(values) != 1 {
		return of, fmt.Errorf("%w: there must be one X-Original-URL, and there are %d", errHeaders, len(values))
	}
	written, rest, found := strings.Cut(values[0], "://")
	if !found {
		return of, fmt.Errorf("%w: X-Original-URL isn't a URL", errHeaders)
	}
	if of.https, err = scheme(written); err != nil {
		return of, err
	}
	of.host = rest
	if end := strings.IndexAny(rest, `/?#\`); end >= 0 {
		of.host, of.uri = rest[:end], rest[end:]
	}
	of.method = optional(r, "X-Original-Method")
	return of, nil
}

// forwarded reads the headers that Caddy and Traefik send by themselves.
func forwarded(r *http.Request) (of request, err error) {
	proto, err := one(r, "X-Forwarded-Proto")
	if err != nil {
		return of, err
	}
	if of.https, err = scheme(proto); err != nil {
		return of, err
	}
	if of.host, err = one(r, "X-Forwarded-Host"); err != nil {
		return of, err
	}
	of.method, of.uri = optional(r, "X-Forwarded-Method"), optional(r, "X-Forwarded-Uri")
	return of, nil
}

// prefixed reads a check of Envoy's, which is the request itself, without its body and with a longer path.
func prefixed(r *http.Request) (of request, err error) {
	proto, err := one(r, "X-Forwarded-Proto")
	if err != nil {
		return of, err
	}
	if of.https, err = scheme(proto); err != nil {
		return of, err
	}
	sent := r.RequestURI
	if !strings.HasPrefix(sent, "/") { // an absolute URI (RFC 9112, 3.2.2)
		sent = r.URL.RequestURI()
	}
	of.method, of.host, of.uri = r.Method, r.Host, strings.TrimPrefix(sent, shared.GateEnvoy)
	return of, nil
}

// optional returns a header that decides nothing but where a browser goes back to.
func optional(r *http.Request, name string) string {
	if values := r.Header[name]; len(values) == 1 {
		return values[0]
	}
	return ""
}

// isNavigation reports whether a browser opens a page by a request. Scripts get a status that they understand,
// and no page. A client without Fetch Metadata opens a page if it accepts one.
func isNavigation(r *http.Request) bool {
	if mode := r.Header.Get("Sec-Fetch-Mode"); mode != "" {
		return mode == "navigate"
	}
	return r.Header.Get("X-Requested-With") == "" && strings.Contains(r.Header.Get("Accept"), "text/html")
}

// maxPath bounds the path and the query to which a browser is led back, in bytes. They are kept in a cookie,
// and go through proxies that take some kB.
const maxPath = 2000

// safePath returns a path with its query if a browser stays at its host there, and "/" otherwise. Browsers take
// a second slash or a backslash for the beginning of a host, and skip tabs and line breaks (URL Standard, 4.4).
func safePath(uri string) string {
	if len(uri) > maxPath || !strings.HasPrefix(uri, "/") || strings.HasPrefix(uri, "//") || isOurs(uri) {
		return "/"
	}
	for i := range len(uri) {
		if b := uri[i]; b <= ' ' || b >= 0x7f || b == '\\' {
			return "/"
		}
	}
	return uri
}

// isOurs reports whether a path on a protected host is one of ours.
func isOurs(uri string) bool { return strings.HasPrefix(uri, shared.GateOwn) }
