package server_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/embed"
	"github.com/keypeg/keypeg/server/live"
	"github.com/keypeg/keypeg/server/passkey/passkeytest"
	"github.com/keypeg/keypeg/server/proxytest"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// toolshop is a program in another language, as Keypeg sees it: it has a secret, and speaks HTTP.
type toolshop struct {
	*site
	settings embed.Program
	number   int // of introductions
}

const toolshopSecret = "a-secret-of-the-toolshop-0123456789"

func onEveryStoreOfAProgram(t *testing.T, test func(*toolshop)) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(newToolshop(t, open))
		})
	}
}

func newToolshop(t *testing.T, open func(*testing.T, store.Clock) store.Store) *toolshop {
	s := &site{T: t, clock: time.Now().Truncate(time.Second), log: &proxytest.Output{}}
	hub := live.NewHub()
	s.store = hub.Store(open(t, s.now))
	p := &toolshop{site: s, settings: embed.Program{Arrive: origin + "/arrive", Secrets: []string{toolshopSecret}}}
	address, err := server.ParseAddress(origin, "", true)
	if err != nil {
		t.Fatal(err)
	}
	s.config = server.Config{
		Store: s.store, Embed: func() embed.Program { return p.settings }, Live: hub, Now: s.now, Log: slog.New(slog.NewTextHandler(s.log, nil)),
		Address: address, Product: "Toolshop", Contact: "the foreman", Asset: func(name string) string { return "/keypeg/static/" + name },
	}
	s.restarts(func(*server.Config) {})
	return p
}

// claims are those with which the toolshop introduces a user who has just signed in.
func (p *toolshop) claims(user string) map[string]any {
	p.number++
	now := p.now().Unix()
	return map[string]any{
		"sub": user, "name": user + "@example.com", "displayName": strings.ToUpper(user), "sid": "session-of-" + user, "proved": now,
		"hasPassword": true, "aud": origin, "iat": now, "exp": now + 300, "jti": "introduction-" + strconv.Itoa(p.number),
	}
}

// signed signs as any language can: by hand.
func signed(secret, header string, claims any) string {
	payload, err := json.Marshal(claims)
	if err != nil {
		panic(err)
	}
	text := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString(payload)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(text))
	return text + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

const headerHS256 = `{"alg":"HS256","typ":"JWT"}`

func (p *toolshop) introduces(claims map[string]any) string {
	return signed(toolshopSecret, headerHS256, claims)
}

// brings hands an introduction over, as elements.js does.
func (v *visitor) brings(introduction string) answer {
	v.Helper()
	return v.sends("POST", shared.PathIntroduction, shared.Introduce{Introduction: introduction})
}

// shows has a browser at a page of the toolshop, with its user introduced.
func (p *toolshop) shows(v *visitor) *visitor {
	p.Helper()
	if a := v.brings(p.introduces(p.claims(v.name))); a.status != 204 {
		p.Fatalf("the introduction got %s", a)
	}
	return v
}

func (p *toolshop) customer(name string) *visitor {
	p.Helper()
	v := p.visitor()
	v.name = name
	return p.shows(v)
}

// asks sends what the program itself sends: not by a browser, and by an address of its own.
func (p *toolshop) asks(method, path string, form url.Values, change ...func(*http.Request)) answer {
	p.Helper()
	v := p.visitor()
	all := append([]func(*http.Request){func(r *http.Request) {
		r.Header = http.Header{"Authorization": {"Bearer " + toolshopSecret}, "Content-Type": {"application/x-www-form-urlencoded"}}
		r.Host = "10.0.0.7:8080"
	}}, change...)
	return v.sends(method, path, form.Encode(), all...)
}

// proof signs a browser in, and returns what it posts to the program, with its cookies.
func (p *toolshop) proof(v *visitor) (proof string, cookies func(*http.Request)) {
	p.Helper()
	a := v.signsInWithPasskey()
	into[shared.SignedIn](v, a, 200)
	if at := a.header.Get(shared.HeaderArrive); at != p.settings.Arrive {
		p.Errorf("the proof goes to %q", at)
	}
	sent := v.jar.Cookies(siteURL)
	return a.header.Get(shared.HeaderProof), func(r *http.Request) {
		for _, cookie := range sent {
			r.AddCookie(cookie)
		}
	}
}

