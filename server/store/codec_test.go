package store

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

var golden = flag.String("golden", "", "write the records as they are now, under this name of a release")

// writeGolden keeps a record as bytes, and as JSON to compare them with: fields that
// come later are in neither.
func writeGolden(t *testing.T, name string, record coded) {
	fields, err := json.MarshalIndent(record, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	stem := filepath.Join("testdata", name+"."+*golden)
	for ext, content := range map[string]string{".hex": hex.EncodeToString(record.Encode()), ".json": string(fields)} {
		if err := os.WriteFile(stem+ext, []byte(content+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func readGolden(t *testing.T, file string, kind reflect.Type) (written []byte, want coded) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if written, err = hex.DecodeString(strings.TrimSpace(string(text))); err != nil {
		t.Fatal(err)
	}
	fields, err := os.ReadFile(strings.TrimSuffix(file, ".hex") + ".json")
	if err != nil {
		t.Fatal(err)
	}
	record := reflect.New(kind)
	if err := json.Unmarshal(fields, record.Interface()); err != nil {
		t.Fatal(err)
	}
	return written, record.Elem().Interface().(coded)
}

// filled returns a record with every field set to something else.
func filled[T any]() (record T) {
	n := 0
	fill(reflect.ValueOf(&record).Elem(), &n)
	return record
}

func fill(v reflect.Value, n *int) {
	*n++
	switch {
	case v.Type() == reflect.TypeFor[time.Time]():
		v.Set(reflect.ValueOf(time.Unix(1_700_000_000+int64(*n), 1000*int64(*n)).UTC()))
	case v.Kind() == reflect.String:
		v.SetString("text " + string(rune('a'+*n%26)) + string(rune('a'+*n/26)))
	case v.Kind() == reflect.Bool:
		v.SetBool(true)
	case v.CanUint():
		v.SetUint(uint64(*n))
	case v.Kind() == reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i), n)
		}
	case v.Kind() == reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(v.Index(i), n)
		}
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), n)
		}
	default:
		panic("a field of a kind that the codec test doesn't know: " + v.Type().String())
	}
}

type coded interface{ Encode() []byte }

// codecs are the records with their decoders.
var codecs = map[string]struct {
	full, empty coded
	decode      func([]byte) (coded, error)
}{
	"user":    {filled[User](), User{}, func(b []byte) (coded, error) { return DecodeUser(b) }},
	"session": {filled[Session](), Session{}, func(b []byte) (coded, error) { return DecodeSession(b) }},
	"event":   {filled[Event](), Event{}, func(b []byte) (coded, error) { return DecodeEvent(b) }},
	"item":    {filled[Item](), Item{}, func(b []byte) (coded, error) { return DecodeItem(b) }},
}

func TestCodec(t *testing.T) {
	for name, c := range codecs {
		t.Run("every field of a "+name+" comes back", func(t *testing.T) {
			for _, record := range []coded{c.full, c.empty} {
				got, err := c.decode(record.Encode())
				if err != nil || !reflect.DeepEqual(got, record) {
					t.Errorf("got %+v (%v), want %+v", got, err, record)
				}
			}
		})
		// A file that an earlier release wrote opens in every later one. When this
		// fails, raise codecVersion and keep reading the old bytes.
		t.Run("a "+name+" of an earlier release is still read", func(t *testing.T) {
			if *golden != "" {
				writeGolden(t, name, c.full)
			}
			files, err := filepath.Glob(filepath.Join("testdata", name+".*.hex"))
			if err != nil || len(files) == 0 {
				t.Fatalf("there is none (%v)", err)
			}
			for _, file := range files {
				written, want := readGolden(t, file, reflect.TypeOf(c.full))
				if got, err := c.decode(written); err != nil || !reflect.DeepEqual(got, want) {
					t.Errorf("%s: got %+v (%v), want %+v", file, got, err, want)
				}
			}
		})
		t.Run("a damaged "+name+" is refused", func(t *testing.T) {
			whole := c.full.Encode()
			for _, damaged := range [][]byte{nil, {}, {codecVersion + 1}, whole[1:], whole[:len(whole)-1], append([]byte{codecVersion}, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)} {
				if _, err := c.decode(damaged); !errors.Is(err, errDamaged) {
					t.Errorf("%x: got %v, want errDamaged", damaged, err)
				}
			}
		})
	}
}
