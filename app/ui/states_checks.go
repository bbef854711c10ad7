package ui

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// statesOfChecks are those of the page of checks.
func statesOfChecks(in Context) map[string]app.UI {
	return map[string]app.UI{
		"checks":         stateChecks(in, func(*ChecksPage) {}),
		"checks-loading": &ChecksPage{Context: in},
		"checks-failed":  &ChecksPage{Context: in, state: listFailed, failure: stateInternal()},
		"checks-offline": stateChecks(stateOffline(in), func(*ChecksPage) {}),
		"checks-running": stateChecks(in, func(p *ChecksPage) {
			p.server.Running, p.looking, p.server.Checks, p.browser.Checks = true, true, p.server.Checks[:2], nil
		}),
		"checks-fine": stateChecks(in, func(p *ChecksPage) {
			p.server.Checks, p.browser.Checks = p.server.Checks[:2], p.browser.Checks[:1]
		}),
		"checks-trying": stateChecks(in, func(p *ChecksPage) { p.looking, p.trying = true, true }),
		"checks-unseen": stateChecks(in, func(p *ChecksPage) { p.browser.Checks, p.unseen = nil, stateInternal() }),
	}
}

// stateChecks is a ChecksPage with checks of every outcome. Change puts it into a state.
func stateChecks(in Context, change func(*ChecksPage)) *ChecksPage {
	check := func(group, name string, state shared.CheckState, compared string, mend ...shared.Mend) shared.Check {
		id := group + "/" + name
		group, title := message.CheckTitle(in.Text, group, name)
		return shared.Check{ID: id, Group: group, Title: title, State: state, Compared: compared, Mend: mend}
	}
	p := &ChecksPage{Context: in, state: listReady}
	p.server = shared.Checks{Began: stateTime(), Texts: message.ChecksIn(in.Text), Support: "keypeg 0.1.0, linux/amd64, go1.26.8\n2026-11-20T09:41:00Z\n\nSettings in force\n  listen = \"localhost:8080\" # default\n"}
	p.server.Checks = []shared.Check{
		check("Database", "opens", shared.CheckOK, "/var/lib/keypeg/keypeg.db answers, by the running server: a read takes 20µs"),
		check("Address", "port", shared.CheckOK, "port 443 answers at 192.0.2.7"),
		check("Address", "certificate's end", shared.CheckWarning, "it ends in 9 days, on 2026-11-29", shared.Mend{Line: "renew it, such as with certbot renew, and have the proxy read it again (systemctl reload nginx)"}),
		check("Round trip by the public URL", "X-Forwarded-For", shared.CheckFailed, "it comes from 10.0.0.4, which isn't in --trusted-proxies, and isn't believed: all users of that proxy share one limit on wrong passwords", shared.Mend{In: "keypeg", Line: "--trusted-proxies 10.0.0.4"}),
		check("Others", "mail server", shared.CheckLeftOut, "none is set, so users get no mails"),
	}
	p.browser = shared.Checks{Support: "\nBrowser: Mozilla/5.0\n  can: conditionalGet\n"}
	p.browser.Checks = []shared.Check{
		check("This browser", "cookies", shared.CheckOK, "these arrive: __Host-keypeg, <img src=x onerror=alert(1)>"),
		check("This browser", "Permissions-Policy", shared.CheckFailed, `"publickey-credentials-create=()" comes, which forbids passkeys`, shared.Mend{In: "nginx", Line: `add_header Permissions-Policy "publickey-credentials-create=(self), publickey-credentials-get=(self)";`}, shared.Mend{In: "Caddy", Line: `header Permissions-Policy "publickey-credentials-create=(self), publickey-credentials-get=(self)"`}),
		check("This browser", "throwaway passkey", shared.CheckOK, "one was made and used, and the password manager was told that it exists no more. The device verified its user."),
	}
	change(p)
	return p
}
