package openid_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/openid"
	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/boltstore"
	"github.com/keypeg/keypeg/server/store/memstore"
	"github.com/keypeg/keypeg/server/store/pgstore"
	"github.com/keypeg/keypeg/server/store/pgstore/pgtest"
)

// it is IT at the command line.
var it session.Actor

// desk registers clients. Its clock stands still.
type desk struct {
	*testing.T
	*openid.Registry
	store store.Store
	time  time.Time
}

// onEveryStore holds a claim against every backend. The configuration file has one client, "wiki".
func onEveryStore(t *testing.T, test func(*desk)) {
	for name, open := range map[string]func(*testing.T, store.Clock) (store.Store, error){
		"memstore": func(_ *testing.T, now store.Clock) (store.Store, error) { return memstore.New(now), nil },
		"boltstore": func(t *testing.T, now store.Clock) (store.Store, error) {
			return boltstore.Open(filepath.Join(t.TempDir(), "keypeg.db"), now)
		},
		"pgstore": func(t *testing.T, now store.Clock) (store.Store, error) {
			return pgstore.Open(t.Context(), pgtest.Database(t), pgtest.Name(), now)
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := &desk{T: t, time: time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC)}
			s, err := open(t, func() time.Time { return d.time })
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { s.Close() })
			d.store = s
			d.configure(openid.Client{ID: "wiki", Name: "Wiki", Redirects: []string{"https://wiki.example/cb"}})
			test(d)
		})
	}
}

// configure begins again with these clients in the configuration file.
func (d *desk) configure(clients ...openid.Client) {
	d.Registry = openid.NewRegistry(d.store, clients, func() time.Time { return d.time })
}

func (d *desk) adds(id, name string) (openid.Client, string) {
	d.Helper()
	c, secret, err := d.Add(d.Context(), it, openid.Client{ID: id, Name: name, Redirects: []string{"https://" + id + ".example/cb"}})
	if err != nil {
		d.Fatalf("adding %s: %v", id, err)
	}
	return c, secret
}

// finds returns a client that must be there.
func (d *desk) finds(id string) openid.Client {
	d.Helper()
	c, err := d.Client(d.Context(), id)
	if err != nil || c.ID != id {
		d.Fatalf("looking for %s: %+v, %v", id, c, err)
	}
	return c
}

// refuses checks an error, by what it is and what it says.
func (d *desk) refuses(claim string, err, is error, sentence string) {
	d.Helper()
	if !errors.Is(err, is) || !strings.Contains(err.Error(), sentence) {
		d.Errorf("%s: got %v, want %v with the words %q", claim, err, is, sentence)
	}
}

// lists returns the names of all clients.
func (d *desk) lists() string {
	d.Helper()
	all, err := d.List(d.Context())
	if err != nil {
		d.Fatal(err)
	}
	var names []string
	for _, c := range all {
		names = append(names, c.Name)
	}
	return strings.Join(names, ", ")
}

