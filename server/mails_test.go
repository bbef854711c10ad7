package server_test

import (
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/mail"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// mailsOn lets the server queue mails, which nobody sends.
func (s *site) mailsOn() {
	s.Helper()
	s.changesRules(func(rules *account.Config) {
		sender := mail.Sender{Server: mail.Server{Host: "mail.invalid"}, From: "keypeg@example.com"}
		queue := mail.NewQueue(s.store, mail.Organisation{Product: "Keypeg", Origin: origin}, sender, s.now, slog.New(slog.DiscardHandler))
		rules.Store, rules.Mails = queue.Store(s.store), queue
	})
}

// queued are the kinds of the mails that wait.
func (s *site) queued() (kinds []string) {
	s.Helper()
	waiting, err := mail.List(s.Context(), s.store, 1000)
	if err != nil {
		s.Fatal(err)
	}
	for _, m := range waiting {
		kinds = append(kinds, string(m.Kind))
	}
	return kinds
}

// toVerify is the token of the mail that asks a user to verify their address.
func (s *scene) toVerify(v *visitor, mail string) string {
	s.Helper()
	user := s.record(v)
	token, _, err := s.accounts.VerificationToken(s.Context(), user.ID, user.Email, mail)
	if err != nil {
		s.Fatal(err)
	}
	s.secret("token of a mail", token)
	return token
}

// opens follows a link of a mail, as far as the page with the button.
func (v *visitor) opens(page, token string) answer {
	v.Helper()
	opened := v.sends("GET", page+"?token="+url.QueryEscape(token), nil)
	if opened.status != http.StatusSeeOther {
		return opened
	}
	return v.sends("GET", opened.header.Get("Location"), nil)
}

// presses sends the form of the page.
func (v *visitor) presses(page string) answer { return v.submits(page, url.Values{}) }

func (v *visitor) follows(page, token string) answer {
	v.Helper()
	if a := v.opens(page, token); a.status != http.StatusOK {
		return a
	}
	return v.presses(page)
}

func TestVerification(t *testing.T) {
	const address = `{"email":"ann@example.com"}`
	t.Run("a new address is asked for, and whoever reads the mail verifies it", func(t *testing.T) {
		onEveryStoreScene(t, func(s *scene) {
			s.mailsOn()
			s.succeeds(s.ann.sends("PATCH", shared.PathProfile, address), http.StatusNoContent)
			if got := s.queued(); len(got) != 1 || got[0] != "email_verification" {
				s.Fatalf("the queue has %q", got)
			}
			token, reader := s.toVerify(s.ann, "one"), s.visitor()
			var page answer
			s.changesOnly(nil, func() { page = reader.opens(shared.PageVerify, token) })
			if text := string(page.body); page.status != 200 || !strings.Contains(text, "ann@example.com") || !strings.Contains(text, "“ann”") {
				s.Errorf("got %s", page)
			}
			pressed := reader.presses(shared.PageVerify)
			if done := s.succeeds(reader.sends("GET", pressed.header.Get("Location"), nil), 200); !strings.Contains(string(done.body), "verified") {
				s.Errorf("got %s", done)
			}
			account := into[shared.Account](s.ann, s.ann.sends("GET", shared.PathAccount, nil), 200)
			if !account.EmailVerified || !account.MailOn || s.events(s.ann)[shared.EventEmailVerified] != 1 {
				s.Errorf("the account is %+v", account)
			}
			if reader.token() != "" {
				s.Error("the link signed somebody in")
			}
			s.refusesAs(409, shared.CodeConflict, "", s.ann.finishes(shared.PathVerification, nil))
			s.succeeds(s.ann.sends("PATCH", shared.PathProfile, `{"email":"anna@example.com"}`), http.StatusNoContent)
			if s.record(s.ann).EmailVerified {
				s.Error("another address is verified too")
			}
		})
	})
	t.Run("the first who verifies an address has it", func(t *testing.T) {
		onEveryStoreScene(t, func(s *scene) {
			s.mailsOn()
			for _, v := range []*visitor{s.ann, s.bob} {
				s.succeeds(v.sends("PATCH", shared.PathProfile, address), http.StatusNoContent)
			}
			hers, his := s.toVerify(s.ann, "hers"), s.toVerify(s.bob, "his")
			s.succeeds(s.visitor().follows(shared.PageVerify, his), http.StatusSeeOther)
			reader := s.visitor()
			reader.opens(shared.PageVerify, hers)
			s.refusesForm(409, "Somebody has the e-mail address", func() answer { return reader.presses(shared.PageVerify) })
		})
	})
	t.Run("nobody floods an address", func(t *testing.T) {
		onEveryStoreScene(t, func(s *scene) {
			s.mailsOn()
			s.succeeds(s.ann.sends("PATCH", shared.PathProfile, address), http.StatusNoContent)
			for range 4 {
				s.succeeds(s.ann.sends("POST", shared.PathVerification, nil), http.StatusNoContent)
			}
			flooded := s.refusesAs(429, shared.CodeTooManyAttempts, "", s.ann.finishes(shared.PathVerification, nil))
			if flooded.header.Get("Retry-After") != "720" || !strings.Contains(string(flooded.body), "12 minutes") {
				s.Errorf("got %s, after %q", flooded, flooded.header.Get("Retry-After"))
			}
			other := func() answer { return s.ann.sends("PATCH", shared.PathProfile, `{"email":"other@example.com"}`) }
			s.refusesAs(429, shared.CodeTooManyAttempts, "", other)
			if got := s.queued(); len(got) != 5 {
				s.Errorf("%d mails wait", len(got))
			}
			s.passes(12 * time.Minute)
			s.ann.signsInWithPassword()
			s.succeeds(other(), http.StatusNoContent)
		})
	})
	t.Run("nobody is refused because of others", func(t *testing.T) {
		onEveryStoreScene(t, func(s *scene) {
			s.mailsOn()
			s.succeeds(s.bob.sends("PATCH", shared.PathProfile, address), http.StatusNoContent)
			for range 4 {
				s.succeeds(s.bob.sends("POST", shared.PathVerification, nil), http.StatusNoContent)
			}
			s.refusesAs(429, shared.CodeTooManyAttempts, "", s.bob.finishes(shared.PathVerification, nil))
			s.succeeds(s.ann.sends("PATCH", shared.PathProfile, `{"email":"Ann@Example.com"}`), http.StatusNoContent)
			s.succeeds(s.ann.sends("POST", shared.PathVerification, nil), http.StatusNoContent)
			s.promotes(s.ann)
			s.succeeds(s.ann.sends("PATCH", shared.PathUser+s.record(s.bob).ID, `{"email":"bob@example.com"}`), 200)
			if got := s.queued(); len(got) != 8 {
				s.Errorf("%d mails wait", len(got))
			}
		})
	})
	t.Run("without a mail server nobody is asked", func(t *testing.T) {
		onEveryStoreScene(t, func(s *scene) {
			s.succeeds(s.ann.sends("PATCH", shared.PathProfile, address), http.StatusNoContent)
			s.refusesAs(403, shared.CodeMailOff, "", s.ann.finishes(shared.PathVerification, nil))
			if account := into[shared.Account](s.ann, s.ann.sends("GET", shared.PathAccount, nil), 200); account.MailOn {
				s.Error("the account says that mails are sent")
			}
		})
	})
	t.Run("an address from before is asked for at the next sign-in, once", func(t *testing.T) {
		onEveryStoreScene(t, func(s *scene) {
			s.succeeds(s.ann.sends("PATCH", shared.PathProfile, address), http.StatusNoContent)
			s.mailsOn()
			s.ann.signsInWithPassword()
			s.ann.signsInWithPassword()
			if got := s.queued(); len(got) != 1 || got[0] != "email_verification" {
				s.Errorf("the queue has %q", got)
			}
		})
	})
}

// toEnrol is the token of a copy of the mail that invites a user.
func (s *scene) toEnrol(v *visitor) string {
	s.Helper()
	user := s.record(v)
	token, _, err := s.accounts.InvitationToken(s.Context(), user.ID, user.Email)
	if err != nil {
		s.Fatal(err)
	}
	s.secret("token of an invitation", token)
	return shared.PageEnrol + "?token=" + url.QueryEscape(token)
}

func TestMailedInvitation(t *testing.T) {
	carlAt := shared.Invite{Name: "carl", Email: "carl@example.com", Mail: true}
	begins := func(s *scene) *visitor {
		s.mailsOn()
		s.promotes(s.ann)
		invited := into[shared.Invited](s.ann, s.ann.sends("POST", shared.PathUsers, carlAt), 201)
		if link := invited.Link; link.URL != "" || link.MailedTo != "carl@example.com" || link.Expires.IsZero() || invited.User.LinkUntil == nil {
			s.Errorf("the link is %+v, until %v", link, invited.User.LinkUntil)
		}
		if got := s.queued(); len(got) != 1 || got[0] != "invitation" {
			s.Errorf("the queue has %q", got)
		}
		carl := s.visitor()
		carl.name = "carl"
		return carl
	}
	t.Run("using it verifies the address, and all its copies work once together", func(t *testing.T) {
		onEveryStoreScene(t, func(s *scene) {
			carl := begins(s)
			first, second := s.toEnrol(carl), s.toEnrol(carl)
			other := s.visitor()
			carl.opensLink(first)
			other.opensLink(second)
			if s.record(carl).EmailVerified {
				t.Error("opening it verifies the address")
			}
			begins := func(v *visitor) shared.Ceremony {
				return into[shared.Ceremony](v, v.sends("POST", shared.PathEnrolBegin, nil), 200)
			}
			his, theirs := begins(carl), begins(other)
			a, b := both(func() answer { return carl.finishesEnrolment(his, "") }, func() answer { return other.finishesEnrolment(theirs, "") })
			s.oneOf(a, b, 201, 404)
			if user := s.record(carl); !user.EmailVerified || s.events(carl)[shared.EventEmailVerified] != 1 || len(user.Passkeys) != 1 {
				t.Errorf("the user is %+v", user)
			}
			s.isDead(first, carl, other)
			s.isDead(second)
		})
	})
	t.Run("one that was shown verifies nothing, and ends one by mail", func(t *testing.T) {
		onEveryStoreScene(t, func(s *scene) {
			carl := begins(s)
			mailed := s.toEnrol(carl)
			again := shared.PathUser + s.record(carl).ID + shared.PathInvitation
			shown := s.watches(into[shared.EnrolmentLink](s.ann, s.ann.sends("POST", again, nil), 200))
			s.isDead(mailed)
			if _, _, err := s.accounts.InvitationToken(t.Context(), s.record(carl).ID, "carl@example.com"); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("a mail that isn't needed any more is sent: %v", err)
			}
			carl.opensLink(shown)
			s.succeeds(carl.enrols(""), 201)
			if s.record(carl).EmailVerified {
				t.Error("the address is verified")
			}
		})
	})
	t.Run("one that went to a mistyped address ends when that is corrected, and isn't sent any more", func(t *testing.T) {
		onEveryStoreScene(t, func(s *scene) {
			carl := begins(s)
			before := s.record(carl)
			mailed, opened := s.toEnrol(carl), s.visitor()
			opened.opensLink(mailed)
			corrects := func(address string) shared.Member {
				return into[shared.Member](s.ann, s.ann.sends("PATCH", shared.PathUser+before.ID, shared.ChangeMember{Email: &address}), 200)
			}
			if corrected := corrects("carl.miller@example.com"); corrected.LinkUntil != nil {
				t.Errorf("a link works until %v", corrected.LinkUntil)
			}
			s.isDead(mailed, opened)
			for _, address := range []string{before.Email, "carl.miller@example.com"} {
				if _, _, err := s.accounts.InvitationToken(t.Context(), before.ID, address); !errors.Is(err, store.ErrNotFound) {
					t.Errorf("an invitation to %s is sent: %v", address, err)
				}
			}
			if user := s.record(carl); user.EmailVerified || len(user.Passkeys) > 0 {
				t.Errorf("the user is %+v", user)
			}
			corrects("")
			s.isDead(mailed)

			again := into[shared.EnrolmentLink](s.ann, s.ann.sends("POST", shared.PathUser+before.ID+shared.PathInvitation, nil), 200)
			corrects("carl@example.org") // a link that was shown goes to no address
			carl.opensLink(s.watches(again))
			s.succeeds(carl.enrols(""), 201)
		})
	})
	t.Run("in other letters it is the same address", func(t *testing.T) {
		onEveryStoreScene(t, func(s *scene) {
			carl := begins(s)
			mailed := s.toEnrol(carl)
			s.succeeds(s.ann.sends("PATCH", shared.PathUser+s.record(carl).ID, `{"email":"Carl@example.com"}`), 200)
			carl.opensLink(mailed)
			s.succeeds(carl.enrols(""), 201)
			if !s.record(carl).EmailVerified {
				t.Error("the address isn't verified")
			}
		})
	})
	t.Run("one that was withdrawn isn't sent", func(t *testing.T) {
		onEveryStoreScene(t, func(s *scene) {
			carl := begins(s)
			path, id := shared.PathUser+s.record(carl).ID, s.record(carl).ID
			link := into[shared.EnrolmentLink](s.ann, s.ann.sends("POST", path+shared.PathInvitation, shared.InviteAgain{Mail: true}), 200)
			if link.MailedTo != "carl@example.com" {
				t.Errorf("got %+v", link)
			}
			mailed := s.toEnrol(carl)
			s.succeeds(s.ann.sends("DELETE", path+shared.PathLinks, nil), 200)
			s.isDead(mailed)
			if _, _, err := s.accounts.InvitationToken(t.Context(), id, "carl@example.com"); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("got %v", err)
			}
		})
	})
	t.Run("of many copies the last four work", func(t *testing.T) {
		onEveryStoreScene(t, func(s *scene) {
			carl := begins(s)
			var copies []string
			for range 6 {
				copies = append(copies, s.toEnrol(carl))
			}
			s.isDead(copies[1])
			carl.opensLink(copies[2])
		})
	})
	t.Run("refusals", func(t *testing.T) {
		onEveryStoreScene(t, func(s *scene) {
			s.promotes(s.ann)
			invites := func(who shared.Invite) func() answer { return s.ann.finishes(shared.PathUsers, who) }
			s.refusesAs(403, shared.CodeMailOff, "", invites(carlAt))
			s.refusesAs(403, shared.CodeMailOff, "", s.ann.finishes(shared.PathImport, shared.ImportUsers{Table: "name\ncarl\n", Mail: true}))
			s.mailsOn()
			s.refusesAs(422, shared.CodeInvalidEmail, "", invites(shared.Invite{Name: "carl", Mail: true}))
			carl := into[shared.Invited](s.ann, invites(carlAt)(), 201).User
			again := s.ann.finishes(shared.PathUser+carl.ID+shared.PathInvitation, shared.InviteAgain{Mail: true})
			for range 4 {
				s.succeeds(again(), 200)
			}
			s.refusesAs(429, shared.CodeTooManyAttempts, "", again)
			if err := s.accounts.Remove(s.Context(), it(t, s.accounts, "carl"), "carl", false); err != nil {
				t.Fatal(err)
			}
			// The mails to those who had the address before don't count for who has it now.
			s.succeeds(s.ann.finishes(shared.PathImport, shared.ImportUsers{Table: "name,email\ncarl,carl@example.com\n", Mail: true})(), 201)
		})
	})
}

