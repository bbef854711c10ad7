package federation

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"
)

// members are the members of a JSON object, each undecoded, so that a claim of a wrong type
// affects only itself.
type members map[string]json.RawMessage

// text returns a member that is a string, or "".
func (m members) text(name string) string {
	var text *string
	if json.Unmarshal(m[name], &text) != nil || text == nil {
		return ""
	}
	return *text
}

// texts returns the strings of a member that is a string or a list.
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

// says reports whether a member is true. It accepts "true", which some providers write.
func (m members) says(name string) bool {
	return string(m[name]) == "true" || strings.EqualFold(m.text(name), "true")
}

// has reports whether a member has a value other than null and "", which some providers
// write for a missing one.
func (m members) has(name string) bool {
	switch string(m[name]) {
	case "", "null", `""`:
		return false
	}
	return true
}

// latest is the latest time that is accepted, in seconds since 1970.
const latest = 1 << 40

// instant reads a NumericDate (RFC 7519, 2). It may have decimals, and some providers write
// it as a string.
func (m members) instant(name string) (at time.Time, is bool) {
	var number json.Number // accepts a number and a string
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

// values returns the values of each member as text. A string, a number or a boolean has one
// value, a list has those of its elements, and anything else has none.
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
