package embed

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/keypeg/keypeg/server/internal/outbox"
	"github.com/keypeg/keypeg/server/limit"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// A hook tells the program what its users do with their passkeys. It is queued in the batch that does it,
// so none is lost (see mostSame), and sent at least once, by whichever node claims it first. It is signed as Standard
// Webhooks says, once with each secret, whose bytes are the key: while IT replaces one, a program that knows either takes it.

// The types of hooks.
const (
	hookAdded   = "passkey.added"
	hookRenamed = "passkey.renamed"
	hookRemoved = "passkey.removed"
	hookSignIn  = "passkey.sign-in"
	// hookEnd wants the program to end the sessions that began with a passkey, but for one.
	hookEnd = "sessions.end"
)

// hookOf returns the type of the hook about an event, or "".
func hookOf(kind shared.EventKind) string {
	switch kind {
	case shared.EventPasskeyAdded:
		return hookAdded
	case shared.EventPasskeyRenamed:
		return hookRenamed
	case shared.EventPasskeyRemoved:
		return hookRemoved
	case shared.EventSignedIn:
		return hookSignIn
	}
	return ""
}

// hook says what a hook is about.
type hook struct {
	Type      string `json:"type"`
	User      string `json:"user"` // the program's id
	PasskeyID string `json:"passkey"`
	Except    string `json:"except,omitempty"` // the session that stays
}

// hooks are those that wait.
var hooks = outbox.Kind[hook]{Name: "hook"}

// answersWithin is how long the program may take to answer.
const answersWithin = 10 * time.Second

// hooksKept is when hooks end that nobody has tried: of a program that was away, or while Keypeg was.
const hooksKept = 7 * 24 * time.Hour

// A user may do the same mostSame times at once, and once more after each sameRecovers: far more than any person does.
// What goes beyond isn't told, or whoever renames a passkey without end would fill the disk while the program is away.
const (
	mostSame     = 1000
	sameRecovers = 30 * time.Second
)

// hookRules are how hooks are sent.
var hookRules = outbox.Rules{
	Called: "hook", Tried: 24 * time.Hour, Claimed: answersWithin + clocks, Looks: 10 * time.Second,
	Pauses: []time.Duration{5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute},
}

// Hooks is the queue of hooks of a program. It is safe for concurrent use. [NewHooks] completes it.
type Hooks struct {
	Program func() Program
	Now     store.Clock
	Log     *slog.Logger

	store  store.Store
	box    *outbox.Queue[hook]
	client *http.Client
	same   *limit.Limiter // hooks, by user and type
	logged *limit.Limiter // users who exceed it
}