func TestRegistry(t *testing.T) {
	onEveryStore(t, func(d *desk) {
		added, secret := d.adds("grafana", "Grafana")
		d.adds("argo", "argo CD")
		if got, want := d.lists(), "argo CD, Grafana, Wiki"; got != want {
			t.Errorf("the list is %q, want %q", got, want)
		}
		if !regexp.MustCompile(`^kp_[A-Za-z0-9_-]{43}$`).MatchString(secret) {
			t.Errorf("the secret is %q", secret)
		}
		found := d.finds("grafana")
		if fmt.Sprint(found) != fmt.Sprint(added) || found.Configured || !found.Created.Equal(d.time) || found.Redirects[0] != "https://grafana.example/cb" {
			t.Errorf("found %+v, and %+v was added", found, added)
		}
		if !found.HasSecret(secret, d.time) || found.HasSecret("", d.time) || found.HasSecret(secret+"x", d.time) {
			t.Error("the client has another secret than it was told")
		}
		if c := d.finds("wiki"); !c.Configured {
			t.Error("the client of the configuration file doesn't say so")
		}
		item, err := d.store.Item(t.Context(), "", "openid-client", "grafana")
		if err != nil || strings.Contains(string(item.Value), secret[3:]) {
			t.Errorf("the store has the secret itself: %s, %v", item.Value, err)
		}

		_, _, err = d.Add(t.Context(), it, openid.Client{ID: "grafana", Redirects: []string{"https://x.example/"}})
		d.refuses("a second one with the id", err, openid.ErrTaken, "choose another id")
		_, _, err = d.Add(t.Context(), it, openid.Client{ID: "wiki", Redirects: []string{"https://x.example/"}})
		d.refuses("one with the id of the configuration file", err, openid.ErrTaken, "in the configuration file")
		if _, _, err = d.Add(t.Context(), it, openid.Client{ID: "bad", Redirects: []string{"x"}}); err == nil {
			t.Error("one with a bad redirect was added")
		}
		for _, id := range []string{"nobody", "", "a/b", strings.Repeat("a", 2000), "a\x00", "\xff"} {
			if _, err := d.Client(t.Context(), id); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("%q: got %v", id, err)
			}
		}

		if err := d.Remove(t.Context(), it, "grafana"); err != nil {
			t.Fatal(err)
		}
		if got, want := d.lists(), "argo CD, Wiki"; got != want {
			t.Errorf("after a removal the list is %q, want %q", got, want)
		}
		d.refuses("removing it again", d.Remove(t.Context(), it, "grafana"), store.ErrNotFound, `no client "grafana"`)
		d.refuses("removing one of the configuration file", d.Remove(t.Context(), it, "wiki"), openid.ErrConfigured, "change it there")
	})
}

func TestChange(t *testing.T) {
	onEveryStore(t, func(d *desk) {
		c, secret := d.adds("grafana", "Grafana")
		d.time = d.time.Add(time.Hour)
		c.Name, c.Redirects, c.Secrets, c.Created = "Graphs", []string{"https://graphs.example"}, nil, time.Time{}
		changed, err := d.Change(t.Context(), it, c)
		if found := d.finds("grafana"); err != nil || fmt.Sprint(changed) != fmt.Sprint(found) || found.Name != "Graphs" ||
			!found.HasSecret(secret, d.time) || !found.Created.Equal(d.time.Add(-time.Hour)) {
			t.Errorf("got %+v and found %+v, %v", changed, found, err)
		}
		c.Redirects = []string{"http://graphs.example"}
		if _, err := d.Change(t.Context(), it, c); err == nil || d.finds("grafana").Redirects[0] != "https://graphs.example" {
			t.Errorf("a bad change: %v", err)
		}
		_, err = d.Change(t.Context(), it, openid.Client{ID: "nobody", Redirects: []string{"https://x.example"}})
		d.refuses("changing nobody", err, store.ErrNotFound, `no client "nobody"`)
		_, err = d.Change(t.Context(), it, d.finds("wiki"))
		d.refuses("changing one of the configuration file", err, openid.ErrConfigured, "change it there")

		c.Redirects, c.Authentication = []string{"https://graphs.example"}, openid.AuthenticatesNever
		if _, err := d.Change(t.Context(), it, c); err != nil || len(d.finds("grafana").Secrets) > 0 {
			t.Errorf("a client that became public has its secret, %v", err)
		}
		_, err = d.Rotate(t.Context(), it, "grafana", 0)
		d.refuses("a secret for a public client", err, openid.ErrNoSecret, "authenticates with none")
	})
}

func TestPublicClient(t *testing.T) {
	onEveryStore(t, func(d *desk) {
		c, secret, err := d.Add(t.Context(), it, openid.Client{ID: "cli", Redirects: []string{"http://127.0.0.1/"}, Authentication: openid.AuthenticatesNever})
		if err != nil || secret != "" || len(c.Secrets) > 0 {
			t.Errorf("got the secret %q, %+v, %v", secret, c, err)
		}
	})
}

