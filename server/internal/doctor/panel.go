package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/keypeg/keypeg/server/internal/warning"
	"github.com/keypeg/keypeg/shared"
)

// ofPanel are the checks of what arrives in the pages of a program that Keypeg is built into: the panel, which these
// have in a frame, the script of the elements, and the keys for proofs.
func (v *visit) ofPanel() []Check {
	return []Check{
		{Group: groupPages, Name: "panel", Run: v.needs(v.signIn)},
		{Group: groupPages, Name: "its frame", Run: v.needsPage(v.frame)},
		{Group: groupPages, Name: "its content", Run: v.needsPage(v.content)},
		{Group: groupPages, Name: "Content-Security-Policy", Run: v.needsPage(v.contentPolicy)},
		{Group: groupPages, Name: "Permissions-Policy", Run: v.needsPage(v.permissions)},
		{Group: groupPages, Name: "other headers", Run: v.needsPage(v.otherHeaders)},
		{Group: groupPages, Name: "Cache-Control", Run: v.needsPage(v.cacheControl)},
		{Group: groupPages, Name: "kept answers", Run: v.needsPage(v.kept)},
		{Group: groupPages, Name: "refusals", Run: v.needsPage(v.refusals)},
		{Group: groupPages, Name: "elements.js", Run: v.needsPage(v.elements)},
		{Group: groupPages, Name: "jwks.json", Run: v.needsPage(v.proofKeys)},
	}
}

// mainPage is the path of the page that is looked at.
func (v *visit) mainPage() string {
	if v.organisation.Host != nil {
		return shared.PagePanel
	}
	return shared.PageSignIn
}

func (v *visit) mainPageName() string {
	if v.organisation.Host != nil {
		return "panel"
	}
	return "sign-in page"
}

const frameOptions = "X-Frame-Options"

// frame looks whether pages of the program may have the panel in a frame. Browsers obey each policy that comes, and
// X-Frame-Options only where no policy has frame-ancestors (HTML, 7.8).
func (v *visit) frame(context.Context) Result {
	policies := v.page.header.Values("Content-Security-Policy")
	named := false
	for _, policy := range policies {
		allowed, has := ancestorsOf(policy)
		if named = named || has; has && !slices.Contains(allowed, "'self'") && !slices.Contains(allowed, v.address.Origin) && !slices.Contains(allowed, "*") {
			v.isUnframed = true
			return failed(fmt.Sprintf("a Content-Security-Policy comes with frame-ancestors %s, so the panel doesn't open in the program's pages", strings.Join(allowed, " ")),
				Mend{In: "nginx", Line: "in the location of Keypeg, remove add_header Content-Security-Policy; if it is in the server block, write in the location: add_header X-From keypeg;"},
				Mend{In: "Caddy", Line: "header Content-Security-Policy … only for other paths: @program not path /keypeg/* /api/v1/*"})
		}
	}
	options := strings.ToUpper(strings.Join(v.page.header.Values(frameOptions), ", "))
	if !strings.Contains(options, "DENY") {
		return ok("the program's pages may have it in a frame")
	}
	mends := []Mend{
		{In: "nginx", Line: "in the location of Keypeg, remove add_header X-Frame-Options; if it is in the server block, write in the location: add_header X-From keypeg;"},
		{In: "Caddy", Line: "header X-Frame-Options … only for other paths: @program not path /keypeg/* /api/v1/*"},
	}
	if !named {
		return failed(frameOptions+": DENY comes, so the panel doesn't open in the program's pages", mends...)
	}
	return warn(frameOptions+": DENY comes, which keeps the panel from opening in old browsers; newer ones obey the Content-Security-Policy", mends...)
}

// besideProgram returns the values of a header without what a proxy may add to all pages of its site, the program's among
// them: a value that is there already, and a policy that restricts nothing in the panel.
func besideProgram(name string, values []string) (left []string) {
	for _, value := range values {
		if slices.Contains(left, value) || name == "Content-Security-Policy" && isOfSite(value) {
			continue
		}
		left = append(left, value)
	}
	return left
}

// isOfSite reports whether a policy says nothing of what a page may load. [visit.frame] looks at its frame-ancestors.
func isOfSite(policy string) bool {
	for directive := range strings.SplitSeq(policy, ";") {
		words := strings.Fields(strings.ToLower(directive))
		if len(words) > 0 && !slices.Contains([]string{"frame-ancestors", "upgrade-insecure-requests", "report-uri", "report-to"}, words[0]) {
			return false
		}
	}
	return true
}

// ancestorsOf returns the sources of frame-ancestors in a policy, and whether it has that directive.
func ancestorsOf(policy string) (sources []string, has bool) {
	for directive := range strings.SplitSeq(policy, ";") {
		words := strings.Fields(strings.ToLower(directive))
		if len(words) > 0 && words[0] == "frame-ancestors" {
			return words[1:], true
		}
	}
	return nil, false
}

// elements looks at the script that the program's pages load. It is a module, so its type counts.
func (v *visit) elements(ctx context.Context) Result {
	sent, err := v.sentAs(ctx, shared.PathElements)
	if err != nil {
		return failed(err.Error(), v.passOn()...)
	}
	got, err := v.fetch(ctx, &asking{path: shared.PathElements})
	if err != nil {
		return failed("it doesn't come: "+reason(err), v.passOn()...)
	}
	body, _ := got.decoded()
	plain := (&fetched{body: body}).sha256()
	switch want := sent.Header.Get("Content-Type"); {
	case sent.Status != http.StatusOK:
		return leftOut("the server has no app: it wasn't built (make build)")
	case got.status != http.StatusOK:
		return failed(fmt.Sprintf("it comes with status %d: the program's pages have no menu and no button", got.status), v.passOn()...)
	case got.header.Get("Content-Type") != want:
		return failed(fmt.Sprintf("its type is %q, and the server sends %q: browsers refuse such a module", got.header.Get("Content-Type"), want), linesFor(warning.Cause(shared.TroubleAppType))...)
	case got.sha256() != sent.SHA256 && plain != sent.SHA256:
		return failed(fmt.Sprintf("%d bytes come, and the server sends %d others", len(got.body), sent.Size), linesFor(warning.Cause(shared.TroubleAppCoding))...)
	}
	return ok("it comes as the server sends it")
}

// proofKeys looks at the keys with which the program verifies proofs, unless it redeems them.
func (v *visit) proofKeys(ctx context.Context) Result {
	got, err := v.fetch(ctx, &asking{path: shared.PathProofKeys})
	if err != nil {
		return failed("it doesn't come: "+reason(err), v.passOn()...)
	}
	body, _ := got.decoded()
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if got.status != http.StatusOK || json.Unmarshal(body, &set) != nil || len(set.Keys) == 0 {
		return failed(fmt.Sprintf("it comes with status %d, and without keys: a program that verifies proofs itself lets nobody in", got.status), v.passOn()...)
	}
	return ok("it comes, with the keys that sign proofs")
}