// NewHooks returns the queue in a store.
func NewHooks(s store.Store, h Hooks) *Hooks {
	h.store = s
	h.same, h.logged = limit.New(mostSame, sameRecovers), limit.New(1, time.Hour)
	h.client = &http.Client{Timeout: answersWithin, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	h.box = outbox.New(outbox.Queue[hook]{
		Kind: hooks, Rules: hookRules, Store: s, Now: h.Now, Log: h.Log, Ready: h.isReady, Send: h.send,
		Words: func(w hook) []any { return []any{"type", w.Type, "user", w.User} },
	})
	return &h
}

// Store returns the store with which each batch about a passkey queues its hook.
func (h *Hooks) Store() store.Store { return &hooking{h.store, h} }

type hooking struct {
	store.Store
	hooks *Hooks
}

// Unwrap implements [store.Wrapper].
func (s *hooking) Unwrap() store.Store { return s.Store }

// Apply implements [store.Store].
func (s *hooking) Apply(ctx context.Context, batch store.Batch) error {
	if s.hooks.Program().Hooks == "" {
		return s.Store.Apply(ctx, batch)
	}
	var told store.Batch
	for _, op := range batch {
		added, is := op.(store.AddEvent)
		if !is {
			continue
		}
		// Actions are counted in one event when there are many, see package activity. It has the details of the last one.
		kind := hookOf(added.Event.Kind)
		if kind == "" || !s.hooks.mayTell(added.Event.UserID, kind) {
			continue
		}
		user, err := s.userOf(ctx, batch, added.Event.UserID)
		if err != nil {
			return err
		}
		told = append(told, put(hook{Type: kind, User: user, PasskeyID: added.Event.PasskeyID}, added.Event.LastTime()))
	}
	err := s.Store.Apply(ctx, append(slices.Clip(batch), told...))
	if err == nil && told != nil {
		s.hooks.box.Wake()
	}
	return err
}

// mayTell reports whether the program is told what a user does, see mostSame.
func (h *Hooks) mayTell(recordID, kind string) bool {
	now := h.Now()
	told, wait := h.same.Begin(recordID+kind, now)
	if wait == 0 {
		told.End(true, now)
		return true
	}
	if logged, wait := h.logged.Begin(recordID+kind, now); wait == 0 {
		logged.End(true, now)
		h.Log.Warn("a user does the same thousands of times, and the program isn't told each time", "type", kind, "record", recordID)
	}
	return false
}

// userOf returns the program's id of the user that an event of a batch is about.
func (s *hooking) userOf(ctx context.Context, batch store.Batch, recordID string) (string, error) {
	for _, op := range batch {
		if put, is := op.(store.PutUser); is && put.User.ID == recordID {
			return put.User.Name, nil
		}
	}
	user, err := s.User(ctx, recordID)
	if err != nil {
		return "", fmt.Errorf("looking up the user of a hook: %w", err)
	}
	return user.Name, nil
}

// put returns the operation that queues a hook about something that happens now.
func put(w hook, now time.Time) store.Op {
	return hooks.Put(outbox.NewKey(now), w, now, hooksKept)
}

// EndSessions has the program end the sessions that began with a passkey, but for one.
func (h *Hooks) EndSessions(ctx context.Context, userID, passkeyID, except string) error {
	err := h.store.Apply(ctx, store.Batch{put(hook{Type: hookEnd, User: userID, PasskeyID: passkeyID, Except: except}, h.Now())})
	if err == nil {
		h.box.Wake()
	}
	return err
}

// Run sends what is queued, until ctx ends.
func (h *Hooks) Run(ctx context.Context) { h.box.Run(ctx) }

// WaitingHook is a hook that the program hasn't taken yet, for IT.
type WaitingHook struct {
	Type    string    `json:"type"`
	User    string    `json:"user"` // the program's id
	Queued  time.Time `json:"queued"`
	Tries   int       `json:"tries"`
	Next    time.Time `json:"next"`
	Trouble string    `json:"trouble,omitempty"` // of the last try
}

// ListHooks returns up to limit hooks that wait, the oldest first.
func ListHooks(ctx context.Context, s store.Store, limit int) ([]WaitingHook, error) {
	found, err := hooks.List(ctx, s, limit)
	if err != nil {
		return nil, fmt.Errorf("reading the hooks that wait: %w", err)
	}
	list := make([]WaitingHook, len(found))
	for i, m := range found {
		list[i] = WaitingHook{m.About.Type, m.About.User, m.Queued, m.Tries, m.Next, m.Trouble}
	}
	return list, nil
}

// message is the body of a hook.
type message struct {
	Type      string      `json:"type"`
	Timestamp time.Time   `json:"timestamp"`
	Data      messageData `json:"data"`
}

type messageData struct {
	UserID    string `json:"userId"` // the program's own
	PasskeyID string `json:"passkeyId"`
	Except    string `json:"except,omitempty"` // the session that stays (sid)
}

// isReady reports whether the program has an address for hooks, and a secret.
func (h *Hooks) isReady() bool {
	p := h.Program()
	return p.Hooks != "" && len(p.Secrets) > 0
}

// send sends one hook.
func (h *Hooks) send(ctx context.Context, key string, m outbox.Message[hook]) (outbox.Outcome, error) {
	about := m.About
	body, err := json.Marshal(message{about.Type, m.Queued.UTC(), messageData{about.User, about.PasskeyID, about.Except}})
	if err != nil {
		return outbox.Outcome{}, err
	}
	r, err := signedHook(ctx, h.Program(), key, h.Now(), body)
	if err != nil {
		return outbox.Outcome{}, err
	}
	answer, err := h.client.Do(r)
	if failed, is := errors.AsType[*url.Error](err); is {
		err = failed.Err // without the address, which may have a secret in it
	}
	if err != nil {
		return outbox.Outcome{Failure: err, IsStopped: ctx.Err() != nil, IsOfAll: true}, nil
	}
	defer answer.Body.Close()
	io.CopyN(io.Discard, answer.Body, 4<<10) // so that the connection can be used again
	switch {
	case answer.StatusCode/100 == 2:
		return outbox.Outcome{}, nil
	case answer.StatusCode == http.StatusUnauthorized || answer.StatusCode == http.StatusForbidden:
		return outbox.Outcome{Failure: fmt.Errorf("it answers %d: both sides need the same secret, and the program must take the hook's body as it came", answer.StatusCode)}, nil
	}
	return outbox.Outcome{Failure: fmt.Errorf("it answers %d", answer.StatusCode)}, nil
}

// signedHook returns the request that tells a program something.
func signedHook(ctx context.Context, p Program, key string, now time.Time, body []byte) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, p.Hooks, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	id, at := "msg_"+key, strconv.FormatInt(now.Unix(), 10)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Webhook-Id", id)
	r.Header.Set("Webhook-Timestamp", at)
	signatures := make([]string, len(p.Secrets))
	for i, secret := range p.Secrets {
		signatures[i] = "v1," + signature(secret, id, at, body)
	}
	r.Header.Set("Webhook-Signature", strings.Join(signatures, " "))
	return r, nil
}

// ExaminingHook returns the request of a hook that tells nothing: a program that checks signatures takes it, as it takes
// each hook of a type that it doesn't know.
func ExaminingHook(ctx context.Context, p Program, now time.Time) (*http.Request, error) {
	body, err := json.Marshal(message{Type: "keypeg.doctor", Timestamp: now.UTC()})
	if err != nil {
		return nil, err
	}
	return signedHook(ctx, p, rand.Text(), now, body)
}

// signature signs a hook: base64 of HMAC-SHA256 of its id, time and body, with dots between.
func signature(secret, id, at string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(id + "." + at + "."))
	mac.Write(body)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
