package metrics

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/memstore"
	"github.com/keypeg/keypeg/server/store/storetest"
	"github.com/keypeg/keypeg/shared"
)

func TestContract(t *testing.T) {
	storetest.Run(t, func(t *testing.T, now store.Clock) store.Store {
		return New("").Organisation("").Store(memstore.New(now))
	})
}

// shows returns the page of figures.
func shows(t *testing.T, m *Metrics, health http.Handler) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler("localhost:9464", health).ServeHTTP(w, httptest.NewRequest("GET", "http://localhost:9464"+PathMetrics, nil))
	return w.Body.String()
}

func TestFigures(t *testing.T) {
	m := New("0.1.0")
	acme, globe := m.Organisation("acme"), m.Organisation("globe")
	finish := "POST " + shared.PathSignInFinish
	for _, a := range []server.Answered{
		{Pattern: finish, Status: 200}, {Pattern: finish, Status: 200}, {Pattern: finish, Status: 401, Code: shared.CodePasskeyRemoved},
		{Pattern: finish, Status: 500, Code: shared.CodeInternal}, {Status: 404, Took: time.Second}, {Pattern: "GET " + shared.PathLive, Status: 200, Took: time.Hour},
	} {
		acme.Answered()(a)
	}
	globe.Answered()(server.Answered{Pattern: finish, Status: 200})
	m.Look(func(_ context.Context, p *Page) { p.SetOf("acme", Sessions, 7) })

	page := shows(t, m, http.NotFoundHandler())
	for _, line := range []string{
		`keypeg_ceremonies_total{tenant="acme",kind="sign-in",outcome="succeeded",reason=""} 2`,
		`keypeg_ceremonies_total{tenant="acme",kind="sign-in",outcome="refused",reason="passkey_removed"} 1`,
		`keypeg_ceremonies_total{tenant="acme",kind="sign-in",outcome="failed",reason="internal"} 1`,
		`keypeg_ceremonies_total{tenant="globe",kind="sign-in",outcome="succeeded",reason=""} 1`,
		`keypeg_http_faults_total{tenant="acme"} 1`,
		`keypeg_http_request_duration_seconds_bucket{pattern="other",le="1"} 1`,
		`keypeg_http_requests_total{pattern="GET /api/v1/live",status="200",code=""} 1`,
		`keypeg_sessions{tenant="acme"} 7`, `keypeg_ready 0`,
	} {
		if !strings.Contains(page, "\n"+line+"\n") {
			t.Errorf("there is no %s in\n%s", line, page)
		}
	}
	if strings.Contains(page, `duration_seconds_count{pattern="GET /api/v1/live"}`) {
		t.Error("an open stream counts as a slow request")
	}
}

// TestStoreFailures tells a broken store from one that answers that there is nothing.
func TestStoreFailures(t *testing.T) {
	for _, test := range []struct {
		err  error
		want bool
	}{{nil, false}, {store.ErrNotFound, false}, {store.ErrNameExists, false}, {store.ErrStale, false}, {context.Canceled, false}, {errors.New("the disk is full"), true}, {context.DeadlineExceeded, true}} {
		if got := isBroken(test.err); got != test.want {
			t.Errorf("%v: broken %t, want %t", test.err, got, test.want)
		}
	}
}

// TestNobodyCounts: without a listener for figures, nothing is wrapped.
func TestNobodyCounts(t *testing.T) {
	var none *Metrics
	db := memstore.New(time.Now)
	if o := none.Organisation("acme"); o.Store(db) != store.Store(db) || o.Answered() != nil {
		t.Error("something is counted")
	}
}
