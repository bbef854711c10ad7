package forwardauth

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/keypeg/keypeg/shared"
)

// Wrong is what is wrong with the proxy in front of a gate, and how to mend it.
type Wrong struct{ What, Mend string }

// Error implements error.
func (w Wrong) Error() string { return w.What }

// Examine asks a protected host for its first page as a stranger does who wants in: with an identity of their own
// making, with the headers of a check, and with the Host of another gate. The proxy must ask Keypeg each time, about this
// host, and lead to the sign-in. What reaches the program for somebody who is signed in can't be seen from outside,
// so a proxy that lacks only the lines against forged headers of theirs is not found.
//
// The client follows no redirects, and leads the host to the proxy. Organisation is the origin of Keypeg's own address.
// It fails with [Wrong], or because the host can't be reached.
func Examine(ctx context.Context, client *http.Client, g Gate, organisation string, others []Gate) error {
	forged := http.Header{
		"Remote-User": {"keypeg-doctor"}, "Remote_User": {"keypeg-doctor"}, "Remote-Groups": {"keypeg-doctor"}, "Keypeg-Assertion": {"keypeg-doctor"},
		"X-Forwarded-Uri": {shared.GateEnter}, "X-Original-Url": {g.Origin() + shared.GateEnter}, "X-Forwarded-Method": {http.MethodOptions},
	}
	visits := []stranger{{"", g.Host, nil, false}, {" with headers of a client's own", g.Host, forged, false}}
	for _, other := range others {
		if other.Name != g.Name {
			named := http.Header{"X-Forwarded-Host": {other.Host}, "X-Original-Url": {other.Origin() + "/"}, "X-Forwarded-Proto": {"https"}}
			visits = append(visits, stranger{" with headers that name another gate", g.Host, named, false}, stranger{" for a whole URL, with the Host of another gate", other.Host, nil, true})
			break
		}
	}
	for i, s := range visits {
		answer, err := visit(ctx, client, g.Origin()+"/", s)
		if err != nil && s.whole {
			continue // HTTP/2 has no such thing
		}
		if err != nil {
			return err
		}
		if wrong := judge(answer, g, s, i == 0); wrong != nil {
			return wrong
		}
	}
	answer, err := visit(ctx, client, g.Origin()+shared.GateEnter, visits[0])
	if err != nil {
		return err
	}
	if to := answer.Header.Get("Location"); !strings.HasPrefix(to, organisation+shared.PageGate+"?") {
		return Wrong{
			fmt.Sprintf("%s answers %d, and doesn't lead to %s, so nobody can sign in there", shared.GateEnter, answer.StatusCode, organisation),
			"lead " + shared.GateOwn + " to Keypeg without a check, with the name of its own server as Host, as the manual has it (keypeg manual gates)",
		}
	}
	return nil
}

// stranger is a request without a session.
type stranger struct {
	what, host string
	header     http.Header
	whole      bool // its first line has a whole URL (RFC 9112, 3.2.2)
}

// visit opens an address as a browser does.
func visit(ctx context.Context, client *http.Client, address string, s stranger) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	for name, values := range s.header {
		r.Header[name] = values
	}
	if r.Host = s.host; s.whole {
		r.URL.Opaque = "//" + r.URL.Host + r.URL.Path
	}
	r.Header.Set("Accept", "text/html")
	r.Header.Set("User-Agent", "keypeg-doctor")
	answer, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	answer.Body.Close()
	return answer, nil
}

// judge says what is wrong with the answer to a stranger. Only the first visit must be led to the sign-in: a proxy may
// refuse the others.
func judge(answer *http.Response, g Gate, s stranger, first bool) error {
	to, err := url.Parse(answer.Header.Get("Location"))
	led := err == nil && to.Path == shared.GateEnter && answer.StatusCode/100 == 3
	switch {
	case led && to.Host == g.Host && (first || to.Query().Get("to") == "/"):
		return nil
	case led && to.Host != g.Host:
		return Wrong{fmt.Sprintf("a request%s is led to %s, so the proxy asks about a host that its client names: whoever may pass one gate gets past this one", s.what, to.Host),
			"have the proxy ask about the name of its own server, as the manual has it; in Traefik, leave trustForwardHeader off"}
	case s.whole:
		return nil // it may have led to another server of the proxy
	case answer.StatusCode < 400:
		return Wrong{fmt.Sprintf("a request%s without a session is answered %d, and not led to the sign-in, so the proxy doesn't ask whether it may pass", s.what, answer.StatusCode),
			"write the lines of the manual for your proxy (keypeg manual gates) into the server of " + g.Host}
	case !first:
		return nil
	case answer.StatusCode == http.StatusForbidden:
		return Wrong{"the check of the proxy is refused; the log of the server says why", "--trusted-proxies with the address of the proxy, and a gate for the host that it asks about"}
	case answer.StatusCode >= 500:
		return Wrong{fmt.Sprintf("the proxy answers %d, so its check fails", answer.StatusCode), "see that the proxy reaches Keypeg; nginx must ask at " + shared.GateNginx}
	}
	return Wrong{fmt.Sprintf("a request without a session is answered %d, and not led to the sign-in", answer.StatusCode), "see which server of the proxy has the host " + g.Host}
}
