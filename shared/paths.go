package shared

// The paths of the API. Every body is JSON. Every failure is a [Problem]. A request that
// changes something must come from our own origin.
const (
	// PathAccount answers GET with the signed-in user's [Account].
	PathAccount = "/api/v1/account"
	// PathProfile takes PATCH with a [ChangeProfile] and answers 204. It needs a recent
	// confirmation.
	PathProfile = "/api/v1/account/profile"
	// PathVerification takes an empty POST and answers 204: the user gets another mail with a link
	// that verifies their e-mail address.
	PathVerification = "/api/v1/account/verification"
	// PathHold takes DELETE and answers 204: sign-in methods can be added again. It needs a recent
	// confirmation, and that the browser has opened the link of the mail about the hold, or set the
	// hold.
	PathHold = "/api/v1/account/hold"
	// PathExport takes an empty POST and answers an [Export]. It needs a recent confirmation.
	PathExport = "/api/v1/account/export"

	// PathSignInPassword takes a [PasswordSignIn] and answers [SignedIn].
	PathSignInPassword = "/api/v1/sign-in/password"
	// PathSignInBegin takes a [BeginSignIn], or an empty POST, and answers [Ceremony].
	PathSignInBegin = "/api/v1/sign-in/passkey/begin"
	// PathSignInFinish takes a [FinishCeremony] and answers [SignedIn].
	PathSignInFinish = "/api/v1/sign-in/passkey/finish"
	// PathCredentialScript answers GET with the script with which pages run the ceremonies:
	// see package web/credential.
	PathCredentialScript = "/api/v1/credential.js"

	// PathSignInRecovery takes a [RecoverySignIn] and answers [SignedIn].
	PathSignInRecovery = "/api/v1/sign-in/recovery-code"
	// PathSignOut takes an empty POST and answers 204, or 200 with [SignedOut]. It
	// ends the session on the server; a browser without one gets 204 too.
	PathSignOut = "/api/v1/sign-out"

	// PathConfirmPassword takes a [PasswordConfirmation] and answers [Confirmed].
	PathConfirmPassword = "/api/v1/confirm/password"
	// PathConfirmBegin takes an empty POST and answers [Ceremony].
	PathConfirmBegin = "/api/v1/confirm/passkey/begin"
	// PathConfirmFinish takes a [FinishCeremony] and answers [Confirmed].
	PathConfirmFinish = "/api/v1/confirm/passkey/finish"

	// PathConfirmSSO, followed by a provider's id, takes a [BeginSSOConfirmation] and
	// answers [AtProvider].
	PathConfirmSSO = "/api/v1/confirm/sso/"

	// PathPassword takes a POST with a [ChangePassword], which sets or changes the password, or
	// DELETE, which removes it, and answers 204. It needs a recent confirmation, and ends the
	// user's other sessions.
	PathPassword = "/api/v1/password"

	// PathIdentity, followed by a provider's id, takes an empty POST and answers
	// [AtProvider]; followed by an identity's id, it takes DELETE and answers 204.
	// Both need a recent confirmation.
	PathIdentity = "/api/v1/identities/"

	// PathPhoneLink takes an empty POST and answers an [EnrolmentLink]. For five minutes, the
	// user can add a passkey on another device with it. It needs a recent confirmation.
	PathPhoneLink = "/api/v1/phone-link"

	// PathUsers answers GET with a page of [Members]. The query's find has beginnings of words
	// of their names and addresses, its in is a filter such as [MembersInvited], its sort an
	// order such as [SortByName], and its after is the Next of the page before. A POST takes an
	// [Invite] and answers 201 with [Invited]. Both are for users with a role.
	PathUsers = "/api/v1/users"
	// PathRollout answers GET of administrators and auditors with the [Rollout].
	PathRollout = "/api/v1/rollout"
	// PathRolloutExport answers GET with the same as a table, as CSV.
	PathRolloutExport = "/api/v1/rollout/export"
	// PathChecks takes an empty POST of administrators and answers [Checks]: those of the examination that runs,
	// or of the last one if it ended a moment ago; otherwise a new one begins.
	PathChecks = "/api/v1/checks"
	// PathChecksBrowser takes a POST of administrators with an [Observed] and answers [Checks] of it.
	PathChecksBrowser = "/api/v1/checks/browser"
	// PathUsersExport answers GET with a table of all users whom the same query selects, as CSV.
	PathUsersExport = "/api/v1/users/export"
	// PathImport takes a POST of administrators with an [ImportUsers], and answers 201 with
	// [ImportedUsers], or 200 for a dry run. It needs a recent confirmation.
	PathImport = "/api/v1/import"
	// PathUser, followed by a user's id, answers GET with [MemberDetails], and takes a PATCH with
	// a [ChangeMember] and answers [Member]. Under the id:
	//
	//   - [PathActivityOf] answers GET with a page of [Activity].
	//   - [PathInvitation] and [PathRecoveryLink] take an empty POST and answer an [EnrolmentLink].
	//   - [PathLinks] takes DELETE, ends such links, and answers [Member].
	//   - [PathRemoval] takes a POST with a [RemoveMember] and answers 204.
	//   - [PathPasskeysOf] and [PathIdentitiesOf], with an id behind, and [PathPasswordOf],
	//     [PathHoldOf] and [PathSessionsOf] take DELETE and answer [MemberDetails]. With an id behind, the last one
	//     ends one session.
	//
	// What changes something needs a recent confirmation, but for ending links and sessions,
	// which must be quick.
	PathUser         = "/api/v1/users/"
	PathActivityOf   = "/activity"
	PathInvitation   = "/invitation"
	PathRecoveryLink = "/recovery-link"
	PathLinks        = "/links"
	PathRemoval      = "/removal"
	PathPasskeysOf   = "/passkeys/"
	PathIdentitiesOf = "/identities/"
	PathPasswordOf   = "/password"
	PathSessionsOf   = "/sessions"
	PathHoldOf       = "/hold"

	// PathEnrolBegin takes an empty POST from a browser that opened an enrolment link
	// and answers [Ceremony].
	PathEnrolBegin = "/api/v1/enrol/begin"
	// PathEnrolFinish takes a [FinishEnrolment] and answers 201 with the new [Passkey].
	// No session begins.
	PathEnrolFinish = "/api/v1/enrol/finish"

	// PathRecoveryCodes takes an empty POST and answers new [RecoveryCodes], which replace all
	// earlier ones. It needs a recent confirmation.
	PathRecoveryCodes = "/api/v1/recovery-codes"

	// PathSessions answers GET with the user's [SessionList].
	PathSessions = "/api/v1/sessions"
	// PathSession, followed by a session's id, takes DELETE and answers the
	// [SessionList] that is left. Ending one's own session is signing out.
	PathSession = "/api/v1/sessions/"
	// PathEndOthers takes an empty POST, ends every session but the one that asks,
	// and answers the [SessionList] that is left.
	PathEndOthers = "/api/v1/sessions/end-others"
	// PathActivity answers GET with a page of the user's [Activity], newest first.
	// The query's before is the Next of the page before. Ad blockers (EasyPrivacy) block /api/v1/activity.
	PathActivity = "/api/v1/account/activity"

	// PathPrograms answers GET with the user's [ProgramList].
	PathPrograms = "/api/v1/account/programs"
	// PathProgram, followed by a program's id, takes DELETE and answers the [ProgramList] that is left.
	// The program gets nothing more, and has to ask again.
	PathProgram = "/api/v1/account/programs/"

	// PathClients answers GET of administrators and auditors with the [ClientList]. A POST of administrators takes an
	// [AddClient] and answers 201 with a [RegisteredClient].
	PathClients = "/api/v1/clients"
	// PathClient, followed by a client id, answers GET with the [Client]. For administrators it takes a PATCH with a
	// [ChangeClient] and answers [Client], and DELETE. Under the id:
	//
	//   - [PathRotateOf] takes a POST with a [RotateClient] and answers [RegisteredClient].
	//   - [PathTextOf], with preset and maybe url in the query, answers GET with a [ClientText].
	//
	// What changes something needs a recent confirmation.
	PathClient   = "/api/v1/clients/"
	PathRotateOf = "/rotate"
	PathTextOf   = "/settings"

	// PathAudit answers GET with an [AuditPage], for administrators and auditors. The query has the
	// filters kind (kinds and groups of kinds, with commas between), user and by (an id, a name or an address; by also
	// takes [ByAdministrators] and the others), address (an IP address, or a network), from and to
	// (RFC 3339, or a day in UTC), and before, the Next of the page before.
	PathAudit = "/api/v1/audit"
	// PathAuditExport answers GET with all events that the same filters select, in the format of
	// the query: [ExportLines] or [ExportTable].
	PathAuditExport = "/api/v1/audit/export"

	// PathLive answers GET with a stream of server-sent events: [LiveChanged]
	// whenever something of the user has changed.
	PathLive = "/api/v1/live"

	// PathTrouble takes a [TroubleReport] from a page, signed in or not, and
	// answers [TroubleExplained].
	PathTrouble = "/api/v1/trouble"

	// PathPasskeys answers GET with the user's [PasskeyList].
	PathPasskeys = "/api/v1/passkeys"
	// PathPasskey, followed by a passkey's id, takes PATCH with a
	// [RenamePasskey] (answers [Passkey]) and DELETE (answers [PasskeyList],
	// what is left; see [QueryEndSessions]).
	PathPasskey = "/api/v1/passkeys/"
	// PathTryBeginOf, after [PathPasskey] and a passkey's id, takes an empty POST and answers
	// [Ceremony].
	PathTryBeginOf = "/try/begin"
	// PathTryFinishOf, after the same, takes a [FinishCeremony] and answers [Passkey].
	PathTryFinishOf = "/try/finish"
	// PathRegisterBegin takes a [BeginRegistration], or an empty POST, and answers
	// [Ceremony].
	PathRegisterBegin = "/api/v1/passkeys/register/begin"
	// PathRegisterFinish takes a [FinishRegistration] and answers 201 with the
	// new [Passkey].
	PathRegisterFinish = "/api/v1/passkeys/register/finish"
)

