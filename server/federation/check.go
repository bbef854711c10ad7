package federation

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/keypeg/keypeg/server/store"
)

// CheckAll warns IT of providers at which sign-ins will fail. It runs in the background at
// the start, so nothing waits for a provider.
func CheckAll(ctx context.Context, log *slog.Logger, providers []*Provider) {
	var checks sync.WaitGroup
	for _, p := range providers {
		checks.Go(func() {
			certain, err := p.Check(ctx)
			if err == nil || ctx.Err() != nil {
				return
			}
			says := warnsMayFail
			if certain {
				says = warnsNobody
			}
			warn(log, says, p, err)
		})
	}
	checks.Wait()
}

// Check tries what is possible without a person, and returns the first thing that will
// fail. [mendOf] has what IT must do about it. Certain reports whether it fails for
// everybody: discovery, keys and our secret are certain, but the page where people sign in
// may look different in a browser, and a clock may be wrong in one header only.
//
// It sends the provider two requests that can't succeed: an authorization request that
// nobody continues, and one with a made-up code. They show whether the provider knows our
// redirect URI and our secret. Call it seldom, because some providers count failures.
func (p *Provider) Check(ctx context.Context) (certain bool, err error) {
	issuer, err := p.discover(ctx)
	if err != nil {
		return true, err
	}
	ctx, cancel := context.WithTimeout(ctx, p.c.Patience)
	defer cancel()
	if _, err := issuer.keys.renew(ctx); err != nil {
		return true, err
	}
	if err := p.checkAddress(ctx, issuer); err != nil {
		return false, err
	}
	return p.checkClient(ctx, issuer)
}

// checkAddress sends an authorization request. A provider that doesn't know the client or
// the redirect URI must not redirect, and says so (RFC 6749, 4.1.2.1), mostly with status
// 400. Any other answer shows nothing.
func (p *Provider) checkAddress(ctx context.Context, issuer *discovered) error {
	address := p.request(issuer).AuthCodeURL(rand.Text(), oidc.Nonce(rand.Text()), oauth2.S256ChallengeOption(oauth2.GenerateVerifier()))
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	asking := *p.client
	asking.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	answer, err := asking.Do(r)
	if err != nil {
		return explained(err)
	}
	answer.Body.Close()
	to, err := answer.Location()
	switch {
	case answer.StatusCode == http.StatusBadRequest, err == nil && strings.Contains(to.Path, "/oauth/error"): // the second condition is for Google
		return mend(errors.New("the provider shows an error where people should sign in"), "%s", p.mendRedirect())
	case err != nil || !strings.HasPrefix(to.String(), p.callback+"?"):
		return nil
	}
	code, description := to.Query().Get("error"), to.Query().Get("error_description")
	// These are the provider's own words, because no browser was in between.
	if refusal := p.named(code, errors.New("the provider answered "+quoted(code, description))); mendOf(refusal) != "" {
		return refusal
	}
	return nil
}

// checkClient redeems a made-up code. Most providers authenticate the client before they
// look at the code, so the error shows whether they accept it. The answer isn't cached, so
// its date is the provider's time.
func (p *Provider) checkClient(ctx context.Context, issuer *discovered) (certain bool, err error) {
	_, err = p.redeem(ctx, issuer, "keypeg-checks-its-secret", oauth2.GenerateVerifier())
	refusal, is := errors.AsType[*tokenError](err)
	if !is {
		return false, nil
	}
	if apart := refusal.date.Sub(p.now()).Abs(); !refusal.date.IsZero() && apart > store.ClockSkew {
		return false, clockError(fmt.Errorf("the provider's clock and this machine's are about %s apart", apart.Round(10*time.Second)))
	}
	if refusal.isOfClient() {
		return true, err
	}
	return false, nil
}
