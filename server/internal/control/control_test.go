package control_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/internal/control"
	"github.com/keypeg/keypeg/server/openid"
	"github.com/keypeg/keypeg/server/policy"
	"github.com/keypeg/keypeg/server/store/memstore"
	"github.com/keypeg/keypeg/shared"
)

// running is an organisation whose server takes commands at a socket.
type running struct {
	*testing.T
	path   string
	here   control.Users // at hand
	client *control.Client
	socket http.Client
}

// links leads to the addresses at which the server is reached.
type links struct{}

func (links) SetupURL(token string) string { return "https://id.example/setup?token=" + token }
func (links) EnrolURL(token string) string { return "https://id.example/enrol?token=" + token }

// file is a database in one file.
type file string

func (f file) WriteTo(w io.Writer) (int64, error) {
	n, err := io.WriteString(w, string(f))
	return int64(n), err
}

func newRunning(t *testing.T) *running {
	db := memstore.New(time.Now)
	accounts := account.New(account.Config{
		Store: db, Now: time.Now, PasswordCost: account.Cost{MemoryKiB: 64, Time: 1, Threads: 1},
		Policy:    policy.Policy{RPID: "id.example", Former: []string{"old.example"}},
		Providers: []account.Provider{{ID: "one", Name: "ONE", Issuer: "https://one.example"}},
	})
	on := control.Accounts{Service: accounts, Store: db, Address: links{}, Clients: openid.NewRegistry(db, nil, time.Now), Issuer: "https://id.example"}
	mux := http.NewServeMux()
	mux.Handle("/", control.Handler(on, file("the database")))
	control.HandleTenants(mux, func(_ context.Context, name string, do func(http.Handler)) error {
		switch name {
		case "acme":
			do(control.Handler(on, file("the tenant's database")))
		case "tools":
			do(control.Handler(control.Accounts{Program: toolshop{}, Domains: accounts, Store: db}, file("the toolshop's database")))
		default:
			return shared.Errorf(shared.CodeNotFound, "There is no tenant %s.", name)
		}
		return nil
	})
	r := &running{T: t, path: filepath.Join(t.TempDir(), "keypeg.sock"), here: control.Here(on)}
	listener, err := control.Listen(r.path)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: mux}
	go server.Serve(listener)
	t.Cleanup(func() { server.Close() })
	if r.client, err = control.Dial(t.Context(), r.path); err != nil {
		t.Fatal(err)
	}
	var dialer net.Dialer
	r.socket.Transport = &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return dialer.DialContext(ctx, "unix", r.path)
	}}
	t.Cleanup(r.socket.CloseIdleConnections)
	return r
}

// toolshop is a program that Keypeg is built into, with one user.
type toolshop struct{}

func (toolshop) PasskeysOf(_ context.Context, id string) ([]shared.Passkey, error) {
	if id != "ann" {
		return nil, nil
	}
	return []shared.Passkey{{Name: "Laptop"}}, nil
}

func (toolshop) RemovePasskeys(context.Context, string) error { return nil }

// sends is a request as whoever opens the socket writes it.
func (r *running) sends(method, path, input string) (status int, answer string) {
	r.Helper()
	request, err := http.NewRequestWithContext(r.Context(), method, "http://keypeg"+path, strings.NewReader(input))
	if err != nil {
		r.Fatal(err)
	}
	response, err := r.socket.Do(request)
	if err != nil {
		r.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		r.Fatal(err)
	}
	return response.StatusCode, strings.TrimSpace(string(content))
}