func TestRotate(t *testing.T) {
	onEveryStore(t, func(d *desk) {
		rotates := func(overlap time.Duration) string {
			t.Helper()
			secret, err := d.Rotate(d.Context(), it, "grafana", overlap)
			if err != nil {
				t.Fatal(err)
			}
			return secret
		}
		accepts := func(claim string, secrets map[string]bool) {
			t.Helper()
			c := d.finds("grafana")
			for secret, want := range secrets {
				if got := c.HasSecret(secret, d.time); got != want {
					t.Errorf("%s: a secret is accepted %t, want %t", claim, got, want)
				}
			}
		}
		_, first := d.adds("grafana", "Grafana")
		second := rotates(openid.SecretOverlap)
		accepts("after a rotation", map[string]bool{first: true, second: true})
		d.time = d.time.Add(openid.SecretOverlap - time.Second)
		accepts("just before the end of the overlap", map[string]bool{first: true, second: true})
		d.time = d.time.Add(time.Second)
		accepts("after the overlap", map[string]bool{first: false, second: true})
		third := rotates(openid.SecretOverlap)
		d.time = d.time.Add(time.Hour)
		fourth := rotates(openid.SecretOverlap)
		accepts("after two rotations, of which the first may never have been answered", map[string]bool{first: false, second: true, third: true, fourth: true})
		d.time = d.time.Add(openid.SecretOverlap - time.Hour)
		accepts("after the overlap of the first of them", map[string]bool{second: false, third: true, fourth: true})
		fifth := rotates(time.Minute)
		d.time = d.time.Add(time.Minute)
		accepts("after a shorter overlap", map[string]bool{third: false, fourth: false, fifth: true})
		sixth := rotates(0)
		accepts("after a rotation without overlap", map[string]bool{fifth: false, sixth: true})
		if n := len(d.finds("grafana").Secrets); n != 1 {
			t.Errorf("the client has %d secrets", n)
		}

		for range openid.MostSecrets - 1 {
			rotates(time.Hour)
		}
		_, err := d.Rotate(t.Context(), it, "grafana", time.Hour)
		d.refuses("one secret more than there can be", err, openid.ErrSecrets, "wait until one has ended")
		accepts("after a refusal", map[string]bool{sixth: true})
		last := rotates(0)
		accepts("after all were ended", map[string]bool{sixth: false, last: true})

		for _, overlap := range []time.Duration{-1, openid.LongestOverlap + 1} {
			if _, err := d.Rotate(t.Context(), it, "grafana", overlap); err == nil {
				t.Errorf("an overlap of %s was accepted", overlap)
			}
		}
		_, err = d.Rotate(t.Context(), it, "wiki", 0)
		d.refuses("a secret of the configuration file", err, openid.ErrConfigured, "change it there")
		_, err = d.Rotate(t.Context(), it, "nobody", 0)
		d.refuses("nobody's secret", err, store.ErrNotFound, `no client "nobody"`)
	})
}

