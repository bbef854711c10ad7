package browser

import (
	"context"
	"net/url"
	"strconv"
	"strings"
	"syscall/js"
	"time"

	"github.com/keypeg/keypeg/shared"
)

// Send implements client.Transport. It follows no redirect: the API has none, so one comes
// from something in between. It also refuses an answer to an earlier request, which a cache
// in between has kept.
func (Transport) Send(ctx context.Context, method, path string, body []byte) (int, []byte, error) {
	if answer, is := arrived(method, path); is {
		return answer.Status, []byte(answer.Body), nil
	}
	asking++
	defer func() { asking-- }()
	got, err := exchange(ctx, method, path, ofJSON, body)
	if err != nil {
		return 0, nil, err
	}
	if got.isOld() {
		cacheInTheWay = true
		if got, err = exchange(ctx, method, path, ofJSON, nil); err != nil {
			return 0, nil, err
		}
		if got.isOld() {
			return 0, nil, shared.TroubleCached.Refusal()
		}
		report(ctx, shared.TroubleCached)
	}
	return got.status, got.body, nil
}

// SendForm sends a form with a POST, as a page without a script does. It is for a program's own addresses.
func (Transport) SendForm(ctx context.Context, path string, form url.Values) (Posted, error) {
	got, err := exchange(ctx, "POST", path, "application/x-www-form-urlencoded", []byte(form.Encode()))
	return Posted{got.status, got.body, got.retryAfter}, err
}

// TellDeveloper writes to the console what only the developer of the program around the frame can mend.
func TellDeveloper(what string) { js.Global().Get("console").Call("error", "Keypeg:", what) }

const ofJSON = "application/json"

// received is an answer.
type received struct {
	status         int
	body           []byte
	asked, answers string // [shared.HeaderNonce] of the request, and of the answer
	retryAfter     string // the header
	isData         bool
}

// isOld reports whether a cache between the browser and the server gave an answer that it
// had kept. That may be another user's.
func (r received) isOld() bool { return r.isData && r.asked != r.answers }

// cacheInTheWay is set when an old answer has come. From then on every request gets an
// address of its own, for which no cache has an answer.
var cacheInTheWay bool

func exchange(ctx context.Context, method, path, kind string, body []byte) (received, error) {
	before := left
	controller := js.Global().Get("AbortController").New()
	stop := context.AfterFunc(ctx, func() { controller.Call("abort") })
	defer stop()

	options := map[string]any{
		"method": method, "credentials": "same-origin", "redirect": "manual",
		"cache": "no-store", "signal": controller.Get("signal"),
	}
	headers := map[string]any{}
	if tag := Language(ctx); tag != "" {
		headers["Accept-Language"] = tag
	}
	if body != nil {
		headers["Content-Type"] = kind
		options["body"] = string(body)
	}
	var got received
	if method == "GET" && strings.HasPrefix(path, "/api/v1/") { // a host program has other paths, which don't know the nonce
		got.asked = strconv.FormatInt(int64(js.Global().Get("Math").Call("random").Float()*(1<<53)), 36)
		headers[shared.HeaderNonce] = got.asked
		if cacheInTheWay {
			path += either(strings.Contains(path, "?"), "&", "?") + shared.QueryNonce + "=" + got.asked
		}
	}
	options["headers"] = headers

	response, err := await(ctx, js.Global().Call("fetch", path, options))
	if err != nil {
		return got, err
	}
	if response.Get("type").String() == "opaqueredirect" {
		return got, shared.TroubleOtherAnswer.Refusal()
	}
	text, err := await(ctx, response.Call("text"))
	if err != nil && ctx.Err() == nil && js.Global().Get("navigator").Get("onLine").Bool() && stays(before) {
		return got, shared.TroubleCutAnswer.Refusal().Because(err)
	}
	if err != nil {
		return got, err
	}
	header := func(name string) string {
		value := response.Get("headers").Call("get", name)
		return either(value.IsNull(), "", value.String())
	}
	got.status, got.body, got.answers = response.Get("status").Int(), []byte(text.String()), header(shared.HeaderNonce)
	got.retryAfter = header("Retry-After")
	got.isData = got.asked != "" && strings.Contains(header("Content-Type"), "json")
	return got, nil
}

// report sends a trouble to the server, and doesn't wait for the answer.
func report(ctx context.Context, trouble shared.Trouble) {
	go exchange(context.WithoutCancel(ctx), "POST", shared.PathTrouble, ofJSON, []byte(`{"trouble":"`+trouble+`"}`))
}

// left counts how often the page was left, or put aside for the Back button; isLeft is set until it goes on.
var (
	left   int
	isLeft bool
)

func init() {
	listen("window", "pagehide", func() { left, isLeft = left+1, true })
	listen("window", "pageshow", func() { isLeft = false })
}

// stays reports whether the page has been here since it had been left so often. Who leaves a page cuts off its
// answers, in some browsers a moment before the page knows.
func stays(before int) bool {
	time.Sleep(time.Second)
	return left == before && !isLeft
}

func either(condition bool, yes, no string) string {
	if condition {
		return yes
	}
	return no
}
