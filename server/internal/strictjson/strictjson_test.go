package strictjson

import (
	"strings"
	"testing"
)

type read struct {
	Origin string `json:"origin"`
	Cross  bool   `json:"crossOrigin"`
}

func TestUnmarshal(t *testing.T) {
	for _, test := range []struct {
		name, text string
		want       read
		refused    bool
	}{
		{"members by their names", `{"origin":"a","crossOrigin":true}`, read{"a", true}, false},
		{"in capital letters they are others", `{"ORIGIN":"a","Origin":"b","crossorigin":true}`, read{}, false},
		{"others don't overwrite", `{"origin":"a","Origin":"b"}`, read{"a", false}, false},
		{"a name may be escaped", `{"o\u0072igin":"a"}`, read{"a", false}, false},
		{"unknown ones are ignored", `{"origin":"a","hint":{"x":[1]}}`, read{"a", false}, false},
		{"null is nothing", `{"origin":null}`, read{}, false},
		{"twice is refused", `{"origin":"a","origin":"b"}`, read{}, true},
		{"twice in disguise too", `{"origin":"a","o\u0072igin":"b"}`, read{}, true},
		{"twice somewhere inside too", `{"origin":"a","hint":{"x":1,"x":2}}`, read{}, true},
		{"a wrong type is refused", `{"crossOrigin":"true"}`, read{}, true},
		{"something behind it is refused", `{} {}`, read{}, true},
		{"a byte order mark is no JSON", "\xef\xbb\xbf{}", read{}, true},
		{"nor is what isn't UTF-8", "{\"origin\":\"\xff\"}", read{}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got read
			err := Unmarshal([]byte(test.text), &got)
			if (err != nil) != test.refused || err == nil && got != test.want {
				t.Errorf("%s: got %+v (%v), want %+v, refused %t", test.text, got, err, test.want, test.refused)
			}
		})
	}
	t.Run("errors hold no values", func(t *testing.T) {
		var into struct {
			Password string `json:"password"`
		}
		if err := Unmarshal([]byte(`{"password":123456789012}`), &into); err == nil || strings.Contains(err.Error(), "1234") {
			t.Errorf("got %v", err)
		}
	})
}

func TestUnmarshalUTF8(t *testing.T) {
	for text, want := range map[string]string{
		"\xef\xbb\xbf{\"origin\":\"a\"}": "a",
		"{\"origin\":\"a\xff\"}":         "a\ufffd",
		"{\"origin\":\"a\"}":             "a",
	} {
		var got read
		if err := UnmarshalUTF8([]byte(text), &got); err != nil || got.Origin != want {
			t.Errorf("%q: got %q (%v), want %q", text, got.Origin, err, want)
		}
	}
	var got read
	if err := UnmarshalUTF8([]byte("\xef\xbb\xbf\xef\xbb\xbf{}"), &got); err == nil {
		t.Error("two byte order marks: the second one is no JSON")
	}
}

func TestLenient(t *testing.T) {
	for text, want := range map[string]Lenient{`"usb"`: "usb", `null`: "", `7`: "", `{"a":"b"}`: "", `["usb"]`: ""} {
		var got struct {
			It Lenient `json:"it"`
		}
		if err := Unmarshal([]byte(`{"it":`+text+`}`), &got); err != nil || got.It != want {
			t.Errorf("%s: got %q (%v), want %q", text, got.It, err, want)
		}
	}
}
