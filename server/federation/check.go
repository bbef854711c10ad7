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

// CheckAll warns IT of those providers where sign-ins will fail. It is for the start, in
// the background: nobody waits for a provider.
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

// Check tries what can be tried while nobody signs in, and returns the first thing
// that will fail; [MendOf] has what IT is to do about it. Certain reports whether it fails
// for everybody: discovery, keys and our secret are ours to see, while the page where people
// sign in may look different to a browser, and a clock may be wrong in one header alone. It
// sends the provider two requests of which it knows that they lead to nothing: one for a sign-in that nobody
// goes on with, and one with a made-up code. Those tell whether the provider knows our
// address and our secret. Send them seldom: some providers count failures.
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

// checkAddress asks for a sign-in. A provider that doesn't know client or address must
// not send anybody there, and says so (RFC 6749, 4.1.2.1), mostly by 400. Anything else
// tells nothing.
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
	case answer.StatusCode == http.StatusBadRequest, err == nil && strings.Contains(to.Path, "/oauth/error"): // the latter is Google's
		return mend(errors.New("the provider shows an error where people should sign in"), "%s", p.mendRedirect())
	case err != nil || !strings.HasPrefix(to.String(), p.callback+"?"):
		return nil
	}
	code, description := to.Query().Get("error"), to.Query().Get("error_description")
	// No browser is in between, so these are the provider's own words.
	if refusal := p.named(code, errors.New("the provider answered "+quoted(code, description))); MendOf(refusal) != "" {
		return refusal
	}
	return nil
}

// checkClient redeems a code that was never given out. Of a client that the provider
// doesn't take it hears so before anything is said of the code, mostly. Nobody keeps
// such an answer, so it tells the time too.
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
