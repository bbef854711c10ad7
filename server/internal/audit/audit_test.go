package audit_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/internal/audit"
	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/memstore"
	"github.com/keypeg/keypeg/server/store/storetest"
	"github.com/keypeg/keypeg/shared"
)

var began = time.Date(2026, 11, 29, 8, 0, 0, 0, time.UTC)

var root, ann, bob = storetest.UserID(1), storetest.UserID(2), storetest.UserID(3)

// book is an organisation with three users: root is an administrator. Each event is a minute later
// than the one before.
type book struct {
	*testing.T
	store.Store
	now time.Time
}

func newBook(t *testing.T) *book {
	b := &book{T: t, now: began}
	b.Store = memstore.New(func() time.Time { return b.now })
	b.apply(
		store.PutUser{User: store.User{ID: root, Name: "root", DisplayName: "Root Admin", Role: shared.RoleAdministrator}},
		store.PutUser{User: store.User{ID: ann, Name: "ann", DisplayName: "Ann Miller", Email: "miller@example.org"}},
		store.PutUser{User: store.User{ID: bob, Name: "bob", DisplayName: "=Bob()"}},
	)
	return b
}

func (b *book) apply(batch ...store.Op) {
	b.Helper()
	if err := b.Store.Apply(b.Context(), batch); err != nil {
		b.Fatal(err)
	}
}

func (b *book) user(id string) store.User {
	b.Helper()
	user, err := b.Store.User(b.Context(), id)
	if err != nil {
		b.Fatal(err)
	}
	return user
}

// happens writes what an actor does, from an address.
func (b *book) happens(kind shared.EventKind, user, by, address string) {
	b.Helper()
	b.now = b.now.Add(time.Minute)
	who := session.Actor{User: store.User{ID: user}, By: store.User{ID: by}, Client: store.Client{Address: address}}
	b.apply(who.Recorded(kind, b.now)...)
}

// list returns all events that a filter selects, as "kind user by", in pages of a limit.
func (b *book) list(f audit.Filter, limit int) (lines []string) {
	b.Helper()
	for {
		page, err := audit.List(b.Context(), b.Store, f, limit)
		if err != nil {
			b.Fatalf("%+v: %v", f, err)
		}
		for _, v := range page.Events {
			line := string(v.Kind)
			for _, user := range []*shared.AuditUser{v.User, v.By} {
				switch {
				case user == nil:
					line += " -"
				case user.Name == "":
					line += " removed"
				default:
					line += " " + user.Name
				}
			}
			lines = append(lines, line)
		}
		if f.Before = page.Next; f.Before == "" {
			return lines
		}
	}
}

func (b *book) aDay() {
	b.happens(shared.EventSignInFailed, ann, "", "2001:db8::7")
	b.happens(shared.EventSignedIn, ann, "", "192.0.2.7")
	b.happens(shared.EventRecoveryLinkMade, ann, root, "192.0.2.1")
	b.happens(shared.EventDisabled, bob, "", "") // by IT
	b.happens(shared.EventSignedIn, root, "", "192.0.2.1")
}

func TestFilters(t *testing.T) {
	b := newBook(t)
	b.aDay()
	const failed, signedIn, link, disabled, admin = "sign_in_failed ann -", "signed_in ann -", "recovery_link_made ann root", "account_disabled bob -", "signed_in root -"
	for _, row := range []struct {
		what string
		f    audit.Filter
		want []string
	}{
		{"all, each thing once", audit.Filter{}, []string{admin, disabled, link, signedIn, failed}},
		{"a kind", audit.Filter{Kind: "signed_in"}, []string{admin, signedIn}},
		{"kinds", audit.Filter{Kind: "signed_in,account_disabled"}, []string{admin, disabled, signedIn}},
		{"a group of kinds", audit.Filter{Kind: "failures"}, []string{failed}},
		{"a group and a kind of it", audit.Filter{Kind: "users,account_disabled,failures"}, []string{disabled, link, failed}},
		{"a user by the user name", audit.Filter{User: "ann"}, []string{link, signedIn, failed}},
		{"a user by id", audit.Filter{User: ann}, []string{link, signedIn, failed}},
		{"a user by the user name in capitals", audit.Filter{User: " ANN "}, []string{link, signedIn, failed}},
		{"a user by e-mail address", audit.Filter{User: "Miller@example.org"}, []string{link, signedIn, failed}},
		{"a user by words", audit.Filter{User: " MIL an"}, []string{link, signedIn, failed}},
		{"a user and a kind", audit.Filter{User: "ann", Kind: "signed_in"}, []string{signedIn}},
		{"a user who only did something to others", audit.Filter{User: "root"}, []string{admin}},
		{"by a user", audit.Filter{By: "root"}, []string{link}},
		{"by anybody with a role", audit.Filter{By: shared.ByAdministrators}, []string{link}},
		{"by users", audit.Filter{By: shared.ByUsers}, []string{admin, signedIn, failed}},
		{"by IT", audit.Filter{By: shared.ByCommandLine}, []string{disabled}},
		{"an address", audit.Filter{Address: "192.0.2.1"}, []string{admin, link}},
		{"a network", audit.Filter{Address: "192.0.2.0/24"}, []string{admin, link, signedIn}},
		{"a network of IPv6", audit.Filter{Address: "2001:db8::/32"}, []string{failed}},
		{"from a time", audit.Filter{From: "2026-11-29T08:03:00Z"}, []string{admin, disabled, link}},
		{"before a time", audit.Filter{To: "2026-11-29T09:03:00+01:00"}, []string{signedIn, failed}},
		{"before a time, of a user", audit.Filter{To: "2026-11-29T08:03:00Z", User: "ann"}, []string{signedIn, failed}},
		{"a day", audit.Filter{From: "2026-11-29", To: "2026-11-30"}, []string{admin, disabled, link, signedIn, failed}},
		{"another day", audit.Filter{From: "2026-11-28", To: "2026-11-29"}, nil},
		{"somebody who isn't there", audit.Filter{User: storetest.UserID(99)}, nil},
	} {
		for _, limit := range []int{1, 2, 50} {
			if got := b.list(row.f, limit); !slices.Equal(got, row.want) {
				t.Errorf("%s, in pages of %d: got %q, want %q", row.what, limit, got, row.want)
			}
		}
	}
}