// Of many who change one client at the same time, nobody undoes what another one did.
func TestChangeAtTheSameTime(t *testing.T) {
	onEveryStore(t, func(d *desk) {
		c, _ := d.adds("grafana", "Grafana")
		const each = 4
		var secrets sync.Map
		var all sync.WaitGroup
		for range each {
			all.Go(func() {
				secret, err := d.Rotate(t.Context(), it, "grafana", time.Hour)
				if err != nil {
					t.Error(err)
				}
				secrets.Store(secret, true)
			})
			all.Go(func() {
				if _, err := d.Change(t.Context(), it, c); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		found, accepted := d.finds("grafana"), 0
		secrets.Range(func(secret, _ any) bool {
			if found.HasSecret(secret.(string), d.time) {
				accepted++
			}
			return true
		})
		if accepted != each || len(found.Secrets) != each+1 {
			t.Errorf("after %d rotations, %d of the secrets that were told are accepted, and there are %d; want each, and the first", each, accepted, len(found.Secrets))
		}
	})
}

func TestAddAtTheSameTime(t *testing.T) {
	onEveryStore(t, func(d *desk) {
		results := make(chan error)
		for i := range 8 {
			go func() {
				_, _, err := d.Add(t.Context(), it, openid.Client{ID: "grafana", Redirects: []string{fmt.Sprintf("https://g%d.example", i)}})
				results <- err
			}()
		}
		added := 0
		for range 8 {
			if err := <-results; err == nil {
				added++
			} else {
				d.refuses("who came later", err, openid.ErrTaken, "already")
			}
		}
		if added != 1 {
			t.Errorf("%d were added", added)
		}
	})
}

func TestHiddenClient(t *testing.T) {
	onEveryStore(t, func(d *desk) {
		d.adds("grafana", "Stored")
		d.adds("other", "Other")
		d.configure(openid.Client{ID: "grafana", Name: "Configured"}, openid.Client{ID: "new", Name: "New"})
		hidden, err := d.Hidden(t.Context())
		if fmt.Sprint(hidden) != "[grafana]" || err != nil {
			t.Errorf("hidden are %v, %v", hidden, err)
		}
		if c := d.finds("grafana"); c.Name != "Configured" {
			t.Errorf("the stored one is used: %+v", c)
		}
		if got, want := d.lists(), "Configured, New, Other"; got != want {
			t.Errorf("the list is %q, want %q", got, want)
		}
		_, err = d.Rotate(t.Context(), it, "grafana", 0)
		d.refuses("a secret of the hidden one", err, openid.ErrConfigured, "change it there")
		if err := d.Remove(t.Context(), it, "grafana"); err != nil {
			t.Errorf("removing the hidden one: %v", err)
		}
		if hidden, err := d.Hidden(t.Context()); len(hidden) > 0 || err != nil || d.finds("grafana").Name != "Configured" {
			t.Errorf("after its removal %v are hidden, %v", hidden, err)
		}
	})
}

func TestMostClients(t *testing.T) {
	s := memstore.New(time.Now)
	d := &desk{T: t, store: s, time: time.Now()}
	var batch store.Batch
	for i := range openid.MostClients {
		batch = append(batch, store.PutItem{Item: store.Item{Collection: "openid-client", Key: fmt.Sprintf("c%d", i), Value: []byte(`{"name":"C"}`)}})
	}
	if err := s.Apply(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	d.configure()
	_, _, err := d.Add(t.Context(), it, openid.Client{ID: "more", Redirects: []string{"https://x.example"}})
	d.refuses("one more", err, openid.ErrFull, "remove those")
	if all, err := d.List(t.Context()); len(all) != openid.MostClients || err != nil {
		t.Errorf("%d are listed, %v", len(all), err)
	}
}

// TestCodesOfDevices: a code says which client shows it, however many there are.
func TestCodesOfDevices(t *testing.T) {
	var all []openid.Client
	for n := range 300 {
		all = append(all, openid.Client{ID: fmt.Sprint("tv", n), Device: n%3 > 0})
	}
	for _, c := range all {
		code := openid.NewCode(c, all)
		if !c.Device {
			if code != "" {
				t.Errorf("%s isn't for devices, and gets the code %s", c.ID, code)
			}
			continue
		}
		if list := openid.ShownBy(code, all); len(list) != 1 || list[0].ID != c.ID {
			t.Errorf("the code %s of %s is of %v", code, c.ID, list)
		}
	}
	if code := openid.NewCode(openid.Client{ID: "removed", Device: true}, all); code != "" {
		t.Errorf("a client that isn't there any more gets the code %s", code)
	}
}

func TestCheckConfigured(t *testing.T) {
	good, err := openid.Client{ID: "a", Redirects: []string{"https://a.example"}}.Check()
	if err != nil {
		t.Fatal(err)
	}
	good.Secrets = []openid.Secret{{Hash: store.HashOf("secret")}}
	if err := openid.CheckConfigured([]openid.Client{good}); err != nil {
		t.Error(err)
	}
	for sentence, do := range map[string]func(*openid.Client){
		"two clients a":        func(c *openid.Client) { c.Name = "B" },
		"has no secret":        func(c *openid.Client) { c.ID, c.Secrets = "b", nil },
		"has no defaults":      func(c *openid.Client) { c.ID, c.Algorithm = "b", "" },
		"there is no redirect": func(c *openid.Client) { c.ID, c.Redirects = "b", nil },
	} {
		other := good
		do(&other)
		if err := openid.CheckConfigured([]openid.Client{good, other}); err == nil || !strings.Contains(err.Error(), sentence) {
			t.Errorf("got %v, want %q", err, sentence)
		}
	}
}
