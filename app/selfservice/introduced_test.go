package selfservice

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/keypeg/keypeg/app/browser"
	"github.com/keypeg/keypeg/shared"
)

var _ = Introduced{Transport: browser.Transport{}}

// program is a program and the server beside it, as a page reaches both.
type program struct {
	user       string // who is signed in at the program; "" for nobody
	introduced string // who is introduced at the server
	refuses    string // an introduction that the server refuses
	waits      bool   // the program refuses passwords for a while
	waitsFor   string // how long it says that is
	forged     bool   // the program's framework takes the password for a forged request
	breaks     bool   // the program answers nonsense
	redirects  bool   // the program redirects to its sign-in
	away       bool   // the program can't be reached
	cookieless bool   // the browser sends no cookies back
	asked      []string
}

func (p *program) Send(_ context.Context, method, path string, body []byte) (int, []byte, error) {
	switch { // reports come in the background, too
	case path == shared.PathTrouble && p.cookieless:
		return 200, []byte(`{"detail":"Allow cookies."}`), nil
	case path == shared.PathTrouble: // a cookie has come with it
		return 400, []byte(`{"code":"invalid_request","detail":"The request can't be read."}`), nil
	}
	p.asked = append(p.asked, method+" "+path)
	var brought shared.Introduce
	switch {
	case method == "GET" && path == "/fresh":
		switch {
		case p.away:
			return 0, nil, errors.New("connection refused")
		case p.breaks:
			return 502, []byte("<html>"), nil
		case p.redirects:
			return 0, nil, shared.TroubleOtherAnswer.Refusal()
		case p.user == "":
			return 401, nil, nil
		}
		return 200, []byte(p.user), nil
	case path != shared.PathIntroduction:
		if p.introduced == "" {
			return 401, []byte(`{"code":"unauthenticated","detail":"Please sign in."}`), nil
		}
		return 200, []byte(`{"user":{"id":"` + p.introduced + `"}}`), nil
	case json.Unmarshal(body, &brought) != nil || !brought.Fresh:
		return 400, nil, nil
	case p.refuses != "" && strings.HasPrefix(brought.Introduction, p.refuses):
		if strings.HasPrefix(p.refuses, "old") {
			return 401, []byte(`{"code":"introduction_expired","detail":"Load the page again."}`), nil
		}
		return 403, []byte(`{"code":"introduction_clock","detail":"Tell IT."}`), nil
	}
	if !p.cookieless {
		p.introduced = brought.Introduction
	}
	return 204, nil, nil
}

func (p *program) SendForm(_ context.Context, path string, form url.Values) (browser.Posted, error) {
	p.asked = append(p.asked, "POST "+path)
	switch {
	case p.breaks:
		return browser.Posted{Status: 500, Body: []byte("<html>")}, nil
	case p.forged:
		return browser.Posted{Status: 403, Body: []byte("<h1>CSRF token missing</h1>")}, nil
	case p.waits:
		return browser.Posted{Status: 429, RetryAfter: p.waitsFor}, nil
	case p.user == "":
		return browser.Posted{Status: 401}, nil
	case form.Get("password") != "right":
		return browser.Posted{Status: 403}, nil
	}
	return browser.Posted{Status: 200, Body: []byte(p.user + ", proved")}, nil
}

// TestIntroduced: a page that was open for long gets another introduction by itself, and the user sees nothing of it.
func TestIntroduced(t *testing.T) {
	const account, fresh, bring = "GET " + shared.PathAccount, "GET /fresh", "POST " + shared.PathIntroduction
	for what, row := range map[string]struct {
		program program
		user    string
		code    shared.Code
		asked   []string
	}{
		"it still counts":                        {program{introduced: "ann", user: "ann"}, "ann", "", []string{account}},
		"it has ended":                           {program{user: "ann"}, "ann", "", []string{account, fresh, bring, account}},
		"nobody is signed in at the program":     {program{}, "", shared.CodeUnauthenticated, []string{account, fresh}},
		"the program redirects to its sign-in":   {program{redirects: true}, "", shared.CodeUnauthenticated, []string{account, fresh}},
		"the program has ended the session":      {program{user: "old", refuses: "old"}, "", shared.CodeUnauthenticated, []string{account, fresh, bring}},
		"the server takes none from the program": {program{user: "ann", refuses: "ann"}, "", "introduction_clock", []string{account, fresh, bring}},
		"the program can't be reached":           {program{user: "ann", away: true}, "", shared.CodeOffline, []string{account, fresh}},
		"the program is broken":                  {program{user: "ann", breaks: true}, "", shared.CodeAway, []string{account, fresh}},
		"the browser sends no cookies back":      {program{user: "ann", cookieless: true}, "", shared.CodeInBetween, []string{account, fresh, bring, account}},
	} {
		p := row.program
		got, err := With(&Introduced{Transport: &p, Fresh: "/fresh"}, browser.Authenticator{}, nil).Account(t.Context())
		if got.User.ID != row.user || shared.CodeOf(err) != row.code || !slices.Equal(p.asked, row.asked) {
			t.Errorf("%s: %q is signed in (%v) after %q", what, got.User.ID, err, p.asked)
		}
	}
}

