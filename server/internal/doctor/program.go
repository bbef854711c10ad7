package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/embed"
	"github.com/keypeg/keypeg/server/internal/installation"
	"github.com/keypeg/keypeg/shared"
)

const groupProgram = "The program"

// ofProgram are the checks of the program that Keypeg is built into, and of what both need.
func (v *visit) ofProgram() []Check {
	checks := []Check{
		{Group: groupProgram, Name: "arrive", Run: v.needs(v.arrive)},
		{Group: groupProgram, Name: "hooks", Run: v.hooks},
		{Group: groupProgram, Name: "its pages", Run: v.needs(v.itsPages)},
		{Group: groupOthers, Name: "clock", Run: v.clock, Within: 20 * time.Second},
	}
	if v.Backups.Folder != "" {
		checks = append(checks, Check{Group: groupOthers, Name: "backup", OfMachine: true, Run: v.backup})
	}
	return checks
}

// arrive posts to the program what a browser does after a sign-in with a passkey, but without a proof. What the program
// says to that is its own affair, but it must be the program, and must take it from people who aren't signed in.
func (v *visit) arrive(ctx context.Context) Result {
	path, is := strings.CutPrefix(v.organisation.Host.Arrive, v.address.Origin+"/")
	if path = "/" + path; !is {
		return leftOut("the setting can't be used")
	}
	got, err := v.fetch(ctx, &asking{method: http.MethodPost, path: path, body: shared.FieldProof + "=", header: map[string]string{"Content-Type": "application/x-www-form-urlencoded", "Accept": "text/html"}})
	if err != nil {
		return failed(path+" doesn't answer: "+reason(err), do("let the program answer POST "+path))
	}
	body, _ := got.decoded()
	var problem shared.Problem
	isOurs := json.Unmarshal(body, &problem) == nil && problem.Code != "" && got.header.Get(requestID) != ""
	leads, _ := url.QueryUnescape(got.header.Get("Location"))
	_, behind, _ := strings.Cut(leads, "?")
	switch {
	case isOurs:
		return failed("POST "+path+" reaches Keypeg, and not the program: nobody can sign in with a passkey",
			Mend{In: "nginx", Line: "location / leads to the program, and Keypeg gets location ~ ^/(keypeg|api/v1)/ alone"}, Mend{In: "Caddy", Line: "reverse_proxy for the program, and Keypeg gets @keypeg path /keypeg/* /api/v1/* alone"})
	case got.status == http.StatusNotFound || got.status == http.StatusGone || got.status == http.StatusMethodNotAllowed:
		return failed(fmt.Sprintf("the program has nothing that takes POST %s: it answers %d, so nobody can sign in with a passkey", path, got.status), do("let the program answer POST "+path+", or correct arrive"))
	case got.status == http.StatusBadGateway || got.status == http.StatusServiceUnavailable || got.status == http.StatusGatewayTimeout:
		return failed(fmt.Sprintf("there is no program behind the proxy: POST %s is answered %d", path, got.status), do("start the program, or correct where the proxy looks for it"))
	case got.status >= http.StatusInternalServerError:
		return failed(fmt.Sprintf("the program fails at POST %s without a proof: it answers %d", path, got.status), do("let it refuse what Keypeg doesn't redeem, and see its log"))
	case got.header.Get("WWW-Authenticate") != "":
		return failed(fmt.Sprintf("POST %s is answered %d, with a question for a password of the proxy", path, got.status), Mend{In: "nginx", Line: "auth_basic off; in a location for " + path}, Mend{In: "Caddy", Line: "basic_auth … only for other paths: @others not path " + path})
	case strings.Contains(behind, path):
		return failed(fmt.Sprintf("POST %s leads to %s, as for a page that only signed-in people see: whoever signs in with a passkey isn't signed in yet", path, pathOf(leads)), do("let the program take POST "+path+" from everybody"))
	}
	return ok(fmt.Sprintf("the program answers POST %s without a proof with %d", path, got.status))
}

// pathOf returns an address without its query.
func pathOf(address string) string {
	path, _, _ := strings.Cut(address, "?")
	return path
}

