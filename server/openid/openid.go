// Package openid signs users in to other programs: it is an OpenID provider (OpenID Connect Core 1.0) for the
// programs that IT has registered, the clients.
package openid
