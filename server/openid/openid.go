// Package openid signs users in to other programs: it is an OpenID provider (OpenID Connect Core 1.0) for the
// programs that IT has registered, the clients.
//
// A program sends the browser to the authorization endpoint. [Handlers] checks client and redirect URI first: what is wrong
// with them is told to the person, and everything else to the program. Whoever isn't signed in, must confirm who they
// are, or hasn't let the program in decides about that on a page of ours; the request waits in a sealed cookie meanwhile
// (pending.go), so that a stranger's request stores nothing. Then the browser brings a code to the program, which gets
// tokens for it at the token endpoint. What stands behind code and tokens is a grant under the user's session: the rules
// are those of package grant. [Registry] has the clients, [Keys] sign, and [Preset] knows the settings of other programs.
//
// It refuses what isn't the code flow with PKCE: implicit and hybrid flow, passwords, request objects.
//
// It is written by hand on go-jose, which federation links already, and not with a library of others. Of those that are
// alive, zitadel/oidc gave tokens for one code to two of eight exchanges at once in 20 of 30 rounds, because its storage
// looks a code up and deletes it afterwards; it sends no iss (RFC 9207), and adds 4.9 MB to the program. ory/fosite adds
// 10 MB, and its repository hasn't moved since 2025. Both libraries' relying parties, go-oidc, openid-client and
// mod_auth_openidc judge this package in its tests.
package openid
