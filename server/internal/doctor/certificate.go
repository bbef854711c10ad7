package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/keypeg/keypeg/server/internal/warning"
)

// endsSoon is how long before its end a certificate is warned of. The log does so too.
const endsSoon = 14 * 24 * time.Hour

// encryption shakes hands as a browser does. What is wrong with the certificate is for the next checks.
func (v *visit) encryption(ctx context.Context) Result {
	host, port := v.target()
	switch {
	case !v.connects.IsValid():
		return leftOut("the port doesn't answer")
	case !v.address.Secure:
		return leftOut("the public URL is without https: passkeys work there on this machine only")
	}
	dialer := tls.Dialer{Config: &tls.Config{ServerName: host, InsecureSkipVerify: true, NextProtos: []string{"h2", "http/1.1"}}}
	conn, err := dialer.DialContext(ctx, "tcp", v.connects.String())
	if _, isPlain := errors.AsType[tls.RecordHeaderError](err); isPlain {
		return failed(fmt.Sprintf("port %d speaks plain http, and the public URL has https", port), Mend{In: "nginx", Line: fmt.Sprintf("listen %d ssl;", port)}, Mend{In: "Caddy", Line: "name the site without http:// in front"}, keypegLine("--acme, or --tls-cert and --tls-key"))
	}
	if err != nil {
		return failed("no encrypted connection can be made: "+reason(err), Mend{In: "nginx", Line: "ssl_protocols TLSv1.2 TLSv1.3;  and ssl_certificate with the file of this host"}, Mend{In: "Caddy", Line: "name the site as in the public URL: " + host})
	}
	defer conn.Close()
	state := conn.(*tls.Conn).ConnectionState()
	v.chain = state.PeerCertificates
	return ok(fmt.Sprintf("%s, %s", tls.VersionName(state.Version), protocolOr(state.NegotiatedProtocol)))
}

func protocolOr(negotiated string) string {
	if negotiated == "h2" {
		return "HTTP/2"
	}
	return "HTTP/1.1"
}

func (v *visit) leaf() *x509.Certificate {
	if len(v.chain) == 0 {
		return nil
	}
	return v.chain[0]
}

const noCertificate = "there is no encrypted connection"

// authority looks whether this machine trusts the certificate, whatever its name and its end are.
func (v *visit) authority(context.Context) Result {
	leaf := v.leaf()
	if leaf == nil {
		return leftOut(noCertificate)
	}
	others := x509.NewCertPool()
	for _, c := range v.chain[1:] {
		others.AddCert(c)
	}
	within := leaf.NotBefore.Add(leaf.NotAfter.Sub(leaf.NotBefore) / 2) // its end is another check
	if now := v.Now(); now.After(leaf.NotBefore) && now.Before(leaf.NotAfter) {
		within = now
	}
	_, err := leaf.Verify(x509.VerifyOptions{Intermediates: others, CurrentTime: within})
	issuer := leaf.Issuer.String()
	switch {
	case err == nil:
		return ok(fmt.Sprintf("it is of %s, which this machine trusts", issuer))
	case leaf.Issuer.String() == leaf.Subject.String():
		return failed("the certificate was signed by itself, and no browser trusts it", do("get one from an authority that browsers trust; keypeg serve --acme and Caddy do so by themselves"), Mend{In: "nginx", Line: "ssl_certificate with the new file"})
	case len(v.chain) == 1:
		return failed(fmt.Sprintf("the certificate comes without the one of its authority, %s, so that browsers may not trust it", issuer), Mend{In: "nginx", Line: "ssl_certificate with the full chain: the certificate, and behind it in the same file that of its authority (fullchain.pem)"}, keypegLine("--tls-cert with the full chain"))
	}
	return failed(fmt.Sprintf("this machine doesn't trust %s: %s", issuer, err), do("get a certificate from an authority that browsers trust; for one of your own, install its root here (update-ca-certificates) and in all browsers"))
}

func (v *visit) names(context.Context) Result {
	leaf := v.leaf()
	if leaf == nil {
		return leftOut(noCertificate)
	}
	host, _ := v.target()
	names := leaf.DNSNames
	for _, ip := range leaf.IPAddresses {
		names = append(names, ip.String())
	}
	says := "it is for " + strings.Join(names, ", ")
	if err := leaf.VerifyHostname(host); err != nil {
		return failed(says+", and not for "+host, Mend{In: "nginx", Line: "server_name " + host + ";  and ssl_certificate with a certificate for it"}, Mend{In: "Caddy", Line: "name the site " + host}, keypegLine("--acme, or --tls-cert with a certificate for it"))
	}
	return ok(says)
}

func (v *visit) end(context.Context) Result {
	leaf := v.leaf()
	if leaf == nil {
		return leftOut(noCertificate)
	}
	left := leaf.NotAfter.Sub(v.Now())
	days := int(left.Hours() / 24)
	until := leaf.NotAfter.UTC().Format("2006-01-02")
	renew := []Mend{do("renew it, such as with certbot renew, and have the proxy read it again (systemctl reload nginx); keypeg serve reads its own files again by itself")}
	switch {
	case leaf.NotBefore.After(v.Now()):
		return failed("it is valid from "+leaf.NotBefore.UTC().Format(time.RFC3339)+" only", do("set this machine's clock right (timedatectl set-ntp true), or get another certificate"))
	case left <= 0:
		return failed("it ended on "+until+", and browsers refuse it", renew...)
	case left < endsSoon && leaf.NotAfter.Sub(leaf.NotBefore) > 2*endsSoon: // shorter ones are renewed later
		return warn(fmt.Sprintf("it ends in %d days, on %s", days, until), renew...)
	}
	return ok(fmt.Sprintf("it has %d days left, until %s", days, until))
}

// plain looks whether people who come by plain http are led to https.
func (v *visit) plain(ctx context.Context) Result {
	host, port := v.target()
	switch {
	case !v.address.Secure:
		return leftOut("the public URL is without https")
	case !v.connects.IsValid():
		return leftOut("the port doesn't answer")
	case port != 443:
		return leftOut(fmt.Sprintf("with port %d in the public URL nobody knows where plain http would be", port))
	}
	at := net.JoinHostPort(v.connects.Addr().String(), "80")
	got, err := v.fetchAt(ctx, "http://"+host+v.mainPage()+"?from=doctor", at)
	mends := append([]Mend{keypegLine("--redirect :80, where the server itself serves https")}, linesFor(warning.PlainHTTP)...)
	want := v.address.Origin + v.mainPage() + "?from=doctor"
	switch {
	case err != nil:
		return warn("port 80 doesn't answer, so whoever types the name without https may see an error: "+reason(err), mends...)
	case got.status/100 == 3 && strings.TrimSpace(got.header.Get("Location")) == want:
		return ok("port 80 leads to " + v.address.Origin)
	case got.status/100 == 3:
		return failed(fmt.Sprintf("port 80 leads to %q, and should lead to %q", got.header.Get("Location"), want), mends...)
	}
	return failed(fmt.Sprintf("port 80 answers with status %d, and doesn't lead to https: browsers keep no session there and offer no passkeys", got.status), mends...)
}
