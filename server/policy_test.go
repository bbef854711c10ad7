package server_test

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/policy"
	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// takesPasswords restarts with a policy of passwords.
func (s *site) takesPasswords(p policy.Passwords) {
	s.Helper()
	s.changesRules(func(c *account.Config) { c.Policy.Passwords = p })
}

func (s *scene) account(v *visitor) shared.Account {
	s.Helper()
	return into[shared.Account](v, v.sends("GET", shared.PathAccount, nil), 200)
}

func TestPasswordsOff(t *testing.T) {
	onEveryStoreScene(t, func(s *scene) {
		s.promotes(s.ann)
		codes := s.makesCodes(s.bob)
		s.takesPasswords(policy.PasswordsOff)

		s.Run("nobody signs in with one, whoever they are", func(t *testing.T) {
			for _, name := range []string{"ann", "bob", "nobody"} {
				s.changesOnly(nil, func() {
					v := s.visitor()
					v.refused(v.sends("POST", shared.PathSignInPassword, shared.PasswordSignIn{Name: name, Password: password}), 403, shared.CodePasswordsOff)
					form := v.submits(shared.PageSignIn, url.Values{"name": {name}, "password": {password}})
					if form.status != 403 || !strings.Contains(string(form.body), "Nobody signs in with a password here.") {
						t.Errorf("the form: %s", form)
					}
					v.isNobody()
				})
			}
		})
		s.Run("the sign-in page has none", func(t *testing.T) {
			page := string(s.visitor().sends("GET", shared.PageSignIn, nil).body)
			if strings.Contains(page, `type="password"`) || !strings.Contains(page, "use-passkey") || !strings.Contains(page, "You sign in with a passkey here") {
				t.Errorf("the page is\n%s", page)
			}
		})
		s.Run("a passkey works, and a recovery code", func(t *testing.T) {
			into[shared.SignedIn](s.ann, s.ann.signsInWithPasskey(), 200)
			into[shared.SignedIn](s.bob, s.bob.sends("POST", shared.PathSignInRecovery, shared.RecoverySignIn{Name: "bob", Code: codes[0]}), 200)
			into[shared.SignedIn](s.bob, s.bob.signsInWithPasskey(), 200)
		})
		s.Run("a password that is set counts for nothing", func(t *testing.T) {
			if a := s.account(s.bob); a.HasPassword {
				t.Errorf("the account says that he has one: %+v", a)
			}
			list := s.bob.lists()
			if list.HasPassword || !list.Passkeys[0].OnlyMethod {
				t.Errorf("the list: %+v", list)
			}
			s.changesOnly(nil, func() {
				s.bob.refused(s.bob.sends("DELETE", shared.PathPasskey+list.Passkeys[0].ID, nil), 409, shared.CodeLastMethod)
				s.bob.refused(s.bob.sends("POST", shared.PathConfirmPassword, shared.PasswordConfirmation{Password: password}), 403, shared.CodePasswordsOff)
			})
		})
		s.Run("nobody gets one", func(t *testing.T) {
			carl := s.visitor()
			carl.name = "carl"
			at := s.invites("carl")
			page := carl.opensLink(at)
			if strings.Contains(page, `type="password"`) || !strings.Contains(page, "Create a passkey to sign in as carl.") {
				t.Errorf("the page of the invitation is\n%s", page)
			}
			s.changesOnly(nil, func() {
				s.bob.refused(s.bob.sends("POST", shared.PathPassword, shared.ChangePassword{Password: "another battery staple"}), 403, shared.CodePasswordsOff)
				carl.refused(carl.enrols(password), 403, shared.CodePasswordsOff)
				if a := carl.submits(shared.PageEnrol, url.Values{"password": {password}}); a.status != 403 {
					t.Errorf("the form of the invitation: %s", a)
				}
				_, err := s.accounts.AddUser(t.Context(), session.Actor{}, account.NewUser{Name: "dora", DisplayName: "Dora", Password: password})
				if shared.CodeOf(err) != shared.CodePasswordsOff {
					t.Errorf("adding a user: %v", err)
				}
				if err := s.accounts.SetPassword(t.Context(), it(t, s.accounts, "bob"), password); shared.CodeOf(err) != shared.CodePasswordsOff {
					t.Errorf("setting one: %v", err)
				}
			})
			carl.device = s.visitor().device
			into[shared.Passkey](carl, carl.enrols(""), 201)
			into[shared.SignedIn](carl, carl.signsInWithPasskey(), 200)
		})
		s.Run("a user who has nothing but a password can be invited again", func(t *testing.T) {
			s.takesPasswords(policy.PasswordsOn)
			eve := s.user("eve")
			s.takesPasswords(policy.PasswordsOff)
			invited := into[shared.EnrolmentLink](s.ann, s.ann.sends("POST", shared.PathUser+s.record(eve).ID+shared.PathInvitation, nil), 200)
			eve.opensLink(s.watches(invited))
			into[shared.Passkey](eve, eve.enrols(""), 201)
			into[shared.SignedIn](eve, eve.signsInWithPasskey(), 200)
		})
	})
}