// Hooks that wait for longer than this are warned of.
const hooksWait = time.Minute

// hooks sends the program a hook that nobody has signed, which it must refuse.
func (v *visit) hooks(ctx context.Context) Result {
	address := v.organisation.Host.Hooks
	if address == "" {
		return Result{}
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(`{"type":"keypeg.doctor","timestamp":"`+v.Now().UTC().Format(time.RFC3339)+`","data":{}}`))
	if err != nil {
		return failed(err.Error(), do("correct hooks"))
	}
	r.Header.Set("Content-Type", "application/json")
	client := v.asServer()
	defer client.CloseIdleConnections()
	answer, err := client.Do(r)
	if err != nil {
		return failed("the program doesn't answer this machine at hooks: "+reason(err), do("let this machine reach "+r.URL.Host+", or correct hooks; keypeg host hooks lists what waits"))
	}
	answer.Body.Close()
	switch {
	case answer.StatusCode == http.StatusNotFound || answer.StatusCode == http.StatusGone || answer.StatusCode == http.StatusMethodNotAllowed:
		return failed(fmt.Sprintf("the program has nothing that takes POST at hooks: it answers %d", answer.StatusCode), do("correct hooks, or let the program answer there"))
	case answer.StatusCode >= http.StatusInternalServerError:
		return failed(fmt.Sprintf("the program fails at hooks: it answers %d", answer.StatusCode), do("see its log"))
	case answer.StatusCode/100 == 3:
		return failed(fmt.Sprintf("hooks leads elsewhere, with status %d, and Keypeg follows nowhere", answer.StatusCode), do("write the address where it leads as hooks"))
	case answer.StatusCode/100 == 2:
		return warn("the program takes a hook that nobody has signed: whoever knows the address can have it end sessions", do("let the program check the header Webhook-Signature with the secret"))
	}
	if signed, err := v.signedHook(ctx, client); err == nil && signed/100 != 2 {
		return failed(fmt.Sprintf("the program refuses a hook that Keypeg has signed, with %d: it may have another secret, and then nobody gets the panel either", signed),
			do("give the program the first line of "+v.organisation.Host.SecretFile+", without the line break, as the key; let it check the body as it came, before anything reads it as JSON, and take types that it doesn't know"))
	}
	if v.examined != nil {
		for _, w := range v.examined.Hooks {
			if age := v.Now().Sub(w.Queued); age > hooksWait && w.Trouble != "" {
				return warn(fmt.Sprintf("%d hooks wait, one for %s: %s", len(v.examined.Hooks), age.Round(time.Minute), w.Trouble), do("see the program's log; if it answers 401, both sides need the same secret"))
			}
		}
	}
	return ok(fmt.Sprintf("the program refuses a hook that nobody has signed, with %d", answer.StatusCode))
}

// signedHook sends the program a hook as Keypeg signs it, where the doctor can read the secret, and returns the status. It is
// 200 where it can't.
func (v *visit) signedHook(ctx context.Context, client *http.Client) (status int, err error) {
	host := v.organisation.Host
	if host.SecretFile == "" {
		return http.StatusOK, nil // of a tenant, it is in the tenant's own records
	}
	secrets, err := installation.ReadHostSecrets(host.SecretFile)
	if err != nil {
		return http.StatusOK, nil // another check says so
	}
	r, err := embed.ExaminingHook(ctx, embed.Program{Hooks: host.Hooks, Secrets: secrets}, v.Now())
	if err != nil {
		return 0, err
	}
	answer, err := client.Do(r)
	if err != nil {
		return 0, err
	}
	answer.Body.Close()
	return answer.StatusCode, nil
}

// asServer is a client that reaches the program as keypeg serve does, and checks certificates. Where the public URLs are looked for at one
// address, it looks for their host there too.
func (v *visit) asServer() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		if host, port, err := net.SplitHostPort(address); err == nil && v.Resolve.IsValid() && host == server.HostName(v.address.Host) {
			address = net.JoinHostPort(v.Resolve.String(), port)
		}
		return (&net.Dialer{Timeout: usual}).DialContext(ctx, network, address)
	}
	return &http.Client{Transport: transport, Timeout: usual, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}
