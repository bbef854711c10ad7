package main

import (
	"net/http"

	"github.com/keypeg/keypeg/server/internal/signinpages"
	"github.com/keypeg/keypeg/server/policy"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
	"github.com/keypeg/keypeg/web"
)

// signInPages are the pages for people who aren't signed in. Their scripts run, but there
// is no API to answer them.
func signInPages(files *web.Files) []exhibit {
	config := signinpages.Config{Product: product, Contact: "IT desk, phone 1234", PasskeysOn: true, RPID: "localhost", Asset: files.URL}
	passkeysOnly := signinpages.New(config)
	config.PasswordsOn = true
	pages := signinpages.New(config)

	var list signInExhibits
	google := signinpages.Provider{Name: "Google", Address: "#google"}
	list.signIn("sign-in", pages, func(*signinpages.SignIn, *message.Catalogue) {})
	list.signIn("sign-in-refused", pages, func(page *signinpages.SignIn, text *message.Catalogue) {
		page.Name, page.Refusal = "ann", text.Refusal(shared.Errorf(shared.CodeSignInRefused, "The user name or the password is not right."))
	})
	list.signIn("sign-in-providers", pages, func(page *signinpages.SignIn, _ *message.Catalogue) {
		page.Providers = []signinpages.Provider{google, {Name: "Acme", Button: "Acme staff", Address: "#acme"}}
	})
	list.signIn("sign-in-passkeys-only", passkeysOnly, func(page *signinpages.SignIn, _ *message.Catalogue) {
		page.Providers = []signinpages.Provider{google}
	})
	list.signIn("session-ended", pages, func(page *signinpages.SignIn, text *message.Catalogue) {
		page.Reason = message.SignInPageIn(text).Expired
	})
	list.known(config, pages, passkeysOnly)
	list.moving(config)
	list.programs(pages)

	list.setup("setup", pages, signinpages.Setup{}, nil)
	list.setup("setup-refused", pages, signinpages.Setup{Name: "ann", Refused: "display-name"}, shared.Errorf(shared.CodeInvalidName, "Please enter a name."))
	list.setup("setup-passkeys-only", passkeysOnly, signinpages.Setup{}, nil)

	carl := signinpages.Enrol{Kind: store.MethodInvitation, Name: "carl", DisplayName: "Carl Carpenter"}
	list.enrol("invitation-passkeys-only", passkeysOnly, carl)
	carl.TakesPassword = true
	list.enrol("invitation", pages, carl)
	list.enrol("recovery-link", pages, signinpages.Enrol{Kind: store.MethodRecoveryLink, Name: "ann", TakesPassword: true})
	list.enrol("phone", pages, signinpages.Enrol{Kind: store.MethodPhoneLink, Name: "ann"})
	list.add("enrolled", func(w http.ResponseWriter, text *message.Catalogue) error { return pages.Enrolled(w, text, false) })

	list.add("recovery", func(w http.ResponseWriter, text *message.Catalogue) error {
		return pages.Recovery(w, http.StatusOK, text, signinpages.Recovery{})
	})
	list.about("about", pages, signinpages.About{
		MaxPasskeys: 50, Providers: []signinpages.Provider{google, {Name: "Acme", Button: "Acme staff", Address: "#acme"}},
	})
	list.about("about-keys-only", passkeysOnly, signinpages.About{SignedIn: true, Manual: true, MaxPasskeys: 1, KeysOnly: true, Passwords: policy.PasswordsAdministrators})
	list.refusal("refusal", pages, false)
	list.refusal("refusal-signed-in", pages, true)
	return list
}

