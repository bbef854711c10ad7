package browser

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"syscall/js"
	"time"

	"github.com/keypeg/keypeg/shared"
)

// The server draws the page that is opened first, and sends the answers of the API that it was drawn from
// (web/static/drawn.js). The program begins with those, and takes over when it has drawn the same.

// asking is how many requests wait for an answer.
var asking int

// arrivals are the answers that came with the page, by their paths.
var arrivals = sync.OnceValue(func() map[string]shared.DrawnAnswer {
	answers := map[string]shared.DrawnAnswer{}
	promise := js.Global().Get("keypegArrives")
	if !promise.Truthy() {
		return answers
	}
	text, err := await(context.Background(), promise)
	if err == nil && text.Type() == js.TypeString {
		_ = json.Unmarshal([]byte(text.String()), &answers) // what can't be read is asked for
	}
	return answers
})

// arrived returns the answer to a request that came with the page. Each is used once: it may be out of
// date when the program asks again.
func arrived(method, path string) (answer shared.DrawnAnswer, is bool) {
	if method != "GET" || !strings.HasPrefix(path, "/api/") {
		return answer, false
	}
	answers := arrivals()
	answer, is = answers[path]
	delete(answers, path)
	return answer, is
}

// TakeOver shows what the program has drawn in the place of what the server has drawn, as soon as no
// request waits for an answer: then both are the same. Later calls do nothing.
func TakeOver(ctx context.Context) {
	const (
		frame = 25 * time.Millisecond
		quiet = 3   // frames
		most  = 200 // frames
	)
	takeOver := js.Global().Get("keypegTakeOver")
	if takeOver.Type() != js.TypeFunction {
		return
	}
	for n, still := 0, 0; n < most && still < quiet && ctx.Err() == nil; n++ {
		time.Sleep(frame)
		if still++; asking > 0 {
			still = 0
		}
	}
	_, _ = try(func() js.Value { return takeOver.Invoke() }) // what fails there must not end the program
}
