package federation

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

const (
	// maxAnswer bounds the body of an answer, in bytes.
	maxAnswer = 1 << 20
	// maxHeader bounds the header of an answer, in bytes.
	maxHeader = 64 << 10
	// maxRedirects bounds the redirects from an address to others of its host.
	maxRedirects = 3
)

// transport is shared by all providers.
var transport = func() http.RoundTripper {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxResponseHeaderBytes = maxHeader
	return bounded{t}
}()

// bounded reads at most maxAnswer bytes of each answer.
type bounded struct{ http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := b.RoundTripper.RoundTrip(r)
	if err == nil {
		response.Body = http.MaxBytesReader(nil, response.Body, maxAnswer)
	}
	return response, err
}

func newClient(patience time.Duration) *http.Client {
	return &http.Client{Timeout: patience, Transport: transport, CheckRedirect: follow}
}

// follow allows only redirects of a public document within its host. No code, secret or
// access token goes to an address that isn't in the metadata, and no other host answers for
// the issuer.
func follow(next *http.Request, before []*http.Request) error {
	first := before[0]
	if first.Method != http.MethodGet || first.Header.Get("Authorization") != "" ||
		next.URL.Scheme != first.URL.Scheme || next.URL.Host != first.URL.Host || len(before) > maxRedirects {
		return http.ErrUseLastResponse
	}
	return nil
}

// document is the answer to a GET.
type document struct {
	body []byte
	kind string // the Content-Type
}

// statusError is the error for an answer with another status than 200.
type statusError struct {
	address  string
	status   int
	location string
}

func (e *statusError) Error() string {
	if e.location != "" {
		return fmt.Sprintf("%s redirects to %s, which isn't followed", e.address, e.location)
	}
	return fmt.Sprintf("%s answers %d %s", e.address, e.status, http.StatusText(e.status))
}

// passes reports whether the answer may be another one soon.
func (e *statusError) passes() bool { return passes(e.status) }

func passes(status int) bool {
	return status >= 500 || status == http.StatusRequestTimeout || status == http.StatusTooEarly || status == http.StatusTooManyRequests
}

// get fetches a document, with an access token if there is one.
func (p *Provider) get(ctx context.Context, address, accessToken string) (document, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return document{}, err
	}
	r.Header.Set("Accept", "application/json")
	if accessToken != "" {
		r.Header.Set("Authorization", "Bearer "+accessToken)
	}
	answer, err := p.client.Do(r)
	if err != nil {
		return document{}, explained(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		location := ""
		if to, err := answer.Location(); err == nil {
			location = to.Redacted()
		}
		return document{}, &statusError{address, answer.StatusCode, location}
	}
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return document{}, fmt.Errorf("reading %s: %w", address, explained(err))
	}
	return document{body, answer.Header.Get("Content-Type")}, nil
}

// explained adds what IT must do about a connection that can't work. Any other failure may
// pass by itself, so it stays as it is.
func explained(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = fmt.Errorf("%s: %w", e.URL, e.Err) // without the method
	}
	if _, is := errors.AsType[*http.MaxBytesError](err); is {
		return mend(err, "it answers with more than %d bytes, which aren't read: the provider itself must be mended", maxAnswer)
	}
	if errors.Is(err, http.ErrSchemeMismatch) {
		return mend(err, "it speaks http where https was expected: check the issuer's scheme and port")
	}
	if _, is := errors.AsType[x509.UnknownAuthorityError](err); is {
		return mend(err, "its certificate is of an authority that this machine doesn't know: name a PEM file that has the authority in the environment variable SSL_CERT_FILE")
	}
	if _, is := errors.AsType[x509.HostnameError](err); is {
		return mend(err, "its certificate is for another host: write the issuer with the host that the certificate is for")
	}
	if e, is := errors.AsType[x509.CertificateInvalidError](err); is && e.Reason == x509.Expired {
		return mend(err, "its certificate isn't valid at this time: let the provider renew it, or set the clock of this machine")
	}
	if _, is := errors.AsType[*tls.CertificateVerificationError](err); is {
		return mend(err, "its certificate can't be trusted: let the provider get another one")
	}
	return err
}