// PathRelatedOrigins answers GET with the origins that may use this organisation's passkeys, if there
// are several (WebAuthn Level 3, 5.11). It is for browsers.
const PathRelatedOrigins = "/.well-known/webauthn"

// The addresses at which password managers and browsers look. Neither needs a session.
const (
	// PathPasskeyEndpoints answers GET with the addresses where people add passkeys and look
	// after them (W3C, A Well-Known URL for Relying Party Passkey Endpoints).
	PathPasskeyEndpoints = "/.well-known/passkey-endpoints"
	// PathChangePassword leads to the page where people change their password (W3C, A
	// Well-Known URL for Changing Passwords).
	PathChangePassword = "/.well-known/change-password"
)

// QueryEndSessions in the query of a DELETE of [PathPasskey] also ends the user's other
// sessions that began with the passkey. A host program may be unable to do that. Then the
// request is refused, and EndsSessions of [PasskeyList] is false.
const QueryEndSessions = "end-sessions"

// QueryKeepName in the query of [PathSignOut] or [PageSignOut] lets the sign-in page greet the user in this browser.
// Otherwise nothing on the machine names them after a sign-out.
const QueryKeepName = "keep-name"

// HeaderNonce has a random text of a GET, which the answer repeats. QueryNonce in the query
// does the same where the header doesn't arrive. An answer with another text comes from a
// cache in between, and may be another user's.
const (
	HeaderNonce = "Keypeg-Nonce"
	QueryNonce  = "nonce"
)

