package metrics

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// forHosts refuses requests for the name of a stranger. The listener asks nobody who they are, so a page that an
// administrator opens could have its own name lead to this machine and read the figures in their browser (DNS
// rebinding). Such a name is in the public DNS, and so has a dot: IP addresses and names without one are let
// through, and so is the host of --metrics.
func forHosts(listen string, h http.Handler) http.Handler {
	own, _, _ := net.SplitHostPort(listen)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isOwn(r.Host, own) {
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			w.WriteHeader(http.StatusMisdirectedRequest)
			fmt.Fprintf(w, "These figures are for IT alone. Ask for them by the machine's IP address, or name this host in --metrics.\n")
			return
		}
		h.ServeHTTP(w, r)
	})
}

func isOwn(asked, own string) bool {
	name := asked
	if host, _, err := net.SplitHostPort(asked); err == nil {
		name = host
	}
	if _, err := netip.ParseAddr(strings.Trim(name, "[]")); err == nil {
		return true
	}
	name = strings.TrimSuffix(name, ".")
	return !strings.Contains(name, ".") || strings.EqualFold(name, own) // a browser names some host
}
