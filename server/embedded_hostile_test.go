package server_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/embed"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/storetest/backends"
	"github.com/keypeg/keypeg/shared"
)

// TestEmbeddedRefuses: an introduction that isn't right lets nobody in and changes nothing. The user reads a sentence,
// and the developer of the program what to mend.
func TestEmbeddedRefuses(t *testing.T) {
	part := base64.RawURLEncoding.EncodeToString
	without := func(name string) func(map[string]any) { return func(c map[string]any) { delete(c, name) } }
	set := func(name string, value any) func(map[string]any) { return func(c map[string]any) { c[name] = value } }
	onEveryStoreOfAProgram(t, func(p *toolshop) {
		claims := func(changes ...func(map[string]any)) map[string]any {
			c := p.claims("ann")
			for _, change := range changes {
				change(c)
			}
			return c
		}
		now := p.now().Unix()
		right := strings.Split(p.introduces(claims()), ".")
		with := func(changes ...func(map[string]any)) string { return p.introduces(claims(changes...)) }
		invalid, origins, clock, old := shared.CodeIntroductionInvalid, shared.CodeIntroductionOrigin, shared.CodeIntroductionClock, shared.CodeIntroductionExpired
		for what, test := range map[string]struct {
			introduction string
			code         shared.Code
			tells        string
		}{
			"nothing":                             {"", invalid, "compact JWS"},
			"no JWS":                              {"ann", invalid, "compact JWS"},
			"JSON":                                {`{"sub":"ann"}`, invalid, "compact JWS"},
			"without a signature":                 {right[0] + "." + right[1] + ".", invalid, "signature"},
			"with two parts":                      {right[0] + "." + right[1], invalid, "compact JWS"},
			"with five parts":                     {strings.Join(right, ".") + ".e30.e30", invalid, "compact JWS"},
			"padded":                              {right[0] + "." + right[1] + "." + right[2] + "=", invalid, "compact JWS"},
			"signed by somebody else":             {signed("another-secret-of-somebody-else-012", headerHS256, claims()), invalid, "secret"},
			"signed by the secret and a newline":  {signed(toolshopSecret+"\n", headerHS256, claims()), invalid, "without the line break"},
			"of another alg: none":                {part([]byte(`{"alg":"none"}`)) + "." + right[1] + ".", invalid, "HS256"},
			"of another alg: HS512":               {signed(toolshopSecret, `{"alg":"HS512"}`, claims()), invalid, "HS256"},
			"of another alg: ES256":               {signed(toolshopSecret, `{"alg":"ES256"}`, claims()), invalid, "HS256"},
			"of another alg: hs256":               {signed(toolshopSecret, `{"alg":"hs256"}`, claims()), invalid, "HS256"},
			"with a key of its own":               {signed("k", `{"alg":"HS256","jwk":{"kty":"oct","k":"aw"}}`, claims()), invalid, ""},
			"with an unknown critical header":     {signed(toolshopSecret, `{"alg":"HS256","crit":["exp"],"exp":1}`, claims()), invalid, ""},
			"with a payload that isn't encoded":   {signed(toolshopSecret, `{"alg":"HS256","b64":false,"crit":["b64"]}`, claims()), invalid, ""},
			"with a second alg":                   {signed(toolshopSecret, `{"alg":"HS256","alg":"none"}`, claims()), invalid, ""},
			"altered":                             {right[0] + "." + part([]byte(`{"sub":"bob"}`)) + "." + right[2], invalid, "signature"},
			"too long":                            {with(set("more", strings.Repeat("x", 5000))), invalid, "4096"},
			"of a list":                           {p.introduces(map[string]any{"sub": "ann"})[:40] + signed(toolshopSecret, headerHS256, []int{1}), invalid, ""},
			"of no object":                        {signed(toolshopSecret, headerHS256, []int{1}), invalid, ""},
			"of null":                             {signed(toolshopSecret, headerHS256, nil), invalid, "sub is missing"},
			"with a claim twice":                  {signed(toolshopSecret, headerHS256, json.RawMessage(`{"sub":"ann","sub":"bob"}`)), invalid, ""},
			"without a user":                      {with(without("sub")), invalid, "sub is missing"},
			"of the user 17, a number":            {with(set("sub", 17)), invalid, "sub"},
			"of a user without an id":             {with(set("sub", "")), invalid, "sub is empty"},
			"of a user of blanks":                 {with(set("sub", "  ")), invalid, "sub is empty"},
			"of a user with a long id":            {with(set("sub", strings.Repeat("x", 256))), invalid, "255"},
			"of a user with a line break":         {with(set("sub", "ann\nbob")), invalid, "control"},
			"of a user with a zero byte":          {with(set("sub", "ann\x00")), invalid, "control"},
			"without a name":                      {with(without("name")), invalid, "name is missing"},
			"with a long name":                    {with(set("displayName", strings.Repeat("ä", 200))), invalid, "displayName"},
			"with a name that moves the terminal": {with(set("name", "\x1b[2J")), invalid, "control"},
			"without a session":                   {with(without("sid")), invalid, "sid is missing"},
			"with an empty session":               {with(set("sid", "")), invalid, "sid is empty"},
			"without a jti":                       {with(without("jti")), invalid, "jti is missing"},
			"without a proof's time":              {with(without("proved")), invalid, "proved"},
			"with a proof's time as text":         {with(set("proved", "2026-11-30")), invalid, "seconds since 1970"},
			"proved after it was made":            {with(set("proved", now+600)), invalid, "proved is after iat"},
			"without an end":                      {with(without("exp")), invalid, "exp"},
			"that ends before it begins":          {with(set("exp", now-1)), invalid, "exp must be"},
			"for eleven minutes":                  {with(set("exp", now+660)), invalid, "600"},
			"with milliseconds":                   {with(set("iat", now*1000), set("exp", now*1000+300_000)), invalid, "seconds since 1970"},
			"before 1970":                         {with(set("iat", -1)), invalid, "seconds since 1970"},
			"with many other methods":             {with(set("otherMethods", 100_000)), invalid, "otherMethods"},
			"with fewer than no other methods":    {with(set("otherMethods", -1)), invalid, "otherMethods"},
			"with a password of text":             {with(set("hasPassword", "yes")), invalid, "hasPassword"},
			"with a long passkey":                 {with(set("passkey", strings.Repeat("x", 300))), invalid, "passkey"},
			"without an address":                  {with(without("aud")), origins, origin},
			"for another address":                 {with(set("aud", "https://elsewhere.example.com")), origins, "elsewhere.example.com"},
			"for our address and a path":          {with(set("aud", origin+"/")), origins, origin},
			"for two addresses":                   {with(set("aud", []string{origin, "https://elsewhere.example.com"})), invalid, "one address"},
			"of a clock that is ahead":            {with(set("iat", now+300), set("exp", now+600)), clock, "300 seconds"},
			"from ten minutes ago":                {with(set("iat", now-900), set("exp", now-300), set("proved", now-900)), old, "fresh"},
			"that ends now":                       {with(set("iat", now-300), set("exp", now), set("proved", now-300)), old, "0 seconds"},
		} {
			v := p.visitor()
			p.changesNothing(func() {
				a := v.brings(test.introduction)
				var problem shared.Problem
				json.Unmarshal(a.body, &problem)
				if problem.Code != test.code || a.status/100 != 4 || problem.Developer == "" || !strings.Contains(problem.Developer, test.tells) {
					t.Errorf("an introduction %s got %s", what, a)
				}
				if strings.Contains(a.String()+p.log.String(), toolshopSecret) || strings.Contains(problem.Detail, "clock") || strings.Contains(problem.Detail, "JWS") || test.code != old && !strings.Contains(problem.Detail, "the foreman") {
					t.Errorf("an introduction %s tells the user: %s", what, problem.Detail)
				}
				v.refused(v.sends("GET", shared.PathAccount, nil), 401, shared.CodeUnauthenticated)
			})
		}
		// One that is old although it is new comes from a clock that is behind.
		v := p.visitor()
		a := v.sends("POST", shared.PathIntroduction, shared.Introduce{Introduction: with(set("iat", now-400), set("exp", now-100), set("proved", now-400)), Fresh: true})
		v.refused(a, 400, clock)
		if !strings.Contains(a.String(), "behind") || !strings.Contains(p.log.String(), "behind") {
			t.Errorf("a clock that is behind gets %s", a)
		}
		// It is named also while the introduction still counts. Within a minute it may be slow, or of a cache.
		for ago, status := range map[int64]int{300: 400, 61: 400, 60: 204} {
			made := with(set("iat", now-ago), set("exp", now-ago+600), set("proved", now-ago))
			a := p.visitor().sends("POST", shared.PathIntroduction, shared.Introduce{Introduction: made, Fresh: true})
			if a.status != status || status == 400 && !strings.Contains(a.String(), fmt.Sprintf("%d seconds ago (iat): the program's clock is behind", ago)) {
				t.Errorf("a clock that is %d seconds behind gets %s", ago, a)
			}
		}
		// One after a right password must say that the user has just proved who they are.
		p.changesNothing(func() {
			a = v.sends("POST", shared.PathIntroduction, shared.Introduce{Introduction: with(set("proved", now-700)), Fresh: true, Confirmed: true})
			v.refused(a, 400, invalid)
			if !strings.Contains(a.String(), "700 seconds before iat") {
				t.Errorf("a program that forgets the proof gets %s", a)
			}
		})
		a = v.sends("POST", shared.PathIntroduction, shared.Introduce{Introduction: with(set("proved", now-59)), Fresh: true, Confirmed: true})
		if a.status != 204 {
			t.Errorf("one that was slow gets %s", a)
		}
	})
}

