package httpapi

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/keypeg/keypeg/server/store"
)

// Clients describes the browser and the address that a request came from.
type Clients struct {
	cookies Cookies
	trusted []netip.Prefix
}

// NewClients returns Clients that believe X-Forwarded-For only from proxies in the trusted
// networks.
func NewClients(c Cookies, trusted []netip.Prefix) Clients {
	return Clients{cookies: c, trusted: trusted}
}

// Of describes the client of a request, for the names of passkeys, for activity, and for
// the limits on guessing.
func (c Clients) Of(r *http.Request) store.Client {
	agent := knownAgents.of(r.UserAgent())
	return store.Client{Browser: agent.browser, System: agent.system, Address: c.Address(r), Mark: c.cookies.browserMark(r)}
}

// Address returns the address that the request came from: the address of the connection,
// or, if that is one of our own proxies, the one that the proxy appended to
// X-Forwarded-For. Anybody may have written the addresses before that one.
func (c Clients) Address(r *http.Request) string {
	address := Peer(r)
	if address == UnixPeer {
		address = "" // the proxy says where the request came from
	}
	if ip, err := netip.ParseAddr(address); err == nil {
		address = ip.Unmap().WithZone("").String()
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		if strings.TrimSpace(hop) == "" {
			continue // RFC 9110, 5.6.1: empty members of a list mean nothing
		}
		if address != "" && !c.Trusts(address) {
			break
		}
		ip, ok := forwardedAddress(hop)
		if !ok {
			break
		}
		address = ip.String()
	}
	return address
}

// UnixPeer is the other end of a connection by a Unix socket. Only a program on this machine that IT lets
// connect is there, such as a proxy.
const UnixPeer = "unix"

// Peer returns the address of the connection's other end.
func Peer(r *http.Request) string {
	if local, is := r.Context().Value(http.LocalAddrContextKey).(net.Addr); is && local.Network() == UnixPeer {
		return UnixPeer
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr // a middleware has taken the port away
	}
	return host
}

// LastIsAddress reports whether the last value of X-Forwarded-For, which the nearest proxy
// wrote, is an address.
func LastIsAddress(values []string) bool {
	for _, hop := range slices.Backward(strings.Split(strings.Join(values, ","), ",")) {
		if strings.TrimSpace(hop) != "" {
			_, is := forwardedAddress(hop)
			return is
		}
	}
	return false
}

// forwardedAddress reads a member of X-Forwarded-For. Some proxies add the port, brackets
// around IPv6, or quotes (as RFC 7239, 6 has it in Forwarded).
func forwardedAddress(hop string) (netip.Addr, bool) {
	hop = strings.Trim(strings.TrimSpace(hop), `"`)
	if inner, is := strings.CutPrefix(hop, "["); is && strings.HasSuffix(inner, "]") {
		hop = strings.TrimSuffix(inner, "]")
	}
	ip, err := netip.ParseAddr(hop)
	if err != nil {
		both, err := netip.ParseAddrPort(hop)
		if err != nil {
			return netip.Addr{}, false
		}
		ip = both.Addr()
	}
	return ip.Unmap().WithZone(""), true
}

// Trusts reports whether an address belongs to one of our own proxies.
func (c Clients) Trusts(address string) bool {
	ip, err := netip.ParseAddr(address)
	return err == nil && slices.ContainsFunc(c.trusted, func(p netip.Prefix) bool { return p.Contains(ip.Unmap()) })
}
