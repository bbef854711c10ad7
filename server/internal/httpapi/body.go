package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"net/url"

	"github.com/keypeg/keypeg/server/internal/strictjson"
	"github.com/keypeg/keypeg/shared"
)

const (
	mediaJSON    = "application/json"
	mediaProblem = "application/problem+json"
)

// Respond writes a JSON answer.
func Respond(w http.ResponseWriter, code int, answer any) error {
	body, err := json.Marshal(answer)
	if err != nil {
		return err
	}
	Write(w, code, mediaJSON, body)
	return nil
}

// Write writes an answer of any kind.
func Write(w http.ResponseWriter, code int, media string, body []byte) {
	w.Header().Set("Content-Type", media)
	w.WriteHeader(code)
	w.Write(body) // a client that went away is nothing to report
}

// RespondBegun writes the answer of a first half as [Respond] would. Its members need no
// encoding: a ticket is base64url, options are JSON, and mediation is one of ours.
func RespondBegun(w http.ResponseWriter, c shared.Ceremony) error {
	body := make([]byte, 0, len(c.Ticket)+len(c.PublicKey)+64)
	body = append(append(append(body, `{"ticket":"`...), c.Ticket...), `","publicKey":`...)
	body = append(body, c.PublicKey...)
	if c.Mediation != "" {
		body = append(append(append(body, `,"mediation":"`...), c.Mediation...), '"')
	}
	Write(w, http.StatusOK, mediaJSON, append(body, '}'))
	return nil
}

// usualBody is the size of body that room is made for at once, whatever a client announces.
const usualBody = 4 << 10

// Decode reads a JSON body: one value, nothing behind it, at most as many bytes as the server lets through, with
// names that count letter by letter. Members that we don't know are ignored, as a client's
// library may send more.
func Decode(r *http.Request, into any) error {
	if sent := r.Header.Get("Content-Type"); sent != mediaJSON {
		if kind, _, err := mime.ParseMediaType(sent); err != nil || kind != mediaJSON {
			return shared.Errorf(shared.CodeUnsupportedType, "The request must be application/json.").Because(err)
		}
	}
	body := bytes.NewBuffer(make([]byte, 0, bytes.MinRead+max(0, min(r.ContentLength, usualBody))))
	if _, err := body.ReadFrom(r.Body); err != nil {
		return unreadable(err)
	}
	if err := strictjson.Unmarshal(body.Bytes(), into); err != nil {
		return unreadable(err)
	}
	return nil
}

// DecodeIfAny is [Decode] for a body that may be left away.
func DecodeIfAny(r *http.Request, into any) error {
	if r.ContentLength == 0 {
		return nil
	}
	return Decode(r, into)
}

const mediaForm = "application/x-www-form-urlencoded"

// Form reads what the form of a page sent.
func Form(r *http.Request) (url.Values, error) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != mediaForm {
		return nil, shared.Errorf(shared.CodeUnsupportedType, "The form can't be read. Open the page again, and fill it in there.").Because(err)
	}
	if err := r.ParseForm(); err != nil {
		return nil, unreadable(err)
	}
	return r.PostForm, nil
}

// unreadable tells a body that is too large from one that is wrong.
func unreadable(err error) error {
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return shared.Errorf(shared.CodeTooLarge, "The request is too large.").Because(err)
	}
	return shared.Errorf(shared.CodeInvalidRequest, "The request can't be read.").Because(err)
}