// TestEmbeddedReplays: an introduction counts in one browser, for one user.
func TestEmbeddedReplays(t *testing.T) {
	onEveryStoreOfAProgram(t, func(p *toolshop) {
		ann, mallory := p.visitor(), p.visitor()
		claims := p.claims("ann")
		introduction := p.introduces(claims)
		for range 2 { // the page is loaded again from the browser's own memory
			if a := ann.brings(introduction); a.status != 204 {
				t.Fatalf("her browser: %s", a)
			}
		}
		refused := func(v *visitor, introduction string, status int, code shared.Code) (told string) {
			t.Helper()
			p.changesNothing(func() {
				a := v.brings(introduction)
				v.refused(a, status, code)
				told = a.String()
			})
			return told
		}
		for _, told := range []string{"its cookies don't come back", "was used in another browser"} { // before it has a cookie, and then
			if got := refused(mallory, introduction, 401, shared.CodeIntroductionUsed); !strings.Contains(got, told) {
				t.Errorf("another browser gets %s, want %q", got, told)
			}
		}
		mallory.refused(mallory.sends("GET", shared.PathAccount, nil), 401, shared.CodeUnauthenticated)

		// Other sites, and sites beside it, can't bring any.
		for _, site := range []string{"cross-site", "same-site"} {
			p.changesNothing(func() {
				a := mallory.sends("POST", shared.PathIntroduction, shared.Introduce{Introduction: p.introduces(p.claims("mallory"))}, func(r *http.Request) {
					r.Header.Set("Sec-Fetch-Site", site)
					r.Header.Set("Origin", "https://evil.example.com")
				})
				mallory.refused(a, 403, shared.CodeCrossSite)
			})
		}

		// What another one contradicts.
		same := p.claims("bob")
		same["sid"] = claims["sid"]
		refused(p.visitor(), p.introduces(same), 409, shared.CodeIntroductionUser)
		p.passes(time.Second)
		renamed := p.claims("ann")
		renamed["name"], renamed["displayName"] = "ann.lee@example.com", "Ann Lee"
		if a := ann.brings(p.introduces(renamed)); a.status != 204 {
			t.Errorf("a new name: %s", a)
		}
		before := p.claims("ann")
		before["iat"], before["proved"] = p.now().Unix()-100, p.now().Unix()-100
		if told := refused(ann, p.introduces(before), 409, shared.CodeIntroductionUser); !strings.Contains(told, "Please load it again.") {
			t.Errorf("a page from before she was renamed says %s", told)
		}

		// The cookie is worth nothing when it is altered, and ends with the introduction.
		for _, sealed := range []string{"x", strings.Repeat("A", 4000), ann.cookie("keypeg-introduction") + "A", ann.cookie("keypeg-introduction")[1:]} {
			v := p.visitor()
			v.jar.SetCookies(siteURL, []*http.Cookie{{Name: "keypeg-introduction", Value: sealed, Path: "/"}})
			p.changesNothing(func() { v.refused(v.sends("GET", shared.PathPasskeys, nil), 401, shared.CodeUnauthenticated) })
		}
		into[shared.Account](ann, ann.sends("GET", shared.PathAccount, nil), 200)
		p.passes(5 * time.Minute)
		ann.refused(ann.sends("GET", shared.PathAccount, nil), 401, shared.CodeUnauthenticated)
	})
}

