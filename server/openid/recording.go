package openid

import (
	"slices"
	"strings"
	"time"

	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// recorded returns the operations that record what was done to a client: an event of the organisation, which stays when
// whoever did it is removed and so has no address, and an event of the administrator who did it.
func recorded(who session.Actor, kind shared.EventKind, c Client, change string, now time.Time) store.Batch {
	event := func(of string, from store.Client) store.Event {
		e := store.NewEvent(now, of, kind, from)
		e.Program, e.Change = c.Name, change
		if c.ID != c.Name {
			e.Program += " (" + c.ID + ")" // two programs may have one name
		}
		return e
	}
	ofOrganisation := event(store.Organisation, store.Client{})
	ofOrganisation.By = who.By.ID
	batch := store.Batch{store.AddEvent{Event: ofOrganisation}}
	if who.By.ID != "" {
		batch = append(batch, store.AddEvent{Event: event(who.By.ID, who.Client)})
	}
	return batch
}

// mostChange bounds what an event says of redirects, in bytes.
const mostChange = 1000

// redirectsChanged returns the redirects that were taken from a client, or given to it, as in [shared.Event]. Whoever watches over
// an organisation looks for a new one first: there a thief could have the sign-ins go.
func redirectsChanged(before, after Client) string {
	var words []string
	for _, list := range []struct {
		sign        string
		these, than []string
	}{{shared.ChangeTaken, before.Redirects, after.Redirects}, {shared.ChangeGiven, after.Redirects, before.Redirects}} {
		for _, address := range list.these {
			if !slices.Contains(list.than, address) {
				words = append(words, list.sign+shared.ChangedRedirect+address)
			}
		}
	}
	text := strings.Join(words, " ")
	for len(text) > mostChange {
		words = words[:len(words)-1]
		text = strings.Join(words, " ")
	}
	return text
}