// TestRemoved checks that what was done to a user is still told after they were removed.
func TestRemoved(t *testing.T) {
	b := newBook(t)
	b.aDay()
	b.now = b.now.Add(time.Minute)
	accounts := account.New(account.Config{Store: b.Store, Now: func() time.Time { return b.now }})
	removes := func(user, by string) {
		t.Helper()
		who := accounts.Actor(b.user(user))
		who.By, who.Client = b.user(by), store.Client{Address: "192.0.2.1"}
		if err := accounts.Remove(t.Context(), who, who.User.Name, false); err != nil {
			t.Fatal(err)
		}
	}
	removes(ann, root)
	want := []string{"account_removed removed root", "signed_in root -", "account_disabled bob -", "recovery_link_made removed root"}
	if got := b.list(audit.Filter{}, 50); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	want = []string{"account_removed removed root", "recovery_link_made removed root"}
	if got := b.list(audit.Filter{User: ann}, 50); !slices.Equal(got, want) {
		t.Errorf("of the removed user: got %q, want %q", got, want)
	}
	if got := b.list(audit.Filter{By: "root"}, 50); !slices.Equal(got, want) {
		t.Errorf("by root: got %q, want %q", got, want)
	}
	if got := b.list(audit.Filter{Address: "192.0.2.1", Kind: "account_removed"}, 50); len(got) != 1 {
		t.Errorf("from root's address: got %q", got)
	}
	b.now = b.now.Add(time.Minute)
	b.apply(store.PutUser{User: store.User{ID: storetest.UserID(4), Name: "next", Role: shared.RoleAdministrator, Password: "$argon2id$"}})
	removes(root, storetest.UserID(4))
	want = []string{"account_removed removed next", "account_removed removed removed", "account_disabled bob -"}
	if got := b.list(audit.Filter{}, 50); !slices.Equal(got, want) {
		t.Errorf("after root was removed too: got %q, want %q", got, want)
	}
}

// counted is a store that counts the events that are read.
type counted struct {
	store.Store
	read int
}

func (c *counted) AllEvents(ctx context.Context, q store.EventQuery, limit int) ([]store.Event, error) {
	found, err := c.Store.AllEvents(ctx, q, limit)
	c.read += len(found)
	return found, err
}

// TestBounded checks that a filter which selects next to nothing looks at a bounded number of
// events, and that the pages together find all.
func TestBounded(t *testing.T) {
	b := newBook(t)
	b.happens(shared.EventSignedIn, ann, "", "203.0.113.9")
	for range 5000 {
		b.happens(shared.EventSignedIn, ann, "", "192.0.2.7")
	}
	c := &counted{Store: b.Store}
	page, err := audit.List(t.Context(), c, audit.Filter{Address: "203.0.113.9"}, 50)
	if err != nil || len(page.Events) != 0 || page.Next == "" || page.LookedUntil == nil {
		t.Fatalf("got %+v (%v)", page, err)
	}
	if want := b.now.Add(-1999 * time.Minute); c.read != 2000 || !page.LookedUntil.Equal(want) {
		t.Errorf("looked at %d events until %s, want 2000 until %s", c.read, page.LookedUntil, want)
	}
	if got := b.list(audit.Filter{Address: "203.0.113.9"}, 50); len(got) != 1 {
		t.Errorf("got %q", got)
	}
}

