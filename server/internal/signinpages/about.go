package signinpages

import (
	"net/http"
	"strconv"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/keypeg/keypeg/server/policy"
	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// About is the content of the page about passkeys. Apart from who reads it, it is what the
// organisation's settings make true.
type About struct {
	SignedIn bool // the reader has a session
	Manual   bool // the reader may read the manual

	Passwords    policy.Passwords
	Verification policy.Verification
	Providers    []Provider
	MaxPasskeys  int
	KeysOnly     bool // only certain makers' authenticators are accepted
}

// About writes the page about passkeys.
func (p *Pages) About(w http.ResponseWriter, text *message.Catalogue, page About) error {
	about := message.AboutIn(text)
	return p.write(w, http.StatusOK, text, content{
		title: text.Panel.About,
		lead:  g.Text(message.Fill(about.Lead, "product", p.Product)),
		at:    shared.PageAbout,
		body: g.Group{
			picture(about.Picture),
			section(about.KeptTitle, page.kept(about)...),
			section(text.SignIn.Passkey, page.use(text)...),
			section(about.OtherTitle, page.otherMethods(text)...),
			section(about.ManageTitle, page.manage(text)...),
			h.P(h.A(h.Class("button primary"), h.Href(shared.PagePasskeys), g.Text(text.Panel.Add))), // by way of the sign-in page
			section(about.LostTitle, page.lost(text)...),
			section(about.SafeTitle, about.SafeSecret, message.Fill(about.SafeAddress, "address", p.RPID)),
			h.P(h.Class("aside"), page.back(text)),
			g.If(page.Manual, h.P(h.Class("aside"), h.A(h.Href(shared.PageManual), g.Text(about.Manual)))),
		},
	})
}

// picture shows what a passkey does, and says it below.
func picture(caption string) g.Node {
	return h.Figure(h.Class("about-picture"), g.Raw(aboutPicture), h.FigCaption(g.Text(caption)))
}

// aboutPicture is a device that is unlocked, its passkey, and a page that is signed in. The caption says
// the same, so that nobody needs to see it.
const aboutPicture = `<svg viewBox="0 0 560 150" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="2.5" stroke-linecap="round" stroke-linejoin="round">` +
	`<rect x="30" y="20" width="72" height="112" rx="12"/><path d="M58 122h16M52 78c0-18 28-18 28 0M58 84v-5c0-11 16-11 16 0v9M66 80v14M47 70c5-20 33-20 38 0"/>` +
	`<path d="M122 76h66m-9-8 9 8-9 8M366 76h44m-9-8 9 8-9 8"/>` +
	`<rect x="213" y="30" width="134" height="92" rx="10"/><circle cx="262" cy="84" r="14"/><path d="m272 74 30-30M290 56l9 9M280 66l7 7"/>` +
	`<rect x="430" y="30" width="110" height="92" rx="10"/><path d="M430 50h110M440 40h2M449 40h2"/><path class="about-done" stroke-width="4" d="m464 86 14 14 28-29"/></svg>`

// section is a heading and a list of sentences.
func section(title string, sentences ...string) g.Node {
	return h.Section(h.Class("about"),
		h.H2(g.Text(title)),
		h.Ul(g.Map(sentences, func(sentence string) g.Node { return h.Li(g.Text(sentence)) })),
	)
}

// kept says where a passkey can be kept.
func (a About) kept(about message.About) []string {
	if a.KeysOnly {
		return []string{about.KeptKeyOnly, about.KeptKey}
	}
	return []string{about.KeptManager, about.KeptKey, about.KeptDevice}
}

// use says how to sign in with a passkey.
func (a About) use(text *message.Catalogue) []string {
	list := []string{message.Fill(message.AboutIn(text).UseButton, "button", text.SignIn.Passkey), message.AboutIn(text).UseUnlock}
	if !a.KeysOnly { // a phone's passkey isn't accepted then
		list = append(list, message.AboutIn(text).UseElsewhere)
	}
	return list
}

// otherMethods lists the other sign-in methods that the organisation accepts.
func (a About) otherMethods(text *message.Catalogue) (methods []string) {
	switch a.Passwords {
	case policy.PasswordsOff:
	case policy.PasswordsAdministrators:
		methods = append(methods, message.AboutIn(text).OtherAdministrators)
	default:
		methods = append(methods, text.SignIn.Password)
	}
	for _, provider := range a.Providers {
		methods = append(methods, provider.label(text))
	}
	return append(methods, message.AboutIn(text).OtherCode)
}

// manage says how to add, rename and remove passkeys.
func (a About) manage(text *message.Catalogue) []string {
	about, panel := message.AboutIn(text), text.Panel
	list := []string{
		message.Fill(about.ManageOpen, "menu", text.Shell.Passkeys),
		message.Fill(about.ManageAdd, "add", panel.Add, "register", panel.Register),
	}
	if !a.KeysOnly {
		list = append(list, message.Fill(about.ManagePhone, "phone", panel.AddPhone))
	}
	return append(list,
		message.Fill(about.ManageRemove, "rename", panel.Rename, "remove", panel.Remove),
		text.Count(about.ManageMost, a.MaxPasskeys, strconv.Itoa(a.MaxPasskeys)),
	)
}

// lost says what to do before a device is lost, and after.
func (a About) lost(text *message.Catalogue) (list []string) {
	if a.MaxPasskeys > 1 {
		list = append(list, message.AboutIn(text).LostTwo)
	}
	list = append(list, message.AboutIn(text).LostRemove)
	if a.Verification != policy.VerificationPreferred { // else whoever has the device may get in
		list = append(list, message.AboutIn(text).LostFound)
	}
	return append(list, message.Fill(message.AboutIn(text).LostCodes, "codes", text.Home.CodesMake, "lost", lost(text, true, a.Passwords != policy.PasswordsOff)))
}

// back is a link to where the reader most likely comes from.
func (a About) back(text *message.Catalogue) g.Node {
	if a.SignedIn {
		return h.A(h.Href(shared.PageHome), g.Text(message.SignInPagesIn(text).BackToStart))
	}
	return h.A(h.Href(shared.PageSignIn), g.Text(message.SignInPagesIn(text).BackToSignIn))
}

// linkToAbout leads to the page about passkeys.
func (p *Pages) linkToAbout(text *message.Catalogue, how ...g.Node) g.Node {
	return g.If(p.PasskeysOn && !p.Hosted, h.P(h.Class("aside"), h.A(h.Href(shared.PageAbout), g.Group(how), g.Text(text.Panel.About))))
}
