package httpapi

import (
	"bytes"
	"errors"
	"mime"
	"net/http"
	"net/url"
	"sync"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	jsonv1 "github.com/go-json-experiment/json/v1"

	"github.com/keypeg/keypeg/server/internal/strictjson"
	"github.com/keypeg/keypeg/shared"
)

const (
	mediaJSON    = "application/json"
	mediaProblem = "application/problem+json"
)

// Respond writes a JSON answer.
func Respond(w http.ResponseWriter, code int, answer any) error {
	return respond(w, code, mediaJSON, answer)
}

func respond(w http.ResponseWriter, code int, media string, answer any) error {
	body := bodies.Get().(*bytes.Buffer)
	defer bodies.Put(body)
	body.Reset()
	if err := json.MarshalWrite(body, answer, answerFormat); err != nil {
		return err
	}
	Write(w, code, media, body.Bytes())
	return nil
}

// bodies has the buffers of answers that are written already.
var bodies = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// answerFormat leaves out members as encoding/json does, because the tags of package shared
// are written for it. It replaces what isn't UTF-8, such as in a name of a host program's
// user, because a refusal would help nobody.
var answerFormat = json.JoinOptions(jsonv1.OmitEmptyWithLegacySemantics(true), jsontext.AllowInvalidUTF8(true))

// Write writes an answer of any kind.
func Write(w http.ResponseWriter, code int, media string, body []byte) {
	w.Header().Set("Content-Type", media)
	w.WriteHeader(code)
	w.Write(body) // an error means that the client is gone
}

// RespondBegun answers the first request of a ceremony. It writes the same bytes as
// [Respond] without encoding them: a ticket is base64url, the options are JSON, and the
// mediation is one of ours.
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

// usualBody bounds the memory that is allocated at once for a body, whatever length a
// client announces.
const usualBody = 4 << 10

// Decode reads a JSON body of one value. The server bounds its length. The case of member
// names counts. Unknown members are ignored, because libraries of clients may send more.
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

// DecodeIfAny is [Decode] for a body that may be missing.
func DecodeIfAny(r *http.Request, into any) error {
	if r.ContentLength == 0 {
		return nil
	}
	return Decode(r, into)
}

const mediaForm = "application/x-www-form-urlencoded"

// Form reads the values that the form of a page sends.
func Form(r *http.Request) (url.Values, error) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != mediaForm {
		return nil, shared.Errorf(shared.CodeUnsupportedType, "The form can't be read. Open the page again, and fill it in there.").Because(err)
	}
	if err := r.ParseForm(); err != nil {
		return nil, unreadable(err)
	}
	return r.PostForm, nil
}

// unreadable returns the refusal of a body that is too large or wrong.
func unreadable(err error) error {
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return shared.Errorf(shared.CodeTooLarge, "The request is too large.").Because(err)
	}
	return shared.Errorf(shared.CodeInvalidRequest, "The request can't be read.").Because(err)
}
