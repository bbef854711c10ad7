package openid

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/keypeg/keypeg/server/grant"
	"github.com/keypeg/keypeg/server/store"
)

// logoutEvent is what a logout token says (OpenID Connect Back-Channel Logout 1.0, 2.4).
const logoutEvent = "http://schemas.openid.net/event/backchannel-logout"

const (
	// tellWithin is how long a program may take to answer.
	tellWithin = 5 * time.Second
	// logoutLife is how long a logout token works. Each try has a new one.
	logoutLife = 2 * time.Minute
)

// Tell tells a client that a session has ended. Its error says that it should be told again.
func (h *Handlers) Tell(ctx context.Context, ended grant.Ended) error {
	id, is := grant.IsClient(ended.Program)
	if !is {
		return nil
	}
	c, err := h.client(ctx, id)
	if errors.Is(err, store.ErrNotFound) || err == nil && (c.BackChannel == "" || ended.Given.Before(c.Created)) {
		return nil // IT has removed it since
	}
	if err != nil {
		return err
	}
	now := h.Now()
	token, err := h.Keys.Sign(ctx, c.Algorithm, kindLogout, map[string]any{
		"iss": h.Issuer, "aud": c.ID, "sub": h.subject(c, ended.UserID), "sid": grant.SID(ended.Session),
		"iat": now.Unix(), "exp": now.Add(logoutLife).Unix(), "jti": rand.Text(),
		"events": map[string]any{logoutEvent: struct{}{}},
	})
	if err != nil {
		return err
	}
	return h.sendLogout(ctx, c, token)
}

func (h *Handlers) sendLogout(ctx context.Context, c Client, token string) error {
	ctx, cancel := context.WithTimeout(ctx, tellWithin)
	defer cancel()
	body := strings.NewReader(url.Values{"logout_token": {token}}.Encode())
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.BackChannel, body)
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	outward := h.outward
	if h.PublicPrograms && !c.Configured {
		outward = h.outwardPublic
	}
	answer, err := outward.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	io.CopyN(io.Discard, answer.Body, 4<<10)
	if answer.StatusCode != http.StatusOK && answer.StatusCode != http.StatusNoContent {
		return fmt.Errorf("%s answers %d", c.BackChannel, answer.StatusCode)
	}
	return nil
}