// TestEmbeddedProofs: a proof works once, within a minute, for the program, from the browser in which it was made.
func TestEmbeddedProofs(t *testing.T) {
	onEveryStoreOfAProgram(t, func(p *toolshop) {
		ann := p.customer("ann")
		laptop := ann.registers("Laptop")
		refused := func(what string, status int, code shared.Code, proof string, change ...func(*http.Request)) {
			t.Helper()
			p.changesNothing(func() {
				a := p.redeems(proof, change...)
				ann.refused(a, status, code)
				if !strings.Contains(a.String(), `"developer":"`) || len(proof) > 20 && strings.Contains(p.log.String(), proof) {
					t.Errorf("%s: %s", what, a)
				}
			})
		}
		proof, hers := p.proof(ann)
		first, second := proof, hers
		parts := strings.Split(proof, ".")
		refused("nothing", 400, shared.CodeProofInvalid, "")
		refused("no token", 400, shared.CodeProofInvalid, "proof")
		refused("altered", 400, shared.CodeProofInvalid, parts[0]+"."+parts[1]+"."+parts[2][1:]+"A", hers)
		refused("an introduction", 400, shared.CodeProofInvalid, p.introduces(p.claims("ann")), hers)
		refused("signed with the secret", 400, shared.CodeProofInvalid, signed(toolshopSecret, `{"alg":"HS256","typ":"keypeg-proof+jwt"}`, map[string]any{"sub": "ann"}), hers)
		refused("long", 400, shared.CodeProofInvalid, strings.Repeat("A", 50_000), hers)
		refused("without the cookie", 400, shared.CodeProofBrowser, proof)
		bob := p.customer("bob")
		bob.registers("his")
		_, his := p.proof(bob)
		refused("with another browser's cookie", 400, shared.CodeProofBrowser, proof, his)
		for what, change := range map[string]func(*http.Request){
			"without a secret":  func(r *http.Request) { r.Header.Del("Authorization") },
			"a wrong secret":    func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+toolshopSecret[1:]) },
			"the secret, basic": func(r *http.Request) { r.SetBasicAuth("", toolshopSecret) },
			"an empty secret":   func(r *http.Request) { r.Header.Set("Authorization", "Bearer ") },
		} {
			refused(what, 401, shared.CodeProgramRefused, proof, hers, change)
		}
		into[shared.Proved](ann, p.redeems(proof, hers), 200)
		refused("twice", 409, shared.CodeProofUsed, proof, hers)

		proof, hers = p.proof(ann)
		refused("an earlier one of this browser", 400, shared.CodeProofBrowser, first, hers)
		p.settings.Arrive = origin + "/elsewhere"
		refused("for another address", 400, shared.CodeProofInvalid, proof, hers)
		p.settings.Arrive = origin + "/arrive"
		p.passes(61 * time.Second)
		refused("late", 400, shared.CodeProofExpired, proof, hers)
		refused("used and late", 400, shared.CodeProofExpired, first, second)

		proof, hers = p.proof(ann)
		if a := p.asks("DELETE", shared.PathHostUser+"ann/passkeys/"+laptop.ID, nil); a.status != 204 {
			t.Fatal(a)
		}
		refused("of a passkey that was removed", 400, shared.CodeProofInvalid, proof, hers)
	})
}

