package browser

import (
	"context"
	"encoding/json"
	"syscall/js"
	"time"
)

// A page can arrive drawn by the server, with the answers of the API that it was drawn from. The program
// begins with those, and takes over when it has drawn the same.

// asking is how many requests wait for an answer.
var asking int

// arrivedAnswers are the answers that came with the page, by their paths; nil until they are read.
var arrivedAnswers map[string]arrivedAnswer

type arrivedAnswer struct {
	Status int    `json:"status"`
	Body   string `json:"body"`
}

// arrived returns the answer to a request that came with the page. Each is used once: it may be out of
// date when the program asks again.
func arrived(method, path string) (answer arrivedAnswer, is bool) {
	if arrivedAnswers == nil {
		arrivedAnswers = map[string]arrivedAnswer{}
		if data := js.Global().Get("document").Call("getElementById", "drawn-answers"); data.Truthy() {
			_ = json.Unmarshal([]byte(data.Get("textContent").String()), &arrivedAnswers) // what can't be read is asked for
			data.Call("remove")
		}
	}
	if method != "GET" {
		return answer, false
	}
	answer, is = arrivedAnswers[path]
	delete(arrivedAnswers, path)
	return answer, is
}

// TakeOver shows what the program has drawn in the place of what the server has drawn (web/static/boot.js),
// as soon as no request waits for an answer: then both are the same.
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