// known adds the pages for browsers that know their user, and for other settings of IT's.
func (l *signInExhibits) known(config signinpages.Config, pages, passkeysOnly *signinpages.Pages) {
	google := signinpages.Provider{Name: "Google", Address: "#google"}
	known := signinpages.Known{Name: "ann.miller", DisplayName: "Ann Miller"}
	config.PasskeysOn = false
	passwordsOnly := signinpages.New(config)
	config.PasswordsOn = false
	providersOnly := signinpages.New(config)
	l.signIn("sign-in-passwords-only", passwordsOnly, func(*signinpages.SignIn, *message.Catalogue) {})
	l.signIn("sign-in-providers-only", providersOnly, func(page *signinpages.SignIn, _ *message.Catalogue) {
		page.Providers = []signinpages.Provider{google}
	})
	l.signIn("known", pages, func(page *signinpages.SignIn, _ *message.Catalogue) {
		page.Known, page.Providers = known, []signinpages.Provider{google}
	})
	l.signIn("known-refused", pages, func(page *signinpages.SignIn, text *message.Catalogue) {
		page.Known, page.Name, page.Refusal = known, known.Name, text.Refusal(shared.Errorf(shared.CodeSignInRefused, "The user name or the password is not right."))
	})
	l.signIn("known-passkeys-only", passkeysOnly, func(page *signinpages.SignIn, _ *message.Catalogue) { page.Known = known })
	l.signIn("known-passwords-only", passwordsOnly, func(page *signinpages.SignIn, _ *message.Catalogue) {
		page.Known, page.Providers = known, []signinpages.Provider{google}
	})
	l.signIn("known-providers-only", providersOnly, func(page *signinpages.SignIn, _ *message.Catalogue) {
		page.Known, page.Providers = known, []signinpages.Provider{google}
	})
	l.signIn("known-signed-out-elsewhere", pages, func(page *signinpages.SignIn, text *message.Catalogue) {
		words := message.SignInPageIn(text)
		page.Known, page.Reason, page.Providers = known, message.Sentences(words.Elsewhere, words.GoOn), []signinpages.Provider{google}
	})
	l.signIn("signed-out", pages, func(page *signinpages.SignIn, text *message.Catalogue) {
		page.Reason = message.SignInPageIn(text).SignedOut
	})
	l.signIn("disabled", pages, func(page *signinpages.SignIn, text *message.Catalogue) {
		page.Reason = message.SignInPageIn(text).Disabled
	})
}

// moving adds the pages of an organisation that moves.
func (l *signInExhibits) moving(config signinpages.Config) {
	const former, present = "id.example.com", "login.example.org"
	config.Related = func() []signinpages.Related {
		return []signinpages.Related{{RPID: former, Origin: "https://" + former}, {RPID: present, Origin: "https://" + present}}
	}
	pages := signinpages.New(config)
	l.signIn("moving", pages, func(page *signinpages.SignIn, text *message.Catalogue) {
		page.Reason = message.Fill(message.SignInPageIn(text).Moving, "address", present)
	})
	moved := signinpages.Moved{Next: shared.PageHome, Address: present, Origin: "https://" + present}
	l.add("moved", func(w http.ResponseWriter, text *message.Catalogue) error { return pages.Moved(w, text, moved) })
	only := moved
	only.Passkeys = former
	l.add("moved-passkey", func(w http.ResponseWriter, text *message.Catalogue) error { return pages.Moved(w, text, only) })
}

// signInExhibits are sign-in pages. The tests of app/e2e recognise them by the first part
// of their names, because only these have scripts of their own.
type signInExhibits []exhibit

func (l *signInExhibits) add(name string, show func(w http.ResponseWriter, text *message.Catalogue) error) {
	*l = append(*l, exhibit{"signinpages-" + name, func(w http.ResponseWriter, text *message.Catalogue, _ string) error {
		return show(w, text)
	}})
}

func (l *signInExhibits) signIn(name string, on *signinpages.Pages, change func(*signinpages.SignIn, *message.Catalogue)) {
	l.add(name, func(w http.ResponseWriter, text *message.Catalogue) error {
		page := signinpages.SignIn{Next: shared.PageHome, At: shared.PageSignIn}
		change(&page, text)
		return on.SignIn(w, http.StatusOK, text, page)
	})
}

func (l *signInExhibits) setup(name string, on *signinpages.Pages, page signinpages.Setup, refusal *shared.Error) {
	l.add(name, func(w http.ResponseWriter, text *message.Catalogue) error {
		if refusal != nil {
			page.Refusal = text.Refusal(refusal)
		}
		return on.Setup(w, http.StatusOK, text, page)
	})
}

func (l *signInExhibits) enrol(name string, on *signinpages.Pages, page signinpages.Enrol) {
	l.add(name, func(w http.ResponseWriter, text *message.Catalogue) error {
		return on.Enrol(w, http.StatusOK, text, page)
	})
}

func (l *signInExhibits) about(name string, on *signinpages.Pages, page signinpages.About) {
	l.add(name, func(w http.ResponseWriter, text *message.Catalogue) error { return on.About(w, text, page) })
}

func (l *signInExhibits) refusal(name string, on *signinpages.Pages, signedIn bool) {
	nothing := shared.Errorf(shared.CodeNotFound, "There is nothing at this address.")
	l.add(name, func(w http.ResponseWriter, text *message.Catalogue) error {
		on.Refusal(w, http.StatusOK, text, signinpages.Refusal{Sentence: text.Refusal(nothing), SignedIn: signedIn})
		return nil
	})
}