// TestCommands sends what each command takes, and reads what the socket answers. Each row finds
// what those above it have done.
func TestCommands(t *testing.T) {
	const refused = http.StatusUnprocessableEntity
	type command struct {
		path, input string
		status      int
		answer      string // a part of it
	}
	const ofProgram = `people sign in at the program that Keypeg is built into`
	atProgram := []command{ // which has the users
		{"/host-user", `"ann"`, 200, `{"id":"ann","passkeys":[{`},
		{"/host-user", `"bob"`, 200, `{"id":"bob"`},
		{"/remove-host-user", `"ann"`, 200, `"name":"Laptop"`},
		{"/hooks", `{}`, 200, `[]`},
		{"/signals", `{}`, 200, `true`},
		{"/events", `{"limit":1}`, 200, `"events":[]`},
		{"/mails", `{}`, 200, `[]`},
		{"/users", `{}`, refused, ofProgram},
		{"/setup-link", `{}`, refused, ofProgram},
		{"/disable", `{"name":"ann"}`, refused, ofProgram},
		{"/clients", `{}`, refused, ofProgram},
		{"/domains", `{}`, 200, `[{"rpId":"id.example","state":"present"`},
	}
	rows := []command{
		{"/setup-link", `{}`, 200, `"https://id.example/setup?token=`},
		{"/add-user", `{"Name":"ann","DisplayName":"Ann","Password":"correct horse battery","Role":"administrator"}`, 200, `"name":"ann","displayName":"Ann","role":"administrator"`},
		{"/add-user", `{"Name":"ANN","DisplayName":"Ann","Password":"correct horse battery"}`, refused, `"code":"name_taken"`},
		{"/add-user", `{"Name":"bob","DisplayName":"Bob","Password":"short"}`, refused, `"code":"invalid_password"`},
		{"/add-user", `{"Name":"b b","DisplayName":"Bob","Password":"correct horse battery"}`, refused, `"code":"invalid_name"`},
		{"/check-new-user", `{"Name":"bob"}`, refused, `Please enter a name.`},
		{"/check-new-user", `{"Name":"bob","DisplayName":"Bob"}`, 200, `{}`},
		{"/check-new-user", `{"Name":"Ann","DisplayName":"Ann"}`, refused, `"code":"name_taken"`},
		{"/setup-link", `{}`, refused, `is set up already`},
		{"/user", `"ann"`, 200, `"passkeys":0`},
		{"/user", `"bob"`, refused, `"code":"not_found"`},
		{"/users", `{}`, 200, `"users":[{"id":`},
		{"/users", `{"after":"ann"}`, 200, `"users":[]`},
		{"/users", `{"in":"kings"}`, refused, `"code":"invalid_request"`},
		{"/rollout", `{}`, 200, `"passwordOnly":1`},
		{"/change-user", `{"name":"ann","change":{"displayName":"Anna"}}`, 200, `"displayName":"Anna"`},
		{"/change-user", `{"name":"ann","change":{"role":""}}`, refused, `"code":"last_administrator"`},
		{"/change-user", `{"name":"ann","change":{"email":"ann"}}`, refused, `"code":"invalid_email"`},
		{"/change-user", `{"name":"bob","change":{}}`, refused, `"code":"not_found"`},
		{"/check-people", `[{"name":"emil"}]`, 200, `{}`},
		{"/check-people", `[{"name":"emil"},{"name":"ann"}]`, 200, `"refusals":[null,{`},
		{"/invite-people", `[{"name":"emil"},{"name":"ann"}]`, 200, `"code":"name_taken"`},
		{"/invite-people", `[{"name":"emil"}]`, 200, `{"links":[{"url":"`},
		{"/remove-user", `{"name":"ann","typed":"bob"}`, refused, `"code":"invalid_name"`},
		{"/remove-user", `{"name":"ann","typed":"ann"}`, refused, `"code":"last_administrator"`},
		{"/set-password", `{"name":"ann","password":"another battery staple"}`, 200, `{}`},
		{"/set-password", `{"name":"ann","password":"short"}`, refused, `"code":"invalid_password"`},
		{"/set-password", `{"name":"bob","password":"another battery staple"}`, refused, `"code":"not_found"`},
		{"/remove-password", `"ann"`, refused, `"code":"last_method"`},
		{"/link-user", `{"name":"ann","provider":"two","subject":"1001"}`, refused, `"code":"not_found"`},
		{"/link-user", `{"name":"ann","provider":"one","subject":"1001"}`, 200, `{}`},
		{"/remove-password", `"ann"`, 200, `{}`},
		{"/unlink-user", `{"name":"ann","provider":"one"}`, refused, `"code":"last_method"`},
		{"/set-password", `{"name":"ann","password":"one more battery staple"}`, 200, `{}`},
		{"/unlink-user", `{"name":"ann","provider":"one"}`, 200, `{}`},
		{"/unlink-user", `{"name":"ann","provider":"one"}`, refused, `"code":"not_found"`},
		{"/invite", `{"name":"carl"}`, 200, `"url":"https://id.example/enrol?token=`},
		{"/invite", `{"name":"carl"}`, 200, `"again":true`},
		{"/invite", `{"name":"ann"}`, refused, `"code":"name_taken"`},
		{"/withdraw-links", `"carl"`, 200, `true`},
		{"/withdraw-links", `"carl"`, 200, `false`},
		{"/remove-user", `{"name":"carl","typed":"carl"}`, 200, `{}`},
		{"/recovery-link", `"ann"`, 200, `"url":"https://id.example/enrol?token=`},
		{"/recovery-link", `"bob"`, refused, `"code":"not_found"`},
		{"/disable", `{"name":"ann"}`, refused, `"code":"last_administrator"`},
		{"/disable", `{"name":"ann","evenTheLast":true}`, 200, `{}`},
		{"/user", `"ann"`, 200, `"disabled":true`},
		{"/enable", `"ann"`, 200, `{}`},
		{"/enable", `"bob"`, refused, `"code":"not_found"`},
		{"/release", `"ann"`, 200, `{}`},
		{"/release", `"bob"`, refused, `"code":"not_found"`},
		{"/events", `{"kind":"account_created","limit":1}`, 200, `"user":{"id":"`},
		{"/events", `{"kind":"nothing","limit":1}`, refused, `"code":"invalid_request"`},
		{"/verify-events", `{}`, 200, `"notSealed":`},
		{"/verify-events", `{"hash":"x"}`, 400, ``},
		{"/examine", `{"Passwords":"off"}`, 200, `"users":`},
		{"/domains", `{}`, 200, `[{"rpId":"`},
		{"/domain-users", `"old.example"`, 200, `{"users":[]}`},
		{"/end-domain", `"old.example"`, 200, `{}`},
		{"/end-domain", `"older.example"`, refused, `nobody has passkeys for older.example`},
		{"/mails", `{}`, 200, `[]`},
		{"/retry-mails", `{}`, 200, `0`},
		{"/signing-keys", `{}`, 200, `[`},
		{"/rotate-signing-keys", `{"now":true}`, 200, `[{`},
		{"/clients", `{}`, 200, `[]`},
		{"/add-client", `{"id":"app","redirects":["https://app.example/"],"secrets":[{"since":"2026-01-01T00:00:00Z"}]}`, 200, `{"issuer":"https://id.example","secret":"kp_`},
		{"/add-client", `{"id":"app","redirects":["https://app.example/"]}`, refused, `there is a client app already`},
		{"/add-client", `{"id":"b","redirects":["x"]}`, refused, `must begin with https://`},
		{"/clients", `{}`, 200, `[{"id":"app","name":"app"`},
		{"/client", `"app"`, 200, `"client":{"id":"app"`},
		{"/client", `"b"`, refused, `there is no client \"b\": keypeg client list shows all`},
		{"/change-client", `{"id":"app","name":"App","redirects":["https://app.example/"]}`, 200, `"name":"App"`},
		{"/change-client", `{"id":"b","redirects":["https://app.example/"]}`, refused, `there is no client`},
		{"/rotate-client", `{"id":"app","overlap":3600000000000}`, 200, `"secret":"kp_`},
		{"/rotate-client", `{"id":"app","overlap":-1}`, refused, `0 to 90 days`},
		{"/rotate-client", `{"id":"b"}`, refused, `there is no client`},
		{"/remove-client", `"app"`, 200, `{}`},
		{"/remove-client", `"app"`, refused, `there is no client`},
		{"/signals", `{}`, 200, `true`},
		{"/allow-signals", `false`, 200, `{}`},
		{"/signals", `{}`, 200, `false`},
		{"/allow-signals", `true`, 200, `{}`},
		{"/allow-signals", `true`, 200, `{}`},
		{"/signals", `{}`, 200, `true`},
		{"/host-user", `"ann"`, refused, `has users of its own`},
		{"/remove-host-user", `"ann"`, refused, `has users of its own`},
		{"/hooks", `{}`, refused, `has users of its own`},
	}
	r := newRunning(t)
	for _, row := range atProgram {
		if status, answer := r.sends("POST", "/tenant/tools"+row.path, row.input); status != row.status || !strings.Contains(answer, row.answer) {
			t.Errorf("at a program, %s with %s: got %d %s, want %d with %s", row.path, row.input, status, answer, row.status, row.answer)
		}
	}
	for _, row := range rows {
		if status, answer := r.sends("POST", row.path, row.input); status != row.status || !strings.Contains(answer, row.answer) {
			t.Errorf("%s with %s: got %d %s, want %d with %s", row.path, row.input, status, answer, row.status, row.answer)
		}
	}
	for _, path := range control.UserPaths() {
		if !slices.ContainsFunc(append(rows, atProgram...), func(r command) bool { return r.path == path && r.status == 200 }) {
			t.Errorf("no row has %s do what it is for", path)
		}
	}
}

