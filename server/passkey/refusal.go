package passkey

import (
	"errors"
	"fmt"
	"strings"

	"github.com/go-webauthn/webauthn/protocol"

	"github.com/keypeg/keypeg/shared"
)

// The refusals of ceremonies, as people read them. A stranger learns nothing: every answer
// that doesn't verify gets [refused]. A person who has proved that they have the passkey
// reads what is wrong with it, because trying again doesn't help.

// refused is the refusal for every check that fails before possession is proved. Only the
// log says which check it was.
func refused(cause error) *shared.Error {
	return shared.Errorf(shared.CodeCeremonyRefused, "This passkey could not be verified. Please try again.").Because(unwrapLibrary(cause))
}

// Disabled is the refusal for a disabled user who has proved who they are.
func Disabled(cause error) error {
	return shared.Errorf(shared.CodeAccountDisabled, "Your account is disabled. Please ask IT.").Because(cause)
}

// Removed is the refusal for a passkey that was removed here.
func Removed(cause error) *shared.Error {
	return shared.Errorf(shared.CodePasskeyRemoved, "This passkey was removed here. Delete it in your password manager too, and use another one.").Because(cause)
}

// madeElsewhere is for a passkey of another relying party id. Browsers don't offer it
// here, but some password managers do.
func madeElsewhere(rpID string) *shared.Error {
	return shared.Errorf(shared.CodePasskeyElsewhere, "This passkey was made for another address (%s). Sign in another way, and add a new one.", rpID).
		Because(errors.New("the passkey is of another relying party id"))
}

// notVerified is for an authenticator that checked only that somebody is there, and not
// who.
func notVerified() *shared.Error {
	return shared.Errorf(shared.CodeUserNotVerified, "Your device or password manager didn't check that it's you. Turn on a screen lock, PIN or fingerprint there, or use another passkey.").
		Because(errors.New("user verification is required, and the flag isn't set"))
}

// notDiscoverable is for a new passkey that no sign-in would find.
func notDiscoverable() *shared.Error {
	return shared.Errorf(shared.CodeNotDiscoverable, "This device or security key can't keep a passkey for signing in. Please use another one.").
		Because(errors.New("the new credential isn't discoverable"))
}

// counterFell is for a passkey of which there must be a copy, although its authenticator
// makes none.
func counterFell() *shared.Error {
	return shared.Errorf(shared.CodePasskeyCopied, "This passkey may have been copied, so it isn't accepted any more. Sign in another way, remove it and add a new one. If you have no other way, ask IT.").
		Because(errors.New("the passkey's signature counter didn't grow"))
}

// changedByProvider is for a passkey that could be backed up when it was made, and can't
// now. For one key that never changes (6.1.3).
func changedByProvider() *shared.Error {
	return shared.Errorf(shared.CodePasskeyChanged, "Your password manager has changed this passkey, so it isn't accepted any more. Sign in another way, remove it and add a new one. If you have no other way, ask IT.").
		Because(errors.New("the flag Backup Eligible was set, and is clear now"))
}

// notTrusted is for an authenticator that the organisation doesn't trust.
func notTrusted(cause error) *shared.Error {
	return shared.Errorf(shared.CodeAuthenticatorRefused, "Only security keys from your organisation can be used here. Please take one of those.").Because(cause)
}

// unwrapLibrary returns the part of a go-webauthn error that may be logged: its Details.
// Its DevInfo can contain a challenge, so of that it keeps only the prefixes that name a
// check.
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
