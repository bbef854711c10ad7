package embed

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/keypeg/keypeg/server/store"
)

// ErrNobody is for a request of a browser that nobody is introduced in, or whose introduction has ended.
var ErrNobody = errors.New("embed: nobody is introduced")

// ErrRemoved is for a user whom the program has removed a moment ago.
var ErrRemoved = errors.New("embed: the user was removed")

// Introduced is the user whom a browser's cookie stands for.
type Introduced struct {
	Introduction
	// At is when the cookie was given, by our own clock.
	At time.Time
}

// cookieIntroduction has an [Introduced], sealed.
const cookieIntroduction = "keypeg-introduction"

var (
	// knowns has the latest introduction of each user, for what happens without one: a phone that follows a link, for
	// example. It lies under the user's record, and goes with the user.
	knowns = store.Collection[Introduction]{Name: "introduced"}
	// uses has the browser that an introduction was used in, by the id of the introduction.
	uses = store.Collection[store.Hash]{Name: "introduction-use"}
	// holders has the user of each session that was introduced just now, by the session.
	holders = store.Collection[string]{Name: "introduced-session"}
	// ends has what has ended, by what that is. The organisation owns it: it must outlast a user who is removed.
	ends = store.Collection[end]{Name: "introduction-end"}
)

// end is the end of sessions of a user.
type end struct {
	At     time.Time `json:"at"`
	Except string    `json:"except,omitempty"` // the session that stays
}

// knownFor is how long a user is known after an introduction.
const knownFor = 24 * time.Hour

// keyOf returns the key of an entry about texts of a program: of any length, and with nothing that can be read.
func keyOf(texts ...string) string {
	all := ""
	for _, text := range texts {
		all += fmt.Sprintf("%d:%s", len(text), text)
	}
	hash := store.HashOf(all)
	return hex.EncodeToString(hash[:16])
}

// introduce takes an introduction of a browser. Of any number of browsers that bring the same one, on any
// number of nodes, the first is taken.
//
// Refusals: errUser, errRenamed and errElsewhere.
func (h *Handlers) introduce(ctx context.Context, i Introduction, browser store.Hash) error {
	for range tries {
		before, err := h.contradicts(ctx, i)
		if err != nil {
			return err
		}
		batch := store.Batch{
			uses.Put(store.Entry[store.Hash]{Key: keyOf(i.Subject, i.ID), Value: browser, Expires: i.Expires.Add(clocks)}),
			holders.Put(store.Entry[string]{Key: keyOf(i.Session), Value: i.Subject, Version: store.AnyVersion, Expires: i.Expires}),
		}
		if !i.Issued.Before(before.Issued) { // an older tab knows less
			batch = append(batch, knowns.Put(store.Entry[Introduction]{Owner: h.RecordID(i.Subject), Value: i, Version: store.AnyVersion, Expires: h.Now().Add(knownFor)}))
		}
		if err = h.Store.Apply(ctx, batch); !uses.Changed(err) {
			return err
		}
		used, err := uses.Get(ctx, h.Store, "", keyOf(i.Subject, i.ID))
		switch {
		case errors.Is(err, store.ErrNotFound):
			continue // it expired just now
		case err != nil:
			return fmt.Errorf("looking up an introduction: %w", err)
		case used.Value != browser:
			return errElsewhere.Telling("the introduction with the jti %q was used in another browser: make one for each page that is sent, and let no cache keep the page", i.ID)
		}
		return nil
	}
	return errOld
}

// tries bounds how often a change is tried again that another request was faster with.
const tries = 3

// contradicts refuses an introduction that another one contradicts: an older one of a user with another name, and one
// of a session that was another user's a moment ago. A newer one may say that the name has changed. It returns what is
// known of the user, which may be nothing.
func (h *Handlers) contradicts(ctx context.Context, i Introduction) (before Introduction, err error) {
	before, _, err = h.User(ctx, i.Subject)
	if err != nil && !errors.Is(err, ErrRemoved) { // whoever is introduced again is there again
		return before, fmt.Errorf("looking up an introduced user: %w", err)
	}
	if i.Issued.Before(before.Issued) && (before.Name != i.Name || before.DisplayName != i.DisplayName) {
		return before, errRenamed.Telling("a newer introduction of the user %q names them otherwise: load the page again, and let no cache keep it", i.Subject)
	}
	holder, err := holders.Get(ctx, h.Store, "", keyOf(i.Session))
	switch {
	case errors.Is(err, store.ErrNotFound):
		return before, nil
	case err != nil:
		return before, fmt.Errorf("looking up an introduced session: %w", err)
	case holder.Value != i.Subject:
		return before, errUser.Telling("the session %q was the user %q's a moment ago, and is introduced as %q's: give a session a new id (sid) when somebody signs in", i.Session, holder.Value, i.Subject)
	}
	return before, nil
}

