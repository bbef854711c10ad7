package client

import (
	"bytes"
	"context"
	"encoding/json"

	"github.com/keypeg/keypeg/shared"
)

// Not every answer comes from the server. A proxy answers in the place of a server that is
// away. A filter answers a request that it refuses. A network answers until its user has
// signed in to it.

// refusedBetween returns the error for an answer of 400 and more that isn't a problem of the
// server's.
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

// unreadable returns the error for a successful answer that isn't the JSON that we expect. If
// it begins like JSON, it was cut off; otherwise something else has answered.
func unreadable(answer []byte) *shared.Error {
	if answer = bytes.TrimSpace(answer); len(answer) == 0 || answer[0] == '{' {
		return shared.TroubleCutAnswer.Refusal()
	}
	return shared.TroubleOtherAnswer.Refusal()
}

// reports sends a trouble to the server, once for each kind, and doesn't wait for the answer.
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
