package selfservice

import (
	"errors"
	"strings"
	"testing"

	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/ui"
	"github.com/keypeg/keypeg/shared"
)

// TestPanel draws the page in the frame of another program.
func TestPanel(t *testing.T) {
	on := shared.Account{PasskeysOn: true, Contact: "desk 12"}
	inline := func(c *ui.Context) { c.Inline = true }
	for name, row := range map[string]struct {
		panel    Panel
		has, not []string
	}{
		"nobody is known":           {Panel{}, nil, []string{"<dialog", "<section", "button"}},
		"the server is away":        {Panel{failure: errors.New("no network")}, []string{"<dialog", "panel-retry", "passkeys-close"}, nil},
		"the session has ended":     {Panel{failure: shared.Errorf(shared.CodeUnauthenticated, "Please sign in.")}, nil, []string{"<dialog"}},
		"the passkeys":              {Panel{follower: knows(on)}, []string{"<dialog", "passkeys-title", "passkeys-close", "desk 12"}, []string{"<section"}},
		"the activity":              {Panel{open: FragmentActivity, follower: knows(on)}, []string{"activity-title", "activity-close"}, []string{"passkeys-title"}},
		"passkeys are off":          {Panel{follower: knows(shared.Account{Contact: "desk 12"})}, []string{"passkeys-title", "desk 12"}, []string{"passkey-add"}},
		"within the program's page": {Panel{Dress: inline, follower: knows(on)}, []string{"<section", "panel-inline", "passkeys-title"}, []string{"<dialog", "passkeys-close", `autofocus="true"`}},
	} {
		row.panel.Service = New(nil)
		got := goapp.HTMLString(&row.panel)
		for _, text := range row.has {
			if !strings.Contains(got, text) {
				t.Errorf("%s: there is no %q in\n%s", name, text, got)
			}
		}
		for _, text := range row.not {
			if strings.Contains(got, text) {
				t.Errorf("%s: there is %q in\n%s", name, text, got)
			}
		}
	}
}
