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

const groupPages = "Pages by the public URL"

// ofPages are the checks of what arrives of a page: of the sign-in page, which everybody may see.
func (v *visit) ofPages() []Check {
	return []Check{
		{Group: groupPages, Name: "sign-in page", Run: v.needs(v.signIn)},
		{Group: groupPages, Name: "its content", Run: v.needsPage(v.content)},
		{Group: groupPages, Name: "Content-Security-Policy", Run: v.needsPage(v.contentPolicy)},
		{Group: groupPages, Name: "Permissions-Policy", Run: v.needsPage(v.permissions)},
		{Group: groupPages, Name: "other headers", Run: v.needsPage(v.otherHeaders)},
		{Group: groupPages, Name: "Cache-Control", Run: v.needsPage(v.cacheControl)},
		{Group: groupPages, Name: "kept answers", Run: v.needsPage(v.kept)},
		{Group: groupPages, Name: "refusals", Run: v.needsPage(v.refusals)},
	}
}

// sentAs asks what the server answers for a path.
func (v *visit) sentAs(ctx context.Context, path string) (*probe.Sent, error) {
	answer, err := v.signed(ctx, &asking{path: "?" + url.Values{probe.QueryOf: {path}}.Encode()})
	if err == nil && answer.Of == nil {
		err = fmt.Errorf("the server says nothing of %s", path)
	}
	if err != nil {
		return nil, err
	}
	return answer.Of, nil
}

func (v *visit) signIn(ctx context.Context) Result {
	if v.isRefused {
		return leftOut("with the host that arrives every page is refused")
	}
	sent, err := v.sentAs(ctx, v.mainPage())
	if err != nil {
		return failed(err.Error(), v.passOn()...)
	}
	got, err := v.fetch(ctx, &asking{path: v.mainPage()})
	switch {
	case err != nil:
		return failed("it doesn't come: "+reason(err), v.passOn()...)
	case got.cut != nil:
		return failed("it doesn't come whole: "+reason(got.cut), linesFor(warning.Cause(shared.TroubleCutAnswer))...)
	case got.status != sent.Status && v.organisation.Host != nil:
		return failed(fmt.Sprintf("it comes with status %d, and the server sends %d: the panel doesn't open", got.status, sent.Status), v.passOn()...)
	case got.status != sent.Status:
		return failed(fmt.Sprintf("it comes with status %d, and the server sends %d", got.status, sent.Status), linesFor(warning.Cause(shared.TroubleOtherAnswer))...)
	}
	v.page, v.sent = got, sent
	return ok(fmt.Sprintf("it comes, with status %d", got.status))
}

// needsPage leaves a check out without a sign-in page.
func (v *visit) needsPage(run func(ctx context.Context) Result) func(ctx context.Context) Result {
	return v.needs(func(ctx context.Context) Result {
		if v.page == nil {
			return leftOut("the " + v.mainPageName() + " doesn't come")
		}
		return run(ctx)
	})
}

func (v *visit) content(context.Context) Result {
	body, coded := v.page.body, true
	if v.page.header.Get("Content-Encoding") != v.sent.Header.Get("Content-Encoding") { // proxies may compress pages
		body, coded = v.page.decoded()
	}
	if !coded {
		return failed(fmt.Sprintf("it comes with Content-Encoding %q, and the server sends %q", v.page.header.Get("Content-Encoding"), v.sent.Header.Get("Content-Encoding")), linesFor(warning.Cause(shared.TroubleAppCoding))...)
	}
	if got, want := v.page.header.Get("Content-Type"), v.sent.Header.Get("Content-Type"); got != want {
		return failed(fmt.Sprintf("its type is %q, and the server sends %q", got, want), Mend{In: "nginx", Line: "proxy_pass_header Content-Type;  and remove add_header Content-Type, types and default_type"}, Mend{In: "Caddy", Line: "remove header Content-Type"})
	}
	if (&fetched{body: body}).sha256() != v.sent.SHA256 {
		return failed(fmt.Sprintf("something in between rewrites it: %d bytes come, and the server sends %d", len(body), v.sent.Size),
			Mend{In: "nginx", Line: "remove sub_filter, addition and mod_pagespeed"}, Mend{In: "Caddy", Line: "remove replace and templates"}, do("in a service such as Cloudflare, switch rewriting of pages off (Rocket Loader, Email Obfuscation)"))
	}
	return ok(fmt.Sprintf("its %d bytes are those that the server sends", len(body)))
}

// compare returns what came and what was sent of a header, and whether they are the same.
func (v *visit) compare(name string) (got, sent []string, same bool) {
	got, sent = v.page.header.Values(name), v.sent.Header.Values(name)
	if v.organisation.Host != nil {
		return got, sent, slices.Equal(besideProgram(name, got), sent)
	}
	return got, sent, slices.Equal(got, sent)
}

