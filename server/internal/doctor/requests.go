package doctor

import (
	"bufio"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/keypeg/keypeg/server/internal/probe"
	"github.com/keypeg/keypeg/server/internal/warning"
	"github.com/keypeg/keypeg/shared"
)

const groupRequests = "Requests by the public URL"

// ofRequests are the checks of what a proxy lets through.
func (v *visit) ofRequests() []Check {
	return []Check{
		{Group: groupRequests, Name: "methods", Run: v.needs(v.methods)},
		{Group: groupRequests, Name: "size", Run: v.needs(v.size)},
		{Group: groupRequests, Name: "event stream", Run: v.needs(v.stream)},
	}
}

func (v *visit) methods(ctx context.Context) Result {
	var wrong []string
	for _, method := range []string{http.MethodPatch, http.MethodDelete} {
		if second, err := v.signed(ctx, &asking{method: method}); err != nil || second.Arrived.Method != method {
			wrong = append(wrong, method)
		}
	}
	if len(wrong) > 0 {
		return failed("the proxy doesn't pass "+strings.Join(wrong, " and ")+" on, so nothing can be changed or removed", linesFor(warning.Cause(shared.TroubleRefused))...)
	}
	return ok("PATCH and DELETE are passed on")
}

// largest is the largest request but for a table of people that is imported, in bytes.
const largest = 64 << 10

func (v *visit) size(ctx context.Context) Result {
	stops := func(size int) (why string) {
		a := &asking{method: http.MethodPost, path: probe.Path, body: strings.Repeat(" ", size), signed: true}
		got, err := v.fetch(ctx, a)
		if err != nil {
			return reason(err)
		}
		if answer, _ := v.isOurs(got, a.nonce); answer == nil || answer.Arrived.Body != int64(size) {
			return fmt.Sprintf("status %d", got.status)
		}
		return ""
	}
	if why := stops(largest); why != "" {
		mends := linesFor(warning.Cause(shared.TroubleTooLarge))
		if why == "status 500" { // a limit has 413 in nginx, and 502 in Caddy
			mends = append([]Mend{{In: "nginx", Line: "its error.log says why: its account must be able to write to client_body_temp_path"}}, mends...)
		}
		return failed(fmt.Sprintf("a request of 64 kB isn't passed on (%s): passkeys with long certificates can't be added", why), mends...)
	}
	if stops(shared.MaxImport) != "" {
		return warn("a request of 64 kB is passed on, and one of 1 MB isn't: large tables of people can't be imported in the app", Mend{In: "nginx", Line: "client_max_body_size 1m;"}, Mend{In: "Caddy", Line: "request_body { max_size 1MiB }"})
	}
	return ok("64 kB are passed on, and 1 MB for tables of people")
}

// soon is the time within which the first event arrives, unless something holds it back or the machine is busy.
const soon = 2 * time.Second

// unzipped returns the body of an answer, which a proxy may compress as it comes.
func unzipped(answer *http.Response) (io.Reader, error) {
	if answer.Header.Get("Content-Encoding") == "gzip" {
		return gzip.NewReader(answer.Body)
	}
	return answer.Body, nil
}

// firstEvent waits for the first event, and reports whether it was held back. What holds it back keeps it until the
// stream ends. A busy machine delays it as well, but not its end: that comes [probe.StreamOpen] later.
func firstEvent(answer *http.Response, begin time.Time) (held bool, after time.Duration, err error) {
	body, err := unzipped(answer)
	if err != nil {
		return false, 0, err
	}
	lines := bufio.NewReader(body)
	if _, err := lines.ReadString('\n'); err != nil {
		return false, 0, err
	}
	if after = time.Since(begin); after <= soon {
		return false, after, nil
	}
	came := time.Now()
	io.Copy(io.Discard, io.LimitReader(lines, probe.MaxBody)) // however it ends
	return time.Since(came) < probe.StreamOpen/2, after, nil
}

func (v *visit) stream(ctx context.Context) Result {
	mends := linesFor(warning.Cause(shared.TroubleHeld))
	r, err := v.request(ctx, &asking{path: probe.Path + "?" + probe.QueryStream, signed: true, header: map[string]string{"Accept": "text/event-stream"}})
	if err != nil {
		return failed(err.Error())
	}
	held, begin, after := false, time.Now(), time.Duration(0)
	answer, err := v.client.Do(r)
	if err == nil {
		defer answer.Body.Close()
		held, after, err = firstEvent(answer, begin)
	}
	switch {
	case held || ctx.Err() != nil:
		return failed(fmt.Sprintf("the first event doesn't arrive within %s: something in between holds it back, and pages don't hear what changes", soon), mends...)
	case err != nil:
		return failed("it doesn't come: "+reason(err), mends...)
	case !strings.HasPrefix(answer.Header.Get("Content-Type"), "text/event-stream"):
		return failed(fmt.Sprintf("it comes with status %d and type %q", answer.StatusCode, answer.Header.Get("Content-Type")), mends...)
	}
	return ok(fmt.Sprintf("the first event arrives after %s", after.Round(time.Millisecond)))
}