func TestPasswordsOfAdministrators(t *testing.T) {
	onEveryStoreScene(t, func(s *scene) {
		s.promotes(s.ann)
		s.takesPasswords(policy.PasswordsAdministrators)
		s.ann.signsInWithPassword()
		if !s.account(s.ann).HasPassword || s.account(s.bob).HasPassword {
			t.Error("the wrong ones have a password")
		}

		s.changesOnly(nil, func() {
			v := s.visitor()
			a := v.sends("POST", shared.PathSignInPassword, shared.PasswordSignIn{Name: "bob", Password: password})
			v.refused(a, 403, shared.CodePasswordsOff)
			if !strings.Contains(string(a.body), "Only administrators sign in with a password here.") {
				t.Errorf("got %s", a)
			}
			v.isNobody()
		})
		// Whoever doesn't know the password learns nothing about whose it is.
		v := s.visitor()
		v.refused(v.sends("POST", shared.PathSignInPassword, shared.PasswordSignIn{Name: "bob", Password: "a wrong password"}), 401, shared.CodeSignInRefused)
		v.refused(v.sends("POST", shared.PathSignInPassword, shared.PasswordSignIn{Name: "ann", Password: "a wrong password"}), 401, shared.CodeSignInRefused)
		if page := string(v.sends("GET", shared.PageSignIn, nil).body); !strings.Contains(page, `type="password"`) {
			t.Errorf("the page is\n%s", page)
		}

		carl := s.visitor()
		if page := carl.opensLink(s.invites("carl")); strings.Contains(page, `type="password"`) {
			t.Errorf("an invitation offers a password:\n%s", page)
		}
		invited := into[shared.Invited](s.ann, s.ann.sends("POST", shared.PathUsers, shared.Invite{Name: "dora", Role: shared.RoleAdministrator}), 201)
		if page := s.visitor().opensLink(s.watches(invited.Link)); !strings.Contains(page, `type="password"`) {
			t.Errorf("an administrator's offers none:\n%s", page)
		}
	})
}

func TestSetUpWithoutPasswords(t *testing.T) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, open, nil)
			s.takesPasswords(policy.PasswordsOff)
			link, err := s.accounts.NewSetupLink(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			ann := s.visitor()
			ann.name = "ann"
			ann.sends("GET", shared.PageSetup+"?token="+link.Token, nil)
			if page := string(ann.sends("GET", shared.PageSetup, nil).body); strings.Contains(page, `type="password"`) {
				t.Errorf("the page asks for one:\n%s", page)
			}
			if a := ann.submits(shared.PageSetup, url.Values{"name": {"no name"}, "display-name": {"Ann"}}); a.status != 422 {
				t.Errorf("a bad name: %s", a)
			}
			a := ann.submits(shared.PageSetup, url.Values{"name": {"ann"}, "display-name": {"Ann"}})
			if a.status != 303 || a.header.Get("Location") != shared.PageEnrol+"?opened" {
				t.Fatalf("got %s, to %s", a, a.header.Get("Location"))
			}
			ann.isNobody()
			if page := string(ann.sends("GET", shared.PageEnrol, nil).body); !strings.Contains(page, "Welcome, Ann") {
				t.Errorf("the page is\n%s", page)
			}
			into[shared.Passkey](ann, ann.enrols(""), 201)
			into[shared.SignedIn](ann, ann.signsInWithPasskey(), 200)
			if _, err := s.accounts.NewSetupLink(t.Context()); shared.CodeOf(err) != shared.CodeNotFound {
				t.Errorf("a second set-up: %v", err)
			}
			user, err := s.accounts.UserByName(t.Context(), "ann")
			if err != nil || !user.IsAdministrator() || user.Password != "" {
				t.Errorf("got %+v (%v)", user, err)
			}
		})
	}
}

func TestUserVerification(t *testing.T) {
	onEveryStoreScene(t, func(s *scene) {
		prefers := func(v policy.Verification) {
			s.changesRules(func(c *account.Config) { c.Policy.Verification = v })
		}
		carl := s.user("carl")
		asksFor := func(path, want string) {
			s.Helper()
			begun := into[shared.Ceremony](carl, carl.sends("POST", path, "{}"), 200)
			if o := string(begun.PublicKey); !strings.Contains(o, `"userVerification":"`+want+`"`) {
				t.Errorf("%s: %s", path, o)
			}
		}
		carl.registers("laptop")
		asksFor(shared.PathSignInBegin, "required")
		asksFor(shared.PathConfirmBegin, "required")

		// The laptop is closed: its reader can't be reached.
		carl.device.SkipsVerification = true
		prefers(policy.VerificationPreferred)
		asksFor(shared.PathRegisterBegin, "required")
		asksFor(shared.PathSignInBegin, "preferred")
		asksFor(shared.PathConfirmBegin, "preferred")
		into[shared.SignedIn](carl, carl.signsInWithPasskey(), 200)
		confirming := into[shared.Ceremony](carl, carl.sends("POST", shared.PathConfirmBegin, nil), 200)
		into[shared.Confirmed](carl, carl.sends("POST", shared.PathConfirmFinish, carl.proves(confirming)), 200)

		prefers(policy.VerificationRequired)
		begun := into[shared.Ceremony](carl, carl.sends("POST", shared.PathSignInBegin, "{}"), 200)
		begun.PublicKey = []byte(strings.Replace(string(begun.PublicKey), "required", "preferred", 1)) // by a lying page
		carl.refused(carl.sends("POST", shared.PathSignInFinish, carl.proves(begun)), 400, shared.CodeUserNotVerified)

		// One that a browser made silently never verified him, and may be unable to.
		prefers(policy.VerificationPreferred)
		user := s.record(carl)
		user.Passkeys[0].Verified = false
		if err := s.store.Apply(t.Context(), store.Batch{store.PutUser{User: user}}); err != nil {
			t.Fatal(err)
		}
		if err := s.accounts.RemovePassword(t.Context(), it(t, s.accounts, "carl")); err != nil {
			t.Error(err)
		}
		prefers(policy.VerificationRequired)
		locked, is := errors.AsType[*account.LockedOut](s.accounts.CheckPolicy(t.Context()))
		if !is || len(locked.Users) != 1 || locked.Users[0].Name != "carl" {
			t.Errorf("got %v", locked)
		}
	})
}

