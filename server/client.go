package server

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/mileusna/useragent"

	"github.com/keypeg/keypeg/server/store"
)

// client tells what the request says of its browser and where it came from: for
// names, for activity, and for the limits on guessing passwords.
func (s *Server) client(r *http.Request) store.Client {
	agent := useragent.Parse(limited(r.UserAgent(), 512))
	return store.Client{Browser: limited(agent.Name, 32), System: limited(agent.OS, 32), Address: s.clientAddress(r)}
}

// clientAddress is where the connection came from. If that is one of our own
// proxies, it is what the proxy wrote at the end of X-Forwarded-For; what stands
// before it there, anybody may have written.
func (s *Server) clientAddress(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr // a Unix socket has no port
	}
	address := host
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		if !s.trusts(address) {
			break
		}
		ip, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			break
		}
		address = ip.Unmap().String()
	}
	return address
}

func (s *Server) trusts(address string) bool {
	ip, err := netip.ParseAddr(address)
	return err == nil && slices.ContainsFunc(s.TrustedProxies, func(p netip.Prefix) bool { return p.Contains(ip.Unmap()) })
}

func limited(s string, most int) string {
	return strings.ToValidUTF8(s[:min(len(s), most)], "")
}
