package passkey

import (
	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// reasonsOf has those refusals of which the user learns in their activity. All of them come after
// the user has proved who they are, so no stranger writes there. A passkey that was removed is
// missing here: the server doesn't know any more whose it was. Its page counts it, as it counts
// what happens at the browser (web/credential).
var reasonsOf = map[shared.Code]shared.FailureReason{
	shared.CodeUserNotVerified:      shared.ReasonNoLock,
	shared.CodePasskeyElsewhere:     shared.ReasonElsewhere,
	shared.CodeNotDiscoverable:      shared.ReasonUnsupported,
	shared.CodeAuthenticatorRefused: shared.ReasonRefused,
	shared.CodePasskeyChanged:       shared.ReasonRefused,
	shared.CodePasskeyCopied:        shared.ReasonRefused,
}

// reportRefusal puts a refused ceremony into the activity of the actor's user, after the answer is
// sent. The passkey is the zero one if the user doesn't have it.
func (s *Service) reportRefusal(who session.Actor, with store.Passkey, err error) {
	code := shared.CodeOf(err)
	reason, reported := reasonsOf[code]
	if !reported {
		return
	}
	kind := shared.EventPasskeyFailed
	if code == shared.CodePasskeyCopied {
		kind = shared.EventCounterFell
	}
	failed := s.useEvent(who, kind, with).Event
	failed.Reason = reason
	s.activity.Failed(failed)
}
