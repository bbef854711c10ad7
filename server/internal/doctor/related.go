package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/internal/warning"
	"github.com/keypeg/keypeg/shared"
)

// ofRelated are the checks of an organisation with several addresses: whether a browser gets the list of origins
// as it must be, at the host of each relying party id (WebAuthn Level 3, 5.11.1).
func (v *visit) ofRelated() (checks []Check) {
	if v.unreachable != nil || len(v.organisation.Related) == 0 {
		return nil
	}
	all := []server.Address{v.address}
	for _, other := range v.organisation.Related {
		all = append(all, other.Address)
	}
	for i, address := range all {
		isListed := slices.ContainsFunc(all[:i], func(one server.Address) bool { return one.RPID == address.RPID })
		isAsked := slices.ContainsFunc(all, func(one server.Address) bool { return !one.MayUse(address.RPID) })
		if isAsked && !isListed {
			checks = append(checks, Check{Group: groupName, Name: "origins listed at " + address.RPID, Run: v.lists(address, all)})
		}
	}
	return checks
}

// lists asks for the list at the host of an address's relying party id. Browsers ask there at port 443, whatever the
// port of the address is.
func (v *visit) lists(address server.Address, all []server.Address) func(context.Context) Result {
	at := "https://" + address.RPID
	if !address.Secure { // localhost, where browsers ask nobody
		at = address.Origin
	}
	at += shared.PathRelatedOrigins
	return func(ctx context.Context) Result {
		answer, err := v.asBrowser(ctx, at)
		if err != nil {
			return failed(fmt.Sprintf("%s can't be read (%v), so the passkeys for %s work at no other address", at, err, address.RPID),
				do(address.RPID+" must lead to the same proxy, at port 443, with a certificate that browsers trust"))
		}
		if r := judge(at, answer, all); r.State != OK {
			return r
		}
		for _, one := range all[1:] {
			if one.RPID != address.RPID {
				continue
			}
			if r := v.signsIn(ctx, one); r.State != OK {
				return r
			}
		}
		return ok(fmt.Sprintf("%s lists all %d addresses", at, len(all)))
	}
}

// signsIn says what is wrong with the sign-in page of a further address. Browsers without related origin requests need
// it, to which the one of the main address leads them.
func (v *visit) signsIn(ctx context.Context, address server.Address) Result {
	at := address.Origin + v.mainPage()
	needed := fmt.Sprintf(", and browsers without related origin requests can use the passkeys for %s there alone", address.RPID)
	answer, err := v.asBrowser(ctx, at)
	switch {
	case err != nil:
		return failed(fmt.Sprintf("%s can't be read (%v)", at, err)+needed, do(address.Host+" must lead to the same proxy, with a certificate that browsers trust"))
	case answer.status >= 300 && answer.status < 400:
		return failed(fmt.Sprintf("%s leads to %s", at, answer.header.Get("Location"))+needed, do("don't redirect "+address.Host+" before the move ends: have it answered by this server"))
	case answer.status != http.StatusOK:
		return failed(fmt.Sprintf("%s is answered with status %d", at, answer.status)+needed, linesFor(warning.UnknownHost)...)
	}
	return Result{State: OK}
}

// judge says what is wrong with an answer, and nothing if it is right.
func judge(at string, answer *fetched, all []server.Address) Result {
	host := strings.TrimSuffix(at, shared.PathRelatedOrigins)
	kept := []Mend{{In: "nginx", Line: "location = " + shared.PathRelatedOrigins + " { proxy_pass http://127.0.0.1:8080; proxy_set_header Host $host; }"}, {In: "Caddy", Line: "reverse_proxy " + shared.PathRelatedOrigins + " 127.0.0.1:8080"}}
	kind, _, _ := mime.ParseMediaType(answer.header.Get("Content-Type"))
	var list struct{ Origins []string }
	err := json.Unmarshal(answer.body, &list)
	missing := slices.DeleteFunc(slices.Clone(all), func(one server.Address) bool { return slices.Contains(list.Origins, one.Origin) })
	switch {
	case answer.status >= 300 && answer.status < 400:
		return failed(fmt.Sprintf("%s leads to %s, and not every browser follows a redirect there: have it answered by this server, as the rest of %s is", at, answer.header.Get("Location"), host), kept...)
	case answer.status != http.StatusOK:
		return failed(fmt.Sprintf("%s is answered with status %d, and not by this server with these settings", at, answer.status), append(kept, do("start the server again, with these settings"))...)
	case kind != "application/json" || err != nil:
		return failed(fmt.Sprintf("%s is answered as %q, and must be application/json", at, answer.header.Get("Content-Type")), kept...)
	case len(missing) > 0:
		return failed(fmt.Sprintf("%s lists %q, and lacks %s", at, list.Origins, missing[0].Origin), do("start the server again, with these settings"))
	}
	return Result{State: OK}
}

// asBrowser fetches a URL at another host than that of the public URL. A certificate must be right.
func (v *visit) asBrowser(ctx context.Context, at string) (*fetched, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return nil, err
	}
	client := &http.Client{
		Transport: &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			if _, port, err := net.SplitHostPort(address); err == nil && v.Resolve.IsValid() {
				address = net.JoinHostPort(v.Resolve.String(), port)
			}
			return (&net.Dialer{Timeout: usual}).DialContext(ctx, network, address)
		}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	defer client.CloseIdleConnections()
	answer, err := client.Do(r)
	if err != nil {
		return nil, errors.Unwrap(err)
	}
	defer answer.Body.Close()
	f := &fetched{status: answer.StatusCode, header: answer.Header, protocol: answer.Proto}
	f.body, f.cut = io.ReadAll(io.LimitReader(answer.Body, 64<<10))
	return f, f.cut
}
