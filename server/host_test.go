package server_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/federation"
	"github.com/keypeg/keypeg/server/live"
	"github.com/keypeg/keypeg/server/openid"
	"github.com/keypeg/keypeg/server/proxytest"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// crib is a program with users and sessions of its own.
type crib struct {
	mu       sync.Mutex
	users    map[string]server.HostUser
	sessions map[string]server.HostSession // by cookie
	now      func() time.Time
	broken   error
	refuses  error  // is what SignIn returns
	admits   func() // is called by SignIn first
	// careless: a session of the request goes on as it is, whoever signs in.
	careless bool
}

func (c *crib) User(_ context.Context, id string) (server.HostUser, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken != nil {
		return server.HostUser{}, c.broken
	}
	if user, found := c.users[id]; found {
		return user, nil
	}
	return server.HostUser{}, server.ErrNoUser
}

func (c *crib) SignedIn(r *http.Request) (server.HostSession, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	cookie, err := r.Cookie("crib")
	if err != nil {
		return server.HostSession{}, server.ErrNobody
	}
	if session, found := c.sessions[cookie.Value]; found {
		return session, nil
	}
	return server.HostSession{}, server.ErrNobody
}

func (c *crib) SignIn(w http.ResponseWriter, r *http.Request, userID, passkeyID string) error {
	if c.admits != nil {
		c.admits()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.refuses != nil {
		return c.refuses
	}
	if r != nil {
		if cookie, err := r.Cookie("crib"); err == nil {
			session, found := c.sessions[cookie.Value]
			if found && c.careless {
				session.Proved = c.now()
				c.sessions[cookie.Value] = session
				return nil
			}
			delete(c.sessions, cookie.Value)
		}
	}
	id := "session " + userID + " " + c.now().String()
	c.sessions[strings.ReplaceAll(id, " ", "-")] = server.HostSession{ID: id, UserID: userID, Proved: c.now(), PasskeyID: passkeyID}
	http.SetCookie(w, &http.Cookie{Name: "crib", Value: strings.ReplaceAll(id, " ", "-"), Path: "/"})
	return nil
}

// endingCrib ends sessions too, unless it fails to.
type endingCrib struct {
	*crib
	fails error
}

func (c *endingCrib) EndSessions(_ context.Context, userID, passkeyID, except string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fails != nil {
		return c.fails
	}
	maps.DeleteFunc(c.sessions, func(_ string, s server.HostSession) bool {
		return s.UserID == userID && s.PasskeyID == passkeyID && s.ID != except
	})
	return nil
}

// changes changes a user of the host.
func (c *crib) changes(id string, change func(*server.HostUser)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	user := c.users[id]
	change(&user)
	c.users[id] = user
}

func (c *crib) loses(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.users, id)
}

func onEveryStoreOfAHost(t *testing.T, test func(*site, *crib)) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &site{T: t, clock: time.Now(), log: &proxytest.Output{}}
			hub := live.NewHub()
			s.store = hub.Store(open(t, s.now))
			host := &crib{users: map[string]server.HostUser{
				"1":  {ID: "1", Name: "ann@example.com", DisplayName: "Ann", OtherMethods: 1},
				"12": {ID: "12", Name: "bob@example.com", DisplayName: "Bob", OtherMethods: 1},
			}, sessions: map[string]server.HostSession{}, now: s.now}
			address, err := server.ParseAddress(origin, "", true)
			if err != nil {
				t.Fatal(err)
			}
			s.config = server.Config{
				Store: s.store, Host: host, Live: hub, Now: s.now, Log: slog.New(slog.NewTextHandler(s.log, nil)),
				Address: address, Product: "Crib",
			}
			s.restarts(func(*server.Config) {})
			test(s, host)
		})
	}
}

// interrupted is a store where something happens just before the next write of a user.
type interrupted struct {
	store.Store
	first func() error // once; its error is the write's
}

func (i *interrupted) Apply(ctx context.Context, batch store.Batch) error {
	writes := slices.ContainsFunc(batch, func(op store.Op) bool {
		switch op.(type) {
		case store.PutUser, store.RemoveUser:
			return true
		}
		return false
	})
	if first := i.first; writes && first != nil {
		i.first = nil
		if err := first(); err != nil {
			return err
		}
	}
	return i.Store.Apply(ctx, batch)
}

// hostUser is a browser in which a user of the host is signed in by the host's own means.
func (s *site) hostUser(host *crib, id string) *visitor {
	s.Helper()
	v := s.visitor()
	v.name = id
	v.signsInAtHost(host)
	return v
}

