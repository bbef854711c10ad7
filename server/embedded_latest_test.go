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
