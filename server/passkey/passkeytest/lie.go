package passkeytest

import (
	"crypto"
	"crypto/sha256"
)

// Lie changes an answer. What has no ready lie here is a function:
//
//	device.Get(options, func(a *passkeytest.Answer) { a.AuthData = a.EncodeAuthData()[:36] })
type Lie func(*Answer)

// About the client data (5.8.1).

// WithType says another type of ceremony: "webauthn.get" or "webauthn.create".
func WithType(kind string) Lie { return func(a *Answer) { a.Type = kind } }

// WithChallenge answers another challenge (base64url).
func WithChallenge(challenge string) Lie { return func(a *Answer) { a.Challenge = challenge } }

// WithOrigin answers from another page.
func WithOrigin(origin string) Lie { return func(a *Answer) { a.Origin = origin } }

// WithCrossOrigin answers from a frame of another site.
func WithCrossOrigin() Lie { return func(a *Answer) { a.CrossOrigin = true } }

// WithTopOrigin names a page around the frame.
func WithTopOrigin(origin string) Lie { return func(a *Answer) { a.TopOrigin = origin } }

// WithClientData sends other client data, which needn't be JSON.
func WithClientData(raw []byte) Lie { return func(a *Answer) { a.ClientData = raw } }

// About the authenticator data (6.1).

// WithRPID answers another relying party.
func WithRPID(rpID string) Lie { return WithRPIDHash(sha256.Sum256([]byte(rpID))) }

// WithRPIDHash answers another relying party, or none.
func WithRPIDHash(hash [32]byte) Lie { return func(a *Answer) { a.RPIDHash = hash } }

// WithFlags sets and clears flags.
func WithFlags(set, clear byte) Lie {
	return func(a *Answer) { a.Flags = a.Flags&^clear | set }
}

// WithoutUserPresence says that nobody touched the device. Together with
// [WithoutUserVerification] it is no lie but what a browser answers to a
// conditional create.
func WithoutUserPresence() Lie { return WithFlags(0, FlagUserPresent) }

// WithoutUserVerification says that nobody showed a finger or typed a PIN.
func WithoutUserVerification() Lie { return WithFlags(0, FlagUserVerified) }

// WithSignCount says another signature count.
func WithSignCount(n uint32) Lie { return func(a *Answer) { a.SignCount = n } }

// WithAAGUID names another model of authenticator.
func WithAAGUID(aaguid [16]byte) Lie { return func(a *Answer) { a.AAGUID = aaguid } }

// WithPublicKey attests another COSE_Key, or other bytes: see [CoseEC2],
// [CoseOKP] and [CoseRSA].
func WithPublicKey(cose []byte) Lie { return func(a *Answer) { a.PublicKey = cose } }

// WithExtensions adds extension data, which should be a CBOR map, and their flag.
func WithExtensions(data []byte) Lie {
	return func(a *Answer) {
		a.Extensions = data
		a.Flags |= FlagExtensions
	}
}

// WithAuthData sends other authenticator data.
func WithAuthData(raw []byte) Lie { return func(a *Answer) { a.AuthData = raw } }

// WithAttestationObject sends other bytes for the whole attestation (6.5.4).
func WithAttestationObject(raw []byte) Lie {
	return func(a *Answer) { a.AttestationObject = raw }
}

// About who and what it is.

// WithCredentialID attests, and says, another credential id.
func WithCredentialID(id []byte) Lie { return func(a *Answer) { a.CredentialID = id } }

// WithClaimedID lets the browser claim another credential id than the authenticator.
func WithClaimedID(id []byte) Lie { return func(a *Answer) { a.ClaimedID = id } }

// WithClaimedRawID lets the browser's rawId differ from its id.
func WithClaimedRawID(id []byte) Lie { return func(a *Answer) { a.ClaimedRawID = id } }

// WithUserHandle says another user handle; nil leaves it out.
func WithUserHandle(handle []byte) Lie { return func(a *Answer) { a.UserHandle = handle } }

// WithTransports says other transports, or none.
func WithTransports(names ...string) Lie {
	return func(a *Answer) { a.Transports = append([]string{}, names...) }
}

// About the signature.

// WithSignature sends another signature; an empty one is not the same as nil.
func WithSignature(signature []byte) Lie { return func(a *Answer) { a.Signature = signature } }

// WithResigned changes the true signature: see [RawES256].
func WithResigned(change func(signature []byte) []byte) Lie {
	return func(a *Answer) { a.Resign = change }
}

// WithKey signs with another key than the passkey's.
func WithKey(key crypto.Signer) Lie { return func(a *Answer) { a.Key = key } }

// About the JSON around it.

// WithMember sets a member of the credential; nil writes null.
func WithMember(name string, value any) Lie {
	return rewriting(func(credential map[string]any) { credential[name] = value })
}

// WithoutMember leaves a member of the credential out.
func WithoutMember(name string) Lie {
	return rewriting(func(credential map[string]any) { delete(credential, name) })
}

// WithResponseMember sets a member of the credential's response; nil writes null.
func WithResponseMember(name string, value any) Lie {
	return rewriting(func(credential map[string]any) {
		if response, ok := credential["response"].(map[string]any); ok {
			response[name] = value
		}
	})
}

// WithoutResponseMember leaves a member of the credential's response out.
func WithoutResponseMember(name string) Lie {
	return rewriting(func(credential map[string]any) {
		if response, ok := credential["response"].(map[string]any); ok {
			delete(response, name)
		}
	})
}

// rewriting adds to what other lies rewrite.
func rewriting(change func(credential map[string]any)) Lie {
	return func(a *Answer) {
		before := a.Rewrite
		a.Rewrite = func(credential map[string]any) {
			if before != nil {
				before(credential)
			}
			change(credential)
		}
	}
}
