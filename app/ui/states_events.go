package ui

import (
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/shared"
)

// statesOfEvents are those of the page of what happened in the organisation.
func statesOfEvents(in Context) map[string]app.UI {
	page := func(change func(*EventsPage)) *EventsPage {
		p := &EventsPage{Context: in, state: listReady, events: stateAudit(), Here: func(query string) string { return "/audit?" + query }}
		change(p)
		return p
	}
	until := time.Date(2026, 11, 3, 8, 0, 0, 0, time.UTC)
	return map[string]app.UI{
		"events":         page(func(p *EventsPage) { p.next = "more" }),
		"events-loading": page(func(p *EventsPage) { p.state, p.events = listLoading, nil }),
		"events-more":    page(func(p *EventsPage) { p.state, p.next = listLoading, "more" }),
		"events-failed":  page(func(p *EventsPage) { p.state, p.events, p.failure = listFailed, nil, stateInternal() }),
		"events-nothing": page(func(p *EventsPage) { p.events, p.Filters = nil, "kind=failures" }),
		"events-nothing-year": page(func(p *EventsPage) {
			p.events, p.Filters = nil, "days=365&find=203.0.113.7"
		}),
		"events-nobody": page(func(p *EventsPage) {
			p.state, p.events, p.Filters = listFailed, nil, "find=carl"
			p.failure = shared.Errorf(shared.CodeNotFound, "Nobody is called that.")
		}),
		"events-looked": page(func(p *EventsPage) {
			p.events, p.next, p.lookedUntil, p.Filters = p.events[:1], "more", &until, "find=192.0.2.0/24&days=30"
		}),
		"events-export": page(func(p *EventsPage) {
			p.exporting = &shared.AuditQuery{Kind: "sign_in_failed", From: "2025-11-21T08:00:00Z"}
		}),
		"events-offline": page(func(p *EventsPage) { p.Context.Offline, p.next = in.Text.Shell.Offline, "more" }),
	}
}

func stateAudit() []shared.AuditEvent {
	ann := &shared.AuditUser{ID: "00000000000000000000000000000a01", Name: "ann", DisplayName: "Ann Miller"}
	bob := &shared.AuditUser{ID: "00000000000000000000000000000b0b", Name: "bob", DisplayName: "Bob Smith"}
	carol := &shared.AuditUser{ID: "00000000000000000000000000000c01", Name: "carol", DisplayName: "Carol Østergård-Hernández von und zu Habsburg-Lothringen"}
	removed := &shared.AuditUser{ID: "00000000000000000000000000000d01"}
	at := func(day, hour, minute int) time.Time { return time.Date(2025, 11, day, hour, minute, 14, 0, time.UTC) }
	last := at(28, 3, 40)
	event := func(id string, kind shared.EventKind, at time.Time, user, by *shared.AuditUser) shared.AuditEvent {
		return shared.AuditEvent{ID: "18c1a2b3c4d5e6f7" + id, Kind: kind, Time: at, User: user, By: by, Browser: "Edge", System: "Windows", Address: "203.0.113.7"}
	}
	signedIn := event("0001", shared.EventSignedIn, at(28, 8, 12), ann, nil)
	signedIn.Method, signedIn.Passkey = shared.MethodPasskey, "Work laptop"
	again := signedIn
	again.ID, again.Time = "18c1a2b3c4d5e6f70002", at(28, 8, 2)
	failed := event("0004", shared.EventSignInFailed, at(28, 3, 11), bob, nil)
	failed.Method, failed.Count, failed.Last = shared.MethodPassword, 60, &last
	added := event("0005", shared.EventPasskeyAdded, at(27, 17, 22), bob, nil)
	added.Passkey = `Pixel 9 <img src="x" onerror="alert(1)">`
	byIT := shared.AuditEvent{ID: "18c1a2b3c4d5e6f70006", Kind: shared.EventRoleChanged, Time: at(27, 8, 40), User: ann, Change: "-role:auditor +role:helper +helps:sales"}
	allowed := event("0009", shared.EventProgramAllowed, at(26, 8, 30), bob, nil)
	allowed.Program = "Grafana"
	return []shared.AuditEvent{
		signedIn, again, event("0003", shared.EventRecoveryLinkMade, at(28, 7, 58), carol, ann), failed,
		added, event("0007", shared.EventDisabled, at(27, 15, 4), bob, ann), byIT,
		event("0008", shared.EventAccountRemoved, at(26, 9, 0), removed, ann), allowed,
	}
}
