package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/federation/federationtest"
	"github.com/keypeg/keypeg/server/mail/mailtest"
	"github.com/keypeg/keypeg/server/passkey/passkeytest"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// TestEveryMail lets a user of each language live through everything that is told, by HTTP as a browser does
// it. Each mail goes to the right address, in the right language, and none but an invitation has a secret.
func TestEveryMail(t *testing.T) {
	relay, flags := newRelay(t)
	provider := federationtest.Start(t, federationtest.Person{Subject: "1001", Name: "Somebody", Email: "somebody@example.com", EmailVerified: true})
	config := federationtest.ConfigFile(t, "[provider.example]\nname = \"Example ID\"\nissuer = \""+provider.URL+"\"\nclient-id = \"keypeg\"\nclient-secret-file = SECRET\n\n[client.grafana]\nname = \"Grafana\"\nredirects = [\"https://grafana.example/cb\"]\nauthentication = \"none\"\n")
	p := newProgram(t, append(flags, "--config", config)...)
	provider.Register(federationtest.Client{ID: "keypeg", Secret: "s3cret", RedirectURIs: []string{p.url + shared.PageSSO + "example" + shared.PageSSOAnswer}})
	p.starts()
	c := &contest{T: t, nodes: []*program{p}, tabs: map[string]*tab{}}
	root := c.addsAdministrator("root")
	secrets := []string{chosen, "s3cret", mailtest.Password, root.token()}
	for _, catalogue := range message.Languages {
		t.Run(catalogue.Lang, func(t *testing.T) {
			s := &story{program: p, T: t, relay: relay, root: root, provider: provider, device: passkeytest.New(p.url), address: catalogue.Lang + "@acme.example"}
			s.lives(catalogue)
			secrets = append(secrets, s.secrets...)
			p.until("everything is sent", func() bool { return len(p.queue()) == 0 })
			var got []string
			for _, m := range relay.Has()[s.before:] {
				got = append(got, m.To+": "+relay.Read(m).Subject)
			}
			slices.Sort(got)
			if slices.Sort(s.want); !slices.Equal(got, s.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(s.want, "\n"))
			}
		})
	}
	out, err := command(t, append([]string{"mail", "test", "it@acme.example", "--mail-language", "fr"}, flags...)...).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "has taken a mail to it@acme.example.") {
		t.Errorf("keypeg mail test: %s (%v)", out, err)
	}
	mails := relay.Has()
	if last := mails[len(mails)-1]; last.To != "it@acme.example" || relay.Read(last).Subject != message.MailIn(&message.French).TestTitle+" – Acme" {
		t.Errorf("the mail to IT is %+v", last)
	}
	for _, m := range mails {
		wellFormed(t, relay, m, secrets)
	}
	t.Logf("%d mails, searched for %d secrets", len(mails), len(secrets))
}

// wellFormed checks what is true of every mail.
func wellFormed(t *testing.T, relay *mailtest.Relay, m mailtest.Mail, secrets []string) {
	t.Helper()
	read := relay.Read(m)
	fails := func(why string) {
		t.Helper()
		t.Errorf("%s:\n%s\n%s", why, m.Raw, read.Text)
	}
	if read.Header.Get("Auto-Submitted") != "auto-generated" || !strings.HasSuffix(read.MessageID, "@acme.example>") || read.Header.Get("Date") == "" {
		fails("a header is missing")
	}
	if from, err := read.Header.AddressList("From"); err != nil || len(from) != 1 || from[0].Address != relay.From || from[0].Name != relay.Name || m.From != relay.From {
		fails("it is from somebody else")
	}
	if to, err := read.Header.AddressList("To"); err != nil || len(to) != 1 || to[0].Address != m.To {
		fails("it is to somebody else")
	}
	for _, header := range []string{"Bcc", "Cc", "Reply-To", "X-Mailer", "User-Agent"} {
		if read.Header[header] != nil {
			fails("it has the header " + header)
		}
	}
	for _, secret := range secrets {
		for _, form := range []string{secret, url.QueryEscape(secret), strings.ReplaceAll(secret, "-", "")} {
			if strings.Contains(m.Raw, form) || strings.Contains(read.Text, form) || strings.Contains(read.HTML, form) || strings.Contains(read.Subject, form) {
				fails("it has the secret " + secret)
			}
		}
	}
	links := linkPattern.FindAllString(read.Text, -1)
	if len(links) > 1 || strings.Contains(read.Text, shared.PageEnrol) && !isInvitation(read) {
		fails("it has a link that it shouldn't have")
	}
	for _, link := range links {
		if !strings.Contains(read.HTML, `href="`+link+`"`) {
			fails("its forms have different links")
		}
	}
}

