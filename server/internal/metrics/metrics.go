// Package metrics counts what happens, and shows the figures to the monitoring of IT in the text format of
// Prometheus.
//
// Begin with [New], and give [Metrics.Handler] to a listener that IT alone reaches. The rooms of the server
// don't know this package. What they know anyway is counted where it passes: [Organisation.Answered] gets
// each request that was answered, and [Organisation.Store] sees each call of the store. What is a state, and
// no event, is looked up when somebody asks for the figures: see [Metrics.Look].
//
// Nothing that a stranger writes becomes a label. A label is a pattern of a route, a status, a code, a name
// of a tenant or another of a known few, so the memory is bounded whatever is sent. The families of figures
// are declared once, in [Families].
//
// A nil *Metrics counts nothing and costs nothing.
package metrics

import (
	"context"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/VictoriaMetrics/metrics"
)

// Metrics are the figures of a process.
type Metrics struct {
	version string
	set     *metrics.Set

	requests  sync.Map // *metrics.Counter, by answer
	durations sync.Map // *metrics.PrometheusHistogram, by pattern
	calls     [operations]call

	mu    sync.Mutex
	of    map[string]*Organisation
	looks []func(context.Context, *Page)
}

// New returns figures that are all zero.
func New(version string) *Metrics {
	m := &Metrics{version: version, set: metrics.NewSet(), of: map[string]*Organisation{}}
	for i := range m.calls {
		labels := []string{"operation", operation(i).String()}
		m.calls[i] = call{
			took:   m.set.NewPrometheusHistogramExt(nameOf(StoreDuration, labels...), bounds),
			failed: m.set.NewCounter(nameOf(StoreFailures, labels...)),
		}
	}
	m.Look(func(_ context.Context, p *Page) { p.Set(Build, 1, "version", version, "go", runtime.Version()) })
	return m
}

// bounds are those of durations, in seconds: from a read in memory to a request that was given up.
var bounds = []float64{.0001, .0005, .001, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10}

// Look adds a function that writes figures each time when somebody asks for them.
func (m *Metrics) Look(look func(context.Context, *Page)) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.looks = append(m.looks, look)
}

// Organisation are the figures of one organisation. A nil one counts nothing.
type Organisation struct {
	all    *Metrics
	tenant string
	counts sync.Map // *metrics.Counter, by count
}

// count is a counter of an organisation.
type count struct{ family, first, second, third string }

// Organisation returns the figures of a tenant, or with "" those on premise, which have no label for it. A
// tenant that is opened again goes on where it was.
func (m *Metrics) Organisation(tenant string) *Organisation {
	if m == nil {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.of[tenant] == nil {
		m.of[tenant] = &Organisation{all: m, tenant: tenant}
	}
	return m.of[tenant]
}

// add adds one to a counter. Labels has the names of the labels whose values are in c.
func (o *Organisation) add(c count, labels ...string) {
	counter, known := o.counts.Load(c)
	if !known {
		var pairs []string
		for i, value := range []string{c.first, c.second, c.third}[:len(labels)] {
			pairs = append(pairs, labels[i], value)
		}
		counter, _ = o.counts.LoadOrStore(c, o.all.set.GetOrCreateCounter(nameOf(c.family, append(ofTenant(o.tenant), pairs...)...)))
	}
	counter.(*metrics.Counter).Inc()
}

func ofTenant(name string) []string {
	if name == "" {
		return nil
	}
	return []string{"tenant", name}
}

// nameOf returns the name of a figure: its family with pairs of labels and values.
func nameOf(family string, labels ...string) string {
	if len(labels) == 0 {
		return family
	}
	var b strings.Builder
	b.WriteString(family)
	for i := 0; i < len(labels); i += 2 {
		b.WriteByte("{,"[min(i, 1)])
		b.WriteString(labels[i] + "=" + strconv.Quote(labels[i+1]))
	}
	b.WriteByte('}')
	return b.String()
}

// seconds is a duration as figures have it.
func seconds(d time.Duration) float64 { return d.Seconds() }
