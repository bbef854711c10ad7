package ui

import (
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/ceremony"
	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// statesOfPasskeys are the states of the passkeys panel.
func statesOfPasskeys(in Context) map[string]app.UI {
	return map[string]app.UI{
		"panel-loading":     statePanel(in, func(p *PasskeysPanel) { p.state, p.list = listLoading, shared.PasskeyList{} }),
		"panel-failed":      statePanel(in, func(p *PasskeysPanel) { p.state, p.failure = listFailed, stateInternal() }),
		"panel-empty":       statePanel(in, func(p *PasskeysPanel) { p.list = shared.PasskeyList{HasPassword: true} }),
		"panel-list":        statePanel(in, func(*PasskeysPanel) {}),
		"panel-alone":       statePanel(in, func(p *PasskeysPanel) { p.list.Passkeys = p.list.Passkeys[:1] }),
		"panel-gone":        statePanel(in, func(p *PasskeysPanel) { p.gone = "“Old key” was removed in another browser." }),
		"panel-blocked":     statePanel(in, func(p *PasskeysPanel) { p.Context.Blocked = in.Text.Panel.NotSupported }),
		"panel-only-method": statePanel(in, func(p *PasskeysPanel) { p.list = stateOnly() }),
		"panel-add":         statePanel(in, func(p *PasskeysPanel) { p.add.state = addOpen }),
		"panel-add-working": statePanel(in, func(p *PasskeysPanel) { p.add.state = addWorking }),
		"panel-add-held":    statePanel(in, func(p *PasskeysPanel) { p.add = addForm{state: addOpen, failure: stateHeld()} }),
		"panel-add-refused": statePanel(in, func(p *PasskeysPanel) { p.add = addForm{state: addOpen, failure: stateDenied()} }),
		"panel-added": statePanel(in, func(p *PasskeysPanel) {
			p.add, p.lit, p.announcement = addForm{state: addDone, added: "a"}, "a", "“Work laptop” was added."
		}),
		"panel-added-trying": statePanel(in, func(p *PasskeysPanel) { p.add = addForm{state: addTrying, added: "a"} }),
		"panel-added-failed": statePanel(in, func(p *PasskeysPanel) { p.add = addForm{state: addDone, added: "a", failure: stateFailedTrial()} }),
		"panel-added-works":  statePanel(in, func(p *PasskeysPanel) { p.add = addForm{state: addTried, added: "a"} }),
		"panel-rename":       statePanel(in, func(p *PasskeysPanel) { p.row = openRow{id: "a", mode: rowRename} }),
		"panel-renaming":     statePanel(in, func(p *PasskeysPanel) { p.row = openRow{id: "a", mode: rowRenaming} }),
		"panel-rename-taken": statePanel(in, func(p *PasskeysPanel) {
			p.row = openRow{id: "a", mode: rowRename, failure: shared.Errorf(shared.CodeNameTaken, "Another of your passkeys has this name.")}
		}),
		"panel-remove":   statePanel(in, func(p *PasskeysPanel) { p.row = openRow{id: "a", mode: rowRemove} }),
		"panel-removing": statePanel(in, func(p *PasskeysPanel) { p.row = openRow{id: "a", mode: rowRemoving} }),
		"panel-remove-last": statePanel(in, func(p *PasskeysPanel) {
			p.list.Passkeys = p.list.Passkeys[:1]
			p.row = openRow{id: "a", mode: rowRemove}
		}),
		"panel-remove-last-provider": statePanel(stateProvided(in), func(p *PasskeysPanel) {
			p.list.Passkeys, p.list.HasPassword = p.list.Passkeys[:1], false
			p.row = openRow{id: "a", mode: rowRemove}
		}),
		"panel-remove-sessions": statePanel(in, func(p *PasskeysPanel) {
			p.began, p.row = map[string]int{"a": 2}, openRow{id: "a", mode: rowRemove}
		}),
		"panel-remove-some-sessions": statePanel(in, func(p *PasskeysPanel) {
			p.list.EndsSessions, p.row = true, openRow{id: "a", mode: rowRemove}
		}),
		"panel-other-address":  statePanel(in, func(p *PasskeysPanel) { p.list.Passkeys[1].OtherAddress = true }),
		"panel-former-address": statePanel(in, func(p *PasskeysPanel) { p.list.Passkeys[1].FormerRPID = "old.example.com" }),
		"panel-unverified":     statePanel(in, func(p *PasskeysPanel) { p.list.Passkeys[1].Unverified = true }),
		"panel-offline": statePanel(in, func(p *PasskeysPanel) {
			p.Context.Offline = message.Fill(in.Text.Shell.OfflineAsOf, "date", "Nov 20, 2026, 2:05 PM")
		}),
		"panel-remove-refused": statePanel(in, func(p *PasskeysPanel) { p.row = openRow{id: "a", mode: rowRemove, failure: stateInternal()} }),
		"panel-confirm":        statePanel(in, func(p *PasskeysPanel) { p.paused = &pausedTask{} }),
		"panel-phone":          statePanel(in, func(p *PasskeysPanel) { p.phone = stateLink() }),
		"panel-off":            &PasskeysOff{Context: in},
		"panel-away":           &PanelAway{Context: in, Failure: stateInternal()},
		"panel-inline":         statePanel(in, func(p *PasskeysPanel) { p.Context.Inline = true }),
	}
}

func stateKeys() shared.PasskeyList {
	used := time.Date(2026, 11, 20, 18, 30, 0, 0, time.UTC)
	return shared.PasskeyList{HasPassword: true, Passkeys: []shared.Passkey{
		{ID: "a", Name: "Work laptop", Provider: "Windows Hello", Kind: shared.KindComputer, Created: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), LastUsed: &used, Current: true},
		{ID: "b", Name: "iCloud Keychain", Provider: shared.ProviderApple, Kind: shared.KindManager, Created: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC), Synced: true},
		{ID: "c", Name: `<img src=x onerror=alert(1)>`, Kind: shared.KindSecurityKey, Created: time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC)},
	}}
}

// statePanel is a PasskeysPanel with its list, in a state that change makes.
func statePanel(in Context, change func(*PasskeysPanel)) *PasskeysPanel {
	p := &PasskeysPanel{Context: in, Service: stateService{}, Confirms: stateService{}, state: listReady, list: stateKeys()}
	change(p)
	return p
}

func stateFailedTrial() error {
	return shared.Errorf(shared.CodeCeremonyRefused, "That didn't work. Your passkey is still there: try again, or remove it and add another.")
}

func stateDenied() error { return &ceremony.Failure{Reason: ceremony.Denied, Registering: true} }