var linkPattern = regexp.MustCompile(`https?://\S+`)

func isInvitation(read mailtest.Read) bool {
	return slices.ContainsFunc(message.Languages, func(c *message.Catalogue) bool {
		return strings.HasPrefix(read.Subject, message.MailIn(c).InviteTitle)
	})
}

// story is what a user lives through.
type story struct {
	*testing.T
	program  *program
	relay    *mailtest.Relay
	root     *tab
	provider *federationtest.Provider
	device   *passkeytest.Device
	tab      *tab
	id       string
	address  string

	before  int      // how many mails there were before
	want    []string // the mails that shall come
	secrets []string
}

// ok ends the test if a step fails, and says which mails it shall bring: their titles, each followed by the
// addresses if it isn't the user's one.
func (s *story) ok(err error, titles ...string) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
	for _, title := range titles {
		s.wants(title, s.address)
	}
}

func (s *story) wants(title string, to ...string) {
	for _, address := range to {
		s.want = append(s.want, address+": "+title+" – Acme")
	}
}

// link waits for the last mail with a title to an address, and returns its link.
func (s *story) link(title, to string) (link string) {
	s.Helper()
	s.program.until("the mail "+title+" comes to "+to, func() bool {
		for _, m := range s.relay.Has()[s.before:] {
			if read := s.relay.Read(m); m.To == to && read.Subject == title+" – Acme" {
				link = linkPattern.FindString(read.Text)
			}
		}
		return link != ""
	})
	return link
}

