package control

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/keypeg/keypeg/server/mail"
	"github.com/keypeg/keypeg/server/store"
)

// mostMails is how many mails are listed.
const mostMails = 1000

// QueuedMail is a mail that waits, with the name of its user.
type QueuedMail struct {
	mail.Waiting
	Name string `json:"name,omitempty"` // "" for a user who was removed
}

// ListMails returns the oldest mails that wait, or were given up in the last days.
var ListMails = Ask(&userCommands, "/mails", func(ctx context.Context, a Accounts, _ None) ([]QueuedMail, error) {
	waiting, err := mail.List(ctx, a.Store, mostMails)
	if err != nil {
		return nil, err
	}
	list := make([]QueuedMail, len(waiting))
	for i, w := range waiting {
		user, err := a.Store.User(ctx, w.User)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return nil, fmt.Errorf("looking up whose a mail is: %w", err)
		}
		list[i] = QueuedMail{w, user.Name}
	}
	return list, nil
})

// RetryMails makes all mails that wait due now, and returns how many they are.
var RetryMails = Ask(&userCommands, "/retry-mails", func(ctx context.Context, a Accounts, _ None) (int, error) {
	return mail.Retry(ctx, a.Store, time.Now())
})
