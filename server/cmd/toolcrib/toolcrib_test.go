package main

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/keypeg/keypeg/app/toolcrib"
	"github.com/keypeg/keypeg/server/limit"
)

// site is a crib with its people, in a folder of its own.
type site struct {
	*testing.T
	path      string
	crib      *crib
	passwords map[string]string
	forgotten []string // whose passkeys were removed
	handler   http.Handler
}

func newSite(t *testing.T) *site {
	h := &site{T: t, path: filepath.Join(t.TempDir(), "crib.json")}
	h.opens()
	if err := h.crib.change(func(k *kept) error {
		k.Tools = []tool{{ID: "1", Name: "Torque wrench"}}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	var err error
	if h.passwords, err = h.crib.admit("kim", "ann", "bob"); err != nil {
		t.Fatal(err)
	}
	return h
}

// opens reads what is on disk, as a new start does.
func (h *site) opens() {
	h.Helper()
	var err error
	if h.crib, _, err = openCrib(h.path); err != nil {
		h.Fatal(err)
	}
	h.handler = routes{crib: h.crib, guesses: limit.New(10, time.Minute), forget: func(_ context.Context, id string) error {
		h.forgotten = append(h.forgotten, id)
		return nil
	}}.handler()
}

// visitor is somebody's browser.
type visitor struct {
	*site
	cookie *http.Cookie
}

// sends returns the status and the content.
func (v *visitor) sends(method, path, body string, headers ...string) (int, string) {
	v.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if v.cookie != nil {
		r.AddCookie(v.cookie)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	v.handler.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		v.cookie = c
	}
	return w.Code, w.Body.String()
}

func (v *visitor) wants(status int, words, method, path, body string, headers ...string) {
	v.Helper()
	if got, content := v.sends(method, path, body, headers...); got != status || !strings.Contains(content, words) {
		v.Errorf("%s %s %s: %d %s, want %d with %q", method, path, body, got, content, status, words)
	}
}

// signsIn signs in somebody who may type their name in any way.
func (h *site) signsIn(typed string) *visitor {
	h.Helper()
	v, password := &visitor{site: h}, h.passwords[strings.ToLower(strings.TrimSpace(typed))]
	v.wants(200, "", "POST", toolcrib.PathSignIn, `{"name":"`+typed+`","password":"`+password+`"}`)
	return v
}

func (v *visitor) sees() (seen toolcrib.Crib) {
	v.Helper()
	status, content := v.sends("GET", toolcrib.PathCrib, "")
	if err := json.Unmarshal([]byte(content), &seen); status != 200 || err != nil {
		v.Fatalf("%d %s (%v)", status, content, err)
	}
	return seen
}

func TestCrib(t *testing.T) {
	h := newSite(t)
	kim, ann, bob := h.signsIn("kim"), h.signsIn(" Ann "), h.signsIn("bob")

	t.Run("of many users who borrow a tool at once one gets it", func(t *testing.T) {
		var together sync.WaitGroup
		got := make(chan int, 20)
		for i := range 20 {
			who := visitor{site: h, cookie: []*visitor{ann, bob}[i%2].cookie}
			together.Go(func() { status, _ := who.sends("POST", toolcrib.PathBorrow, `{"id":"1"}`); got <- status })
		}
		together.Wait()
		close(got)
		won := map[int]int{}
		for status := range got {
			won[status]++
		}
		if won[200] != 10 || won[409] != 10 { // who has it may ask again
			t.Errorf("answers by status: %v", won)
		}
	})
	t.Run("a new start has forgotten nothing", func(t *testing.T) {
		before := ann.sees()
		h.opens()
		if after := ann.sees(); after.Tools[0].Holder == "" || after.Tools[0].Holder != before.Tools[0].Holder || after.Me.Name != "ann" {
			t.Errorf("got %+v, want %+v", after, before)
		}
	})
	t.Run("the keeper alone sees and removes people", func(t *testing.T) {
		people := kim.sees().People
		if len(people) != 3 || len(ann.sees().People) != 0 {
			t.Fatalf("the keeper sees %+v", people)
		}
		ann.wants(403, "for the keeper", "POST", toolcrib.PathRemove, `{"id":"`+people[2].ID+`"}`)
		kim.wants(409, "needs its keeper", "POST", toolcrib.PathRemove, `{"id":"`+people[0].ID+`"}`)
		kim.wants(200, "", "POST", toolcrib.PathRemove, `{"id":"`+people[2].ID+`"}`)
		if len(h.forgotten) != 1 || h.forgotten[0] != people[2].ID {
			t.Errorf("passkeys were removed of %q, want bob's", h.forgotten)
		}
		bob.wants(401, "sign in", "GET", toolcrib.PathCrib, "")
	})
	t.Run("a request that can't be read, or is of another site or of nobody, is refused", func(t *testing.T) {
		nobody := &visitor{site: h}
		nobody.wants(401, "sign in", "GET", toolcrib.PathCrib, "")
		nobody.wants(401, "sign in", "POST", toolcrib.PathConfirm, `{"password":"x"}`)
		ann.wants(400, "could not be read", "POST", toolcrib.PathBorrow, `{`)
		ann.wants(400, "could not be read", "POST", toolcrib.PathBorrow, `{"id":"`+strings.Repeat("x", 5000)+`"}`)
		ann.wants(404, "no such tool", "POST", toolcrib.PathReturn, `{"id":"7"}`)
		ann.wants(403, "cross-origin", "POST", toolcrib.PathSignOut, "", "Sec-Fetch-Site", "cross-site")
		ann.sees()
	})
	t.Run("a confirmation gives another session, and signing out ends it", func(t *testing.T) {
		before := *ann
		ann.wants(403, "not right", "POST", toolcrib.PathConfirm, `{"password":"wrong"}`)
		ann.wants(200, "", "POST", toolcrib.PathConfirm, `{"password":"`+h.passwords["ann"]+`"}`)
		before.wants(401, "sign in", "GET", toolcrib.PathCrib, "")
		after := *ann
		ann.wants(200, "", "POST", toolcrib.PathSignOut, "")
		after.wants(401, "sign in", "GET", toolcrib.PathCrib, "")
	})
	t.Run("with a passkey its sessions end, and no others", func(t *testing.T) {
		annID, kimID := h.crib.kept.People[1].ID, h.crib.kept.People[0].ID
		opens := func(personID, passkeyID string) *visitor {
			w, v := httptest.NewRecorder(), &visitor{site: h}
			if err := h.crib.begin(w, httptest.NewRequest("POST", "/", nil), personID, passkeyID); err != nil {
				t.Fatal(err)
			}
			v.cookie = w.Result().Cookies()[0]
			return v
		}
		lost, asks, other, hers := opens(annID, "lost"), opens(annID, "lost"), opens(annID, "other"), opens(kimID, "lost")
		if err := h.crib.EndSessions(t.Context(), annID, "lost", hashOf(asks.cookie.Value)); err != nil {
			t.Fatal(err)
		}
		lost.wants(401, "sign in", "GET", toolcrib.PathCrib, "")
		for _, stays := range []*visitor{asks, other, hers} {
			stays.sees()
		}
	})
	t.Run("passwords can't be tried for ever", func(t *testing.T) {
		attacker := &visitor{site: h}
		for range 10 {
			attacker.wants(403, "not right", "POST", toolcrib.PathSignIn, `{"name":"kim","password":"guess"}`)
		}
		attacker.wants(429, "wait", "POST", toolcrib.PathSignIn, `{"name":"kim","password":"`+h.passwords["kim"]+`"}`)
		kim.sees()
	})
}
