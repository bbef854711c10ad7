package sso

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"

	"github.com/keypeg/keypeg/server/store"
)

// CheckAll warns IT of those providers that can't be used. It is for the start, in the
// background: nobody waits for a provider.
func CheckAll(ctx context.Context, log *slog.Logger, providers []*Provider) {
	var checks sync.WaitGroup
	for _, p := range providers {
		checks.Go(func() {
			if err := p.Check(ctx); err != nil && ctx.Err() == nil {
				warn(log, p, err)
			}
		})
	}
	checks.Wait()
}

// Check tries what can be tried while nobody signs in, and returns the first thing
// that will fail; [MendOf] has what IT is to do about it. It sends the provider two
// requests of which it knows that they lead to nothing: one for a sign-in without a
// person, and one with a made-up code. Those tell whether the provider knows our
// address and our secret. Send them seldom: some providers count failures.
func (p *Provider) Check(ctx context.Context) error {
	issuer, err := p.discover(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, p.Patience)
	defer cancel()
	if issuer.ahead.Abs() > store.ClockSkew {
		return clockTrouble(fmt.Errorf("the provider's clock and this machine's are %s apart", issuer.ahead.Abs().Round(time.Second)))
	}
	if _, err := issuer.keys.renew(ctx); err != nil {
		return err
	}
	if err := p.checkRedirect(ctx, issuer); err != nil {
		return err
	}
	return p.checkClient(ctx, issuer)
}

// checkRedirect asks for a sign-in that must not ask the person (prompt=none, OpenID
// Connect Core 1.0, 3.1.2.1). A provider that knows client and address sends an error
// there; one that doesn't must not send anybody there, and says so (RFC 6749, 4.1.2.1).
// Anything else tells nothing.
func (p *Provider) checkRedirect(ctx context.Context, issuer *discovered) error {
	verifier := oauth2.GenerateVerifier()
	address := p.request(issuer).AuthCodeURL("check", oauth2.SetAuthURLParam("nonce", "check"), oauth2.SetAuthURLParam("prompt", "none"), oauth2.S256ChallengeOption(verifier))
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
	to, _ := answer.Location()
	switch {
	case answer.StatusCode == http.StatusBadRequest:
		return mend(errors.New("the provider answers 400 to a request for a sign-in"), "%s", p.mendRedirect())
	case to == nil || !strings.HasPrefix(to.String(), p.callback+"?"):
		return nil
	}
	if code := to.Query().Get("error"); code == "unauthorized_client" || code == "invalid_scope" || code == "unsupported_response_type" {
		return errors.Unwrap(p.Declined(code, to.Query().Get("error_description")))
	}
	return nil
}

// checkClient redeems a code that was never given out. Of a client that the provider
// doesn't take it hears so before anything is said of the code, mostly.
func (p *Provider) checkClient(ctx context.Context, issuer *discovered) error {
	_, err := p.redeem(ctx, issuer, "keypeg-checks-its-secret", oauth2.GenerateVerifier())
	if refusal, is := errors.AsType[*tokenError](err); is && refusal.isOfClient() {
		return mend(refusal, "%s", p.mendClient())
	}
	return nil
}