func (p *toolshop) redeems(proof string, change ...func(*http.Request)) answer {
	p.Helper()
	return p.asks("POST", shared.PathRedeem, url.Values{shared.FieldProof: {proof}}, change...)
}

// TestEmbedded is what users of a program in another language do, and what the program learns.
func TestEmbedded(t *testing.T) {
	onEveryStoreOfAProgram(t, func(p *toolshop) {
		ann := p.customer("ann")
		account := into[shared.Account](ann, ann.sends("GET", shared.PathAccount, nil), 200)
		if account.User != (shared.User{ID: "ann", Name: "ann@example.com", DisplayName: "ANN"}) || account.Contact != "the foreman" || !account.PhoneLinks {
			t.Errorf("her account is %+v", account)
		}
		laptop := ann.registers("Laptop")
		if list := ann.lists(); !list.HasPassword || list.Passkeys[0].OnlyMethod || list.EndsSessions {
			t.Errorf("her list is %+v", list)
		}

		// She signs out, and in again with it.
		into[struct{}](ann, answer{status: ann.sends("DELETE", shared.PathIntroduction, nil).status, body: []byte("{}")}, 204)
		ann.refused(ann.sends("GET", shared.PathPasskeys, nil), 401, shared.CodeUnauthenticated)
		p.passes(time.Hour)
		proof, hers := p.proof(ann)
		learned := into[shared.Proved](ann, p.redeems(proof, hers), 200)
		if learned.UserID != "ann" || learned.PasskeyID != laptop.ID || learned.PasskeyName != "Laptop" || learned.Proved != p.now().Unix() || learned.ACR != "phr" || len(learned.AMR) == 0 {
			t.Errorf("the program learns %+v", learned)
		}
		p.verifies(proof, learned)

		claims := p.claims("ann")
		claims["sid"], claims["passkey"] = "her-next-session", learned.PasskeyID
		if a := ann.brings(p.introduces(claims)); a.status != 204 {
			t.Fatalf("her next session: %s", a)
		}
		if list := ann.lists(); !list.Passkeys[0].Current {
			t.Errorf("her session began with it: %+v", list)
		}
		renamed := into[shared.Passkey](ann, ann.sends("PATCH", shared.PathPasskey+laptop.ID, shared.RenamePasskey{Name: "Work"}), 200)
		shown := into[shared.HostPasskeyList](ann, p.asks("GET", shared.PathHostUser+"ann"+shared.PathHostPasskeys, nil), 200)
		if renamed.Name != "Work" || len(shown.Passkeys) != 1 || shown.Passkeys[0].Name != "Work" {
			t.Errorf("the program sees %+v", shown)
		}
		ann.sends("DELETE", shared.PathPasskey+laptop.ID, nil)
		if list := ann.lists(); len(list.Passkeys) != 0 {
			t.Errorf("after the removal there is %+v", list)
		}
	})
}

// verifies checks a proof as a program does that asks nobody.
func (p *toolshop) verifies(proof string, learned shared.Proved) {
	p.Helper()
	var keys jose.JSONWebKeySet
	if a := p.asks("GET", shared.PathProofKeys, nil); json.Unmarshal(a.body, &keys) != nil || len(keys.Keys) != 1 || !keys.Keys[0].IsPublic() {
		p.Fatalf("the keys are %s", a)
	}
	parsed, err := jose.ParseSignedCompact(proof, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		p.Fatal(err)
	}
	payload, err := parsed.Verify(keys)
	if err != nil {
		p.Fatal(err)
	}
	var claims struct{ Iss, Aud, Sub, PasskeyID, Bound string }
	if err := json.Unmarshal(payload, &claims); err != nil || claims.Iss != origin || claims.Aud != p.settings.Arrive || claims.Sub != learned.UserID || claims.PasskeyID != learned.PasskeyID || claims.Bound == "" {
		p.Errorf("it says %s (%v)", payload, err)
	}
}

