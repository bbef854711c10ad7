package message

// Script are the sentences that the script of the sign-in pages shows, by the names that it has for
// them. Those for an exception of WebAuthn have its name, with "create" or "get" where that matters.
type Script map[string]string

// ScriptIn returns them in the language of a catalogue. They are in the script's file, which is
// compressed, rather than in each page, which isn't.
func ScriptIn(text *Catalogue) Script {
	return Script{
		"NotAllowedError create":   text.Failure.RegisterDenied,
		"NotAllowedError get":      text.Failure.SignInDenied,
		"InvalidStateError create": text.Failure.Exists,
		"NotSupportedError create": text.Failure.NotSupported,
		"SecurityError":            text.Failure.WrongAddress,
		"ConstraintError":          text.Failure.NoLock,
		"other":                    text.Failure.Provider,
		"kept":                     text.Failure.MayBeKept,
		"offline":                  text.Failure.Offline,
		"not here":                 SignInPageIn(text).NotHere,
		"working":                  text.SignIn.Working,
		"cancel":                   text.SignIn.Cancel,
	}
}
