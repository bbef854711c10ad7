package openid_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/openid"
	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/memstore"
	"github.com/keypeg/keypeg/shared"
)

// happened returns the events of clients, oldest first: of whom, by whom, and what was done.
func (d *desk) happened(ids map[string]string) (lines []string) {
	d.Helper()
	kinds := []shared.EventKind{shared.EventClientAdded, shared.EventClientChanged, shared.EventClientSecretRotated, shared.EventClientRemoved}
	events, err := d.store.AllEvents(d.Context(), store.EventQuery{Kinds: kinds}, 100)
	if err != nil {
		d.Fatal(err)
	}
	for _, e := range events {
		lines = append(lines, fmt.Sprintf("%s, by %s: %s %s %s%s", ids[e.UserID], ids[e.By], e.Kind, e.Program, e.Change, e.Client.Address))
	}
	slices.Reverse(lines)
	return lines
}

func TestRecorded(t *testing.T) {
	onEveryStore(t, func(d *desk) {
		ann := store.User{ID: store.NewUserID(), Name: "ann"}
		if err := d.store.Apply(t.Context(), store.Batch{store.PutUser{User: ann}}); err != nil {
			t.Fatal(err)
		}
		ids := map[string]string{store.Organisation: "organisation", ann.ID: "ann", "": "IT"}
		must := func(err error) {
			t.Helper()
			d.time = d.time.Add(time.Second)
			if err != nil {
				t.Fatal(err)
			}
		}
		c, _, err := d.Add(t.Context(), it, openid.Client{ID: "grafana", Redirects: []string{"https://a.example/cb", "https://b.example/cb"}})
		must(err)
		c.Name, c.Redirects = "Graphs", []string{"https://a.example/cb", "https://c.example/cb"}
		_, err = d.Change(t.Context(), it, c)
		must(err)
		_, err = d.Rotate(t.Context(), it, "grafana", 0)
		must(err)
		must(d.Remove(t.Context(), session.Actor{By: ann, Client: store.Client{Address: "192.0.2.7"}}, "grafana"))

		got := d.happened(ids)
		want := []string{
			"organisation, by IT: client_added grafana +redirect:https://a.example/cb +redirect:https://b.example/cb",
			"organisation, by IT: client_changed Graphs (grafana) -redirect:https://b.example/cb +redirect:https://c.example/cb",
			"organisation, by IT: client_secret_rotated Graphs (grafana) ",
		}
		removed := "client_removed Graphs (grafana) -redirect:https://a.example/cb -redirect:https://c.example/cb"
		slices.Sort(got[min(3, len(got)):]) // at the same moment
		want = append(want, "ann, by IT: "+removed+"192.0.2.7", "organisation, by ann: "+removed)
		if !slices.Equal(got, want) {
			t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}

		if _, err := d.Rotate(t.Context(), it, "grafana", 0); err == nil || len(d.happened(ids)) != len(want) {
			t.Errorf("what was refused is recorded: %v", err)
		}
	})
}

// An event stays small, whatever is registered.
func TestRecordedIsBounded(t *testing.T) {
	d := &desk{T: t, store: memstore.New(time.Now), time: time.Now()}
	d.configure()
	c := openid.Client{ID: "grafana"}
	for i := range openid.MostRedirects {
		c.Redirects = append(c.Redirects, fmt.Sprintf("https://a%d.example/%s", i, strings.Repeat("a", 400)))
	}
	if _, _, err := d.Add(t.Context(), it, c); err != nil {
		t.Fatal(err)
	}
	got := d.happened(map[string]string{})
	if len(got) != 1 || len(got[0]) > 1100 || !strings.Contains(got[0], "+redirect:"+c.Redirects[1]) || strings.Contains(got[0], "a2.example") {
		t.Errorf("got %q", got)
	}
}