// TestEmbeddedConfirms: a passkey confirms who somebody is without the program, and a newer introduction does.
func TestEmbeddedConfirms(t *testing.T) {
	onEveryStoreOfAProgram(t, func(p *toolshop) {
		ann := p.customer("ann")
		ann.registers("Laptop")
		p.passes(11 * time.Minute)
		ago := p.now().Add(-time.Hour).Unix()
		claims := p.claims("ann")
		claims["proved"] = ago
		ann.brings(p.introduces(claims))
		ann.refused(ann.sends("POST", shared.PathRegisterBegin, nil), 403, shared.CodeConfirmRequired)
		if a := ann.confirmsWithPasskey(); a.status != 200 || a.header.Get(shared.HeaderProof) != "" {
			t.Errorf("confirming: %s, with the proof %q", a, a.header.Get(shared.HeaderProof))
		}
		ann.device = passkeytest.New(origin)
		ann.registers("Phone")

		reopens := func(session string) {
			claims := p.claims("ann")
			claims["proved"], claims["sid"] = ago, session
			ann.brings(p.introduces(claims))
		}
		reopens("session-of-ann") // the panel, on a page that doesn't know of it
		into[shared.Ceremony](ann, ann.sends("POST", shared.PathRegisterBegin, nil), 200)
		reopens("another-session")
		ann.refused(ann.sends("POST", shared.PathRegisterBegin, nil), 403, shared.CodeConfirmRequired)
		reopens("session-of-ann")
		ann.refused(ann.sends("POST", shared.PathRegisterBegin, nil), 403, shared.CodeConfirmRequired)
		p.shows(ann) // she typed her password at the program
		ann.device = passkeytest.New(origin)
		ann.registers("Tablet")
	})
}

// TestEmbeddedEnds: what the program says has ended, ends here.
func TestEmbeddedEnds(t *testing.T) {
	onEveryStoreOfAProgram(t, func(p *toolshop) {
		for what, ends := range map[string]func(*visitor) answer{
			"the session":      func(*visitor) answer { return p.asks("DELETE", shared.PathHostUser+"ann/sessions/session-of-ann", nil) },
			"all her sessions": func(*visitor) answer { return p.asks("DELETE", shared.PathHostUser+"ann/sessions", nil) },
			"she herself":      func(*visitor) answer { return p.asks("DELETE", shared.PathHostUser+"ann", nil) },
		} {
			p.passes(time.Hour)
			ann, bob, late := p.customer("ann"), p.customer("bob"), p.visitor()
			claims := p.claims("ann")
			claims["sid"] = "her-phone"
			phone := p.visitor()
			phone.brings(p.introduces(claims))
			kept := p.introduces(p.claims("ann")) // by a cache
			ann.registers("Laptop")
			link := ann.makesPhoneLink()
			p.passes(time.Second)
			if a := ends(ann); a.status != 204 {
				t.Fatalf("%s: %s", what, a)
			}
			ann.refused(ann.sends("GET", shared.PathAccount, nil), 401, shared.CodeUnauthenticated)
			late.refused(late.brings(kept), 401, shared.CodeIntroductionExpired)
			into[shared.Account](bob, bob.sends("GET", shared.PathAccount, nil), 200)
			if a := p.visitor().sends("GET", link, nil); a.status == 303 {
				t.Errorf("%s: the link for a phone works", what)
			}
			if status := phone.sends("GET", shared.PathAccount, nil).status; (status == 200) != (what == "the session") {
				t.Errorf("%s: her phone gets %d", what, status)
			}
			p.passes(time.Minute)
			claims = p.claims("ann")
			claims["sid"] = "after-" + what
			if a := ann.brings(p.introduces(claims)); a.status != 204 {
				t.Errorf("%s: a new session gets %s", what, a)
			}
			if n := len(ann.lists().Passkeys); (n == 0) != (what == "she herself") {
				t.Errorf("%s: she has %d passkeys", what, n)
			}
			p.asks("DELETE", shared.PathHostUser+"ann", nil)
		}

		// After a new password, all sessions end but the one in which it was set.
		p.passes(time.Hour)
		ann := p.customer("ann")
		if a := p.asks("DELETE", shared.PathHostUser+"ann/sessions?except=session-of-ann", nil); a.status != 204 {
			t.Fatal(a)
		}
		into[shared.Account](ann, ann.sends("GET", shared.PathAccount, nil), 200)

		// The program's administration removes a passkey.
		laptop := ann.registers("Laptop")
		if a := p.asks("DELETE", shared.PathHostUser+"ann/passkeys/"+laptop.ID, nil); a.status != 204 || len(ann.lists().Passkeys) != 0 {
			t.Errorf("the program removes a passkey: %s, %+v", a, ann.lists())
		}
		ann.refused(p.asks("DELETE", shared.PathHostUser+"ann/passkeys/"+laptop.ID, nil), 404, shared.CodeNotFound)
	})
}