func (v *visitor) signsInAtHost(host *crib) {
	v.Helper()
	answer := httptest.NewRecorder()
	if err := host.SignIn(answer, nil, v.name, ""); err != nil {
		v.Fatal(err)
	}
	v.jar.SetCookies(siteURL, answer.Result().Cookies())
}

// leavesHost forgets the host's session, as its own sign-out does.
func (v *visitor) leavesHost() {
	v.Helper()
	v.jar.SetCookies(siteURL, []*http.Cookie{{Name: "crib", Path: "/", MaxAge: -1}})
	v.refused(v.sends("GET", shared.PathAccount, nil), 401, shared.CodeUnauthenticated)
}

// count is how many records of a kind there are.
func (s *site) count(kind store.Kind) int {
	s.Helper()
	records, err := s.store.Records(s.Context(), kind, nil, 1000)
	if err != nil {
		s.Fatal(err)
	}
	return len(records)
}

// changesNothing compares the whole store before and after.
func (s *site) changesNothing(do func()) {
	s.Helper()
	before := s.everything()
	do()
	if after := s.everything(); !maps.Equal(before, after) {
		s.Errorf("the store was\n%v\nand is\n%v", before, after)
	}
}

// handleOf is the user handle of a host's user.
func (s *site) handleOf(v *visitor) []byte {
	s.Helper()
	handle, err := base64.RawURLEncoding.DecodeString(v.lists().UserHandle)
	if err != nil {
		s.Fatal(err)
	}
	return handle
}

