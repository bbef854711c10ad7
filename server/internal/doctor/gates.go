package doctor

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/keypeg/keypeg/server/forwardauth"
)

// ofGates are the checks of the proxies in front of protected hosts.
func (v *visit) ofGates() (checks []Check) {
	for _, g := range v.organisation.Gates {
		checks = append(checks, Check{Group: groupOthers, Name: "gate " + g.Name, Within: 40 * time.Second, Run: v.gate(g)})
	}
	return checks
}

// gate asks a protected host as a stranger does. Where the public URLs are looked for at one address, the host is too.
// Names below localhost are this machine, as they are for browsers (RFC 6761, 6.3), whether or not its resolver knows.
func (v *visit) gate(g forwardauth.Gate) func(context.Context) Result {
	return func(ctx context.Context) Result {
		client := browser(func(ctx context.Context, network, address string) (net.Conn, error) {
			host, port, err := net.SplitHostPort(address)
			switch {
			case err != nil: // the dialer says what is wrong
			case v.Resolve.IsValid():
				address = net.JoinHostPort(v.Resolve.String(), port)
			case strings.HasSuffix(host, ".localhost"):
				address = net.JoinHostPort("localhost", port)
			}
			return (&net.Dialer{Timeout: usual}).DialContext(ctx, network, address)
		})
		defer client.CloseIdleConnections()
		client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		err := forwardauth.Examine(ctx, client, g, v.address.Origin, v.organisation.Gates)
		if wrong, is := errors.AsType[forwardauth.Wrong](err); is {
			return failed(wrong.What, do(wrong.Mend))
		}
		if err != nil {
			return warn(g.Origin()+" doesn't answer this machine: "+reason(err), do("let the name lead to the proxy that protects it"))
		}
		return ok(g.Origin() + " leads whoever has no session to the sign-in, whatever headers they send. What its proxy passes on from those who are signed in can't be seen from here: compare it with the block in the manual (keypeg manual gates)")
	}
}
