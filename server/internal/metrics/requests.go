package metrics

import (
	"net/http"
	"strconv"

	"github.com/VictoriaMetrics/metrics"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/shared"
)

// answer is what requests have in common that are counted together. All of it is ours: patterns, statuses
// and codes.
type answer struct {
	pattern string
	status  int
	code    shared.Code
}

// other stands for requests without a pattern.
const other = "other"

// Answered returns the function that counts requests, or nil.
func (o *Organisation) Answered() func(server.Answered) {
	if o == nil {
		return nil
	}
	return o.answered
}

func (o *Organisation) answered(a server.Answered) {
	key := answer{a.Pattern, a.Status, a.Code}
	if key.pattern == "" {
		key.pattern = other
	}
	o.all.request(key).Inc()
	if a.Pattern != streams {
		o.all.duration(key.pattern).Update(seconds(a.Took))
	}
	if a.Status >= http.StatusInternalServerError {
		o.add(count{family: Faults})
	}
	switch c := ceremonies[a.Pattern]; {
	case c.kind == "":
	case c.finishes:
		outcome := outcomeOf(a)
		o.add(count{Ceremonies, c.kind, outcome, string(a.Code)}, "kind", "outcome", "reason")
	case a.Status < http.StatusBadRequest:
		o.add(count{CeremoniesBegun, c.kind, "", ""}, "kind")
	}
}

// Programs returns what counts the tokens of programs; nil without figures.
func (o *Organisation) Programs() func(server.TokenAnswered) {
	if o == nil {
		return nil
	}
	return func(a server.TokenAnswered) {
		o.add(count{Tokens, a.Client, a.Grant, a.Error}, "client", "grant", "error")
	}
}

func (m *Metrics) request(a answer) *metrics.Counter {
	counter, known := m.requests.Load(a)
	if !known {
		counter, _ = m.requests.LoadOrStore(a, m.set.GetOrCreateCounter(nameOf(Requests, "pattern", a.pattern, "status", strconv.Itoa(a.status), "code", string(a.code))))
	}
	return counter.(*metrics.Counter)
}

func (m *Metrics) duration(pattern string) *metrics.PrometheusHistogram {
	histogram, known := m.durations.Load(pattern)
	if !known {
		histogram, _ = m.durations.LoadOrStore(pattern, m.set.GetOrCreatePrometheusHistogramExt(nameOf(Duration, "pattern", pattern), bounds))
	}
	return histogram.(*metrics.PrometheusHistogram)
}

// The outcomes of ceremonies.
const (
	succeeded = "succeeded"
	refused   = "refused"
	failed    = "failed" // by a fault of ours
)

func outcomeOf(a server.Answered) string {
	switch {
	case a.Status < http.StatusBadRequest:
		return succeeded
	case a.Status < http.StatusInternalServerError:
		return refused
	}
	return failed
}

// streams is the pattern of requests that stay open as long as a page does.
const streams = "GET " + shared.PathLive

// half is one of the two requests of a ceremony.
type half struct {
	kind     string
	finishes bool
}

// ceremonies has the patterns of the requests of ceremonies.
var ceremonies = map[string]half{
	"POST " + shared.PathSignInBegin:    {"sign-in", false},
	"POST " + shared.PathSignInFinish:   {"sign-in", true},
	"POST " + shared.PathConfirmBegin:   {"confirm", false},
	"POST " + shared.PathConfirmFinish:  {"confirm", true},
	"POST " + shared.PathRegisterBegin:  {"register", false},
	"POST " + shared.PathRegisterFinish: {"register", true},
	"POST " + shared.PathEnrolBegin:     {"enrol", false},
	"POST " + shared.PathEnrolFinish:    {"enrol", true},

	"POST " + shared.PathPasskey + "{id}" + shared.PathTryBeginOf:  {"try", false},
	"POST " + shared.PathPasskey + "{id}" + shared.PathTryFinishOf: {"try", true},
}
