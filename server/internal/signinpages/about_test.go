package signinpages_test

import (
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/keypeg/keypeg/server/internal/signinpages"
	"github.com/keypeg/keypeg/server/policy"
	"github.com/keypeg/keypeg/shared/message"
)

// TestAbout checks that the page about passkeys says what the organisation's settings make
// true, and nothing else, in every language.
func TestAbout(t *testing.T) {
	google := signinpages.Provider{Name: "Google"}
	acme := signinpages.Provider{Name: "Acme", Button: "Acme staff"}
	usual := signinpages.About{MaxPasskeys: 50}

	for name, row := range map[string]struct {
		contact    string
		change     func(*signinpages.About)
		says, omit func(*message.Catalogue) []string
	}{
		"everybody may use a password": {
			says: func(text *message.Catalogue) []string { return []string{text.SignIn.Password} },
			omit: func(text *message.Catalogue) []string { return []string{message.AboutIn(text).OtherAdministrators} },
		},
		"only administrators may use a password": {
			change: func(page *signinpages.About) { page.Passwords = policy.PasswordsAdministrators },
			says:   func(text *message.Catalogue) []string { return []string{message.AboutIn(text).OtherAdministrators} },
			omit:   func(text *message.Catalogue) []string { return []string{text.SignIn.Password} },
		},
		"nobody may use a password": {
			change: func(page *signinpages.About) { page.Passwords = policy.PasswordsOff },
			says: func(text *message.Catalogue) []string {
				return []string{message.AboutIn(text).OtherCode, message.Fill(message.AboutIn(text).LostCodes, "codes", text.Home.CodesMake, "lost", message.SignInPageIn(text).LostPasskey)}
			},
			omit: func(text *message.Catalogue) []string {
				return []string{text.SignIn.Password, message.AboutIn(text).OtherAdministrators}
			},
		},
		"providers": {
			change: func(page *signinpages.About) { page.Providers = []signinpages.Provider{google, acme} },
			says: func(text *message.Catalogue) []string {
				return []string{message.Fill(message.SignInPagesIn(text).SignInWith, "provider", "Google"), "Acme staff"}
			},
			omit: func(text *message.Catalogue) []string {
				return []string{message.Fill(message.SignInPagesIn(text).SignInWith, "provider", "Acme")}
			},
		},
		"any authenticator": {
			says: func(text *message.Catalogue) []string {
				return []string{message.AboutIn(text).KeptManager, message.AboutIn(text).KeptDevice, message.AboutIn(text).UseElsewhere, message.Fill(message.AboutIn(text).ManagePhone, "phone", text.Panel.AddPhone)}
			},
			omit: func(text *message.Catalogue) []string { return []string{message.AboutIn(text).KeptKeyOnly} },
		},
		"only devices of certain makers": {
			change: func(page *signinpages.About) { page.KeysOnly = true },
			says: func(text *message.Catalogue) []string {
				return []string{message.AboutIn(text).KeptKeyOnly, message.AboutIn(text).KeptKey}
			},
			omit: func(text *message.Catalogue) []string {
				return []string{message.AboutIn(text).KeptManager, message.AboutIn(text).KeptDevice, message.AboutIn(text).UseElsewhere, message.Fill(message.AboutIn(text).ManagePhone, "phone", text.Panel.AddPhone)}
			},
		},
		"one passkey": {
			change: func(page *signinpages.About) { page.MaxPasskeys = 1 },
			says: func(text *message.Catalogue) []string {
				return []string{text.Count(message.AboutIn(text).ManageMost, 1, "1")}
			},
			omit: func(text *message.Catalogue) []string { return []string{message.AboutIn(text).LostTwo} },
		},
		"fifty passkeys": {
			says: func(text *message.Catalogue) []string {
				return []string{text.Count(message.AboutIn(text).ManageMost, 50, "50"), message.AboutIn(text).LostTwo}
			},
		},
		"passkeys that verify their user": {
			says: func(text *message.Catalogue) []string {
				return []string{message.AboutIn(text).LostRemove, message.AboutIn(text).LostFound}
			},
		},
		"passkeys that may work without verifying their user": {
			change: func(page *signinpages.About) { page.Verification = policy.VerificationPreferred },
			says:   func(text *message.Catalogue) []string { return []string{message.AboutIn(text).LostRemove} },
			omit:   func(text *message.Catalogue) []string { return []string{message.AboutIn(text).LostFound} },
		},
		"a contact": {
			contact: "IT desk, phone 1234",
			says: func(text *message.Catalogue) []string {
				return []string{text.WhomToAsk("Keypeg", "IT desk, phone 1234")}
			},
			omit: func(text *message.Catalogue) []string { return []string{text.WhomToAsk("Keypeg", "")} },
		},
		"no contact": {
			says: func(text *message.Catalogue) []string { return []string{text.WhomToAsk("Keypeg", "")} },
		},
		"a reader without a session": {
			says: func(text *message.Catalogue) []string { return []string{message.SignInPagesIn(text).BackToSignIn} },
			omit: func(text *message.Catalogue) []string {
				return []string{message.SignInPagesIn(text).BackToStart, message.AboutIn(text).Manual}
			},
		},
		"a reader with a session, where there is a manual": {
			change: func(page *signinpages.About) { page.SignedIn, page.Manual = true, true },
			says: func(text *message.Catalogue) []string {
				return []string{message.SignInPagesIn(text).BackToStart, message.AboutIn(text).Manual}
			},
			omit: func(text *message.Catalogue) []string { return []string{message.SignInPagesIn(text).BackToSignIn} },
		},
		"the words of the buttons": {
			says: func(text *message.Catalogue) []string {
				return []string{
					message.Fill(message.AboutIn(text).UseButton, "button", text.SignIn.Passkey), message.Fill(message.AboutIn(text).ManageOpen, "menu", text.Shell.Passkeys),
					message.Fill(message.AboutIn(text).ManageAdd, "add", text.Panel.Add, "register", text.Panel.Register),
					message.Fill(message.AboutIn(text).ManageRemove, "rename", text.Panel.Rename, "remove", text.Panel.Remove),
					message.Fill(message.AboutIn(text).LostCodes, "codes", text.Home.CodesMake, "lost", message.SignInPagesIn(text).LostAccess), message.Fill(message.AboutIn(text).SafeAddress, "address", "example.com"),
				}
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			page := usual
			if row.change != nil {
				row.change(&page)
			}
			pages := signinpages.New(signinpages.Config{
				Product: "Keypeg", Contact: row.contact, PasskeysOn: true, RPID: "example.com",
				Asset: func(name string) string { return "/static/" + name },
			})
			for _, text := range message.Languages {
				w := httptest.NewRecorder()
				if err := pages.About(w, text, page); err != nil {
					t.Fatal(err)
				}
				shows := texts(t, w.Body.String())
				if all := strings.Join(shows, ""); strings.ContainsAny(all, "{}") {
					t.Errorf("%s: something isn't filled in: %s", text.Lang, all)
				}
				for _, sentence := range row.says(text) {
					if !slices.Contains(shows, sentence) {
						t.Errorf("%s: the page doesn't say %q:\n%s", text.Lang, sentence, strings.Join(shows, "\n"))
					}
				}
				if row.omit == nil {
					continue
				}
				for _, sentence := range row.omit(text) {
					if slices.Contains(shows, sentence) {
						t.Errorf("%s: the page says %q", text.Lang, sentence)
					}
				}
			}
		})
	}
}

// texts are the texts of a page, one for each element.
func texts(t *testing.T, page string) (list []string) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	for node := range root.Descendants() {
		if node.Type == html.TextNode {
			list = append(list, node.Data)
		}
	}
	return list
}
