// Package checks has the handlers by which administrators learn what is wrong with their installation: what the
// examination of keypeg doctor finds ([Checks.Mount], examination.go), and what their own browser sees of it
// (browser.go, [Judge]).
//
// An examination takes a while, and asks other servers. So an organisation has one at a time, and none for some
// seconds after one has ended, however often somebody asks. An answer comes with what was found so far.
package checks

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/server/internal/probe"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// Examine looks for what is wrong with an installation, and calls found with each check that it has made, whose
// group and title are English. It returns a text to send to others. It ends soon after ctx.
type Examine = func(ctx context.Context, found Found) (support string)

// Found is told of a check that was made.
type Found = func(shared.Check)

// Turns limit how many examinations run in a process at a time, however many organisations it has. The others wait.
type Turns chan struct{}

// NewTurns returns Turns for so many.
func NewTurns(most int) Turns { return make(Turns, most) }

// Limit returns an examination that waits for its turn.
func (t Turns) Limit(examine Examine) Examine {
	return func(ctx context.Context, found Found) string {
		select {
		case t <- struct{}{}:
			defer func() { <-t }()
			return examine(ctx, found)
		case <-ctx.Done():
			return ""
		}
	}
}

// Checks serves the checks of one organisation. It is safe for concurrent use.
type Checks struct {
	Examine Examine
	Gates   httpapi.Gates
	Now     store.Clock
	// At returns the origin at which a request has asked, which is that of the public URL or a further one, and whether
	// it has https.
	At func(r *http.Request) (origin string, secure bool)

	// Script is the address of the script that looks from the browser, and Program that of app.wasm.
	Script, Program string
	// Arrived describes a request as it arrived. Sent returns what the server answers to a GET by the same browser,
	// before any proxy changes it.
	Arrived func(r *http.Request) probe.Arrived
	Sent    func(r *http.Request, path string) *probe.Sent

	program     sync.Once // it is large, and always the same
	programSent *probe.Sent

	mu     sync.Mutex
	last   *examination
	closed bool
}

const (
	// rest is how long an examination that has ended is the answer to whoever asks.
	rest = 10 * time.Second
	// hold is how long an answer waits for more to be found.
	hold = 2 * time.Second
	// longest is how long an examination may take.
	longest = 5 * time.Minute
)

// Mount names the routes. Both are for administrators.
func (c *Checks) Mount(api func(pattern string, h httpapi.Handler)) {
	api("POST "+shared.PathChecks, c.Gates.Role(c.examine, shared.RoleAdministrator))
	api("POST "+shared.PathChecksBrowser, c.Gates.Role(c.judge, shared.RoleAdministrator))
}

// Close ends an examination that runs, and waits for that. None begins any more.
func (c *Checks) Close() {
	c.mu.Lock()
	last := c.last
	c.closed = true
	c.mu.Unlock()
	if last != nil {
		last.stop()
		<-last.ended
	}
}

func (c *Checks) examine(w http.ResponseWriter, r *http.Request) error {
	running := c.current()
	select {
	case <-running.ended:
	case <-time.After(hold):
	case <-r.Context().Done():
		return r.Context().Err()
	}
	answer := running.answer()
	answer.Script, answer.Program, answer.Texts = c.Script, c.Program, message.ChecksIn(httpapi.Text(r))
	return httpapi.Respond(w, http.StatusOK, inLanguage(answer, httpapi.Text(r)))
}

// judge says what is wrong with what a browser sees.
func (c *Checks) judge(w http.ResponseWriter, r *http.Request) error {
	var seen shared.Observed
	if err := httpapi.Decode(r, &seen); err != nil {
		return err
	}
	now := c.Now()
	answer := shared.Checks{Began: now, Checks: c.Judge(r, seen, now)}
	answer.Support = supportOf(r, seen, answer.Checks)
	return httpapi.Respond(w, http.StatusOK, inLanguage(answer, httpapi.Text(r)))
}

// inLanguage puts groups and titles into a reader's language.
func inLanguage(answer shared.Checks, text *message.Catalogue) shared.Checks {
	for i := range answer.Checks {
		check := &answer.Checks[i]
		check.Group, check.Title = message.CheckTitle(text, check.Group, check.Title)
	}
	return answer
}

// examination is one that runs, or the last one.
type examination struct {
	began time.Time
	stop  context.CancelFunc
	ended chan struct{} // closed at the end

	mu      sync.Mutex
	found   []shared.Check
	support string
	over    time.Time
}

// current returns the examination that runs, or that has ended a moment ago, or begins one.
func (c *Checks) current() *examination {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.Now()
	if c.last != nil && (c.closed || c.last.counts(now)) {
		return c.last
	}
	ctx, stop := context.WithTimeout(context.Background(), longest) // whoever asked may leave, and others wait for it too
	e := &examination{began: now, stop: stop, ended: make(chan struct{})}
	c.last = e
	if c.closed {
		stop()
	}
	go e.run(ctx, c.Examine, c.Now)
	return e
}

func (e *examination) counts(now time.Time) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.over.IsZero() || now.Sub(e.over) < rest
}

func (e *examination) run(ctx context.Context, examine Examine, now store.Clock) {
	defer e.stop()
	support := ""
	defer func() {
		fault := recover() // the server goes on
		e.mu.Lock()
		defer e.mu.Unlock()
		e.support, e.over = support, now()
		switch {
		case fault != nil:
			e.fails("it is faulty and has ended", "run keypeg doctor, and please report what it says")
		case ctx.Err() != nil:
			e.fails(fmt.Sprintf("it was cut off after %s: what it would have found then is missing here", longest), "check again later, or run keypeg doctor")
		}
		close(e.ended)
	}()
	support = examine(ctx, func(check shared.Check) {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.found = append(e.found, check)
	})
}

// fails adds that the examination itself didn't work. The caller has locked mu.
func (e *examination) fails(why, do string) {
	e.found = append(e.found, shared.Check{ID: "Others/examination", Group: "Others", Title: "examination", State: shared.CheckFailed, Compared: why, Mend: []shared.Mend{{Line: do}}})
}

func (e *examination) answer() shared.Checks {
	e.mu.Lock()
	defer e.mu.Unlock()
	return shared.Checks{Running: e.over.IsZero(), Began: e.began, Checks: append([]shared.Check{}, e.found...), Support: e.support}
}

// supportOf is the browser's part of the text to send to others.
func supportOf(r *http.Request, seen shared.Observed, found []shared.Check) string {
	var b strings.Builder
	b.WriteString("\nBrowser: " + limited(r.UserAgent()) + "\n  can: " + limited(strings.Join(able(seen.Capabilities), ", ")) + "\n")
	for _, check := range found {
		b.WriteString("  " + string(check.State) + strings.Repeat(" ", max(2, 10-len(check.State))) + check.Title + ": " + check.Compared + "\n")
	}
	return b.String()
}
