package server_test

import (
	"strings"
	"testing"
	"time"

	"github.com/keypeg/keypeg/shared"
)

// TestEmbeddedEndsInTheSecond: programs count in whole seconds. Who proves who they are in the second in which all their
// sessions end, at a change of the password for example, goes on at once. What was made before that doesn't.
func TestEmbeddedEndsInTheSecond(t *testing.T) {
	onEveryStoreOfAProgram(t, func(p *toolshop) {
		ann, thief := p.customer("ann"), p.visitor()
		p.passes(9 * time.Minute)
		stolen := p.claims("ann")
		stolen["sid"], stolen["proved"] = "stolen", p.now().Unix()-500
		kept := p.introduces(stolen) // in the same second, and not brought yet
		p.passes(300 * time.Millisecond)
		if a := p.asks("DELETE", shared.PathHostUser+"ann/sessions", nil); a.status != 204 {
			t.Fatal(a)
		}
		p.passes(100 * time.Millisecond)
		claims := p.claims("ann")
		claims["sid"] = "with-her-new-password"
		if a := ann.brings(p.introduces(claims)); a.status != 204 {
			t.Errorf("her new session: %s", a)
		}
		into[shared.Account](ann, ann.sends("GET", shared.PathAccount, nil), 200)
		thief.refused(thief.brings(kept), 401, shared.CodeIntroductionExpired)
		old := p.claims("ann")
		old["iat"], old["proved"] = p.now().Unix()-1, p.now().Unix()-1
		thief.refused(thief.brings(p.introduces(old)), 401, shared.CodeIntroductionExpired)
	})
}

// TestEmbeddedEndsWithClocksApart: the program's clock may be ahead of ours or behind by a minute. What it has made before the
// end of all sessions counts no more. Who proves who they are after it goes on at once, or as late as the clock is.
func TestEmbeddedEndsWithClocksApart(t *testing.T) {
	onEveryStoreOfAProgram(t, func(p *toolshop) {
		for _, ends := range []string{"ann/sessions?except=hers", "ann"} {
			for _, ahead := range []time.Duration{-59 * time.Second, -5 * time.Second, 0, 5 * time.Second, 30 * time.Second, 59 * time.Second} {
				introduction := func(session string, provedAgo time.Duration) string {
					claims, now := p.claims("ann"), p.now().Add(ahead)
					claims["sid"], claims["iat"], claims["exp"], claims["proved"] = session, now.Unix(), now.Unix()+300, now.Add(-provedAgo).Unix()
					return p.introduces(claims)
				}
				refused := func(v *visitor, what, introduction string) {
					t.Helper()
					if a := v.brings(introduction); a.status != 401 {
						t.Errorf("%s, ahead by %s: %s gets %s", ends, ahead, what, a)
					}
				}
				taken := func(v *visitor, what, introduction string) {
					t.Helper()
					if a := v.brings(introduction); a.status != 204 {
						t.Errorf("%s, ahead by %s: %s gets %s", ends, ahead, what, a)
					}
				}
				p.passes(time.Hour)
				ann, thief := p.visitor(), p.visitor()
				kept := introduction("stolen", 5*time.Minute)
				p.passes(time.Second)
				if a := p.asks("DELETE", shared.PathHostUser+ends, nil); a.status != 204 {
					t.Fatal(a)
				}
				p.passes(time.Second)
				refused(thief, "a stolen session", kept)
				p.passes(max(0, -ahead))
				taken(ann, "who has proved since", introduction("her-next", 0))
				into[shared.Account](ann, ann.sends("GET", shared.PathAccount, nil), 200)
				p.passes(time.Minute)
				taken(p.visitor(), "who had proved before, a minute later", introduction("by-single-sign-on", time.Hour))
				refused(thief, "a stolen session, a minute later", kept)
			}
		}
	})
}

// TestEmbeddedEndsForGood: a session that has ended doesn't come back under its id, and the developer learns why.
func TestEmbeddedEndsForGood(t *testing.T) {
	onEveryStoreOfAProgram(t, func(p *toolshop) {
		ann := p.customer("ann")
		if a := p.asks("DELETE", shared.PathHostUser+"ann/sessions/session-of-ann", nil); a.status != 204 {
			t.Fatal(a)
		}
		p.passes(time.Minute) // she has signed in again
		a := ann.brings(p.introduces(p.claims("ann")))
		ann.refused(a, 401, shared.CodeIntroductionExpired)
		if !strings.Contains(a.String(), `new id (sid)`) {
			t.Errorf("the developer reads %s", a)
		}
	})
}

// TestEmbeddedLatest: what the newest introduction says of a user counts, whichever page comes last. Otherwise an old tab
// would let her remove the only way in.
func TestEmbeddedLatest(t *testing.T) {
	onEveryStoreOfAProgram(t, func(p *toolshop) {
		ann := p.visitor()
		before := p.claims("ann")
		p.passes(time.Minute)
		claims := p.claims("ann")
		claims["hasPassword"] = false
		ann.brings(p.introduces(claims))
		laptop := ann.registers("Laptop")
		if a := ann.brings(p.introduces(before)); a.status != 204 {
			t.Fatal(a)
		}
		if list := ann.lists(); list.HasPassword || !list.Passkeys[0].OnlyMethod {
			t.Errorf("by an old page, %+v", list)
		}
		ann.refused(ann.sends("DELETE", shared.PathPasskey+laptop.ID, nil), 409, shared.CodeLastMethod)
	})
}
