package store

import (
	"bytes"
	"errors"
	"reflect"
	"testing"
)

// FuzzDecode reads damaged records. Each is refused as such, or is one that can be
// written and read again.
func FuzzDecode(f *testing.F) {
	for _, codec := range codecs {
		f.Add(codec.full.Encode())
		f.Add(codec.empty.Encode())
	}
	f.Add([]byte{codecVersion, 0x52, 0x7f})                                           // a passkey that is longer than the record
	f.Add([]byte{codecVersion, 0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}) // a huge length
	f.Add([]byte{codecVersion, 0x28, 0x30})                                           // a number in the place of a handle
	f.Add(bytes.Repeat([]byte{0x53}, 1000))                                           // groups in groups

	f.Fuzz(func(t *testing.T, b []byte) {
		for name, codec := range codecs {
			record, err := codec.decode(b)
			if err != nil {
				if !errors.Is(err, errDamaged) {
					t.Errorf("%s: got %v, want errDamaged", name, err)
				}
				continue
			}
			again, err := codec.decode(record.Encode())
			if err != nil || !reflect.DeepEqual(again, record) {
				t.Errorf("%s: read %+v\nwrote and read %+v (%v)", name, record, again, err)
			}
		}
	})
}
