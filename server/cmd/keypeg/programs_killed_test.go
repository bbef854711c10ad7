package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/storetest"
)

// TestKilledWithPrograms kills the program at random moments, while 16 people sign in to another program. Whatever
// tokens were answered work after the restart, and no code or refresh token gives tokens twice.
func TestKilledWithPrograms(t *testing.T) {
	rounds := 5
	if soaking {
		rounds = 200
	}
	secret := "a-secret-of-the-wiki-0123456789012345"
	config := writtenFile(t, "keypeg.toml", fmt.Sprintf("[client.wiki]\nredirects = [%q]\nfirst-party = true\npkce = false\nscopes = [\"offline_access\"]\nsecret-file = %q\n",
		wikiCallback, writtenFile(t, "wiki.secret", secret)))
	p := newProgram(t, "--config", config)
	people := make([]*subscriber, 16)
	for i := range people {
		_, token := p.hasUser(fmt.Sprintf("ann%02d", i))
		people[i] = &subscriber{program: p, token: token, secret: secret}
	}

	answered := func() (n int) {
		for _, who := range people {
			n += int(who.answered.Load())
		}
		return n
	}
	all := 0
	for round := range rounds {
		p.starts()
		killed := make(chan struct{})
		var working sync.WaitGroup
		for _, who := range people {
			working.Go(func() { who.works(killed) })
		}
		enough := 5 + rand.IntN(60) // a random moment, which a slow machine has later
		p.until("tokens are answered", func() bool { return answered() >= enough || t.Failed() })
		p.ends(syscall.SIGKILL)
		close(killed)
		working.Wait()
		p.opens(func(db store.Store) {
			if err := storetest.Consistent(t.Context(), db, time.Now()); err != nil {
				t.Error(err)
			}
		})
		p.starts()
		all += answered()
		for _, who := range people {
			who.answered.Store(0)
			who.compares()
		}
		p.ends(syscall.SIGTERM)
		if t.Failed() {
			t.Fatalf("after round %d", round)
		}
	}
	t.Logf("%d rounds, %d answers with tokens", rounds, all)
}

const wikiCallback = "https://wiki.example.com/callback"

// subscriber is a person with a browser, whose program remembers what was answered.
type subscriber struct {
	program       *program
	token, secret string

	answered atomic.Int64
	spent    []string // codes and refresh tokens whose tokens were answered, as forms
	refresh  string   // the newest refresh token
	pending  string   // a form that wasn't answered
}

// works signs in to the program and refreshes, one after another, until the server is gone.
func (s *subscriber) works(enough <-chan struct{}) {
	for step := 0; ; step++ {
		select {
		case <-enough:
			return
		default:
		}
		form := ""
		if s.refresh == "" || step%5 == 0 {
			code := s.code()
			if code == "" {
				return
			}
			form = url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {wikiCallback}}.Encode()
		} else {
			form = url.Values{"grant_type": {"refresh_token"}, "refresh_token": {s.refresh}}.Encode()
		}
		s.pending = form
		got, there := s.asks(form)
		if !there {
			return
		}
		s.pending = ""
		if got.Refresh == "" {
			s.program.Errorf("refused: %s", got.Error)
			return
		}
		if strings.HasPrefix(form, "grant_type=refresh") {
			s.spent = append(s.spent[:0], form)
		}
		s.refresh = got.Refresh
		s.answered.Add(1)
	}
}

// code signs in to the program; "" if the server is gone.
func (s *subscriber) code() string {
	r, err := http.NewRequest("GET", s.program.url+"/openid/authorize?"+url.Values{
		"client_id": {"wiki"}, "redirect_uri": {wikiCallback}, "response_type": {"code"}, "scope": {"openid offline_access"}, "prompt": {"none"},
	}.Encode(), nil)
	if err != nil {
		s.program.Fatal(err)
	}
	r.AddCookie(&http.Cookie{Name: "keypeg", Value: s.token})
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return ""
	}
	answer.Body.Close()
	to, err := answer.Location()
	if err != nil || to.Query().Get("code") == "" {
		s.program.Errorf("no code: %s %v", answer.Status, to)
		return ""
	}
	return to.Query().Get("code")
}

type tokenAnswer struct {
	Refresh string `json:"refresh_token"`
	Error   string `json:"error"`
}

// asks sends a form to the token endpoint, and reports whether it was answered.
func (s *subscriber) asks(form string) (got tokenAnswer, there bool) {
	r, err := http.NewRequest("POST", s.program.url+"/openid/token", strings.NewReader(form))
	if err != nil {
		s.program.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth("wiki", s.secret)
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return got, false
	}
	defer answer.Body.Close()
	return got, json.NewDecoder(answer.Body).Decode(&got) == nil
}

// compares looks whether what was answered counts after the restart.
func (s *subscriber) compares() {
	t := s.program
	t.Helper()
	unanswered := s.pending
	s.pending = ""
	if s.refresh != "" && !strings.HasPrefix(unanswered, "grant_type=refresh") {
		got, _ := s.asks(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {s.refresh}}.Encode())
		if got.Refresh == "" {
			t.Errorf("a refresh token that was answered doesn't work after the restart: %s", got.Error)
		}
		s.spent = append(s.spent, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {s.refresh}}.Encode())
	}
	s.refresh = ""
	if unanswered != "" { // all or nothing: it gives tokens once, or never
		if got, _ := s.asks(unanswered); got.Refresh != "" {
			s.spent = append(s.spent, unanswered)
		}
	}
	for _, form := range s.spent {
		if got, _ := s.asks(form); got.Error != "invalid_grant" {
			t.Errorf("what was spent gives tokens again: %+v", got)
		}
	}
	s.spent = nil
}