// TestHostUsers checks what users of a host do here.
func TestHostUsers(t *testing.T) {
	t.Run("its users add passkeys, sign in with them, and confirm", func(t *testing.T) {
		onEveryStoreOfAHost(t, func(s *site, host *crib) {
			ann := s.hostUser(host, "1")
			var handle string
			for range 2 { // nothing is stored before a passkey is
				begun := into[shared.Ceremony](ann, ann.sends("POST", shared.PathRegisterBegin, nil), 200)
				var options struct {
					User struct{ ID, Name, DisplayName string }
				}
				if err := json.Unmarshal(begun.PublicKey, &options); err != nil {
					t.Fatal(err)
				}
				if options.User.Name != "ann@example.com" || options.User.DisplayName != "Ann" || len(options.User.ID) != 86 {
					t.Errorf("the options have %+v", options.User)
				}
				if handle != "" && handle != options.User.ID {
					t.Error("the user handle is another the second time")
				}
				handle = options.User.ID
			}
			if n := s.count(store.KindUser); n != 0 {
				t.Errorf("%d records of users were stored", n)
			}
			added := ann.registers("Laptop")
			if list := ann.lists(); len(list.Passkeys) != 1 || list.HasPassword || list.Passkeys[0].OnlyMethod || list.UserHandle != handle {
				t.Errorf("got %+v", list)
			}

			ann.leavesHost()
			s.passes(time.Second)
			if signed := into[shared.SignedIn](ann, ann.signsInWithPasskey(), 200); signed.User != (shared.User{ID: "1", Name: "ann@example.com", DisplayName: "Ann"}) {
				t.Errorf("signed in is %+v", signed.User)
			}
			account := into[shared.Account](ann, ann.sends("GET", shared.PathAccount, nil), 200)
			if account.User.Name != "ann@example.com" || account.Passkeys != 1 || account.Product != "Crib" || !account.PasskeysOn {
				t.Errorf("got %+v", account)
			}
			if list := ann.lists(); !list.Passkeys[0].Current {
				t.Errorf("it isn't the passkey of this session: %+v", list.Passkeys[0])
			}

			s.passes(11 * time.Minute)
			ann.refused(ann.sends("POST", shared.PathRegisterBegin, nil), 403, shared.CodeConfirmRequired)
			begun := into[shared.Ceremony](ann, ann.sends("POST", shared.PathConfirmBegin, nil), 200)
			confirmed := into[shared.Confirmed](ann, ann.sends("POST", shared.PathConfirmFinish, ann.proves(begun)), 200)
			if want := s.now().Add(10 * time.Minute); !confirmed.Until.Equal(want) {
				t.Errorf("confirmed until %v, want %v", confirmed.Until, want)
			}
			into[shared.Ceremony](ann, ann.sends("POST", shared.PathRegisterBegin, nil), 200)
			events := into[shared.Activity](ann, ann.sends("GET", shared.PathActivity, nil), 200).Events
			if kinds := []shared.EventKind{events[0].Kind, events[1].Kind, events[2].Kind}; len(events) != 3 || !slices.Equal(kinds, []shared.EventKind{shared.EventConfirmed, shared.EventSignedIn, shared.EventPasskeyAdded}) {
				t.Errorf("her activity is %+v", events)
			}
			left := into[shared.PasskeyList](ann, ann.sends("DELETE", shared.PathPasskey+added.ID, nil), 200)
			if len(left.Passkeys) != 0 {
				t.Errorf("left is %+v", left)
			}
		})
	})
	t.Run("the last sign-in method stays", func(t *testing.T) {
		onEveryStoreOfAHost(t, func(s *site, host *crib) {
			ann := s.hostUser(host, "1")
			added := ann.registers("Laptop")
			host.changes("1", func(u *server.HostUser) { u.OtherMethods = 0 })
			if !ann.lists().Passkeys[0].OnlyMethod {
				t.Error("the row doesn't tell")
			}
			ann.refused(ann.sends("DELETE", shared.PathPasskey+added.ID, nil), 409, shared.CodeLastMethod)
			into[shared.Passkey](ann, ann.sends("PATCH", shared.PathPasskey+added.ID, shared.RenamePasskey{Name: "Other"}), 200)
		})
	})
	t.Run("a password of the host is a sign-in method, and can be asked for", func(t *testing.T) {
		onEveryStoreOfAHost(t, func(s *site, host *crib) {
			host.changes("1", func(u *server.HostUser) { u.HasPassword, u.OtherMethods = true, 0 })
			ann := s.hostUser(host, "1")
			added := ann.registers("Laptop")
			if list := ann.lists(); !list.HasPassword || list.Passkeys[0].OnlyMethod {
				t.Errorf("her list is %+v", list)
			}
			if account := into[shared.Account](ann, ann.sends("GET", shared.PathAccount, nil), 200); !account.HasPassword {
				t.Error("her account doesn't tell")
			}
			into[shared.PasskeyList](ann, ann.sends("DELETE", shared.PathPasskey+added.ID, nil), 200)
		})
	})
	t.Run("two first passkeys at once are two passkeys", func(t *testing.T) {
		onEveryStoreOfAHost(t, func(s *site, host *crib) {
			late := &interrupted{Store: s.config.Store}
			s.restarts(func(c *server.Config) { c.Store = late })
			laptop, phone := s.hostUser(host, "1"), s.hostUser(host, "1")
			late.first = func() error {
				phone.registers("Phone")
				return nil
			}
			laptop.registers("Laptop")
			if list := laptop.lists(); len(list.Passkeys) != 2 {
				t.Errorf("she has %+v", list.Passkeys)
			}
		})
	})
	t.Run("routes of our own accounts aren't there", func(t *testing.T) {
		onEveryStoreOfAHost(t, func(s *site, host *crib) {
			ann := s.hostUser(host, "1")
			for _, path := range []string{shared.PathSignInPassword, shared.PathSignOut, shared.PathUsers, shared.PathRecoveryCodes, shared.PathPhoneLink, shared.PathEnrolBegin, shared.PageSignIn, shared.PageSetup, "/"} {
				ann.refused(ann.sends("POST", path, "{}"), 404, shared.CodeNotFound)
				ann.refused(ann.sends("GET", path, nil), 404, shared.CodeNotFound)
			}
		})
	})
}

