// Package forwardauth signs people in to programs that know nothing of sign-in, and that stand behind a
// reverse proxy: forward authentication.
//
// A [Gate] is one protected host. For each request to it, the proxy asks here first, at a path for its
// dialect: nginx's auth_request, the forward_auth of Caddy and Traefik, or Envoy's ext_authz. The answer says
// whether the request may pass, and who sends it: in the headers Remote-User, Remote-Name, Remote-Email and
// Remote-Groups, and in Keypeg-Assertion, which is signed. All are there in each such answer, empty if need
// be: a header that an answer lacks would reach the program as its client wrote it.
//
// Whoever isn't signed in is led by three addresses. [shared.GateEnter], on the protected host itself, marks
// the browser by a cookie. [shared.PageGate], at the organisation, gives a signed-in user a code for that
// browser. [shared.GateArrive], on the protected host again, spends the code, and sets the cookie that every
// later check finds. So no cookie is for a whole domain, no program gets the cookie of another, and a code
// that somebody else brings is worth nothing. The cookie stands for a grant: see package grant. It ends with
// the user's session, and groups count as they are at the moment of the check.
//
// The package refuses what has failed elsewhere. There are no rules by path, so no spelling of a path gets
// around one: a host name is protected whole. A check takes no setting from its own query, because Caddy
// appends that of its client. It reads the headers of its own dialect alone, believes only proxies that IT
// trusts, and answers only for https and for hosts that are configured. An error never lets anybody pass.
//
// [NewHandlers] makes the [Handlers]. [Handlers.Front] stands before the check of the host, because proxies ask
// with any, and [Handlers.Mount] names the address at the organisation.
package forwardauth
