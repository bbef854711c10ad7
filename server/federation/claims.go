package federation

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"
)

// members are those of a JSON object, each as it was written: a claim of an odd type
// spoils itself only.
type members map[string]json.RawMessage

// text is a member that is a string, or "".
func (m members) text(name string) string {
	var text *string
	if json.Unmarshal(m[name], &text) != nil || text == nil {
		return ""
	}
	return *text
}

// texts are the strings of a member that is a string or a list.
func (m members) texts(name string) (list []string) {
	var elements []json.RawMessage
	if json.Unmarshal(m[name], &elements) != nil {
		elements = []json.RawMessage{m[name]}
	}
	for _, e := range elements {
		if text := (members{"": e}).text(""); text != "" {
			list = append(list, text)
		}
	}
	return list
}

// says reports whether a member is true, or the "true" that some providers write.
func (m members) says(name string) bool {
	return string(m[name]) == "true" || strings.EqualFold(m.text(name), "true")
}

// has reports whether there is a member that says something: neither null nor an empty
// text, which some write for what they leave out.
func (m members) has(name string) bool {
	switch string(m[name]) {
	case "", "null", `""`:
		return false
	}
	return true
}

// latest is the last moment that we believe, in seconds since 1970.
const latest = 1 << 40

// instant reads a NumericDate (RFC 7519, 2), which may have decimals, and which some
// providers write as a string.
func (m members) instant(name string) (at time.Time, is bool) {
	var number json.Number // takes both
	if json.Unmarshal(m[name], &number) != nil {
		return time.Time{}, false
	}
	seconds, err := number.Float64()
	if err != nil || seconds <= 0 || seconds > latest {
		return time.Time{}, false
	}
	whole, part := math.Modf(seconds)
	return time.Unix(int64(whole), int64(part*1e9)), true
}

// values are those of each member as text: of a string, a number or a boolean that
// one, of a list those of its elements, and of anything else none.
func (m members) values() map[string][]string {
	all := map[string][]string{}
	for name := range m {
		var value any
		decoder := json.NewDecoder(strings.NewReader(string(m[name])))
		decoder.UseNumber()
		if decoder.Decode(&value) != nil {
			continue
		}
		list, isList := value.([]any)
		if !isList {
			list = []any{value}
		}
		for _, v := range list {
			switch v := v.(type) {
			case string:
				all[name] = append(all[name], v)
			case json.Number:
				all[name] = append(all[name], v.String())
			case bool:
				all[name] = append(all[name], strconv.FormatBool(v))
			}
		}
	}
	return all
}
