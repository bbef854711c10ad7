package server_test

import (
	"fmt"
	"image"
	"image/color"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// promotes makes a user an administrator.
func (s *scene) promotes(v *visitor) {
	s.Helper()
	user := s.record(v)
	user.Role = shared.RoleAdministrator
	if err := s.store.Apply(s.Context(), store.Batch{store.PutUser{User: user}}); err != nil {
		s.Fatal(err)
	}
}

// watches keeps a link's token secret from now on, and returns its address.
func (s *scene) watches(link shared.EnrolmentLink) string {
	s.Helper()
	at, err := url.Parse(link.URL)
	if err != nil || at.Scheme+"://"+at.Host != origin || at.Path != shared.PageEnrol {
		s.Fatalf("the link is %q (%v)", link.URL, err)
	}
	token := at.Query().Get("token")
	s.secret("enrolment token", token)
	for name, value := range s.everything() {
		if strings.Contains(value, token) {
			s.Errorf("%s holds a link's token", name)
		}
	}
	return at.RequestURI()
}

func (s *scene) invites(name string) string {
	s.Helper()
	invited := into[shared.Invited](s.ann, s.ann.sends("POST", shared.PathUsers, shared.Invite{Name: name}), 201)
	if !invited.User.Invited || invited.User.Name != name {
		s.Errorf("got %+v", invited.User)
	}
	return s.watches(invited.Link)
}

func (s *scene) recovers(v *visitor) string {
	s.Helper()
	path := shared.PathUser + s.record(v).ID + shared.PathRecoveryLink
	return s.watches(into[shared.EnrolmentLink](s.ann, s.ann.sends("POST", path, nil), 200))
}

func (s *scene) addsPhone(v *visitor) string {
	s.Helper()
	return s.watches(into[shared.EnrolmentLink](v, v.sends("POST", shared.PathPhoneLink, nil), 200))
}

// opensLink is a browser that follows a link to its page.
func (v *visitor) opensLink(at string) string {
	v.Helper()
	if a := v.sends("GET", at, nil); a.status != 303 || a.header.Get("Location") != shared.PageEnrol+"?opened" {
		v.Fatalf("opening the link: %s", a)
	}
	page := v.sends("GET", shared.PageEnrol, nil)
	if page.status != 200 {
		v.Fatalf("the page of the link: %s", page)
	}
	return string(page.body)
}

func (v *visitor) enrols(password string) answer {
	v.Helper()
	return v.finishesEnrolment(into[shared.Ceremony](v, v.sends("POST", shared.PathEnrolBegin, nil), 200), password)
}

func (v *visitor) finishesEnrolment(begun shared.Ceremony, password string) answer {
	v.Helper()
	credential, err := v.device.Create(begun.PublicKey)
	if err != nil {
		v.Fatal(err)
	}
	finish := shared.FinishEnrolment{Password: password}
	finish.FinishCeremony = shared.FinishCeremony{Ticket: begun.Ticket, Credential: credential}
	return v.sends("POST", shared.PathEnrolFinish, finish)
}

func (v *visitor) isNobody() {
	v.Helper()
	v.refused(v.sends("GET", shared.PathAccount, nil), 401, shared.CodeUnauthenticated)
}

// isDead checks that a link does nothing any more, for who opens it and for who has
// it open.
func (s *scene) isDead(at string, open ...*visitor) {
	s.Helper()
	s.changesOnly(nil, func() {
		if a := s.visitor().sends("GET", at, nil); a.status != 404 || !strings.Contains(string(a.body), "Ask for a new one.") && !strings.Contains(string(a.body), "Show a new one") {
			s.Errorf("a dead link opens: %s", a)
		}
		for _, v := range open {
			v.refused(v.sends("POST", shared.PathEnrolBegin, nil), 404, shared.CodeNotFound)
			if a := v.submits(shared.PageEnrol, url.Values{"password": {password}}); a.status != 404 {
				s.Errorf("a dead link takes a password: %s", a)
			}
		}
	})
}

func TestInvitation(t *testing.T) {
	t.Run("a passkey alone", func(t *testing.T) {
		onEveryStoreScene(t, func(s *scene) {
			s.promotes(s.ann)
			at := s.invites("carl")
			carl := s.visitor()
			carl.name = "carl"
			if page := carl.opensLink(at); !strings.Contains(page, "Welcome, carl") || strings.Contains(page, "token=") {
				t.Errorf("the page is\n%s", page)
			}
			into[shared.Passkey](carl, carl.enrols(""), 201)
			carl.isNobody() // a link is no session
			into[shared.SignedIn](carl, carl.signsInWithPasskey(), 200)
			if user := s.record(carl); !user.FirstPasskey.Equal(user.Passkeys[0].Created) || user.InvitedBy != s.record(s.ann).ID {
				t.Errorf("the dates are of %+v", user)
			}
			details := into[shared.MemberDetails](s.ann, s.ann.sends("GET", shared.PathUser+s.record(carl).ID, nil), 200)
			if details.InvitedBy != "ANN" || details.FirstPasskey.IsZero() || details.InvitedAt.IsZero() || !details.PasswordSet.IsZero() {
				t.Errorf("the page of the user has %+v", details)
			}
			if user := s.record(carl); user.Password != "" || len(user.Passkeys) != 1 || user.IsAdministrator() {
				t.Errorf("got %+v", user)
			}
			if n := s.events(carl); n[shared.EventAccountCreated] != 1 || n[shared.EventLinkUsed] != 1 || n[shared.EventPasskeyAdded] != 1 {
				t.Errorf("events: %v", n)
			}
			s.isDead(at, carl)
		})
	})
	t.Run("and a password too", func(t *testing.T) {
		onEveryStoreScene(t, func(s *scene) {
			s.promotes(s.ann)
			carl := s.visitor()
			carl.name = "carl"
			carl.opensLink(s.invites("carl"))
			s.changesOnly(nil, func() { carl.refused(carl.enrols("short"), 422, shared.CodeInvalidPassword) })
			carl.device = s.visitor().device
			into[shared.Passkey](carl, carl.enrols(password), 201)
			carl.signsInWithPassword()
			into[shared.SignedIn](carl, carl.signsInWithPasskey(), 200)
		})
	})
	t.Run("or a password alone, without a script", func(t *testing.T) {
		onEveryStoreScene(t, func(s *scene) {
			s.promotes(s.ann)
			at := s.invites("carl")
			carl := s.visitor()
			carl.name = "carl"
			carl.opensLink(at)
			for _, weak := range []string{"", "short"} {
				if a := carl.submits(shared.PageEnrol, url.Values{"password": {weak}}); a.status != 422 || !strings.Contains(string(a.body), "too short") {
					t.Errorf("%q: %s", weak, a)
				}
			}
			if a := carl.submits(shared.PageEnrol, url.Values{"password": {password}}); a.status != 303 || a.header.Get("Location") != shared.PageEnrolled+"?password" {
				t.Errorf("got %s", a)
			}
			if page := carl.sends("GET", shared.PageEnrolled, nil); page.status != 200 || !strings.Contains(string(page.body), shared.PageSignIn) {
				t.Errorf("got %s", page)
			}
			carl.isNobody()
			carl.signsInWithPassword()
			s.isDead(at, carl)
		})
	})
	t.Run("a new link takes the place of the old, until the user has a sign-in method", func(t *testing.T) {
		onEveryStoreScene(t, func(s *scene) {
			s.promotes(s.ann)
			old := s.invites("carl")
			carl := s.visitor()
			carl.name = "carl"
			carl.opensLink(old)
			path := shared.PathUser + s.record(carl).ID + shared.PathInvitation
			fresh := s.watches(into[shared.EnrolmentLink](s.ann, s.ann.sends("POST", path, nil), 200))
			s.isDead(old, carl)
			if err := s.accounts.SetPassword(t.Context(), it(t, s.accounts, "carl"), password); err != nil {
				t.Fatal(err)
			}
			s.isDead(fresh)
			s.ann.refused(s.ann.sends("POST", path, nil), 409, shared.CodeConflict)
		})
	})
	t.Run("names are somebody's or nobody's", func(t *testing.T) {
		onEveryStoreScene(t, func(s *scene) {
			s.promotes(s.ann)
			s.changesOnly(nil, func() {
				s.ann.refused(s.ann.sends("POST", shared.PathUsers, shared.Invite{Name: "Bob"}), 409, shared.CodeNameTaken)
				s.ann.refused(s.ann.sends("POST", shared.PathUsers, shared.Invite{Name: "no blanks"}), 422, shared.CodeInvalidName)
				s.ann.refused(s.ann.sends("POST", shared.PathUsers, shared.Invite{Name: "carl", DisplayName: "right\u202eleft"}), 422, shared.CodeInvalidName)
			})
		})
	})
}

func TestRecoveryLink(t *testing.T) {
	onEveryStoreScene(t, func(s *scene) {
		s.promotes(s.ann)
		s.passes(time.Second)
		at := s.recovers(s.bob)
		activity := into[shared.Activity](s.bob, s.bob.sends("GET", shared.PathActivity, nil), 200)
		if event := activity.Events[0]; event.Kind != shared.EventRecoveryLinkMade || event.By != "ANN" {
			t.Errorf("the activity begins with %+v", event)
		}

		other := s.visitor()
		other.name = "bob"
		other.opensLink(at)
		into[shared.Passkey](other, other.enrols(""), 201)
		other.isNobody()
		s.bob.isNobody() // whoever has the lost device
		s.isDead(at, other)
		into[shared.SignedIn](other, other.signsInWithPasskey(), 200)
		other.signsInWithPassword() // the old one stays
		if list := other.lists(); len(list.Passkeys) != 2 {
			t.Errorf("got %+v", list)
		}

		fresh := "another battery horse"
		again := s.visitor()
		again.opensLink(s.recovers(s.bob))
		if a := again.submits(shared.PageEnrol, url.Values{"password": {fresh}}); a.status != 303 {
			t.Errorf("got %s", a)
		}
		other.isNobody()
		into[shared.SignedIn](again, again.sends("POST", shared.PathSignInPassword, shared.PasswordSignIn{Name: "bob", Password: fresh}), 200)
		into[shared.Account](s.ann, s.ann.sends("GET", shared.PathAccount, nil), 200) // others' sessions stay
	})
}

func TestPhoneLink(t *testing.T) {
	onEveryStoreScene(t, func(s *scene) {
		at := s.addsPhone(s.bob)
		phone := s.visitor()
		if page := phone.opensLink(at); strings.Contains(page, `type="password"`) {
			t.Errorf("it offers a password:\n%s", page)
		}
		s.changesOnly(nil, func() {
			phone.refused(phone.enrols(password), 400, shared.CodeInvalidRequest)
			if a := phone.submits(shared.PageEnrol, url.Values{"password": {password}}); a.status != 400 {
				t.Errorf("got %s", a)
			}
		})
		phone.device = s.visitor().device
		into[shared.Passkey](phone, phone.enrols(""), 201)
		phone.isNobody()
		if list := s.bob.lists(); len(list.Passkeys) != 2 { // his session goes on
			t.Errorf("got %+v", list)
		}
		s.isDead(at, phone)
		into[shared.SignedIn](phone, phone.signsInWithPasskey(), 200)

		s.passes(11 * time.Minute)
		s.bob.refused(s.bob.sends("POST", shared.PathPhoneLink, nil), 403, shared.CodeConfirmRequired)
		nobody := s.visitor()
		nobody.refused(nobody.sends("POST", shared.PathPhoneLink, nil), 401, shared.CodeUnauthenticated)
	})
}

// TestPhoneLinkOfAThief lets a thief of the user's session make a link with it. Whatever
// ends the thief's session ends the link too.
func TestPhoneLinkOfAThief(t *testing.T) {
	for name, putsOut := range map[string]func(*scene, *visitor){
		"another password": func(s *scene, bob *visitor) {
			s.succeeds(bob.finishes(shared.PathPassword, shared.ChangePassword{Password: "another long password"})(), 204)
		},
		"signing out elsewhere": func(s *scene, bob *visitor) {
			into[shared.SessionList](bob, bob.sends("POST", shared.PathEndOthers, nil), 200)
		},
		"ending the thief's session": func(s *scene, bob *visitor) {
			for _, session := range into[shared.SessionList](bob, bob.sends("GET", shared.PathSessions, nil), 200).Sessions {
				if !session.Current {
					into[shared.SessionList](bob, bob.sends("DELETE", shared.PathSession+session.ID, nil), 200)
				}
			}
		},
		"a password of IT's": func(s *scene, bob *visitor) {
			if err := s.accounts.SetPassword(s.Context(), it(s, s.accounts, "bob"), "another long password"); err != nil {
				s.Fatal(err)
			}
		},
		"a recovery link, used": func(s *scene, bob *visitor) {
			s.promotes(s.ann)
			fresh := s.visitor()
			fresh.opensLink(s.recovers(bob))
			if a := fresh.submits(shared.PageEnrol, url.Values{"password": {"another long password"}}); a.status != 303 {
				s.Errorf("got %s", a)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			onEveryStoreScene(t, func(s *scene) {
				thief := s.visitor()
				thief.name = "bob"
				thief.signsInWithPassword()
				at := s.addsPhone(thief)
				phone := s.visitor()
				phone.opensLink(at)
				begun := into[shared.Ceremony](phone, phone.sends("POST", shared.PathEnrolBegin, nil), 200)

				putsOut(s, s.bob)
				s.isDead(at, phone)
				phone.refused(phone.finishesEnrolment(begun, ""), 404, shared.CodeNotFound)
			})
		})
	}
}

// links are one of each kind, and how long it lives.
var links = map[string]struct {
	make func(*scene) string
	life time.Duration
}{
	"invitation":    {func(s *scene) string { return s.invites("carl") }, 7 * 24 * time.Hour},
	"recovery link": {func(s *scene) string { return s.recovers(s.bob) }, 30 * time.Minute},
	"phone link":    {func(s *scene) string { return s.addsPhone(s.ann) }, 5 * time.Minute},
}

func TestEnrolmentLinks(t *testing.T) {
	each := func(t *testing.T, test func(s *scene, at string, life time.Duration)) {
		for name, link := range links {
			t.Run(name, func(t *testing.T) {
				onEveryStoreScene(t, func(s *scene) {
					s.promotes(s.ann)
					test(s, link.make(s), link.life)
				})
			})
		}
	}
	t.Run("of two uses of a link at the same moment, one succeeds", func(t *testing.T) {
		each(t, func(s *scene, at string, _ time.Duration) {
			one, other := s.visitor(), s.visitor()
			one.opensLink(at)
			other.opensLink(at) // looking uses nothing up
			begun, begunToo := s.begins(one, shared.PathEnrolBegin, nil), s.begins(other, shared.PathEnrolBegin, nil)
			a, b := both(func() answer { return one.finishesEnrolment(begun, "") }, func() answer { return other.finishesEnrolment(begunToo, "") })
			s.oneOf(a, b, 201, 404)
		})
	})
	t.Run("a link expires in an open page too", func(t *testing.T) {
		each(t, func(s *scene, at string, life time.Duration) {
			open := s.visitor()
			open.opensLink(at)
			begun := into[shared.Ceremony](open, open.sends("POST", shared.PathEnrolBegin, nil), 200)
			s.passes(life - time.Second)
			s.visitor().opensLink(at)
			s.passes(time.Second)
			s.isDead(at, open)
			s.refusesAs(404, shared.CodeNotFound, "no such link", func() answer { return open.finishesEnrolment(begun, "") })
		})
	})
	t.Run("a disabled user's is dead, and stays so when they are enabled", func(t *testing.T) {
		each(t, func(s *scene, at string, _ time.Duration) {
			open := s.visitor()
			open.opensLink(at)
			begun := into[shared.Ceremony](open, open.sends("POST", shared.PathEnrolBegin, nil), 200)
			users, _, err := s.accounts.List(s.Context(), account.ListQuery{})
			if err != nil {
				s.Fatal(err)
			}
			for _, user := range users {
				if err := s.accounts.DisableEvenTheLast(s.Context(), it(s, s.accounts, user.Name)); err != nil {
					s.Fatal(err)
				}
			}
			s.isDead(at, open)
			s.refusesAs(404, shared.CodeNotFound, "no such link", func() answer { return open.finishesEnrolment(begun, "") })
			for _, user := range users {
				if err := s.accounts.Enable(s.Context(), it(s, s.accounts, user.Name)); err != nil {
					s.Fatal(err)
				}
			}
			s.isDead(at, open)
		})
	})
	t.Run("a ceremony that a link begins belongs to it", func(t *testing.T) {
		each(t, func(s *scene, at string, _ time.Duration) {
			open := s.visitor()
			open.opensLink(at)
			begun := into[shared.Ceremony](open, open.sends("POST", shared.PathEnrolBegin, nil), 200)

			// A ticket of another link, or of a session, is another browser's.
			attacker := s.visitor()
			attacker.opensLink(s.addsPhone(s.bob))
			s.refuses("another browser", func() answer { return attacker.finishesEnrolment(begun, "") })
			s.refuses("another browser", func() answer { return open.finishesEnrolment(s.beginsAdding(s.ann), "") })
			s.refuses("another browser", func() answer {
				return s.ann.sends("POST", shared.PathRegisterFinish, shared.FinishRegistration{FinishCeremony: s.made(begun)})
			})
			// A sign-in's is for something else, and a lying device is found out.
			s.refuses("ticket is for", func() answer {
				truth := s.made(begun)
				truth.Ticket = s.beginsSignIn(open).Ticket
				return open.sends("POST", shared.PathEnrolFinish, truth)
			})
			into[shared.Passkey](open, open.finishesEnrolment(begun, ""), 201)
		})
	})
	t.Run("a made-up one is none", func(t *testing.T) {
		onEveryStoreScene(t, func(s *scene) {
			s.promotes(s.ann)
			s.invites("carl")
			at := s.recovers(s.bob)
			token := strings.TrimPrefix(at, shared.PageEnrol+"?token=")
			parts := strings.Split(token, ".")
			annsID := s.record(s.ann).ID
			for _, made := range []string{
				token + "x", token[:len(token)-1], parts[0] + "." + annsID + "." + parts[2], "invitation." + parts[1] + "." + parts[2],
				"phone_link." + parts[1] + "." + parts[2], "setup." + parts[1] + "." + parts[2], parts[0], "..", "%00", "recovery_link.%00%ff.x",
				"recovery_link." + strings.Repeat("a", 20_000) + ".x", "recovery_link." + parts[1] + "%00." + parts[2], strings.ToUpper(token),
			} {
				s.changesOnly(nil, func() {
					v := s.visitor()
					if a := v.sends("GET", shared.PageEnrol+"?token="+made, nil); a.status != 404 {
						t.Errorf("%.60s: %s", made, a)
					}
					v.refused(v.sends("POST", shared.PathEnrolBegin, nil, func(r *http.Request) {
						r.AddCookie(&http.Cookie{Name: "keypeg-enrol", Value: strings.ReplaceAll(made, "%", "")})
					}), 404, shared.CodeNotFound)
				})
			}
			s.visitor().opensLink(at)
		})
	})
	t.Run("while passkeys are off, a password can be chosen", func(t *testing.T) {
		s := newScene(t, stores["memstore"])
		s.promotes(s.ann)
		at := s.invites("carl")
		s.changesRules(func(c *account.Config) { c.Policy.PasskeysOff = true })
		carl := s.visitor()
		carl.name = "carl"
		if page := carl.opensLink(at); strings.Contains(page, "use-passkey") {
			t.Errorf("it offers a passkey:\n%s", page)
		}
		carl.refused(carl.sends("POST", shared.PathEnrolBegin, nil), 403, shared.CodePasskeysOff)
		if a := carl.submits(shared.PageEnrol, url.Values{"password": {password}}); a.status != 303 {
			t.Errorf("got %s", a)
		}
		carl.signsInWithPassword()
	})
}

func TestAdministrators(t *testing.T) {
	t.Run("others may not", func(t *testing.T) {
		onEveryStoreScene(t, func(s *scene) {
			id := s.record(s.ann).ID
			for path, send := range map[string]func(v *visitor) answer{
				"list":     func(v *visitor) answer { return v.sends("GET", shared.PathUsers, nil) },
				"invite":   func(v *visitor) answer { return v.sends("POST", shared.PathUsers, shared.Invite{Name: "carl"}) },
				"again":    func(v *visitor) answer { return v.sends("POST", shared.PathUser+id+shared.PathInvitation, nil) },
				"recover":  func(v *visitor) answer { return v.sends("POST", shared.PathUser+id+shared.PathRecoveryLink, nil) },
				"withdraw": func(v *visitor) answer { return v.sends("DELETE", shared.PathUser+id+shared.PathLinks, nil) },
				"disable": func(v *visitor) answer {
					return v.sends("PATCH", shared.PathUser+id, shared.ChangeMember{Disabled: new(true)})
				},
			} {
				t.Run(path, func(*testing.T) {
					s.refusesAs(403, shared.CodeNotAllowed, "", func() answer { return send(s.bob) })
					s.refusesAs(401, shared.CodeUnauthenticated, "", func() answer { return send(s.visitor()) })
				})
			}
			s.promotes(s.ann)
			s.passes(11 * time.Minute)
			for _, path := range []string{shared.PathUsers, shared.PathUser + id + shared.PathInvitation, shared.PathUser + id + shared.PathRecoveryLink} {
				s.refusesAs(403, shared.CodeConfirmRequired, "", func() answer { return s.ann.sends("POST", path, shared.Invite{Name: "carl"}) })
			}
		})
	})
	t.Run("withdraw a link, which shows until then", func(t *testing.T) {
		onEveryStoreScene(t, func(s *scene) {
			s.promotes(s.ann)
			member := func(name string) shared.Member {
				return into[shared.Members](s.ann, s.ann.sends("GET", shared.PathUsers+"?find="+name, nil), 200).Users[0]
			}
			recovery, invitation := s.recovers(s.bob), s.invites("carl")
			for _, name := range []string{"bob", "carl"} {
				open := member(name)
				if open.LinkUntil == nil || !open.LinkUntil.After(s.now()) {
					t.Errorf("the link of %s isn't shown: %+v", name, open)
				}
				s.passes(11 * time.Minute) // and needs no confirmation
				if closed := into[shared.Member](s.ann, s.ann.sends("DELETE", shared.PathUser+open.ID+shared.PathLinks, nil), 200); closed.LinkUntil != nil {
					t.Errorf("withdrawn, but shown: %+v", closed)
				}
				again := into[shared.Member](s.ann, s.ann.sends("DELETE", shared.PathUser+open.ID+shared.PathLinks, nil), 200)
				if again.LinkUntil != nil || member(name).LinkUntil != nil {
					t.Errorf("withdrawn twice: %+v", again)
				}
			}
			for _, dead := range []string{recovery, invitation} {
				if a := s.visitor().sends("GET", dead, nil); a.status != 404 {
					t.Errorf("a withdrawn link opens: %s", a)
				}
			}
			if account := into[shared.Account](s.bob, s.bob.sends("GET", shared.PathAccount, nil), 200); account.RecoveryLinkUntil != nil {
				t.Errorf("bob still reads of it: %+v", account)
			}
			if e := into[shared.Activity](s.bob, s.bob.sends("GET", shared.PathActivity, nil), 200).Events[0]; e.Kind != shared.EventLinkWithdrawn || e.By != "ANN" {
				t.Errorf("his activity tells %+v", e)
			}
			into[shared.Confirmed](s.ann, s.ann.sends("POST", shared.PathConfirmPassword, shared.PasswordConfirmation{Password: password}), 200)
			s.visitor().opensLink(s.recovers(s.bob)) // a new one works
		})
	})
	t.Run("disable and enable, but not themselves", func(t *testing.T) {
		onEveryStoreScene(t, func(s *scene) {
			s.promotes(s.ann)
			bob, ann := shared.PathUser+s.record(s.bob).ID, shared.PathUser+s.record(s.ann).ID
			out := into[shared.Member](s.ann, s.ann.sends("PATCH", bob, shared.ChangeMember{Disabled: new(true)}), 200)
			if !out.Disabled || out.Name != "bob" {
				t.Errorf("got %+v", out)
			}
			s.bob.isNobody()
			s.ann.refused(s.ann.sends("POST", bob+shared.PathRecoveryLink, nil), 409, shared.CodeConflict)
			s.passes(time.Second)
			into[shared.Member](s.ann, s.ann.sends("PATCH", bob, shared.ChangeMember{Disabled: new(false)}), 200)
			s.passes(time.Second)
			s.bob.signsInWithPassword()
			if activity := into[shared.Activity](s.bob, s.bob.sends("GET", shared.PathActivity, nil), 200); activity.Events[1].Kind != shared.EventEnabled || activity.Events[1].By != "ANN" {
				t.Errorf("got %+v", activity.Events[1])
			}
			s.refusesAs(409, shared.CodeConflict, "", func() answer { return s.ann.sends("PATCH", ann, shared.ChangeMember{Disabled: new(true)}) })
			for _, nobody := range []string{"0", strings.Repeat("0", 32), "%00", "../users"} {
				s.ann.refused(s.ann.sends("PATCH", shared.PathUser+url.PathEscape(nobody), shared.ChangeMember{}), 404, shared.CodeNotFound)
			}
		})
	})
	t.Run("find users by the beginnings of words, by state, and by their last sign-in", func(t *testing.T) {
		onEveryStoreScene(t, func(s *scene) {
			s.promotes(s.ann)
			var all []string
			for i := range 120 {
				name := fmt.Sprintf("carl-%03d", i)
				if _, _, err := s.accounts.Invite(t.Context(), session.Actor{}, shared.Invite{Name: name}); err != nil {
					t.Fatal(err)
				}
				all = append(all, name)
			}
			names := func(query string) (names []string, pages int) {
				for next := ""; pages == 0 || next != ""; pages++ {
					page := into[shared.Members](s.ann, s.ann.sends("GET", shared.PathUsers+"?"+query+"&after="+url.QueryEscape(next), nil), 200)
					next = page.Next
					for _, u := range page.Users {
						names = append(names, u.Name)
					}
				}
				return names, pages
			}
			if got, pages := names(""); !slices.Equal(got, append([]string{"ann", "bob"}, all...)) || pages != 3 {
				t.Errorf("%d pages: %v", pages, got)
			}
			if got, _ := names("find=CARL-0"); !slices.Equal(got, all[:100]) {
				t.Errorf("CARL-0: %v", got)
			}
			for find, want := range map[string]string{"bob": "[bob]", "carl-007": "[carl-007]", "zoe": "[]", "no+blanks": "[]", "b": "[bob]", "%25": "[]", "ann&in=administrators": "[ann]", "ann&in=invited": "[]"} {
				if got, _ := names("find=" + find); fmt.Sprint(got) != want {
					t.Errorf("%s: %v", find, got)
				}
			}
			if got, _ := names("in=invited"); !slices.Equal(got, all) {
				t.Errorf("invited: %v", got)
			}
			for _, who := range []*visitor{s.ann, s.bob, s.ann} {
				s.passes(time.Second)
				who.signsInWithPassword()
			}
			if got, _ := names("sort=last-sign-in"); fmt.Sprint(got) != "[ann bob]" {
				t.Errorf("by their last sign-in: %v", got)
			}
			page := into[shared.Members](s.ann, s.ann.sends("GET", shared.PathUsers, nil), 200)
			if c := page.Counts; c.All != 122 || c.Invited != 120 || c.Administrators != 1 || c.WithPasskey != 2 || c.OneDevice != 2 {
				t.Errorf("counts: %+v", c)
			}
		})
	})
}

// TestQR reads a QR code as it is drawn.
func TestQR(t *testing.T) {
	s := newScene(t, stores["memstore"])
	link := into[shared.EnrolmentLink](s.ann, s.ann.sends("POST", shared.PathPhoneLink, nil), 200)
	const module, quiet = 4, 4
	picture := image.NewGray(image.Rect(0, 0, (link.QR.Size+2*quiet)*module, (link.QR.Size+2*quiet)*module))
	for i := range picture.Pix {
		picture.Pix[i] = 255
	}
	runs := regexp.MustCompile(`M(\d+) (\d+)h(\d+)v1h-(\d+)z`)
	if rest := runs.ReplaceAllString(link.QR.Path, ""); rest != "" {
		t.Fatalf("the path has more than runs: %q", rest)
	}
	for _, run := range runs.FindAllStringSubmatch(link.QR.Path, -1) {
		var n [3]int
		for i := range n {
			n[i], _ = strconv.Atoi(run[i+1])
		}
		for x := range n[2] * module {
			for y := range module {
				picture.SetGray((n[0]+quiet)*module+x, (n[1]+quiet)*module+y, color.Gray{})
			}
		}
	}
	bitmap, err := gozxing.NewBinaryBitmapFromImage(picture)
	if err != nil {
		t.Fatal(err)
	}
	read, err := qrcode.NewQRCodeReader().Decode(bitmap, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_PURE_BARCODE: true})
	if err != nil || read.GetText() != link.URL {
		t.Errorf("it reads %v (%v), want %s", read, err, link.URL)
	}
}