// TestEmbeddedPrograms: what is for the program is for nobody else.
func TestEmbeddedPrograms(t *testing.T) {
	onEveryStoreOfAProgram(t, func(p *toolshop) {
		ann := p.customer("ann")
		laptop := ann.registers("Laptop")
		for _, path := range []string{"ann", "ann/passkeys/" + laptop.ID, "ann/sessions", "ann/sessions/session-of-ann"} {
			p.changesNothing(func() {
				ann.refused(ann.sends("DELETE", shared.PathHostUser+path, nil, func(r *http.Request) { r.Header.Set("Authorization", "Bearer no") }), 401, shared.CodeProgramRefused)
			})
		}
		ann.refused(p.asks("GET", shared.PathHostUser+strings.Repeat("x", 300)+"/passkeys", nil), 404, shared.CodeNotFound)
		// Ids with any characters are whole: one user's is never another's path.
		for _, id := range []string{"ann/passkeys", "../ann", "ann?x", "ann#x", "änn", "a n n", "%61nn"} {
			v := p.visitor()
			v.name = id
			p.shows(v).registers("Laptop")
			at := shared.PathHostUser + url.PathEscape(id)
			shown := into[shared.HostPasskeyList](v, p.asks("GET", at+shared.PathHostPasskeys, nil), 200)
			if len(shown.Passkeys) != 1 {
				t.Errorf("%q has %+v", id, shown)
			}
			if a := p.asks("DELETE", at, nil); a.status != 204 {
				t.Errorf("removing %q: %s", id, a)
			}
		}
		if n := len(ann.lists().Passkeys); n != 1 {
			t.Errorf("she has %d passkeys", n)
		}
	})
}