// Introduced returns the user whom a request's cookie stands for. It fails with [ErrNobody].
func (h *Handlers) Introduced(r *http.Request) (Introduced, error) {
	var is Introduced
	sealed := h.Cookies.Value(r, cookieIntroduction)
	if sealed == "" {
		return is, ErrNobody
	}
	if err := h.seal.OpenJSON(sealed, &is); err != nil {
		return is, fmt.Errorf("%w: the cookie %w", ErrNobody, err)
	}
	if !h.Now().Before(is.Expires) {
		return is, fmt.Errorf("%w: the introduction has expired", ErrNobody)
	}
	if !slices.ContainsFunc(h.Program().Secrets, func(secret string) bool { return keyOf(secret) == is.By }) { // somebody else may have had it
		return is, fmt.Errorf("%w: the secret of the introduction counts no more", ErrNobody)
	}
	return is, h.stands(r.Context(), is)
}

// stands fails with [ErrNobody] if the session of an introduction has ended.
func (h *Handlers) stands(ctx context.Context, is Introduced) error {
	kinds := []string{endOfAll(is.Subject), endOfSession(is.Subject, is.Session)}
	if is.PasskeyID != "" {
		kinds = append(kinds, endOfPasskey(is.Subject, is.PasskeyID))
	}
	for n, key := range kinds {
		ended, err := ends.Get(ctx, h.Store, "", key)
		switch {
		case errors.Is(err, store.ErrNotFound) || err == nil && ended.Value.Except == is.Session:
			continue
		case err != nil:
			return fmt.Errorf("looking whether an introduction has ended: %w", err)
		}
		// A session that has ended doesn't come back. After the end of all, the user may have a new one.
		if isAll := n == 0; !isAll || !is.isAfter(ended.Value.At) {
			return fmt.Errorf("%w: the session has ended", ErrNobody)
		}
	}
	return nil
}

// isAfter reports whether a user was introduced after an end. Programs count in whole seconds, and a clock that is ahead
// dates what it has made before the end after it. So until that can't be any more, what counts is whether the user has
// proved since the end who they are: they have set a new password, for example. Who hasn't waits for a minute.
//
// The time of the proof is the program's too. A session that began in the last seconds before the end, no more than its
// clock is ahead, goes on.
func (is Introduced) isAfter(end time.Time) bool {
	second := end.Truncate(time.Second)
	isSince := !is.Issued.Before(end.Add(clocks)) || !is.Issued.Before(second) && !is.Proved.Before(second)
	return isSince && is.At.After(end)
}

func endOfUser(user string) string             { return keyOf("user", user) }
func endOfAll(user string) string              { return keyOf("all", user) }
func endOfSession(user, sid string) string     { return keyOf("session", user, sid) }
func endOfPasskey(user, passkey string) string { return keyOf("passkey", user, passkey) }

// end ends introductions, which endOfAll and its like name, but for one session's.
func (h *Handlers) end(key, except string) store.Op {
	now := h.Now()
	return ends.Put(store.Entry[end]{Key: key, Value: end{now, except}, Version: store.AnyVersion, Expires: now.Add(LongestIntroduced + 2*clocks)})
}

// User returns what is known of a user by the latest introduction. It reports false if there was none for a day, and fails
// with [ErrRemoved] if the program has removed the user since.
func (h *Handlers) User(ctx context.Context, id string) (Introduction, bool, error) {
	is, err := knowns.Get(ctx, h.Store, h.RecordID(id), "")
	if !errors.Is(err, store.ErrNotFound) {
		return is.Value, err == nil, err
	}
	removed, err := ends.Has(ctx, h.Store, "", endOfUser(id))
	if err == nil && removed {
		err = ErrRemoved
	}
	return Introduction{}, false, err
}

// sealed returns the cookie of an introduction. Refusal: errUnreadable if its texts are too long for one.
func (h *Handlers) sealed(i Introduction) (string, error) {
	i.ID = "" // nobody asks for it any more
	text, err := h.seal.SealJSON(Introduced{i, h.Now()})
	if err == nil && len(text) > longestCookie {
		return "", errUnreadable.Telling("the texts of the introduction are too long for a cookie: sub, sid, name and displayName")
	}
	return text, err
}

// longestCookie is a length that each browser keeps (RFC 6265, 6.1), with its name.
const longestCookie = 3900

func (h *Handlers) give(w http.ResponseWriter, i Introduction, sealed string) {
	h.Cookies.SetStrict(w, cookieIntroduction, sealed, i.Expires.Sub(h.Now()))
}

// Confirm notes in the cookie that its user has proved again that they are there.
func (h *Handlers) Confirm(w http.ResponseWriter, is Introduced) error {
	is.Proved = h.Now()
	sealed, err := h.sealed(is.Introduction)
	if err == nil {
		h.give(w, is.Introduction, sealed)
	}
	return err
}
