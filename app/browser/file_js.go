package browser

import (
	"context"
	"syscall/js"

	"github.com/keypeg/keypeg/shared"
)

// ChosenFile returns the text of the file that is chosen in an <input type="file">, at most `most` bytes
// of UTF-8. It returns "" if none is.
//
// Refusal: [shared.CodeTooLarge], and [shared.CodeInvalidRequest] for a file that is no text or can't be
// read.
func ChosenFile(ctx context.Context, id string, most int) (string, error) {
	input := js.Global().Get("document").Call("getElementById", id)
	if !input.Truthy() || input.Get("files").Length() == 0 {
		return "", nil
	}
	file := input.Get("files").Index(0)
	if file.Get("size").Int() > most {
		return "", shared.Errorf(shared.CodeTooLarge, "The file is too large. Import it in parts, or at the command line.")
	}
	bytes, err := await(ctx, file.Call("arrayBuffer"))
	if err != nil {
		return "", shared.Errorf(shared.CodeInvalidRequest, "The file can't be read.").Because(err)
	}
	// A decoder that isn't fatal would replace what it doesn't know, and so change names.
	text, err := try(func() js.Value {
		return js.Global().Get("TextDecoder").New("utf-8", map[string]any{"fatal": true}).Call("decode", bytes)
	})
	if err != nil {
		return "", shared.Errorf(shared.CodeInvalidRequest, "This isn't UTF-8. Save the table as CSV UTF-8.").Because(err)
	}
	return text.String(), nil
}