// TestEmbeddedAtOnce: of many at once, one gets something.
func TestEmbeddedAtOnce(t *testing.T) {
	onEveryStoreOfAProgram(t, func(p *toolshop) {
		atOnce := func(n int, do func() int) (got int) {
			var mu sync.Mutex
			var all sync.WaitGroup
			for range n {
				all.Go(func() {
					status := do()
					mu.Lock()
					defer mu.Unlock()
					if status/100 == 2 {
						got++
					}
				})
			}
			all.Wait()
			return got
		}
		for range 5 {
			introduction := p.introduces(p.claims("ann"))
			if n := atOnce(16, func() int { return p.visitor().brings(introduction).status }); n != 1 {
				t.Errorf("%d browsers of 16 were introduced", n)
			}
		}
		ann := p.customer("ann")
		ann.registers("Laptop")
		for range 5 {
			proof, hers := p.proof(ann)
			if n := atOnce(32, func() int { return p.redeems(proof, hers).status }); n != 1 {
				t.Errorf("%d of 32 redeemed a proof", n)
			}
		}
	})
}

// TestEmbeddedSignsInBeside: whose panel was open last in a browser says nothing of who signs in there.
func TestEmbeddedSignsInBeside(t *testing.T) {
	onEveryStoreOfAProgram(t, func(p *toolshop) {
		ann, bob := p.customer("ann"), p.customer("bob")
		ann.registers("hers")
		bob.registers("his")
		hers := ann.device
		ann.device = bob.device // Bob, at a computer where she has just signed out of the program
		proof, cookies := p.proof(ann)
		if learned := into[shared.Proved](ann, p.redeems(proof, cookies), 200); learned.UserID != "bob" {
			t.Errorf("signed in is %+v", learned)
		}
		// A confirmation is of the user who is introduced.
		begun := into[shared.Ceremony](ann, ann.sends("POST", shared.PathConfirmBegin, nil), 200)
		if _, err := ann.device.Get(begun.PublicKey); err == nil {
			t.Error("his device confirms for her")
		}
		ann.device = hers
		if a := ann.confirmsWithPasskey(); a.status != 200 {
			t.Errorf("her own: %s", a)
		}
		// A page in her browser where he is introduced now is his.
		p.passes(time.Second)
		if a := ann.brings(p.introduces(p.claims("bob"))); a.status != 204 {
			t.Fatal(a)
		}
		if list := ann.lists(); len(list.Passkeys) != 1 || list.Passkeys[0].Name != "his" {
			t.Errorf("he sees %+v", list)
		}
	})
}

