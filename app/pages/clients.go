package pages

import (
	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/ui"
)

// pageClients is the address of the page of programs.
const pageClients = "/clients"

// clients is the page on which administrators register the programs that sign people in here.
func (s *shell) clients(map[string]string) goapp.UI {
	return &ui.ClientsPage{
		Context: s.context(), Service: s.self, Confirms: s.self, Account: s.account, Changes: s.changes, OnSignedOut: s.signedOut,
	}
}
