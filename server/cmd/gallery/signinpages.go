package main

import (
	"net/http"

	"github.com/keypeg/keypeg/server/internal/signinpages"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
	"github.com/keypeg/keypeg/web"
)

// signInPages are what the server draws for people who aren't signed in. Their scripts run,
// and nothing answers them: there is no API here.
func signInPages(files *web.Files) (exhibits []exhibit) {
	config := signinpages.Config{Product: product, Contact: "IT desk, phone 1234", PasskeysOn: true, RPID: "localhost", Asset: files.URL}
	passkeysOnly := signinpages.New(config)
	config.PasswordsOn = true
	pages := signinpages.New(config)

	add := func(name string, show func(w http.ResponseWriter, text *message.Catalogue) error) {
		exhibits = append(exhibits, exhibit{"signinpages-" + name, func(w http.ResponseWriter, text *message.Catalogue, _ string) error {
			return show(w, text)
		}})
	}
	addSignIn := func(name string, on *signinpages.Pages, change func(*signinpages.SignIn, *message.Catalogue)) {
		add(name, func(w http.ResponseWriter, text *message.Catalogue) error {
			page := signinpages.SignIn{Next: shared.PageHome}
			change(&page, text)
			return on.SignIn(w, http.StatusOK, text, page)
		})
	}
	addEnrol := func(name string, on *signinpages.Pages, page signinpages.Enrol) {
		add(name, func(w http.ResponseWriter, text *message.Catalogue) error {
			return on.Enrol(w, http.StatusOK, text, page)
		})
	}
	addSetup := func(name string, on *signinpages.Pages, refusal *shared.Error, page signinpages.Setup) {
		add(name, func(w http.ResponseWriter, text *message.Catalogue) error {
			if refusal != nil {
				page.Refusal = text.Refusal(refusal)
			}
			return on.Setup(w, http.StatusOK, text, page)
		})
	}
	addRefusal := func(name string, signedIn bool) {
		add(name, func(w http.ResponseWriter, text *message.Catalogue) error {
			pages.Refusal(w, http.StatusOK, text, signinpages.Refusal{Sentence: text.Refusal(shared.Errorf(shared.CodeNotFound, "There is nothing at this address.")), SignedIn: signedIn})
			return nil
		})
	}

	google := signinpages.Provider{Name: "Google", Address: "#google"}
	addSignIn("sign-in", pages, func(*signinpages.SignIn, *message.Catalogue) {})
	addSignIn("sign-in-refused", pages, func(page *signinpages.SignIn, text *message.Catalogue) {
		page.Name, page.Refusal = "ann", text.Refusal(shared.Errorf(shared.CodeSignInRefused, "The user name or the password is not right."))
	})
	addSignIn("sign-in-providers", pages, func(page *signinpages.SignIn, _ *message.Catalogue) {
		page.Providers = []signinpages.Provider{google, {Name: "Acme", Button: "Acme staff", Address: "#acme"}}
	})
	addSignIn("sign-in-passkeys-only", passkeysOnly, func(page *signinpages.SignIn, _ *message.Catalogue) {
		page.Providers = []signinpages.Provider{google}
	})
	addSignIn("session-ended", pages, func(page *signinpages.SignIn, text *message.Catalogue) { page.Reason = text.Door.SessionEnded })

	addSetup("setup", pages, nil, signinpages.Setup{})
	addSetup("setup-refused", pages, shared.Errorf(shared.CodeInvalidName, "Please enter a name."), signinpages.Setup{Name: "ann", Refused: "display-name"})
	addSetup("setup-passkeys-only", passkeysOnly, nil, signinpages.Setup{})

	carl := signinpages.Enrol{Kind: store.MethodInvitation, Name: "carl", DisplayName: "Carl Carpenter"}
	addEnrol("invitation-passkeys-only", passkeysOnly, carl)
	carl.TakesPassword = true
	addEnrol("invitation", pages, carl)
	addEnrol("way-back", pages, signinpages.Enrol{Kind: store.MethodRecoveryLink, Name: "ann", TakesPassword: true})
	addEnrol("phone", pages, signinpages.Enrol{Kind: store.MethodPhoneLink, Name: "ann"})
	add("enrolled", func(w http.ResponseWriter, text *message.Catalogue) error { return pages.Enrolled(w, text, false) })

	add("recovery", func(w http.ResponseWriter, text *message.Catalogue) error {
		return pages.Recovery(w, http.StatusOK, text, signinpages.Recovery{})
	})
	addRefusal("refusal", false)
	addRefusal("refusal-signed-in", true)
	return exhibits
}
