package doctor

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/keypeg/keypeg/server/internal/probe"
	"github.com/keypeg/keypeg/server/internal/warning"
	"github.com/keypeg/keypeg/shared"
)

// itsPages looks at the first page of the program, or at the one to sign in that it leads to: what its headers forbid is
// forbidden to Keypeg's elements in it, and to the panel in their frame.
func (v *visit) itsPages(ctx context.Context) Result {
	path, got, err := "/", (*fetched)(nil), error(nil)
	for range 3 { // to the sign-in, by way of a language for example
		got, err = v.fetch(ctx, &asking{path: path, header: map[string]string{"Accept": "text/html"}})
		if err != nil {
			return failed(path+" doesn't come: "+reason(err), do("let the program answer GET "+path))
		}
		next, err := (&url.URL{Scheme: "https", Host: v.address.Host, Path: path}).Parse(got.header.Get("Location"))
		if got.status/100 != 3 || err != nil || next.Host != v.address.Host {
			break
		}
		path = next.RequestURI()
	}
	if got.status != http.StatusOK {
		return leftOut(fmt.Sprintf("the program answers GET / with %d", got.status))
	}
	permissions := strings.Join(got.header.Values("Permissions-Policy"), ",")
	if probe.Forbids(permissions, "publickey-credentials-get") || probe.Forbids(permissions, "publickey-credentials-create") {
		return failed(fmt.Sprintf("%s comes with the Permissions-Policy %q, which forbids passkeys in it and in its frames", pathOf(path), permissions), linesFor(warning.Cause(shared.TroublePasskeyPolicy))...)
	}
	for _, policy := range got.header.Values("Content-Security-Policy") {
		if directive, what := v.forbids(policy); directive != "" {
			source := "'self'"
			if directive == sandbox {
				source = allowSameOrigin
			}
			return failed(fmt.Sprintf("%s comes with a Content-Security-Policy whose %s forbids %s", pathOf(path), directive, what), do("let "+directive+" of the program's Content-Security-Policy have "+source))
		}
	}
	return ok(fmt.Sprintf("the headers of %s forbid nothing that Keypeg needs", pathOf(path)))
}

// needed are the directives that apply to Keypeg's elements in a page of the program, each with those that it falls back to
// (CSP 3, 6.8.3), and what they are for.
var needed = []struct {
	names []string
	what  string
}{
	{[]string{"script-src-elem", "script-src", "default-src"}, "Keypeg's elements"},
	{[]string{"connect-src", "default-src"}, "the elements to reach Keypeg"},
	{[]string{"frame-src", "child-src", "default-src"}, "the panel"},
	{[]string{"form-action"}, "a proof to reach the program"},
}

const (
	sandbox         = "sandbox"
	allowSameOrigin = "allow-same-origin"
)

// forbids returns the directive of a policy of the program that stands in Keypeg's way, and what it forbids, or "".
func (v *visit) forbids(policy string) (directive, what string) {
	has := map[string][]string{}
	for text := range strings.SplitSeq(policy, ";") {
		if words := strings.Fields(strings.ToLower(text)); len(words) > 0 && has[words[0]] == nil {
			has[words[0]] = append(words[1:], "") // never nil
		}
	}
	for _, need := range needed {
		at := slices.IndexFunc(need.names, func(name string) bool { return has[name] != nil })
		if at >= 0 && !slices.ContainsFunc(has[need.names[at]], v.allowsUs) {
			return need.names[at], need.what
		}
	}
	if allowed := has[sandbox]; allowed != nil && !slices.Contains(allowed, allowSameOrigin) {
		return sandbox, "the page to have its own origin"
	}
	return "", ""
}

// allowsUs reports whether a source of a policy allows what is of the same origin, or may do so: by a nonce or a hash.
func (v *visit) allowsUs(source string) bool {
	if slices.Contains([]string{"'self'", "*", "http:", "https:"}, source) || strings.HasPrefix(source, "'nonce-") || strings.HasPrefix(source, "'sha") || strings.Contains(source, "/keypeg") {
		return true
	}
	_, host, _ := strings.Cut(strings.ToLower(v.address.Origin), "://")
	if _, rest, is := strings.Cut(source, "://"); is { // http is for https too (CSP 3, 6.7.2.9)
		source = rest
	}
	for _, rest := range []string{"/", ":*", ":443"} {
		source = strings.TrimSuffix(source, rest)
	}
	return source == "*" || source == host || strings.HasPrefix(source, "*.") && strings.HasSuffix(host, source[1:])
}