// TestMalformedCommands checks that each command refuses what isn't its input, and does
// nothing.
func TestMalformedCommands(t *testing.T) {
	r := newRunning(t)
	long := `"` + strings.Repeat("x", control.MaxInput) + `"`
	for _, path := range control.UserPaths() {
		for _, input := range []string{"", "{", "[1]", long} {
			if status, answer := r.sends("POST", path, input); status != 400 {
				t.Errorf("%s with %.20q: got %d %s, want 400", path, input, status, answer)
			}
		}
		if status, answer := r.sends("GET", path, ""); status != 405 {
			t.Errorf("GET %s: got %d %s, want 405", path, status, answer)
		}
	}
	for _, path := range []string{"/", "/nothing", "/add-user/x", "/tenant/", "/tenant/acme/nothing"} {
		if status, answer := r.sends("POST", path, `{}`); status != 404 {
			t.Errorf("%s: got %d %s, want 404", path, status, answer)
		}
	}
	users, err := control.ListUsers(t.Context(), r.here, shared.MembersQuery{})
	if err != nil || len(users.Users) != 0 {
		t.Errorf("there are %+v (%v)", users, err)
	}
}

// TestTarget checks that a command does the same at hand and with a server that runs.
func TestTarget(t *testing.T) {
	r := newRunning(t)
	there := control.At[control.Accounts](r.client)
	if r.here.IsRunning() || !there.IsRunning() {
		t.Error("the targets don't know which of them runs")
	}
	ann := account.NewUser{Name: "ann", DisplayName: "Ann", Password: "correct horse battery"}
	added, err := control.AddUser(t.Context(), there, ann)
	if err != nil {
		t.Fatal(err)
	}
	for where, target := range map[string]control.Users{"here": r.here, "there": there, "as a tenant": control.At[control.Accounts](r.client.Tenant("acme"))} {
		found, err := control.FindUser(t.Context(), target, "ann")
		if err != nil || found.ID != added.ID || !found.HasPassword {
			t.Errorf("%s: got %+v (%v), want %+v", where, found, err, added)
		}
		_, err = control.AddUser(t.Context(), target, ann)
		if refusal, is := errors.AsType[*shared.Error](err); !is || refusal.Code != shared.CodeNameTaken || !strings.Contains(refusal.Message, "ann") {
			t.Errorf("%s: got %v, want a refusal with its sentence", where, err)
		}
	}
	if _, err := control.FindUser(t.Context(), control.At[control.Accounts](r.client.Tenant("beta")), "ann"); shared.CodeOf(err) != shared.CodeNotFound || !strings.Contains(err.Error(), "There is no tenant beta.") {
		t.Errorf("a tenant that isn't there: %v", err)
	}
}