func TestRefusals(t *testing.T) {
	b := newBook(t)
	b.aDay()
	b.apply(store.PutUser{User: store.User{ID: storetest.UserID(4), Name: "ann.b", DisplayName: "Ann Baker"}})
	for _, row := range []struct {
		f    audit.Filter
		code shared.Code
	}{
		{audit.Filter{Kind: "signed_in,nothing"}, shared.CodeInvalidRequest},
		{audit.Filter{Address: "here"}, shared.CodeInvalidRequest},
		{audit.Filter{Address: "192.0.2.0/64"}, shared.CodeInvalidRequest},
		{audit.Filter{From: "yesterday"}, shared.CodeInvalidRequest},
		{audit.Filter{To: "0001-01-01"}, shared.CodeInvalidRequest},
		{audit.Filter{To: "9999-01-01"}, shared.CodeInvalidRequest},
		{audit.Filter{From: "2026-11-29T08:00:01Z", To: "2026-11-29T09:00:00+01:00"}, shared.CodeInvalidRequest},
		{audit.Filter{From: "2026-11-29", To: "2026-11-29"}, shared.CodeInvalidRequest},
		{audit.Filter{Before: "x"}, shared.CodeInvalidRequest},
		{audit.Filter{Before: strings.Repeat("0", 52)}, shared.CodeInvalidRequest},
		{audit.Filter{Before: strings.Repeat("g", 20) + ann}, shared.CodeInvalidRequest},
		{audit.Filter{User: "carl"}, shared.CodeNotFound},
		{audit.Filter{User: "..."}, shared.CodeNotFound},
		{audit.Filter{User: "an"}, shared.CodeNotFound}, // two are
		{audit.Filter{By: "carl"}, shared.CodeNotFound},
	} {
		if _, err := audit.List(t.Context(), b.Store, row.f, 50); shared.CodeOf(err) != row.code {
			t.Errorf("%+v: got %v, want %s", row.f, err, row.code)
		}
	}
}

// asks sends a request as a user with a role.
func (b *book) asks(role shared.Role, path string) *httptest.ResponseRecorder {
	log, mux := slog.New(slog.DiscardHandler), http.NewServeMux()
	gates := httpapi.Gates{Authenticate: func(*http.Request) (*httpapi.Caller, error) {
		return &httpapi.Caller{Actor: session.Actor{User: store.User{ID: root, Role: role}}}, nil
	}}
	audit.Log{Store: b.Store, Now: func() time.Time { return b.now }, Gates: gates}.Mount(func(pattern string, h httpapi.Handler) {
		mux.Handle(pattern, httpapi.Answers{Log: log}.API(h))
	})
	w := httptest.NewRecorder()
	handler := httpapi.Requests{Log: log, Now: time.Now, Clients: httpapi.NewClients(httpapi.Cookies{}, nil)}.Logged(mux)
	handler.ServeHTTP(w, httptest.NewRequestWithContext(b.Context(), "GET", path, nil))
	return w
}

func TestRoutes(t *testing.T) {
	b := newBook(t)
	b.aDay()
	for _, path := range []string{shared.PathAudit, shared.PathAuditExport} {
		for _, role := range shared.Roles {
			want := http.StatusForbidden
			if role == shared.RoleAdministrator || role == shared.RoleAuditor {
				want = http.StatusOK
			}
			if w := b.asks(role, path); w.Code != want {
				t.Errorf("%s as %q: got %d %s, want %d", path, role, w.Code, w.Body, want)
			}
		}
	}
	var page shared.AuditPage
	w := b.asks(shared.RoleAuditor, shared.PathAudit+"?"+url.Values{"user": {"ann"}, "kind": {"sign_in_failed"}, "from": {"2026-11-29"}}.Encode())
	if err := json.Unmarshal(w.Body.Bytes(), &page); err != nil || len(page.Events) != 1 || page.Events[0].User.DisplayName != "Ann Miller" {
		t.Errorf("got %s (%v)", w.Body, err)
	}
	for _, path := range []string{shared.PathAudit + "?user=carl", shared.PathAuditExport + "?user=carl", shared.PathAuditExport + "?format=xlsx"} {
		if w := b.asks(shared.RoleAuditor, path); w.Code < 400 || w.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: got %d %s", path, w.Code, w.Body)
		}
	}
}

