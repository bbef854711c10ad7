package control

import (
	"context"
	"time"

	"github.com/keypeg/keypeg/server/mail"
)

// mostMails is how many mails are listed.
const mostMails = 1000

// ListMails returns the oldest mails that wait, or were given up in the last days.
var ListMails = Ask(&userCommands, "/mails", func(ctx context.Context, a Accounts, _ None) ([]mail.Waiting, error) {
	return mail.List(ctx, a.Store, mostMails)
})

// RetryMails makes all mails that wait due now, and returns how many they are.
var RetryMails = Ask(&userCommands, "/retry-mails", func(ctx context.Context, a Accounts, _ None) (int, error) {
	return mail.Retry(ctx, a.Store, time.Now())
})
