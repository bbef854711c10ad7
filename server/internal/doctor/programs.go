package doctor

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/keypeg/keypeg/server/openid"
)

// Limits of [visit.programs].
const (
	mostAsked   = 60 // addresses
	askedAtOnce = 8
	askWithin   = 4 * time.Second // for one address
	mostNamed   = 5               // troubles that are named
)

// clients returns the clients of the organisation: those of the settings, and those in the store that they don't hide.
func (v *visit) clients() (all []openid.Client, hidden []string) {
	all = slices.Clone(v.organisation.Clients)
	if v.examined == nil {
		return all, nil
	}
	for _, stored := range v.examined.Clients {
		if slices.ContainsFunc(v.organisation.Clients, func(c openid.Client) bool { return c.ID == stored.ID }) {
			hidden = append(hidden, stored.ID)
			continue
		}
		c := stored.Client
		c.ID = stored.ID
		all = append(all, c)
	}
	return all, hidden
}

// asked is an address of a program that is tried.
type asked struct {
	client, address string
	told            bool // it is the one at which the program is told of ended sessions
}

// addressesOf returns the addresses of clients that this machine can try: not those of the users' own machines.
func addressesOf(clients []openid.Client) (all []asked) {
	for _, c := range clients {
		for _, address := range c.Redirects {
			if strings.HasPrefix(address, "https://") {
				all = append(all, asked{client: c.ID, address: address})
			}
		}
		if c.BackChannel != "" {
			all = append(all, asked{client: c.ID, address: c.BackChannel, told: true})
		}
	}
	return all[:min(len(all), mostAsked)]
}

// programs opens the addresses of the programs that sign users in here, as a browser would that comes back without an answer. What
// a program says to that is its own affair, but it must be there.
func (v *visit) programs(ctx context.Context) Result {
	clients, hidden := v.clients()
	if len(clients) == 0 {
		return Result{}
	}
	tried := clients
	if v.hosted { // whoever reads this has registered those in the store, and must not look around in our network with them
		tried = v.organisation.Clients
	}
	addresses := addressesOf(tried)
	troubles := make([]string, len(addresses))
	turns := make(chan struct{}, askedAtOnce)
	var all sync.WaitGroup
	for i, a := range addresses {
		all.Go(func() {
			turns <- struct{}{}
			defer func() { <-turns }()
			if trouble := a.try(ctx); trouble != "" {
				troubles[i] = fmt.Sprintf("of %s, %s %s", a.client, a.address, trouble)
			}
		})
	}
	all.Wait()
	troubles = slices.DeleteFunc(troubles, func(trouble string) bool { return trouble == "" })
	for _, id := range hidden {
		troubles = append(troubles, fmt.Sprintf("%s was added with keypeg client add too, and the one of the settings takes its place", id))
	}
	if len(troubles) == 0 && v.hosted {
		return ok(fmt.Sprintf("%d are registered", len(clients)))
	}
	if len(troubles) == 0 {
		return ok(fmt.Sprintf("%d are registered, and each of %d addresses is there", len(clients), len(addresses)))
	}
	more := ""
	if n := len(troubles) - mostNamed; n > 0 {
		more, troubles = fmt.Sprintf("; and %d more", n), troubles[:mostNamed]
	}
	return warn(strings.Join(troubles, "; ")+more, do("correct the redirects with keypeg client change, or in the table of the client; keypeg client list shows all"))
}

// try says what is wrong with an address, or "".
func (a asked) try(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, a.address, nil)
	if err != nil {
		return "is no address"
	}
	r.Header.Set("Accept", "text/html")
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Do(r)
	if err != nil {
		if a.told {
			return "doesn't answer this machine, so the program isn't told of ended sessions: " + reason(err)
		}
		return "doesn't answer this machine: " + reason(err)
	}
	answer.Body.Close()
	switch {
	case a.told: // it takes POST only, and programs say so in many ways
		return ""
	case answer.StatusCode == http.StatusNotFound || answer.StatusCode == http.StatusGone:
		return fmt.Sprintf("isn't there: it answers with status %d", answer.StatusCode)
	case answer.StatusCode == http.StatusBadGateway || answer.StatusCode == http.StatusServiceUnavailable || answer.StatusCode == http.StatusGatewayTimeout:
		return fmt.Sprintf("has no program behind its proxy: it answers with status %d", answer.StatusCode)
	}
	return ""
}