// TestBackupOverTheSocket reads the database of the installation, and of one tenant.
func TestBackupOverTheSocket(t *testing.T) {
	r := newRunning(t)
	for want, client := range map[string]*control.Client{"the database": r.client, "the tenant's database": r.client.Tenant("acme")} {
		var got bytes.Buffer
		if err := client.Backup(t.Context(), &got); err != nil || got.String() != want {
			t.Errorf("got %q (%v), want %q", &got, err, want)
		}
	}
	var got bytes.Buffer
	if err := r.client.Tenant("beta").Backup(t.Context(), &got); shared.CodeOf(err) != shared.CodeNotFound || got.Len() != 0 {
		t.Errorf("a tenant that isn't there: %v, and %q is written", err, &got)
	}
}

// TestOtherVersion checks that whoever asks an older server reads why it doesn't do as
// asked.
func TestOtherVersion(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keypeg.sock")
	if _, err := control.Dial(t.Context(), path); !errors.Is(err, control.ErrNoServer) {
		t.Errorf("without a server: got %v", err)
	}
	listener, err := control.Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.NewServeMux()}
	go server.Serve(listener)
	t.Cleanup(func() { server.Close() })
	client, err := control.Dial(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := control.SignalsAllowed(t.Context(), control.At[control.Accounts](client), control.None{}); err == nil || !strings.Contains(err.Error(), "is it of another version, or edition?") {
		t.Errorf("got %v", err)
	}
	if err := client.Backup(t.Context(), io.Discard); err == nil || !strings.Contains(err.Error(), "is it of another version, or edition?") {
		t.Errorf("a backup: got %v", err)
	}
}

// TestFaultsReachIT checks that the socket hides nothing: whoever may open it is IT.
func TestFaultsReachIT(t *testing.T) {
	type nothing struct{}
	var commands control.Set[nothing]
	control.Do(&commands, "/fail", func(context.Context, nothing, control.None) error { return errors.New("the disk is full") })
	w := httptest.NewRecorder()
	commands.Handler(nothing{}, file("")).ServeHTTP(w, httptest.NewRequest("POST", "/fail", strings.NewReader("{}")))
	var problem shared.Problem
	if err := json.Unmarshal(w.Body.Bytes(), &problem); err != nil || w.Code != 422 || problem.Code != shared.CodeInternal || problem.Detail != "the disk is full" {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}
