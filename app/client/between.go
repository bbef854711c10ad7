package client

import (
	"bytes"
	"context"
	"encoding/json"

	"github.com/keypeg/keypeg/shared"
)

// Not every answer is the server's. A proxy answers for a server that is away, a filter for
// a request that it doesn't like, and a network for people who haven't signed in to it.

// refusedBetween is what a person reads of an answer of 400 and more that isn't a problem of
// the server's.
func refusedBetween(status int) *shared.Error {
	switch {
	case status == 413:
		return shared.TroubleTooLarge.Refusal()
	case status == 511: // Network Authentication Required (RFC 6585, 6)
		return shared.TroubleOtherAnswer.Refusal()
	case status == 429 || status >= 500:
		return shared.Away()
	}
	return shared.TroubleRefused.Refusal()
}

// unreadable is what a person reads of an answer that says that all went well, and can't be
// read: it begins as the server's do, or it is something else.
func unreadable(answer []byte) *shared.Error {
	if answer = bytes.TrimSpace(answer); len(answer) == 0 || answer[0] == '{' {
		return shared.TroubleCutAnswer.Refusal()
	}
	return shared.TroubleOtherAnswer.Refusal()
}

// reports has each trouble reported once, whoever meets it, and waits for nothing.
func (c *Client) reports(ctx context.Context, err error) {
	trouble := shared.TroubleOf(err)
	if trouble == "" {
		return
	}
	if _, again := c.reported.LoadOrStore(trouble, true); again {
		return
	}
	body, encoding := json.Marshal(shared.TroubleReport{Trouble: trouble})
	if encoding != nil {
		panic(encoding) // a string can always be encoded
	}
	go c.transport.Send(context.WithoutCancel(ctx), "POST", shared.PathTrouble, body)
}