// PageSignOut takes an empty POST of a form, ends the session, and leads to [PageSignIn]. The app sends
// [PathSignOut], which works on when the server is away.
const PageSignOut = "/sign-out"

// CookieLanguage holds the language that the user has chosen, as a BCP 47 tag. Scripts may
// read it. Without it, the languages that the browser asks for count.
const CookieLanguage = "keypeg-language"

// CookieTimeZone holds the name of the browser's time zone in the IANA database, in which the server writes
// the times of pages that arrive drawn. Without it, that is UTC.
const CookieTimeZone = "keypeg-zone"

// LiveReady is the first event of [PathLive]. It comes at once, and every later change comes
// after it. If the stream is open and it doesn't come, something in between keeps it back.
const LiveReady = "ready"

// LiveSame is the first event in the place of [LiveReady] if nothing has changed since the mark in the query
// as [QuerySince]. A [DrawnPage] has such a mark as its answer of [PathLive].
const LiveSame = "same"

// QuerySince is the mark of [LiveSame].
const QuerySince = "since"

// LiveChanged is the event of [PathLive] after a change: load again what you show.
const LiveChanged = "changed"

// LiveLater is the last event of a stream of [PathLive] that had to end for newer ones: open
// a new stream, but not at once.
const LiveLater = "later"

// The paths for load balancers and monitoring. Both accept any Host, and answer 503 while the
// node stops.
const (
	// PathHealth answers 200 while the store can be read, and else 503.
	PathHealth = "/healthz"
	// PathReady answers 200 while the store can be read and written, and else 503, for
	// example if the disk is full. It writes at most once a second, and only for requests
	// that come without a proxy from this machine or a private network. Other requests get
	// the result of the last try.
	PathReady = "/readyz"
)

// IsHealthCheck reports whether a path is [PathHealth] or [PathReady].
func IsHealthCheck(path string) bool { return path == PathHealth || path == PathReady }
