package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/keypeg/keypeg/server/internal/shown"
	"github.com/keypeg/keypeg/server/policy"
	"github.com/keypeg/keypeg/server/store"
)

// organisationSettings are the settings that each organisation may override. In the cloud
// edition a table [tenant.NAME] of the configuration file has the same keys, read by the
// same flags: a setting that is added here is a key there.
type organisationSettings struct {
	AttestationRoots certificates

	PasswordSignIn   policy.Passwords
	UserVerification policy.Verification

	MaxPasskeys int
	AnyClient   bool

	SessionIdle     time.Duration
	SessionLifetime time.Duration
	ConfirmAfter    time.Duration

	KeepEvents time.Duration

	Product string
	Contact string

	MailFrom     string
	MailLanguage string
}

func (s *organisationSettings) declare(flags *pflag.FlagSet) {
	flags.Var(&s.AttestationRoots, "attestation-roots", "PEM file with root certificates of makers of security keys. Only passkeys on their devices can be added then.")

	flags.Var(OneOf(&s.PasswordSignIn, policy.PasswordsOn, policy.PasswordsOn, policy.PasswordsAdministrators, policy.PasswordsOff), "password-sign-in",
		"Who signs in with a password. The server refuses to start if that would leave a user without a sign-in method.")
	flags.Var(OneOf(&s.UserVerification, policy.VerificationRequired, policy.VerificationRequired, policy.VerificationPreferred), "user-verification",
		"Whether signing in with a passkey must ask for a fingerprint, a face or a PIN, or only where the device can just then.")

	flags.IntVar(&s.MaxPasskeys, "max-passkeys", 20, "How many passkeys a user may have. Who has more keeps them.")

	flags.BoolVar(&s.AnyClient, "any-client", false, "Users may also sign in to programs that nobody has registered here, whose client id is the https address of a document about them. The server fetches it.")

	flags.DurationVar(&s.SessionIdle, "session-idle", 24*time.Hour, "A session ends when it wasn't used for so long.")
	flags.DurationVar(&s.SessionLifetime, "session-lifetime", 720*time.Hour, "A session ends at the latest after so long.")
	flags.DurationVar(&s.ConfirmAfter, "confirm-after", 10*time.Minute, "Adding and removing passkeys needs a sign-in or confirmation younger than this.")

	flags.DurationVar(&s.KeepEvents, "keep-events", store.EventsKept, "How long activity and audit keep what happens from now on: from 720h, which is 30 days, to 8760h, a year.")

	flags.StringVar(&s.Product, "product", "Keypeg", "What this installation calls itself.")
	flags.StringVar(&s.Contact, "contact", "", "Whom users ask for help, such as \"IT desk, phone 1234\".")

	s.declareMail(flags)
}

// policy says which sign-in methods are accepted.
func (s *organisationSettings) policy(passkeys bool) policy.Policy {
	return policy.Policy{Passwords: s.PasswordSignIn, Verification: s.UserVerification, PasskeysOff: !passkeys}
}

// mostPasskeys keeps a user's record small, because every request reads it.
const mostPasskeys = 60

// check returns what can't be used.
func (s *organisationSettings) check() (found []fault) {
	refuse := func(of, format string, values ...any) {
		found = append(found, faultOf(fmt.Errorf("--"+of+" "+format, values...), of))
	}
	for _, d := range []struct {
		of    string
		value time.Duration
	}{{"session-idle", s.SessionIdle}, {"session-lifetime", s.SessionLifetime}, {"confirm-after", s.ConfirmAfter}} {
		if d.value < time.Second {
			refuse(d.of, "must be at least 1s")
		}
	}
	if s.MaxPasskeys < 1 || s.MaxPasskeys > mostPasskeys {
		refuse("max-passkeys", "must be from 1 to %d", mostPasskeys)
	}
	if s.SessionIdle > s.SessionLifetime {
		found = append(found, faultOf(fmt.Errorf("--session-idle (%s) must not be longer than --session-lifetime (%s)", s.SessionIdle, s.SessionLifetime), "session-idle", "session-lifetime"))
	}
	if s.KeepEvents < store.ShortestKept || s.KeepEvents > store.EventsKept {
		refuse("keep-events", "must be from %gh, which is 30 days, to %gh, a year", store.ShortestKept.Hours(), store.EventsKept.Hours())
	}
	if strings.TrimSpace(s.Product) == "" {
		refuse("product", "must not be empty")
	}
	if err := s.checkMail(); err != nil {
		found = append(found, faultOf(err, "mail-from"))
	}
	return found
}

// set sets the keys of a table and leaves the other settings as they are. It returns what is wrong with
// which key.
func (s *organisationSettings) set(table map[string]any) (found []fault) {
	if len(table) == 0 {
		return nil
	}
	changed := *s
	flags := NewFlagSet()
	changed.declare(flags)
	changed = *s // declare has set the defaults

	for _, key := range slices.Sorted(maps.Keys(table)) {
		flag := flags.Lookup(key)
		if flag == nil {
			found = append(found, faultOf(fmt.Errorf("unknown key %s%s", shown.Quoted(key), DidYouMean(key, names(flags))), key))
			continue
		}
		if err := setKey(flag, table[key]); err != nil {
			found = append(found, faultOf(err, key))
		}
	}
	if *s = changed; len(found) == 0 {
		found = s.check()
	}
	return found
}