// opens opens an address in a browser, and follows where it leads.
func (s *story) opens(browser *tab, address string) (page string) {
	s.Helper()
	answer, err := browser.client.Get(address)
	if err != nil {
		s.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != 200 {
		s.Fatalf("GET %s: %s (%v)\n%s", address, answer.Status, err, body)
	}
	return string(body)
}

// presses presses the button of the page that a link has opened.
func (s *story) presses(browser *tab, page string) { s.Helper(); s.submits(browser, page, nil) }

func (s *story) submits(browser *tab, page string, form url.Values) {
	s.Helper()
	r, err := http.NewRequestWithContext(s.Context(), "POST", s.program.url+page, strings.NewReader(form.Encode()))
	if err != nil {
		s.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", s.program.url)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	answer, err := browser.client.Do(r)
	if err != nil {
		s.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != 200 {
		s.Fatalf("POST %s: %s", page, answer.Status)
	}
}

// letsIn lets a program in.
func (s *story) letsIn() {
	s.Helper()
	asks := url.Values{
		"client_id": {"grafana"}, "redirect_uri": {"https://grafana.example/cb"}, "response_type": {"code"}, "scope": {"openid profile"},
		"code_challenge": {"ahPqLsi7P3zVk_x_mrtpwuI1ckS-ixx0SqLQLE0lQXA"}, "code_challenge_method": {"S256"},
	}
	page := s.opens(s.tab, s.program.url+"/openid/authorize?"+asks.Encode())
	found := requestField.FindStringSubmatch(page)
	if found == nil {
		s.Fatalf("nobody is asked: %s", page)
	}
	s.secrets = append(s.secrets, found[1])
	s.submits(s.tab, shared.PageConsent, url.Values{"request": {html.UnescapeString(found[1])}, "answer": {"allow"}})
}

var requestField = regexp.MustCompile(`name="request" value="([^"]+)"`)

// sends sends what the app's client has no method for.
func (s *story) sends(browser *tab, path string, in, out any) {
	s.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		s.Fatal(err)
	}
	status, answer, err := (&transport{origin: s.program.url, client: browser.client}).Send(s.Context(), "POST", path, body)
	if err != nil || status >= 300 {
		s.Fatalf("POST %s: %d %s (%v)", path, status, answer, err)
	}
	if err := json.NewDecoder(bytes.NewReader(answer)).Decode(out); err != nil {
		s.Fatal(err)
	}
}

// enrols opens a link and adds a passkey by it.
func (s *story) enrols(link string) {
	s.Helper()
	browser := s.program.opensTab(s.device, "")
	s.opens(browser, link)
	var begun shared.Ceremony
	s.sends(browser, shared.PathEnrolBegin, struct{}{}, &begun)
	credential, err := s.device.Create(begun.PublicKey)
	if err != nil {
		s.Fatal(err)
	}
	var finish shared.FinishEnrolment
	finish.Ticket, finish.Credential = begun.Ticket, credential
	var added shared.Passkey
	s.sends(browser, shared.PathEnrolFinish, finish, &added)
}

// comes opens a new browser and signs in with the passkey.
func (s *story) comes() *tab {
	s.Helper()
	browser := s.program.opensTab(s.device, "")
	if _, err := browser.steps.SignIn(s.Context()); err != nil {
		s.Fatal(err)
	}
	s.secrets = append(s.secrets, browser.token())
	return browser
}

// secretOf remembers the token of a link.
func (s *story) secretOf(link string) string {
	address, err := url.Parse(link)
	if err != nil || address.Query().Get("token") == "" {
		s.Fatalf("%q is no link (%v)", link, err)
	}
	s.secrets = append(s.secrets, address.Query().Get("token"))
	return link
}

func (s *story) lives(catalogue *message.Catalogue) {
	s.Helper()
	ctx, text := s.Context(), message.MailIn(catalogue)
	titles := text.Titles
	s.before = len(s.relay.Has())
	invited, err := s.root.Invite(ctx, shared.Invite{Name: catalogue.Lang, DisplayName: "Ann " + catalogue.Lang, Email: s.address, Language: catalogue.Lang, Mail: true})
	s.ok(err, text.InviteTitle)
	s.id = invited.User.ID
	s.enrols(s.link(text.InviteTitle, s.address))
	s.ok(nil, titles.LinkUsed, titles.PasskeyAdded)

	s.comes() // the first browser, which there is nothing to compare with
	s.tab = s.comes()
	s.ok(nil, titles.NewBrowser)
	password := "a horse of " + catalogue.Lang + " and its staple"
	s.secrets = append(s.secrets, password)
	s.ok(s.tab.ChangePassword(ctx, password), titles.PasswordChanged)
	codes, err := s.tab.MakeRecoveryCodes(ctx)
	s.ok(err, titles.CodesMade)
	s.secrets = append(s.secrets, codes.Codes...)
	var in shared.SignedIn
	s.sends(s.program.opensTab(nil, ""), shared.PathSignInRecovery, shared.RecoverySignIn{Name: catalogue.Lang, Code: codes.Codes[0]}, &in)
	s.ok(nil, titles.CodeUsed)
	added, err := s.tab.at(s.program, passkeytest.New(s.program.url)).steps.Register(ctx, "Phone", "")
	s.ok(err, titles.PasskeyAdded)
	_, err = s.tab.RemovePasskey(ctx, added.ID, false)
	s.ok(err, titles.PasskeyRemoved)

	s.links()
	s.ok(nil, titles.IdentityLinked)
	account, err := s.tab.Account(ctx)
	s.ok(err)
	s.ok(s.tab.Unlink(ctx, account.Identities[0].ID), titles.IdentityUnlinked)
	phone, err := s.tab.MakePhoneLink(ctx)
	s.ok(err)
	s.secretOf(phone.URL)
	recovery, err := s.root.MakeRecoveryLink(ctx, s.id)
	s.ok(err, titles.RecoveryLinkMade)
	s.device = passkeytest.New(s.program.url)
	s.enrols(s.secretOf(recovery.URL))
	s.ok(nil, titles.LinkUsed, titles.PasskeyAdded)
	s.tab = s.comes() // the link has ended all sessions
	s.ok(nil, titles.NewBrowser)
	s.ok(s.tab.RemovePassword(ctx), titles.PasswordRemoved)
	_, err = s.root.ChangeMember(ctx, s.id, shared.ChangeMember{Role: new(shared.RoleAuditor)})
	s.ok(err, titles.RoleChanged)
	s.letsIn()
	s.ok(nil, titles.ProgramAllowed)

	former := s.address
	s.address = catalogue.Lang + "-new@acme.example"
	s.ok(s.tab.ChangeProfile(ctx, shared.ChangeProfile{Email: &s.address}), text.VerifyTitle)
	s.wants(titles.EmailChanged, former)
	reader := s.program.opensTab(nil, "") // without a sign-in
	s.opens(reader, s.link(text.VerifyTitle, s.address))
	s.presses(reader, shared.PageVerify)
	if account, err := s.tab.Account(ctx); err != nil || !account.EmailVerified {
		s.Errorf("the address isn't verified: %+v (%v)", account, err)
	}
	s.opens(reader, s.link(titles.EmailChanged, former))
	s.presses(reader, shared.PageNotMe)
	s.wants(titles.Held, former, s.address)
	s.link(titles.Held, former) // which ends it
	_, err = s.root.ReleaseMember(ctx, s.id)
	s.ok(err)
	s.wants(titles.Released, former, s.address)
	_, err = s.root.SetDisabled(ctx, s.id, true)
	s.ok(err)
	s.wants(titles.Disabled, former, s.address)
}

// links lets the user sign in at the provider.
func (s *story) links() {
	s.Helper()
	begun, err := s.tab.BeginLink(s.Context(), "example")
	if err != nil {
		s.Fatal(err)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.Fatal(err)
	}
	back := ""
	there := http.Client{Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(r.URL.String(), s.program.url) {
			back = r.URL.String()
			return http.ErrUseLastResponse
		}
		return nil
	}}
	page, err := there.Get(begun.URL)
	if err != nil {
		s.Fatal(err)
	}
	page.Body.Close()
	answer, err := there.PostForm(page.Request.URL.String(), url.Values{"id": page.Request.URL.Query()["id"], "subject": {"1001"}})
	if err != nil {
		s.Fatal(err)
	}
	answer.Body.Close()
	s.opens(s.tab, back)
}

// TestHostileNamesInMails has names in the database that begin headers, as another version might have let in.
func TestHostileNamesInMails(t *testing.T) {
	const hostile = "Eve\r\nBcc: mallory@evil.example\r\n\r\n<script>alert(1)</script>\u202e"
	relay, flags := newRelay(t)
	p := newProgram(t, flags...)
	eve := p.hasCorrespondents(1)[0]
	p.opens(func(db store.Store) {
		user, err := db.User(t.Context(), eve.id)
		if err != nil {
			t.Fatal(err)
		}
		user.DisplayName, user.Password = hostile, "a hash"
		for i := range 2 {
			user.Passkeys = append(user.Passkeys, store.Passkey{ID: fmt.Sprint(i), CredentialID: []byte{byte(i)}, Name: hostile, Created: time.Now()})
		}
		if err := db.Apply(t.Context(), store.Batch{store.PutUser{User: user}}); err != nil {
			t.Fatal(err)
		}
	})
	p.starts()
	list, err := eve.tab.Passkeys(t.Context())
	if err != nil || len(list.Passkeys) != 2 {
		t.Fatalf("got %+v (%v)", list, err)
	}
	if _, err := eve.tab.RemovePasskey(t.Context(), list.Passkeys[0].ID, false); err != nil {
		t.Fatal(err)
	}
	p.until("the mail comes", func() bool { return len(relay.Has()) == 1 })
	m := relay.Has()[0]
	wellFormed(t, relay, m, nil)
	if read := relay.Read(m); strings.Contains(read.HTML, "<script") || strings.Contains(read.Text, "\nBcc") || strings.ContainsRune(read.Text+read.HTML, '\u202e') || !strings.Contains(read.Text, "mallory@evil.example") {
		t.Errorf("got\n%s\n%s", read.Text, read.HTML)
	}
}