// TestExport checks that a file has every event once, and no formula.
func TestExport(t *testing.T) {
	b := newBook(t)
	for range 600 {
		b.happens(shared.EventSignedIn, bob, "", "192.0.2.7")
	}
	lines := b.asks(shared.RoleAuditor, shared.PathAuditExport+"?kind=signed_in")
	seen := map[string]bool{}
	for line := range strings.Lines(lines.Body.String()) {
		var v shared.AuditEvent
		if err := json.Unmarshal([]byte(line), &v); err != nil || v.User.Name != "bob" {
			t.Fatalf("got %s (%v)", line, err)
		}
		seen[v.ID] = true
	}
	if len(seen) != 600 || lines.Header().Get("Content-Disposition") != `attachment; filename="events-2026-11-29.jsonl"` {
		t.Errorf("%d events in %v", len(seen), lines.Header())
	}
	table := b.asks(shared.RoleAuditor, shared.PathAuditExport+"?format=csv")
	rows, err := csv.NewReader(table.Body).ReadAll()
	if err != nil || len(rows) != 601 || !slices.Equal(rows[0], audit.Columns) {
		t.Fatalf("%d rows (%v)", len(rows), err)
	}
	if name := rows[1][slices.Index(audit.Columns, "display_name")]; name != "'=Bob()" {
		t.Errorf("a name is written as %q", name)
	}
}

// TestExportProgram checks that the list and both kinds of file name the program, and that the filter selects
// the events of programs together.
func TestExportProgram(t *testing.T) {
	b := newBook(t)
	for _, kind := range []shared.EventKind{shared.EventProgramAllowed, shared.EventSignedInTo, shared.EventProgramEnded, shared.EventSignedIn} {
		event := store.NewEvent(b.now, ann, kind, store.Client{Address: "192.0.2.7"})
		if kind != shared.EventSignedIn {
			event.Program = "Grafana"
		}
		b.apply(store.AddEvent{Event: event})
	}
	rows, err := csv.NewReader(b.asks(shared.RoleAuditor, shared.PathAuditExport+"?format=csv&kind=programs").Body).ReadAll()
	if err != nil || len(rows) != 4 {
		t.Fatalf("%d rows (%v), want the three of programs", len(rows), err)
	}
	for _, row := range rows[1:] {
		if got := row[slices.Index(rows[0], "program")]; got != "Grafana" {
			t.Errorf("the program is %q in %q", got, row)
		}
	}
	var page shared.AuditPage
	if err := json.Unmarshal(b.asks(shared.RoleAuditor, shared.PathAudit+"?kind=program_allowed").Body.Bytes(), &page); err != nil || len(page.Events) != 1 || page.Events[0].Program != "Grafana" {
		t.Errorf("got %+v (%v)", page, err)
	}
}

// TestExportReason checks that a table says why a passkey didn't work, as the lines of JSON do.
func TestExportReason(t *testing.T) {
	b := newBook(t)
	event := store.NewEvent(b.now, ann, shared.EventPasskeyFailed, store.Client{Address: "192.0.2.7"})
	event.Reason = shared.ReasonNoLock
	b.apply(store.AddEvent{Event: event})
	rows, err := csv.NewReader(b.asks(shared.RoleAuditor, shared.PathAuditExport+"?format=csv").Body).ReadAll()
	if err != nil || len(rows) != 2 {
		t.Fatalf("%d rows (%v)", len(rows), err)
	}
	at := func(column string) string { return rows[1][slices.Index(rows[0], column)] }
	if at("reason") != string(shared.ReasonNoLock) || at("provider") != "" || at("address") != "192.0.2.7" {
		t.Errorf("got %q", rows)
	}
}

// TestExportEnds checks that a file which can't be whole isn't taken for whole.
func TestExportEnds(t *testing.T) {
	b := newBook(t)
	b.aDay()
	broken := errors.New("the database is away")
	pages := 0
	next := func(context.Context) (shared.AuditPage, error) {
		if pages++; pages == 2 {
			return shared.AuditPage{}, broken
		}
		return audit.List(t.Context(), b.Store, audit.Filter{}, 2)
	}
	var file bytes.Buffer
	if err := audit.Export(t.Context(), &file, "", next, func() error { return nil }); !errors.Is(err, broken) || strings.Count(file.String(), "\n") != 2 {
		t.Errorf("got %v after %s", err, &file)
	}
	defer func() {
		if ended := recover(); fmt.Sprint(ended) != fmt.Sprint(http.ErrAbortHandler) {
			t.Errorf("the answer ends as if it were whole: %v", ended)
		}
	}()
	b.Store = &breaks{Store: b.Store}
	b.asks(shared.RoleAuditor, shared.PathAuditExport)
}

// breaks is a store whose events can't be read.
type breaks struct{ store.Store }

func (breaks) AllEvents(context.Context, store.EventQuery, int) ([]store.Event, error) {
	return nil, errors.New("the database is away")
}