// TestMailedTable invites the people of a table: those with an address by mail.
func TestMailedTable(t *testing.T) {
	onEveryStoreScene(t, func(s *scene) {
		s.mailsOn()
		s.promotes(s.ann)
		table := shared.ImportUsers{Table: "name,email\ncarl,carl@example.com\ndora,\n", Mail: true, DryRun: true}
		s.changesOnly(nil, func() { s.succeeds(s.ann.sends("POST", shared.PathImport, table), 200) })
		table.DryRun = false
		made := into[shared.ImportedUsers](s.ann, s.ann.sends("POST", shared.PathImport, table), 201)
		lines := strings.Split(made.Links, "\n")
		if !strings.HasPrefix(lines[1], "carl,carl,carl@example.com,,20") && !strings.HasPrefix(lines[1], "carl,,carl@example.com,,20") || !strings.Contains(lines[2], shared.PageEnrol) {
			t.Errorf("the links are\n%s", made.Links)
		}
		if got := s.queued(); len(got) != 1 || got[0] != "invitation" {
			t.Errorf("the queue has %q", got)
		}
	})
}

// mailClaims are about the links of mails.
var mailClaims = []claim{
	{"a link that verifies an address works once, for that address, until it expires", func(s *scene) {
		s.mailsOn()
		s.succeeds(s.ann.sends("PATCH", shared.PathProfile, `{"email":"ann@example.com"}`), http.StatusNoContent)
		change := func(do func(*store.User)) {
			s.Helper()
			user := s.record(s.ann)
			do(&user)
			if err := s.store.Apply(s.Context(), store.Batch{store.PutUser{User: user}}); err != nil {
				s.Fatal(err)
			}
		}
		token := s.toVerify(s.ann, "one")
		gone := func(token string) {
			s.Helper()
			s.refusesForm(404, "This link was used already, or is too old.", func() answer { return s.visitor().follows(shared.PageVerify, token) })
		}
		change(func(user *store.User) { user.Email = "anna@example.com" })
		gone(token)
		change(func(user *store.User) { user.Email, user.Disabled = "ann@example.com", true })
		gone(token)
		change(func(user *store.User) { user.Disabled = false })

		for _, hostile := range hostileTokens(token) {
			gone(hostile)
		}
		s.refusesForm(404, "This link was used already", func() answer { return s.visitor().presses(shared.PageVerify) })

		first, second := s.visitor(), s.visitor()
		for _, v := range []*visitor{first, second} {
			s.changesOnly(nil, func() { s.succeeds(v.opens(shared.PageVerify, token), 200) })
		}
		a, b := both(func() answer { return first.presses(shared.PageVerify) }, func() answer { return second.presses(shared.PageVerify) })
		s.oneOf(a, b, 303, 404)
		gone(token)
		change(func(user *store.User) { user.EmailVerified = false }) // even then
		gone(token)
		gone(s.toVerify(s.ann, "one")) // a copy of the same mail

		old := s.toVerify(s.ann, "two")
		s.passes(24 * time.Hour)
		gone(old)
	}},
}

