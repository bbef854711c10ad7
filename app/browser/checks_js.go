package browser

import (
	"context"
	"encoding/json"

	"github.com/keypeg/keypeg/shared"
)

// Observe returns a [shared.Observed] in JSON: what this browser sees of the installation. Of is what the server has
// answered, with the script that looks. With a relying party id it makes and uses a throwaway passkey, for which the
// user must have clicked.
func Observe(ctx context.Context, of shared.Checks, rpID string) (json.RawMessage, error) {
	script, err := loaded(ctx, "keypegChecks", of.Script)
	if err != nil {
		return nil, err
	}
	seen, err := await(ctx, script.Call("observe", map[string]any{
		"page": shared.PageChecks, "program": of.Program, "live": shared.PathLive, "rpId": rpID,
	}))
	if err != nil {
		return nil, err
	}
	return json.RawMessage(seen.String()), nil
}
