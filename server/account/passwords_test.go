package account_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/memstore"
	"github.com/keypeg/keypeg/shared"
)

// TestGuessableEverywhere sets passwords that are easy to guess, in every way in which one can be
// set. Each is refused, and the store stays as it is. A good password is accepted by the same call.
func TestGuessableEverywhere(t *testing.T) {
	guesses := map[string]string{
		"a common one":          "Password123!",
		"a repeated one":        "xqzxqzxqzxqz",
		"the user's name":       "Annegret2026",
		"the user's address":    "sunflower-farm",
		"the product's name":    "AcmePortal2026",
		"a row of keys":         "1qaz2wsx3edc",
		"one of blanks":         "            ",
		"one that is too short": "k7#Qp2v",
		"an empty one":          "",
		"one with a line break": "k7#Qp2vL\n9xWz",
	}
	name := account.NewUser{Name: "annegret", DisplayName: "Annegret of Sunflower Farm"}
	for way, set := range map[string]func(s *guarded, password string) error{
		"the set-up link": func(s *guarded, password string) error {
			first := name
			first.Name, first.Password = "annegret.first", password
			_, err := s.accounts.SetUp(s.Context(), session.Actor{}, s.setupLink, first)
			return err
		},
		"a user whom IT adds": func(s *guarded, password string) error {
			fresh := name
			fresh.Name, fresh.Password = "annegret.added", password
			_, err := s.accounts.AddUser(s.Context(), session.Actor{}, fresh)
			return err
		},
		"an invitation": func(s *guarded, password string) error {
			e, err := s.accounts.Enrolment(s.Context(), s.invitation.Token)
			if err != nil {
				return err
			}
			return s.accounts.EnrolPassword(s.Context(), s.accounts.Actor(store.User{}), e, password)
		},
		"a passkey by an invitation": func(s *guarded, password string) error {
			e, err := s.accounts.Enrolment(s.Context(), s.invitation.Token)
			if err != nil || password == "" {
				return shared.Errorf(shared.CodeInvalidPassword, "%v", err) // none is asked for there
			}
			_, err = s.accounts.Enrol(s.Context(), s.accounts.Actor(store.User{}), e, password)
			return err
		},
		"the user": func(s *guarded, password string) error {
			return s.accounts.ChangePassword(s.Context(), s.annegret(), password, "")
		},
		"IT": func(s *guarded, password string) error {
			return s.accounts.SetPassword(s.Context(), s.annegret(), password)
		},
	} {
		t.Run(way, func(t *testing.T) {
			s := newGuarded(t)
			before := s.everything()
			for what, guess := range guesses {
				if err := set(s, guess); shared.CodeOf(err) != shared.CodeInvalidPassword {
					t.Errorf("%s: got %v, want %s", what, err, shared.CodeInvalidPassword)
				}
			}
			if after := s.everything(); after != before {
				t.Errorf("a refusal changed something: %s, was %s", after, before)
			}
			if err := set(s, "correct horse battery"); err != nil {
				t.Errorf("a good password: %v", err)
			}
		})
	}
}

// guarded is an organisation where the first administrator isn't made yet, and where Annegret is
// invited.
type guarded struct {
	*testing.T
	store      store.Store
	accounts   *account.Service
	setupLink  string
	invitation account.Link
}

func newGuarded(t *testing.T) *guarded {
	s := &guarded{T: t, store: memstore.New(time.Now)}
	s.accounts = account.New(account.Config{Store: s.store, Now: time.Now, Product: "Acme Portal", PasswordCost: account.Cost{MemoryKiB: 64, Time: 1, Threads: 1}})
	setup, err := s.accounts.NewSetupLink(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.setupLink = setup.Token
	_, s.invitation, err = s.accounts.Invite(t.Context(), s.accounts.Actor(store.User{}), shared.Invite{Name: "annegret", Email: "a@sunflower-farm.example"})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *guarded) annegret() session.Actor { return it(s.T, s.accounts, "annegret") }

// everything is what the store has.
func (s *guarded) everything() (all string) {
	s.Helper()
	for _, kind := range store.Kinds {
		records, err := s.store.Records(s.Context(), kind, nil, 1000)
		if err != nil {
			s.Fatal(err)
		}
		for _, record := range records {
			all += fmt.Sprintf("%s %x %+v\n", kind, record.Key, record.Op)
		}
	}
	return all
}