func TestPolicyThatLocksOut(t *testing.T) {
	onEveryStoreScene(t, func(s *scene) {
		check := func(want ...string) {
			s.Helper()
			err := s.accounts.CheckPolicy(s.Context())
			var names []string
			if locked, is := errors.AsType[*account.LockedOut](err); is {
				for _, user := range locked.Users {
					names = append(names, user.Name)
				}
			} else if err != nil {
				s.Fatal(err)
			}
			if !slices.Equal(names, want) {
				s.Errorf("locked out are %v, want %v", names, want)
			}
		}
		s.promotes(s.ann)
		s.user("carl") // has a password alone
		disabled := s.user("dora")
		s.invites("emil") // has chosen nothing yet
		if err := s.accounts.Disable(t.Context(), it(t, s.accounts, disabled.name)); err != nil {
			t.Fatal(err)
		}
		check()

		s.takesPasswords(policy.PasswordsOff)
		check("carl")
		check("carl") // until it is mended
		s.takesPasswords(policy.PasswordsAdministrators)
		check("carl")
		s.takesPasswords(policy.PasswordsOn)
		check()

		if err := s.accounts.RemovePassword(t.Context(), it(t, s.accounts, "bob")); err != nil {
			t.Fatal(err)
		}
		s.changesRules(func(c *account.Config) { c.Policy.PasskeysOff = true })
		check("bob")
		s.changesRules(func(c *account.Config) { c.Policy.PasskeysOff, c.Policy.RPID = false, "example.com" })
		foreign, is := errors.AsType[*account.ForeignPasskeys](s.accounts.CheckPolicy(s.Context()))
		if want := (account.Domain{RPID: "localhost", State: account.DomainUnknown, Passkeys: 2, Users: 2, ToMove: 2, Stranded: 1}); !is || len(foreign.Domains) != 1 || foreign.Domains[0] != want {
			s.Errorf("of another domain are %+v, want %+v", foreign, want)
		}
		into[shared.SignedIn](s.bob, s.bob.signsInWithPasskey(), 200)
		if row := s.bob.lists().Passkeys[0]; !row.OtherAddress || !row.OnlyMethod || row.Unverified {
			t.Errorf("the row of a passkey for another address: %+v", row)
		}
		s.changesRules(func(c *account.Config) { c.Policy.RPID = "localhost" })
		check()

		// A provider that was taken from the configuration lets nobody in.
		bob := s.record(s.bob)
		bob.Passkeys, bob.Identities = nil, []store.Identity{{ID: "1", Issuer: "https://id.example.com", Subject: "bob"}}
		if err := s.store.Apply(t.Context(), store.Batch{store.PutUser{User: bob}}); err != nil {
			t.Fatal(err)
		}
		s.changesRules(func(c *account.Config) {
			c.Providers = []account.Provider{{ID: "example", Issuer: "https://id.example.com"}}
		})
		check()
		s.changesRules(func(c *account.Config) { c.Providers = nil })
		check("bob")
		if err := s.accounts.Disable(t.Context(), it(t, s.accounts, "bob")); err != nil {
			t.Fatal(err)
		}
		check()

		// A policy that was checked looks at nobody again.
		before := s.writes.count()
		check()
		if n := s.writes.count() - before; n != 0 {
			t.Errorf("a second check wrote %d operations", n)
		}
	})
	t.Run("of many users the first are named", func(t *testing.T) {
		s := newSite(t, stores["memstore"], nil)
		for i := range 23 {
			s.user(fmt.Sprintf("user%02d", i))
		}
		s.takesPasswords(policy.PasswordsOff)
		err := s.accounts.CheckPolicy(t.Context())
		if err == nil || !strings.HasSuffix(err.Error(), "user18, user19, and 3 more") || !strings.Contains(err.Error(), "for: user00, user01,") {
			t.Errorf("got %v", err)
		}
	})
}
