package passkeytest

import (
	"encoding/json"
	"fmt"
	"maps"
)

// Take asks for a credential as a page does whose user tries everything: with ask, which is [Device.Create] or
// [Device.Get], for the options, and then for each of their alternatives, until the browser gives one.
func Take(ask func(json.RawMessage, ...Lie) (json.RawMessage, error), options json.RawMessage) (json.RawMessage, error) {
	credential, err := ask(options)
	if err != ErrSecurity && err != ErrNotAllowed {
		return credential, err
	}
	var members map[string]json.RawMessage
	if bad := json.Unmarshal(options, &members); bad != nil {
		return nil, fmt.Errorf("reading options: %w", bad)
	}
	list := members["alternatives"]
	if list == nil {
		return nil, err
	}
	var alternatives []map[string]json.RawMessage
	if bad := json.Unmarshal(list, &alternatives); bad != nil {
		return nil, fmt.Errorf("reading alternatives: %w", bad)
	}
	for _, other := range alternatives {
		maps.Copy(members, other)
		changed, bad := json.Marshal(members)
		if bad != nil {
			return nil, bad
		}
		if credential, err = ask(changed); err == nil {
			break
		}
	}
	return credential, err
}