// TestHostAddress checks by which names a host is reached.
func TestHostAddress(t *testing.T) {
	t.Run("the host's name is served however it is written", func(t *testing.T) {
		config := newSite(t, stores["memstore"], atExample).config
		s, err := server.New(t.Context(), server.Config{Store: config.Store, Host: &crib{}, Log: config.Log, Address: config.Address})
		if err != nil {
			t.Fatal(err)
		}
		asks := func(host string) int {
			r := httptest.NewRequest("POST", "https://id.example.com"+shared.PathSignInBegin, nil)
			r.Host = host
			r.Header.Set("Origin", "https://id.example.com")
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			return w.Code
		}
		for _, host := range equalHosts {
			if status := asks(host); status != 200 {
				t.Errorf("%s: got %d", host, status)
			}
		}
		for _, host := range []string{"example.com", "id.example.com:80", "id.example.com:8443", "id.example.com.evil.test"} {
			if status := asks(host); status != 421 {
				t.Errorf("%s: got %d, want 421", host, status)
			}
		}
	})
	t.Run("the host decides whether its domain needs https", func(t *testing.T) {
		address, err := server.ParseAddress("https://crib.example", "", true)
		if err != nil {
			t.Fatal(err)
		}
		config := newSite(t, stores["memstore"], nil).config
		of := func(config server.Config) (said string) {
			config.Address = address
			s, err := server.New(t.Context(), config)
			if err != nil {
				t.Fatal(err)
			}
			w := httptest.NewRecorder()
			s.ServeHTTP(w, httptest.NewRequest("POST", "https://crib.example"+shared.PathSignInBegin, nil))
			if cookie := w.Header().Get("Set-Cookie"); w.Code != 200 || !strings.Contains(cookie, "; Secure") {
				t.Errorf("got %d with %q", w.Code, cookie)
			}
			return w.Header().Get("Strict-Transport-Security")
		}
		if own, hosts := of(config), of(server.Config{Store: config.Store, Host: &crib{}, Log: config.Log}); own == "" || hosts != "" {
			t.Errorf("our own server says %q, and a host's %q", own, hosts)
		}
	})
}

func TestConfig(t *testing.T) {
	ofAccounts := newSite(t, stores["memstore"], nil).config
	ofHost := server.Config{Store: ofAccounts.Store, Host: &crib{}, Address: ofAccounts.Address}
	if _, err := server.New(t.Context(), ofHost); err != nil {
		t.Errorf("these are all that a host must set: %v", err)
	}
	for _, test := range []struct {
		what   string
		config server.Config
		change func(*server.Config)
		says   string
	}{
		{"both", ofAccounts, func(c *server.Config) { c.Host = &crib{} }, "either Accounts, Host or Embed"},
		{"neither", ofAccounts, func(c *server.Config) { c.Accounts = nil }, "either Accounts, Host or Embed"},
		{"no store", ofHost, func(c *server.Config) { c.Store = nil }, "there must be a Store"},
		{"accounts without an address", ofAccounts, func(c *server.Config) { c.Address = server.Address{} }, "ParseAddress"},
		{"a host without an address", ofHost, func(c *server.Config) { c.Address = server.Address{} }, "ParseAddress"},
		{"half an address", ofHost, func(c *server.Config) { c.Address.RPID = "" }, "ParseAddress"},
		{"accounts without files", ofAccounts, func(c *server.Config) { c.Asset = nil }, "Asset must be set"},
		{"accounts that keep events as a host does", ofAccounts, func(c *server.Config) { c.KeepEvents = store.EventsKept }, "account.Config"},
		{"a host that keeps events for a day", ofHost, func(c *server.Config) { c.KeepEvents = 24 * time.Hour }, "ShortestKept"},
		{"accounts that confirm as a host does", ofAccounts, func(c *server.Config) { c.ConfirmFor = time.Hour }, "account.Config"},
		{"a host with our pages", ofHost, func(c *server.Config) { c.App = server.App{Pages: ofAccounts.App.Pages, Page: ofAccounts.App.Page} }, "mean nothing"},
		{"a host with our files", ofHost, func(c *server.Config) { c.App = server.App{Files: ofAccounts.App.Files} }, "mean nothing"},
		{"accounts with a style sheet", ofAccounts, func(c *server.Config) { c.StyleSheet = "/own.css" }, "StyleSheet is for a Host"},
		{"a style sheet for no page", ofHost, func(c *server.Config) { c.StyleSheet = "/own.css" }, "StyleSheet is for a Host"},
		{"a public manual that isn't there", ofAccounts, func(c *server.Config) { c.ManualPublic, c.App.Files = true, nil }, "App.Files must have it"},
		{"pages without the app", ofAccounts, func(c *server.Config) { c.App.Page = nil }, "App.Page draws App.Pages"},
		{"a host with clients", ofHost, func(c *server.Config) { c.Clients = []openid.Client{{}} }, "Clients mean nothing"},
		{"a client without an id", ofAccounts, func(c *server.Config) { c.Clients = []openid.Client{{}} }, "can't be the id of a client"},
		{"a host with our providers", ofHost, func(c *server.Config) { c.Providers = []*federation.Provider{{}} }, "mean nothing"},
	} {
		config := test.config
		test.change(&config)
		if _, err := server.New(t.Context(), config); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: got %v, want a sentence with %q", test.what, err, test.says)
		}
	}
}