// TestEmbeddedSettings: what can't work isn't served.
func TestEmbeddedSettings(t *testing.T) {
	right := embed.Program{Arrive: origin + "/arrive", Secrets: []string{toolshopSecret}}
	if err := right.Check(origin); err != nil {
		t.Errorf("%+v: %v", right, err)
	}
	for what, change := range map[string]func(*embed.Program){
		"no arrive":               func(p *embed.Program) { p.Arrive = "" },
		"arrive elsewhere":        func(p *embed.Program) { p.Arrive = "https://elsewhere.example.com/arrive" },
		"arrive beside":           func(p *embed.Program) { p.Arrive = origin + ".evil.example.com/arrive" },
		"arrive with a user":      func(p *embed.Program) { p.Arrive = "http://ann@localhost:8080/arrive" },
		"arrive of Keypeg":        func(p *embed.Program) { p.Arrive = origin + "/keypeg/arrive" },
		"arrive of the API":       func(p *embed.Program) { p.Arrive = origin + "/api/v1/account" },
		"arrive with a fragment":  func(p *embed.Program) { p.Arrive += "#x" },
		"arrive without a scheme": func(p *embed.Program) { p.Arrive = "/arrive" },
		"hooks by ftp":            func(p *embed.Program) { p.Hooks = "ftp://localhost/hooks" },
		"hooks of a path":         func(p *embed.Program) { p.Hooks = "/hooks" },
		"no secret":               func(p *embed.Program) { p.Secrets = nil },
		"a short secret":          func(p *embed.Program) { p.Secrets = []string{"short"} },
		"a secret of two words":   func(p *embed.Program) { p.Secrets = []string{toolshopSecret + " more"} },
		"a secret with an umlaut": func(p *embed.Program) { p.Secrets = []string{toolshopSecret + "ä"} },
		"a long secret":           func(p *embed.Program) { p.Secrets = []string{strings.Repeat("x", 1025)} },
		"five secrets": func(p *embed.Program) {
			p.Secrets = []string{toolshopSecret, toolshopSecret, toolshopSecret, toolshopSecret, toolshopSecret}
		},
	} {
		p := right
		change(&p)
		if err := p.Check(origin); err == nil || strings.Contains(err.Error(), toolshopSecret) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestEmbeddedOnTwoNodes: what one node has said, the other keeps to, at once.
func TestEmbeddedOnTwoNodes(t *testing.T) {
	for kind, open := range backends.Two {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			var other store.Store
			one := newToolshop(t, func(t *testing.T, now store.Clock) (first store.Store) {
				first, other = open(t, now)
				return first
			})
			two := newToolshop(t, func(*testing.T, store.Clock) store.Store { return other })
			at := func(p *toolshop, v *visitor) *visitor {
				return &visitor{site: p.site, name: v.name, jar: v.jar, device: v.device}
			}

			ann := one.customer("ann")
			ann.registers("Laptop")
			if list := at(two, ann).lists(); len(list.Passkeys) != 1 {
				t.Errorf("the other node has %+v", list)
			}
			introduction := one.introduces(one.claims("bob"))
			var taken atomic.Int32
			var all sync.WaitGroup
			for i := range 16 {
				all.Go(func() {
					v := at([]*toolshop{one, two}[i%2], one.visitor())
					if v.sends("POST", shared.PathIntroduction, shared.Introduce{Introduction: introduction}).status == 204 {
						taken.Add(1)
					}
				})
			}
			all.Wait()
			proof, hers := one.proof(at(two, ann))
			var redeemed atomic.Int32
			for i := range 16 {
				all.Go(func() {
					if []*toolshop{one, two}[i%2].redeems(proof, hers).status == 200 {
						redeemed.Add(1)
					}
				})
			}
			all.Wait()
			if taken.Load() != 1 || redeemed.Load() != 1 {
				t.Errorf("%d of 16 browsers were introduced, and %d of 16 redeemed the proof", taken.Load(), redeemed.Load())
			}
			if a := two.asks("DELETE", shared.PathHostUser+"ann/sessions/session-of-ann", nil); a.status != 204 {
				t.Fatal(a)
			}
			ann.refused(ann.sends("GET", shared.PathAccount, nil), 401, shared.CodeUnauthenticated)
		})
	}
}

// TestEmbeddedRemovedMeanwhile: of a user whom the program removes while they add their first passkey, nothing is left.
func TestEmbeddedRemovedMeanwhile(t *testing.T) {
	for kind, open := range stores {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			in := &interrupted{}
			p := newToolshop(t, func(t *testing.T, now store.Clock) store.Store {
				in.Store = open(t, now)
				return in
			})
			ann := p.customer("ann")
			in.first = func() error {
				if a := p.asks("DELETE", shared.PathHostUser+"ann", nil); a.status != 204 {
					t.Errorf("removing her: %s", a)
				}
				return nil
			}
			ann.refused(ann.finishesRegistration("Laptop"), 401, shared.CodeUnauthenticated)
			if n := p.count(store.KindUser); n != 0 {
				t.Errorf("%d records of users are left", n)
			}
		})
	}
}
