package browser

import (
	"context"
	"syscall/js"
)

// Send implements client.Transport. It follows no redirect: the API has none.
func (Transport) Send(ctx context.Context, method, path string, body []byte) (int, []byte, error) {
	controller := js.Global().Get("AbortController").New()
	stop := context.AfterFunc(ctx, func() { controller.Call("abort") })
	defer stop()

	options := map[string]any{
		"method": method, "credentials": "same-origin", "redirect": "error",
		"cache": "no-store", "signal": controller.Get("signal"),
	}
	headers := map[string]any{}
	if tag := Language(ctx); tag != "" {
		headers["Accept-Language"] = tag
	}
	if body != nil {
		headers["Content-Type"] = "application/json"
		options["body"] = string(body)
	}
	options["headers"] = headers

	response, err := await(ctx, js.Global().Call("fetch", path, options))
	if err != nil {
		return 0, nil, err
	}
	text, err := await(ctx, response.Call("text"))
	if err != nil {
		return 0, nil, err
	}
	return response.Get("status").Int(), []byte(text.String()), nil
}
