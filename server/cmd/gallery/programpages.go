package main

import (
	"net/http"
	"strings"
	"time"

	"github.com/keypeg/keypeg/server/internal/signinpages"
	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// programs adds the pages that lead to another program and back.
func (l *signInExhibits) programs(pages *signinpages.Pages) {
	grafana := signinpages.Consent{
		Program: "Grafana", Host: "grafana.contoso.example", User: "Ann Miller", At: shared.PageSignIn,
		Asks: []signinpages.Asked{
			{Kind: signinpages.AskedName, Value: "Ann Miller"},
			{Kind: signinpages.AskedEmail, Value: "ann.miller@contoso.example"},
			{Kind: signinpages.AskedGroups, Value: "Engineering, Managers"},
		},
	}
	l.consent("consent", pages, grafana)
	everything := grafana
	everything.Asks = []signinpages.Asked{
		grafana.Asks[0],
		{Kind: signinpages.AskedUserName, Value: "ann.miller"},
		{Kind: signinpages.AskedUnverified, Value: "ann.miller@contoso.example"},
		{Kind: signinpages.AskedGroups},
		{Kind: signinpages.AskedLanguage, Value: "English"},
		{Kind: signinpages.AskedOffline},
	}
	l.consent("consent-everything", pages, everything)
	more := grafana
	more.Asks = []signinpages.Asked{grafana.Asks[0], grafana.Asks[1], {Kind: signinpages.AskedGroups, Value: "Engineering, Managers", New: true}}
	l.consent("consent-more", pages, more)
	long := grafana
	long.Program, long.User = "Wissenschaftsverwaltungsprogramm der Abteilung für Öffentlichkeitsarbeit", "אן מילר בן־יהודה"
	long.Host, long.Asks = "verwaltung."+strings.Repeat("oeffentlichkeitsarbeit.", 3)+"contoso.example", []signinpages.Asked{
		{Kind: signinpages.AskedName, Value: long.User}, {Kind: signinpages.AskedGroups, Value: strings.Repeat("Engineering of bridges, ", 9) + "Managers"},
	}
	l.consent("consent-long", pages, long)

	step := signinpages.StepUp{Program: "Grafana", User: "Ann Miller", Name: "ann.miller", SignedIn: 3*time.Hour + 20*time.Minute, HasPasskey: true, Next: shared.PageHome, At: shared.PageSignIn}
	needed := step
	needed.NeedsPasskey = true
	l.stepUp("step-passkey", pages, needed, nil)
	needed.HasPasskey = false
	l.stepUp("step-add", pages, needed, nil)
	any := step
	any.PasswordOn, any.Providers = true, []signinpages.ConfirmProvider{{ID: "google", Name: "Google"}}
	l.stepUp("step-any", pages, any, nil)
	password := signinpages.StepUp{Program: "Grafana", User: "Ann Miller", Name: "ann.miller", PasswordOn: true, At: shared.PageSignIn}
	l.stepUp("step-password-refused", pages, password, shared.Errorf(shared.CodeSignInRefused, "The user name or the password is not right."))
	l.stepUp("step-provider", pages, signinpages.StepUp{Program: "Grafana", User: "Ann Miller", SignedIn: time.Minute, Providers: any.Providers}, nil)
	l.stepUp("step-again", pages, signinpages.StepUp{Program: "Grafana", User: "Ann Miller", SignedIn: 49 * time.Hour}, nil)

	l.add("device", func(w http.ResponseWriter, text *message.Catalogue) error {
		return pages.Device(w, http.StatusOK, text, signinpages.Device{})
	})
	l.add("device-refused", func(w http.ResponseWriter, text *message.Catalogue) error {
		return pages.Device(w, http.StatusOK, text, signinpages.Device{Code: "BCDFG-HJKL", Refusal: text.Refusal(shared.Errorf(shared.CodeNotFound, "There is nothing at this address."))})
	})
	l.add("device-ask", func(w http.ResponseWriter, text *message.Catalogue) error {
		return pages.DeviceAsk(w, http.StatusOK, text, signinpages.DeviceAsk{Program: "Grafana", User: "Ann Miller", Code: "BCDFG-HJKLM", Asks: grafana.Asks})
	})
	l.add("device-done", func(w http.ResponseWriter, text *message.Catalogue) error {
		return pages.DeviceDone(w, text, "Grafana", true)
	})
	l.add("device-not", func(w http.ResponseWriter, text *message.Catalogue) error {
		return pages.DeviceDone(w, text, "Grafana", false)
	})
	l.add("onward", func(w http.ResponseWriter, text *message.Catalogue) error {
		return pages.Onward(staying{w}, text, signinpages.Onward{Program: "Grafana", Address: "https://grafana.contoso.example/login"})
	})
}

func (l *signInExhibits) consent(name string, on *signinpages.Pages, page signinpages.Consent) {
	l.add(name, func(w http.ResponseWriter, text *message.Catalogue) error {
		return on.Consent(w, http.StatusOK, text, page)
	})
}

func (l *signInExhibits) stepUp(name string, on *signinpages.Pages, page signinpages.StepUp, refusal *shared.Error) {
	l.add(name, func(w http.ResponseWriter, text *message.Catalogue) error {
		if refusal != nil {
			page.Refusal = text.Refusal(refusal)
		}
		return on.StepUp(w, http.StatusOK, text, page)
	})
}

// staying writes a page that leads on as one that stays, so that it can be looked at.
type staying struct{ http.ResponseWriter }

func (s staying) WriteHeader(status int) {
	s.Header().Del("Refresh")
	s.ResponseWriter.WriteHeader(status)
}