// TestEmbeddedSignsInAfterTheEnd: whoever hasn't been at the program for days signs in with a passkey, also right after the
// program has ended all their sessions, because of a new password for example.
func TestEmbeddedSignsInAfterTheEnd(t *testing.T) {
	onEveryStoreOfAProgram(t, func(p *toolshop) {
		ann := p.customer("ann")
		ann.registers("Laptop")
		p.passes(72 * time.Hour)
		if a := p.asks("DELETE", shared.PathHostUser+"ann/sessions", nil); a.status != 204 {
			t.Fatal(a)
		}
		proof, hers := p.proof(ann)
		into[shared.Proved](ann, p.redeems(proof, hers), 200)
	})
}

// TestEmbeddedRotates: both secrets work while one replaces the other, and then the old one doesn't.
func TestEmbeddedRotates(t *testing.T) {
	onEveryStoreOfAProgram(t, func(p *toolshop) {
		const next = "the-next-secret-of-the-toolshop-0123"
		p.settings.Secrets = []string{next, toolshopSecret}
		ann, bob := p.customer("ann"), p.customer("bob")
		if a := ann.brings(signed(next, headerHS256, p.claims("ann"))); a.status != 204 {
			t.Errorf("with the new secret: %s", a)
		}
		p.settings.Secrets = []string{next}
		if n := len(p.warnings()); n != 0 {
			t.Errorf("IT is warned of a rotation: %q", p.warnings())
		}
		ann.refused(ann.brings(p.introduces(p.claims("ann"))), 400, shared.CodeIntroductionInvalid)
		into[shared.Account](ann, ann.sends("GET", shared.PathAccount, nil), 200)
		bob.refused(bob.sends("GET", shared.PathAccount, nil), 401, shared.CodeUnauthenticated) // who had it may have introduced him
		ann.refused(p.asks("GET", shared.PathHostUser+"ann/passkeys", nil), 401, shared.CodeProgramRefused)
		ann.refused(ann.brings(p.introduces(p.claims("ann"))), 400, shared.CodeIntroductionInvalid)
		if n := len(p.warnings()); n != 2 {
			t.Errorf("IT is warned %d times of a program with another secret: %q", n, p.warnings())
		}
	})
}

// TestEmbeddedAlone: a second program beside the first sees nothing of it.
func TestEmbeddedAlone(t *testing.T) {
	one, two := newToolshop(t, stores["memstore"]), newToolshop(t, stores["memstore"])
	two.settings.Secrets = []string{"the-secret-of-the-second-program-01"}
	ann := one.customer("ann")
	ann.registers("Laptop")
	proof, hers := one.proof(ann)

	before := maps.Clone(two.everything())
	beside := two.visitor()
	beside.jar = ann.jar // one browser knows both, under one name
	beside.refused(beside.sends("GET", shared.PathAccount, nil), 401, shared.CodeUnauthenticated)
	beside.refused(beside.brings(one.introduces(one.claims("ann"))), 400, shared.CodeIntroductionInvalid)
	bySecond := func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+two.settings.Secrets[0]) }
	beside.refused(two.redeems(proof, hers, bySecond), 400, shared.CodeProofInvalid)
	ann.refused(one.redeems(proof, hers, bySecond), 401, shared.CodeProgramRefused)
	shown := into[shared.HostPasskeyList](beside, two.asks("GET", shared.PathHostUser+"ann/passkeys", nil, bySecond), 200)
	if after := two.everything(); len(shown.Passkeys) != 0 || !maps.Equal(withoutKeys(before), withoutKeys(after)) {
		t.Errorf("the second program sees %+v, and its store has %v", shown, after)
	}
	into[shared.Proved](ann, one.redeems(proof, hers), 200)
}

