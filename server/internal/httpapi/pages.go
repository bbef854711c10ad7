package httpapi

import (
	"bytes"
	"errors"
	"net/http"
	"time"

	"github.com/go-json-experiment/json"
)

// WriteFor is how long a client may take to receive a page of a long answer. The server's own limit is
// for short ones.
const WriteFor = time.Minute

// RespondPages writes a JSON answer of any length, of which one page at a time is in memory. The last
// member of answer is a list, which is empty yet. Next returns the entries page by page, and an
// empty page at the end.
//
// An error of next before the first page is returned. A later one breaks the connection, so that
// nobody takes a part for the whole.
func RespondPages[T any](w http.ResponseWriter, answer any, next func() ([]T, error)) error {
	const end = "]}"
	encoded, err := json.Marshal(answer, answerFormat)
	if err != nil {
		return err
	}
	head, found := bytes.CutSuffix(encoded, []byte("["+end))
	if !found {
		return errors.New("the last member of a long answer is no empty list")
	}
	page, err := next()
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", mediaJSON)
	control := http.NewResponseController(w)
	body := bytes.NewBuffer(append(head, '['))
	for comma := ""; len(page) > 0; page, err = next() {
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		for _, entry := range page {
			body.WriteString(comma)
			if err := json.MarshalWrite(body, entry, answerFormat); err != nil {
				panic(http.ErrAbortHandler)
			}
			comma = ","
		}
		control.SetWriteDeadline(time.Now().Add(WriteFor))
		if _, err := w.Write(body.Bytes()); err != nil {
			panic(http.ErrAbortHandler)
		}
		body.Reset()
	}
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	body.WriteString(end)
	w.Write(body.Bytes())
	return nil
}
