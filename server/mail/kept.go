package mail

import (
	"context"
	"errors"
	"strings"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// keptAtOnce is how many items are read at once.
const keptAtOnce = 100

// Kept says what is kept of a user to send them mails, also while nothing is sent.
func (q *Queue) Kept(ctx context.Context, userID string) (kept shared.ExportedMails, err error) {
	kept = shared.ExportedMails{Waiting: []shared.ExportedMail{}, Browsers: []shared.ExportedBrowser{}, Former: []shared.ExportedAddress{}}
	waiting, err := all(ctx, q.store, letters, userID)
	for _, letter := range waiting {
		kept.Waiting = append(kept.Waiting, shared.ExportedMail{To: letter.Value.To, Kind: letter.Value.Kind, Time: letter.Value.Time})
	}
	if err != nil {
		return kept, err
	}
	known, err := all(ctx, q.store, browsers, userID)
	for _, browser := range known {
		client, _ := strings.CutPrefix(browser.Key, "c")
		if client == browser.Key {
			client = "" // it is known by the hash of a cookie
		}
		kept.Browsers = append(kept.Browsers, shared.ExportedBrowser{Client: client, Until: browser.Expires})
	}
	if err != nil {
		return kept, err
	}
	former, err := q.formers(ctx, userID)
	if err != nil {
		return kept, err
	}
	for _, entry := range former {
		kept.Former = append(kept.Former, exportedAddress(entry))
	}
	last, err := asked.Get(ctx, q.store, userID, "")
	if errors.Is(err, store.ErrNotFound) {
		return kept, nil
	}
	address := exportedAddress(last)
	kept.Asked = &address
	return kept, err
}

func exportedAddress(entry store.Entry[address]) shared.ExportedAddress {
	return shared.ExportedAddress{Address: entry.Value.Address, Until: entry.Expires}
}

// all returns the entries of a user's collection, of which none has many.
func all[V any](ctx context.Context, s store.Store, of store.Collection[V], userID string) (list []store.Entry[V], err error) {
	for after := ""; ; {
		page, err := of.List(ctx, s, userID, after, keptAtOnce)
		if err != nil {
			return nil, err
		}
		list = append(list, page...)
		if len(page) < keptAtOnce {
			return list, nil
		}
		after = page[len(page)-1].Key
	}
}
