package openid_test

import (
	"html"
	"regexp"
	"strings"
	"testing"

	"github.com/keypeg/keypeg/server/openid"
)

var hiddenField = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)">`)

// posted returns the fields of the form that a page sends to the program.
func (p *person) posted(a answer) map[string]string {
	p.Helper()
	if a.status != 200 || !strings.Contains(a.body, `action="`+redirect+`"`) || !strings.Contains(a.body, "onward.js") {
		p.Fatalf("no form for the program: %s", a)
	}
	if policy := a.header.Get("Content-Security-Policy"); !strings.Contains(policy, "form-action http: https:") || !strings.Contains(policy, "frame-ancestors 'none'") || strings.Contains(a.header.Get("Refresh"), "code") {
		p.Errorf("the page has the headers %v", a.header)
	}
	fields := map[string]string{}
	for _, field := range hiddenField.FindAllStringSubmatch(a.body, -1) {
		fields[field[1]] = html.UnescapeString(field[2])
	}
	return fields
}

// TestFormPost has the modules of the plan "Form Post Basic OP" that differ from the others.
func TestFormPost(t *testing.T) {
	s := newScene(t, stores["memstore"], clientOf(t, nil), clientOf(t, func(c *openid.Client) {
		c.ID, c.Redirects, c.Secrets, c.Authentication = "app", []string{"com.example.app:/callback"}, nil, openid.AuthenticatesNever
	}))
	ann := s.user("ann")
	mode := []string{"response_mode", "form_post", "state", `a "state" & <b>`}
	got := ann.posted(ann.lets(ann.authorizes(mode...), "allow"))
	s.is("state", got["state"], `a "state" & <b>`)
	s.is("iss", got["iss"], s.issuer)
	s.exchanges(got["code"])
	s.exchanges(ann.posted(ann.authorizes(mode...))["code"])
	s.is("a refusal", ann.posted(ann.authorizes(append(mode, "max_age", "soon")...))["error"], "invalid_request")
	s.is("nobody", ann.posted(s.browser().authorizes(append(mode, "prompt", "none")...))["error"], "login_required")

	page := ann.authorizes("client_id", "app", "redirect_uri", "com.example.app:/callback", "response_mode", "form_post")
	page = ann.lets(page, "allow")
	if !strings.HasPrefix(page.header.Get("Refresh"), "0;url=com.example.app:/callback?code=") {
		t.Errorf("an app gets a form: %s", page)
	}
}