func (v *visit) contentPolicy(context.Context) Result {
	if v.isUnframed {
		return leftOut("the one that comes keeps the panel from opening: see above")
	}
	got, sent, same := v.compare("Content-Security-Policy")
	if !same {
		return failed(fmt.Sprintf("%s comes, and the server sends %s: browsers obey all that come, and the app may not start", quoted(got), quoted(sent)), linesFor(warning.Cause(shared.TroubleAppBlocked))...)
	}
	return ok("it comes as the server sends it")
}

func quoted(values []string) string {
	if len(values) == 0 {
		return "none"
	}
	return fmt.Sprintf("%q", strings.Join(values, " | "))
}

func (v *visit) permissions(context.Context) Result {
	got, sent, same := v.compare("Permissions-Policy")
	mends := linesFor(warning.Cause(shared.TroublePasskeyPolicy))
	switch all := strings.Join(got, ","); {
	case same:
		return ok("it comes as the server sends it, and allows passkeys")
	case probe.Forbids(all, "publickey-credentials-get") || probe.Forbids(all, "publickey-credentials-create"):
		return failed(quoted(got)+" comes, which forbids passkeys", mends...)
	default:
		return warn(fmt.Sprintf("%s comes, and the server sends %s", quoted(got), quoted(sent)), mends...)
	}
}

// protecting are headers whose loss or change makes a page less safe, but still works.
var protecting = []string{"X-Content-Type-Options", "X-Frame-Options", "Referrer-Policy", "Cross-Origin-Opener-Policy", "Cross-Origin-Embedder-Policy", "Cross-Origin-Resource-Policy"}

func (v *visit) otherHeaders(context.Context) Result {
	var changed []string
	var mends []Mend
	for _, name := range protecting {
		if v.organisation.Host != nil && name == frameOptions { // see [visit.frame]
			continue
		}
		if got, sent, same := v.compare(name); !same {
			changed = append(changed, fmt.Sprintf("%s comes as %s, and the server sends %s", name, quoted(got), quoted(sent)))
			mends = append(mends, Mend{In: "nginx", Line: "remove add_header " + name + " and proxy_hide_header " + name}, Mend{In: "Caddy", Line: "remove header " + name})
		}
	}
	if v.organisation.Host == nil && v.address.Secure && v.page.header.Get("Strict-Transport-Security") == "" {
		changed = append(changed, "Strict-Transport-Security doesn't come")
		mends = append(mends, Mend{In: "nginx", Line: "remove proxy_hide_header Strict-Transport-Security"}, Mend{In: "Caddy", Line: "remove header -Strict-Transport-Security"})
	}
	if len(changed) > 0 {
		return warn(strings.Join(changed, "; "), mends...)
	}
	return ok("they come as the server sends them")
}

func (v *visit) cacheControl(context.Context) Result {
	got, sent, same := v.compare("Cache-Control")
	if !same {
		return failed(fmt.Sprintf("%s comes, and the server sends %s: a browser may show it to the next user", quoted(got), quoted(sent)), Mend{In: "nginx", Line: "remove expires, add_header Cache-Control and proxy_hide_header Cache-Control"}, Mend{In: "Caddy", Line: "remove header Cache-Control"})
	}
	return ok(strings.Join(got, ", "))
}

// kept asks twice, as two users would. Each answer of Keypeg has another number.
func (v *visit) kept(ctx context.Context) Result {
	for _, path := range []string{v.mainPage(), shared.PathAccount} {
		var numbers []string
		for _, user := range []string{"a", "b"} {
			got, err := v.fetch(ctx, &asking{path: path, header: map[string]string{"Cookie": "doctor=" + user}})
			if err != nil {
				return failed("an answer doesn't come: "+reason(err), v.passOn()...)
			}
			numbers = append(numbers, got.header.Get(requestID))
		}
		switch {
		case numbers[0] == "":
			return warn("answers have no "+requestID+", which people tell you when something fails", Mend{In: "nginx", Line: "remove proxy_hide_header " + requestID}, Mend{In: "Caddy", Line: "remove header -" + requestID})
		case numbers[0] == numbers[1]:
			return failed(fmt.Sprintf("%s is answered to a second user with what the first one got", path), linesFor(warning.Cause(shared.TroubleCached))...)
		}
	}
	return ok("two users get two answers")
}

// refusals looks whether a refusal of the API comes as the server sends it.
func (v *visit) refusals(ctx context.Context) Result {
	got, err := v.fetch(ctx, &asking{path: shared.PathAccount})
	if err != nil {
		return failed("an answer doesn't come: "+reason(err), v.passOn()...)
	}
	if kind := got.header.Get("Content-Type"); got.status != http.StatusUnauthorized || !strings.HasPrefix(kind, "application/problem+json") {
		return failed(fmt.Sprintf("a refusal of Keypeg's comes as something else, with status %d and type %q", got.status, kind), Mend{In: "nginx", Line: "remove proxy_intercept_errors and error_page"}, Mend{In: "Caddy", Line: "remove handle_errors and handle_response"})
	}
	return ok("they come as Keypeg's own")
}

// requestID is the header with the number of a request.
const requestID = "X-Request-Id"
