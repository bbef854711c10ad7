package config

import (
	"errors"
	"fmt"
	"net/mail"
	"net/url"
	"strings"

	"github.com/spf13/pflag"

	"github.com/keypeg/keypeg/server/internal/installation"
	"github.com/keypeg/keypeg/server/internal/listening"
	"github.com/keypeg/keypeg/server/internal/shown"
)

// tlsSettings say how the server has TLS itself. Without them a proxy in front has it.
type tlsSettings struct {
	TLSCert string
	TLSKey  string

	ACME          bool
	ACMEDirectory string
	ACMEEmail     string

	Redirect string
}

func (s *tlsSettings) declare(flags *pflag.FlagSet) {
	flags.Var(path{&s.TLSCert}, "tls-cert", "PEM file with the certificate and its chain, with which the server itself serves https. When the file changes it is read again.")
	flags.Var(path{&s.TLSKey}, "tls-key", "PEM file with the key of that certificate, without a password.")
	flags.BoolVar(&s.ACME, "acme", false, "Serve https with a certificate that the server gets and renews by itself, from Let's Encrypt or another authority that speaks ACME. Then it listens on :443, and redirects from :80.")
	flags.StringVar(&s.ACMEDirectory, "acme-directory", listening.LetsEncrypt, "`URL` of the directory of that authority.")
	flags.StringVar(&s.ACMEEmail, "acme-email", "", "`ADDRESS` to which the authority may write about the certificates.")
	flags.StringVar(&s.Redirect, "redirect", "", "Address, as `HOST:PORT`, where plain http is answered with a redirect to https. Unset: nowhere, and :80 with --acme.")
}

// hasTLS reports whether the server itself serves https.
func (s *tlsSettings) hasTLS() bool { return s.ACME || s.TLSCert != "" }

// withACME sets where an installation listens that has a certificate from an authority, unless IT did.
func (s *Settings) withACME() {
	for name, address := range map[string]struct {
		to *string
		is string
	}{"listen": {&s.Listen, ":443"}, "redirect": {&s.Redirect, ":80"}} {
		if s.ACME && s.places[name] == "" {
			*address.to = address.is
		}
	}
}

// check returns what can't be used together, and files that can't be used.
func (s *tlsSettings) check(listen, publicURL string) (found []fault) {
	refuse := func(is bool, err error, of ...string) {
		if is {
			found = append(found, faultOf(err, of...))
		}
	}
	_, isSocket := strings.CutPrefix(listen, listening.UnixPrefix)
	directory, err := url.Parse(s.ACMEDirectory)
	refuse((s.TLSCert == "") != (s.TLSKey == ""), errors.New("--tls-cert and --tls-key go together: set both or none"), "tls-cert", "tls-key")
	refuse(s.ACME && s.TLSCert != "", errors.New("--acme doesn't go with --tls-cert: the server gets its certificate in one way"), "acme", "tls-cert")
	refuse(s.ACME && isSocket, errors.New("--acme doesn't go with a Unix socket: the authority reaches the server on port 443 or 80"), "acme", "listen")
	refuse(s.ACME && publicURL == "", errors.New("--acme needs --public-url: the name for which the authority gives a certificate, such as https://id.example.com"), "acme", "public-url")
	refuse(s.hasTLS() && strings.HasPrefix(strings.ToLower(publicURL), "http:"), fmt.Errorf("--public-url begins with http, and this server serves https: write https://%s", shown.Text(publicURL[min(len(publicURL), len("http://")):])), "public-url")
	refuse(s.Redirect != "" && !s.hasTLS(), errors.New("--redirect leads to https, which this server doesn't serve: set --acme or --tls-cert, or let the proxy in front redirect"), "redirect")
	refuse(err != nil || directory.Scheme != "https" || directory.Host == "", fmt.Errorf("--acme-directory must be an address such as %s, not %s", listening.LetsEncrypt, shown.Quoted(s.ACMEDirectory)), "acme-directory")
	if s.ACMEEmail != "" {
		parsed, err := mail.ParseAddress(s.ACMEEmail)
		refuse(err != nil || parsed.Address != s.ACMEEmail, fmt.Errorf("--acme-email must be an address such as it@example.com, not %s", shown.Quoted(s.ACMEEmail)), "acme-email")
	}
	if s.TLSCert != "" && s.TLSKey != "" {
		_, err := listening.ReadPair(s.TLSCert, s.TLSKey)
		refuse(err != nil, err, "tls-cert", "tls-key")
	}
	return found
}

// TLS returns how the server has TLS itself.
func (s *Settings) TLS() installation.TLS {
	t := installation.TLS{Cert: s.TLSCert, Key: s.TLSKey, Email: s.ACMEEmail, Redirect: s.Redirect}
	if s.ACME {
		t.Directory = s.ACMEDirectory
	}
	return t
}