// TestIntroducedOnce: a program that gives no other introductions. If the server doesn't know the user of a page that was
// introduced just now, its browser sends no cookies back. The user isn't signed out, until the server has known them.
func TestIntroducedOnce(t *testing.T) {
	p := program{cookieless: true}
	service := With(&Introduced{Transport: &p}, browser.Authenticator{}, nil)
	for range 2 {
		if _, err := service.Account(t.Context()); shared.TroubleOf(err) != shared.TroubleCookies {
			t.Errorf("at first: %v after %q", err, p.asked)
		}
	}
	p.introduced = "ann"
	if account, err := service.Account(t.Context()); err != nil || account.User.ID != "ann" {
		t.Errorf("then: %+v (%v)", account, err)
	}
	p.introduced = ""
	if _, err := service.Account(t.Context()); !shared.IsSignedOut(err) {
		t.Errorf("at last: %v", err)
	}

	// The introduction has ended while the panel was loaded. The program's page, loaded again, brings another one.
	if _, err := With(&Introduced{Transport: &program{}}, browser.Authenticator{}, nil).Account(t.Context()); !shared.IsSignedOut(err) {
		t.Errorf("too late, in a browser that keeps cookies: %v", err)
	}
}

// TestIntroducedOther: another user has signed in to the program meanwhile, in another tab. What the first one does in the
// open panel isn't done for the other.
func TestIntroducedOther(t *testing.T) {
	bob := "header." + base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"bob","name":"Bob"}`)) + ".signature"
	for what, row := range map[string]struct {
		method, user string
		status       int
	}{
		"she adds a passkey":         {"POST", "ann", 401},
		"she removes one":            {"DELETE", "ann", 401},
		"the panel is loaded again":  {"GET", "ann", 200},
		"he himself adds one":        {"POST", "bob", 200},
		"nobody knows yet who it is": {"POST", "", 200},
	} {
		p := program{user: bob}
		i := &Introduced{Transport: &p, Fresh: "/fresh", User: func() shared.User { return shared.User{ID: row.user} }}
		if status, _, err := i.Send(t.Context(), row.method, shared.PathPasskeys, nil); err != nil || status != row.status {
			t.Errorf("%s: %d (%v) after %q", what, status, err, p.asked)
		}
	}

	p := program{user: bob}
	i := &Introduced{Transport: &p, Fresh: "/fresh", User: func() shared.User { return shared.User{ID: "ann"} }}
	if err := i.Confirm(t.Context(), "right"); shared.CodeOf(err) != shared.CodeUnauthenticated || p.introduced != "" {
		t.Errorf("his password in her panel: %v, and %q is introduced", err, p.introduced)
	}
}

// TestIntroducedConfirms: the program checks its user's password.
func TestIntroducedConfirms(t *testing.T) {
	for what, row := range map[string]struct {
		program  program
		password string
		code     shared.Code
	}{
		"the right one":                      {program{user: "ann"}, "right", ""},
		"a wrong one":                        {program{user: "ann"}, "wrong", shared.CodeSignInRefused},
		"a forged request, says a framework": {program{user: "ann", forged: true}, "right", shared.CodeInternal},
		"too many":                           {program{user: "ann", waits: true}, "right", shared.CodeTooManyAttempts},
		"nobody is signed in any more":       {program{}, "right", shared.CodeUnauthenticated},
		"the program is broken":              {program{user: "ann", breaks: true}, "right", shared.CodeInternal},
		"the server refuses what comes back": {program{user: "ann", refuses: "ann, proved"}, "right", "introduction_clock"},
	} {
		p := row.program
		err := (&Introduced{Transport: &p, Fresh: "/fresh"}).Confirm(t.Context(), row.password)
		if shared.CodeOf(err) != row.code || (err == nil) != (p.introduced == "ann, proved") {
			t.Errorf("%s: %v, and %q is introduced", what, err, p.introduced)
		}
	}
}

// TestIntroducedWaits: after too many passwords the user reads how long the program has them wait.
func TestIntroducedWaits(t *testing.T) {
	for said, want := range map[string]string{
		"": " 60 ", "90": " 90 ", "3600": " 3600 ", "0": " 60 ", "-5": " 60 ", "1e3": " 60 ", "99999999999": " 60 ", "Mon, 30 Nov 2026 10:00:00 GMT": " 60 ",
	} {
		p := &program{user: "ann", waits: true, waitsFor: said}
		err := (&Introduced{Transport: p, Fresh: "/fresh"}).Confirm(t.Context(), "right")
		refusal, _ := errors.AsType[*shared.Error](err)
		if refusal == nil || !strings.Contains(refusal.Message, want) {
			t.Errorf("Retry-After %q: the user reads %v, want%sseconds", said, err, want)
		}
	}
}