// hostileTokens are tokens that somebody made of a good one.
func hostileTokens(token string) []string {
	middle := len(token) / 2
	flipped := []byte(token)
	flipped[middle] ^= 1
	return []string{
		"x", "\x00", "../../etc/passwd", strings.Repeat("A", 100_000), "<script>alert(1)</script>",
		string(flipped), token[:middle], token + "A", token + token, "=" + token, token + "==", "enrol." + token,
	}
}

// TestMailLinksOfAnother checks that an installation opens its own links only.
func TestMailLinksOfAnother(t *testing.T) {
	onEveryStoreScene(t, func(s *scene) {
		s.mailsOn()
		s.succeeds(s.ann.sends("PATCH", shared.PathProfile, `{"email":"ann@example.com"}`), http.StatusNoContent)
		// No mail had a link yet, so there is no key, and none is made for a stranger.
		s.refusesForm(404, "This link was used already", func() answer { return s.visitor().opens(shared.PageVerify, strings.Repeat("A", 130)) })
		theirs := s.toVerify(s.ann, "one")
		other := newScene(s.T, stores["memstore"])
		other.mailsOn()
		other.succeeds(other.ann.sends("PATCH", shared.PathProfile, `{"email":"ann@example.com"}`), http.StatusNoContent)
		other.toVerify(other.ann, "one")
		other.refusesForm(404, "This link was used already", func() answer { return other.visitor().opens(shared.PageVerify, theirs) })
	})
}
