package doctor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/keypeg/keypeg/shared"
)

const groupName = "Address"

// ofName are the checks of the way to the public URL: its name, its port, and the certificate there.
func (v *visit) ofName() []Check {
	checks := []Check{
		{Group: groupName, Name: "name", Run: v.name},
		{Group: groupName, Name: "port", Run: v.port, Within: 20 * time.Second},
		{Group: groupName, Name: "encryption", Run: v.encryption},
	}
	if !v.address.Secure {
		return checks
	}
	return append(checks, []Check{
		{Group: groupName, Name: "certificate's authority", Run: v.authority},
		{Group: groupName, Name: "certificate's names", Run: v.names},
		{Group: groupName, Name: "certificate's end", Run: v.end},
		{Group: groupName, Name: "plain http", Run: v.plain},
	}...)
}

// target returns host and port of the public URL.
func (v *visit) target() (host string, port uint16) {
	u, err := url.Parse(v.address.Origin)
	if err != nil {
		return "", 0
	}
	n, err := strconv.ParseUint(u.Port(), 10, 16)
	if err != nil {
		n = 80
		if v.address.Secure {
			n = 443
		}
	}
	return u.Hostname(), uint16(n)
}

func (v *visit) name(ctx context.Context) Result {
	if v.unreachable != nil || v.Refused("public-url", "rp-id", "listen") {
		return leftOut("the settings give no address that people can use")
	}
	host, _ := v.target()
	if v.Resolve.IsValid() {
		v.leadsTo = []netip.Addr{v.Resolve}
		return ok(fmt.Sprintf("%s is looked for at %s, as --resolve says", host, v.Resolve))
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		v.leadsTo = []netip.Addr{ip}
		return ok(host + " is an address already")
	}
	if shared.IsLocalhost(host) { // browsers ask no name server for it (RFC 6761, 6.3)
		v.leadsTo = []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()}
		return ok(host + " leads to this machine itself, from wherever it is asked")
	}
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil || len(found) == 0 {
		why := "it has neither an A nor an AAAA record"
		if e, is := errors.AsType[*net.DNSError](err); is && !e.IsNotFound {
			why = "the name server doesn't answer (" + e.Err + ")"
		}
		return failed(fmt.Sprintf("%s leads nowhere, as far as this machine knows: %s", host, why),
			do(host+". IN A and the address of the proxy, or of this machine, in the zone of the domain; or correct --public-url"))
	}
	for i, ip := range found {
		found[i] = ip.Unmap()
	}
	v.leadsTo = found
	says := fmt.Sprintf("%s leads to %s", host, listed(found))
	if !slices.ContainsFunc(found, func(ip netip.Addr) bool { return !ip.IsLoopback() }) {
		return warn(says+", which is this machine itself: it may lead elsewhere on others", do("take the name out of /etc/hosts to see what others see, or give its address with --resolve"))
	}
	return ok(says)
}

func listed(all []netip.Addr) string {
	var texts []string
	for _, one := range all {
		texts = append(texts, one.String())
	}
	return strings.Join(texts, ", ")
}

func (v *visit) port(ctx context.Context) Result {
	if len(v.leadsTo) == 0 {
		return leftOut("the name leads nowhere")
	}
	host, port := v.target()
	var works, silent []netip.Addr
	var last error
	for _, ip := range v.leadsTo {
		at := netip.AddrPortFrom(ip, port)
		dialling, cancel := context.WithTimeout(ctx, 3*time.Second)
		conn, err := (&net.Dialer{}).DialContext(dialling, "tcp", at.String())
		cancel()
		switch {
		case err == nil:
			conn.Close()
			works = append(works, ip)
			if !v.connects.IsValid() {
				v.connects = at
			}
		case errors.Is(err, syscall.ENETUNREACH) || errors.Is(err, syscall.EADDRNOTAVAIL): // this machine has no IPv6, or no IPv4
			last = err
		default:
			silent, last = append(silent, ip), err
		}
	}
	mends := []Mend{do(fmt.Sprintf("start the proxy, or keypeg serve itself, with port %d, and let the firewall pass it", port)), {In: "nginx", Line: fmt.Sprintf("listen %d%s;", port, onlyIf(v.address.Secure, " ssl"))}}
	switch {
	case len(works) == 0:
		return failed(fmt.Sprintf("nothing answers at %s, port %d (%s)", listed(v.leadsTo), port, reason(last)), mends...)
	case len(silent) > 0 && !shared.IsLocalhost(host):
		return warn(fmt.Sprintf("port %d answers at %s, and not at %s: browsers that try that first wait", port, listed(works), listed(silent)), append(mends, do("or take that address out of the DNS"))...)
	}
	return ok(fmt.Sprintf("port %d answers at %s", port, listed(works)))
}

func onlyIf(is bool, text string) string {
	if is {
		return text
	}
	return ""
}

// reason is the cause of a failed connection, without the addresses that the caller names.
func reason(err error) string {
	var timeout net.Error
	switch {
	case err == nil:
		return "no reason is known"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "the connection is refused"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "there is no answer in time"
	}
	if e, is := errors.AsType[*net.OpError](err); is && e.Err != nil {
		return e.Err.Error()
	}
	return err.Error()
}
