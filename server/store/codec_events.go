package store

import (
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/keypeg/keypeg/shared"
)

// Encode returns the bytes under which backends keep an event.
func (v Event) Encode() []byte {
	e := newEncoder(smallRecord)
	e.bytes(1, v.ID[:])
	e.text(2, v.UserID)
	e.text(3, string(v.Kind))
	e.time(4, v.Time)
	e.text(5, string(v.Method))
	e.text(6, v.PasskeyID)
	e.text(7, v.Passkey)
	e.client(8, v.Client)
	e.time(11, v.Expires)
	e.text(12, v.Provider)
	e.text(13, v.By)
	e.number(14, v.Count)
	e.time(15, v.Last)
	e.text(16, v.Client.Mark)
	e.text(17, v.About)
	e.text(18, string(v.Reason))
	e.text(19, v.Change)
	e.text(20, v.Program)
	return e.b
}

// DecodeEvent reverses [Event.Encode]. It fails with [errDamaged].
func DecodeEvent(b []byte) (v Event, err error) {
	err = decode(recordOf(b), func(tag protowire.Number, f field) error {
		switch tag {
		case 1:
			return f.fill(v.ID[:])
		case 2:
			v.UserID = f.text
		case 3:
			v.Kind = shared.EventKind(f.text)
		case 4:
			v.Time = f.time()
		case 5:
			v.Method = Method(f.text)
		case 6:
			v.PasskeyID = f.text
		case 7:
			v.Passkey = f.text
		case 8, 9, 10:
			f.client(tag-8, &v.Client)
		case 11:
			v.Expires = f.time()
		case 12:
			v.Provider = f.text
		case 13:
			v.By = f.text
		case 14:
			v.Count = f.number
		case 15:
			v.Last = f.time()
		case 16:
			v.Client.Mark = f.text
		case 17:
			v.About = f.text
		case 18:
			v.Reason = shared.FailureReason(f.text)
		case 19:
			v.Change = f.text
		case 20:
			v.Program = f.text
		}
		return nil
	})
	return v, err
}
