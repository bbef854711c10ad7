package passkey

import (
	"errors"
	"fmt"
	"strings"

	"github.com/go-webauthn/webauthn/protocol"

	"github.com/keypeg/keypeg/shared"
)

// What people read whose ceremony is refused. A stranger learns nothing: every answer
// that doesn't verify gets [refused]. Whoever has proved that they hold the passkey is
// told what is wrong, where trying again can't help.

// refused is the one answer to every ceremony that fails a check before possession is
// proved. Which check it was stays in the log.
func refused(cause error) *shared.Error {
	return shared.Errorf(shared.CodeCeremonyRefused, "This passkey could not be verified. Please try again.").Because(unwrapLibrary(cause))
}

// Disabled is the answer to somebody who has proved who they are and may not sign in.
func Disabled(cause error) error {
	return shared.Errorf(shared.CodeAccountDisabled, "Your account is disabled. Please ask IT.").Because(cause)
}

// Removed is the answer to a passkey that was removed here.
func Removed(cause error) *shared.Error {
	return shared.Errorf(shared.CodePasskeyRemoved, "This passkey was removed here. Delete it in your password manager too, and use another one.").Because(cause)
}

// madeElsewhere is for a passkey of another relying party id. Browsers don't offer it
// here, but some password managers do.
func madeElsewhere(rpID string) *shared.Error {
	return shared.Errorf(shared.CodePasskeyElsewhere, "This passkey was made for another address (%s). Sign in another way, and add a new one.", rpID).
		Because(errors.New("the passkey is of another relying party id"))
}

// notVerified is for an authenticator that showed that somebody is there, and not who.
func notVerified() *shared.Error {
	return shared.Errorf(shared.CodeUserNotVerified, "Your device or password manager didn't check that it's you. Turn on a screen lock, PIN or fingerprint there, or use another passkey.").
		Because(errors.New("user verification is required, and the flag isn't set"))
}

// notDiscoverable is for a new passkey that no sign-in would find.
func notDiscoverable() *shared.Error {
	return shared.Errorf(shared.CodeNotDiscoverable, "This device or security key can't keep a passkey for signing in. Please use another one.").
		Because(errors.New("the new credential isn't discoverable"))
}

// counterFell is for a passkey that exists twice, although its authenticator keeps no
// copies.
func counterFell() *shared.Error {
	return shared.Errorf(shared.CodePasskeyCopied, "This passkey may have been copied, so it isn't accepted any more. Sign in another way, remove it and add a new one. If you have no other way, ask IT.").
		Because(errors.New("the passkey's signature counter didn't grow"))
}

// changedByProvider is for a passkey that its provider could copy when it was made, and
// can't now. That never changes for one key (6.1.3).
func changedByProvider() *shared.Error {
	return shared.Errorf(shared.CodePasskeyChanged, "Your password manager has changed this passkey, so it isn't accepted any more. Sign in another way, remove it and add a new one. If you have no other way, ask IT.").
		Because(errors.New("the flag Backup Eligible was set, and is clear now"))
}

// notTrusted refuses an authenticator that isn't one of the organisation's. The
// cause is in the log.
func notTrusted(cause error) *shared.Error {
	return shared.Errorf(shared.CodeAuthenticatorRefused, "Only security keys from your organisation can be used here. Please take one of those.").Because(cause)
}

// unwrapLibrary keeps what may be logged of a go-webauthn error: its Details, and
// of its DevInfo, which can hold a challenge, the beginnings that name a check.
func unwrapLibrary(err error) error {
	library, ok := errors.AsType[*protocol.Error](err)
	if !ok {
		return err
	}
	for _, check := range []string{"RP Hash mismatch", "User presence required but flag not set"} {
		if strings.HasPrefix(library.DevInfo, check) {
			return fmt.Errorf("%s: %s: %s", library.Type, library.Details, check)
		}
	}
	return fmt.Errorf("%s: %s", library.Type, library.Details)
}