// TestEmbeddedBeside: the program's own requests come from beside Keypeg. IT isn't warned of a proxy that sends no address.
func TestEmbeddedBeside(t *testing.T) {
	p := newToolshop(t, stores["memstore"])
	p.restarts(func(c *server.Config) { c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")} })
	beside := func(r *http.Request) { r.RemoteAddr = "127.0.0.1:4000" }
	p.redeems("nothing", beside)
	p.asks("GET", shared.PathHostUser+"ann"+shared.PathHostPasskeys, nil, beside)
	if log := p.log.String(); strings.Contains(log, "WARN") {
		t.Errorf("the log warns: %s", log)
	}
	p.visitor().sends("GET", shared.PathAccount, nil, beside)
	if log := p.log.String(); !strings.Contains(log, "no-forwarded-for") {
		t.Errorf("of a browser's request by the same proxy the log says nothing: %s", log)
	}
}

// TestEmbeddedHooks: the program is told what its users do, and ends the sessions that began with a lost phone.
func TestEmbeddedHooks(t *testing.T) {
	onEveryStoreOfAProgram(t, func(p *toolshop) {
		came := make(chan string, 20)
		taking := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			came <- string(body)
		}))
		defer taking.Close()
		p.settings.Hooks = taking.URL
		p.restarts(func(*server.Config) {})
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { p.handler.RunHooks(ctx) })
		defer running.Wait()
		defer stop()
		tells := func(n int, texts ...string) {
			t.Helper()
			told := ""
			for range n { // of the same moment, in any order
				told += <-came
			}
			for _, text := range texts {
				if !strings.Contains(told, text) {
					t.Errorf("the program is told %s, without %s", told, text)
				}
			}
		}

		ann, thief := p.customer("ann"), p.visitor()
		phone := ann.registers("Phone")
		tells(1, `"type":"passkey.added"`, `"userId":"ann"`, `"passkeyId":"`+phone.ID+`"`)
		proof, hers := p.proof(ann)
		tells(1, `"type":"passkey.sign-in"`)
		into[shared.Proved](ann, p.redeems(proof, hers), 200)
		claims := p.claims("ann")
		claims["sid"], claims["passkey"] = "on-the-phone", phone.ID
		thief.brings(p.introduces(claims))
		into[shared.Account](thief, thief.sends("GET", shared.PathAccount, nil), 200)

		if list := ann.lists(); !list.EndsSessions {
			t.Errorf("she isn't offered to end the phone's sessions: %+v", list)
		}
		if a := ann.sends("DELETE", shared.PathPasskey+phone.ID+"?"+shared.QueryEndSessions, nil); a.status != 200 {
			t.Fatal(a)
		}
		thief.refused(thief.sends("GET", shared.PathAccount, nil), 401, shared.CodeUnauthenticated)
		tells(2, `"type":"passkey.removed"`, `"type":"sessions.end"`, `"passkeyId":"`+phone.ID+`"`, `"except":"session-of-ann"`)
		into[shared.Account](ann, ann.sends("GET", shared.PathAccount, nil), 200)
	})
}

// withoutKeys leaves the keys of signatures out, which are made when they are needed.
func withoutKeys(all map[string]string) map[string]string {
	all = maps.Clone(all)
	maps.DeleteFunc(all, func(name, _ string) bool {
		return strings.Contains(name, "openid-keys") || strings.Contains(name, "secret")
	})
	return all
}
