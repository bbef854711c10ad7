package metrics

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/pprof"
	"strings"

	"github.com/VictoriaMetrics/metrics"

	"github.com/keypeg/keypeg/shared"
)

// PathMetrics is where the figures are.
const PathMetrics = "/metrics"

// Handler serves the figures, the health checks of the server, and the profiles of Go. It is for IT alone:
// profiles show how the program works. The command line isn't shown, because a password may stand in it. It
// listens at the address listen, and pages of strangers can't read it.
func (m *Metrics) Handler(listen string, health http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+PathMetrics, func(w http.ResponseWriter, r *http.Request) {
		var page Page
		page.Set(Ready, isReady(r, health))
		m.write(r.Context(), &page)
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		w.Write(page.annotated())
	})
	mux.Handle("GET "+shared.PathHealth, health)
	mux.Handle("GET "+shared.PathReady, health)
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", http.NotFound)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return forHosts(listen, mux)
}

// isReady asks the server as somebody on this machine would.
func isReady(r *http.Request, health http.Handler) float64 {
	asked := r.Clone(r.Context())
	asked.URL.Path, asked.RequestURI, asked.RemoteAddr = shared.PathReady, shared.PathReady, "127.0.0.1:1"
	asked.Header = http.Header{}
	answer := status(http.StatusOK)
	if health.ServeHTTP(&answer, asked); answer == http.StatusOK {
		return 1
	}
	return 0
}

// status is an answer of which the status alone is kept.
type status int

func (*status) Header() http.Header          { return http.Header{} }
func (*status) Write(b []byte) (int, error)  { return len(b), nil }
func (s *status) WriteHeader(statusCode int) { *s = status(statusCode) }

// Page is the figures at one moment.
type Page struct{ text bytes.Buffer }

// Set writes a figure of a family, with pairs of labels and values.
func (p *Page) Set(family string, value float64, labels ...string) {
	fmt.Fprintf(&p.text, "%s %v\n", nameOf(family, labels...), value)
}

// SetOf is Set for a figure of an organisation.
func (p *Page) SetOf(tenant, family string, value float64) { p.Set(family, value, ofTenant(tenant)...) }

// write writes all figures.
func (m *Metrics) write(ctx context.Context, p *Page) {
	m.set.WritePrometheus(&p.text)
	metrics.WriteProcessMetrics(&p.text)
	m.mu.Lock()
	looks := m.looks
	m.mu.Unlock()
	for _, look := range looks {
		look(ctx, p)
	}
}

// annotated returns the figures by family, each with what it means. Figures of other families are left out:
// the library has many of Go's.
func (p *Page) annotated() []byte {
	lines := map[string][]string{}
	for line := range strings.Lines(p.text.String()) {
		family := line[:strings.IndexAny(line, "{ ")]
		for _, part := range []string{"_bucket", "_sum", "_count"} {
			if whole, is := strings.CutSuffix(family, part); is && isHistogram[whole] {
				family = whole
			}
		}
		lines[family] = append(lines[family], line)
	}
	var b bytes.Buffer
	for _, f := range Families {
		if len(lines[f.Name]) > 0 {
			fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s %s\n%s", f.Name, f.Help, f.Name, f.Type, strings.Join(lines[f.Name], ""))
		}
	}
	return b.Bytes()
}

var isHistogram = func() map[string]bool {
	is := map[string]bool{}
	for _, f := range Families {
		is[f.Name] = f.Type == "histogram"
	}
	return is
}()
