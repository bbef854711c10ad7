package server_test

import (
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/keypeg/keypeg/shared"
)

// TestOwnAccount changes what a user may change of their own account, and reads it back.
func TestOwnAccount(t *testing.T) {
	t.Run("profile, with clear refusals that change nothing", func(t *testing.T) {
		onEveryStoreScene(t, func(s *scene) {
			change := func(body string) answer { return s.ann.sends("PATCH", shared.PathProfile, body) }
			s.succeeds(change(`{"displayName":"Ann Miller","email":"ann@Example.com","language":"de"}`), http.StatusNoContent)
			account := into[shared.Account](s.ann, s.ann.sends("GET", shared.PathAccount, nil), 200)
			if account.User.DisplayName != "Ann Miller" || account.Email != "ann@example.com" || account.EmailVerified || account.Language != "de" {
				s.Errorf("the account is %+v", account)
			}
			for body, code := range map[string]shared.Code{
				`{"displayName":" "}`:                      shared.CodeInvalidName,
				`{"displayName":"A","email":"nowhere"}`:    shared.CodeInvalidEmail,
				`{"language":"tlh"}`:                       shared.CodeInvalidRequest,
				`{"email":"x@example.com\u000abcc:a@b.c"}`: shared.CodeInvalidEmail,
			} {
				s.changesOnly(nil, func() {
					if a := change(body); !strings.Contains(string(a.body), `"code":"`+string(code)+`"`) {
						s.Errorf("%s: %s", body, a)
					}
				})
			}
			s.changesOnly(nil, func() {
				s.ann.refused(s.bob.sends("PATCH", shared.PathProfile, `{"email":"Ann@example.com"}`), 409, shared.CodeEmailTaken)
			})
			s.succeeds(change(`{"email":""}`), http.StatusNoContent)
		})
	})
	t.Run("the password goes, but not as the last way to sign in", func(t *testing.T) {
		onEveryStoreScene(t, func(s *scene) {
			only := s.user("only") // has a password
			s.changesOnly(nil, func() {
				only.refused(only.sends("DELETE", shared.PathPassword, nil), 409, shared.CodeLastMethod)
			})
			s.succeeds(s.ann.sends("DELETE", shared.PathPassword, nil), http.StatusNoContent)
			if account := into[shared.Account](s.ann, s.ann.sends("GET", shared.PathAccount, nil), 200); account.HasPassword || !account.PasswordsOn {
				s.Errorf("the account is %+v", account)
			}
			s.ann.refused(s.ann.sends("DELETE", shared.PathPassword, nil), 404, shared.CodeNotFound)
			s.succeeds(s.ann.sends("POST", shared.PathPassword, shared.ChangePassword{Password: "another battery staple"}), http.StatusNoContent)
		})
	})
	t.Run("an export has everything, and no secret", func(t *testing.T) {
		onEveryStoreScene(t, func(s *scene) {
			for i := range 30 { // more than a page of events
				s.succeeds(s.ann.sends("PATCH", shared.PathProfile, fmt.Sprintf(`{"displayName":"Ann %d"}`, i)), http.StatusNoContent)
			}
			s.succeeds(s.ann.sends("POST", shared.PathRecoveryCodes, nil), http.StatusOK)
			link := into[shared.EnrolmentLink](s.ann, s.ann.sends("POST", shared.PathPhoneLink, nil), http.StatusOK)
			_, token, _ := strings.Cut(link.URL, "token=")
			export := s.ann.sends("POST", shared.PathExport, nil)
			all := into[shared.Export](s.ann, export, 200)
			if all.Member.Name != "ann" || len(all.Passkeys) != 1 || all.Passkeys[0].AAGUID == "" || len(all.Sessions) == 0 || all.RecoveryCodes != shared.RecoveryCodeCount || all.RecoveryCodesMade.IsZero() {
				s.Errorf("the export is %+v", all)
			}
			if len(all.Links) != 1 || all.Links[0].Kind != shared.MethodPhoneLink || all.Links[0].Expires.Sub(link.Expires).Abs() > time.Millisecond {
				s.Errorf("the export has the links %+v", all.Links)
			}
			var events []shared.Event
			for before := ""; ; {
				page := into[shared.Activity](s.ann, s.ann.sends("GET", shared.PathActivity+"?before="+before, nil), 200)
				events = append(events, page.Events...)
				if before = page.Next; before == "" {
					break
				}
			}
			if len(events) < 30 || !reflect.DeepEqual(all.Events, events) {
				s.Errorf("the export has %d events, and the activity %d", len(all.Events), len(events))
			}
			for _, secret := range []string{"argon2id", "publicKey", "handle", token} {
				if strings.Contains(string(export.body), secret) {
					s.Errorf("the export has %s: %s", secret, export.body)
				}
			}
			if events := into[shared.Activity](s.ann, s.ann.sends("GET", shared.PathActivity, nil), 200).Events; events[0].Kind != shared.EventDataExported {
				s.Errorf("the newest event is %+v", events[0])
			}
		})
	})
	t.Run("all of it needs a recent confirmation", func(t *testing.T) {
		onEveryStoreScene(t, func(s *scene) {
			s.passes(11 * 60 * 1e9)
			s.refusesAs(403, shared.CodeConfirmRequired, "", func() answer { return s.ann.sends("PATCH", shared.PathProfile, `{"displayName":"A"}`) })
			s.refusesAs(403, shared.CodeConfirmRequired, "", func() answer { return s.ann.sends("DELETE", shared.PathPassword, nil) })
			s.refusesAs(403, shared.CodeConfirmRequired, "", func() answer { return s.ann.sends("POST", shared.PathExport, nil) })
		})
	})
}
