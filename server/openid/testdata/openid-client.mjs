// Signs in with openid-client, the certified client for Node, and its strictest checks. It prints an address, reads the
// address to which the browser was sent back, and prints what it has learnt.
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'

const [folder, issuer, id, secret, redirect] = process.argv.slice(2)
const find = createRequire(folder + '/x.js')
const client = await import(pathToFileURL(find.resolve('openid-client')))

const config = await client.discovery(new URL(issuer), id, undefined, client.ClientSecretBasic(secret), { execute: [client.allowInsecureRequests] })
client.enableNonRepudiationChecks(config)
const pkceCodeVerifier = client.randomPKCECodeVerifier()
const expectedState = client.randomState()
const expectedNonce = client.randomNonce()
const request = {
  redirect_uri: redirect, scope: 'openid profile offline_access', state: expectedState, nonce: expectedNonce,
  code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier), code_challenge_method: 'S256',
}
console.log(client.buildAuthorizationUrl(config, request).href)
console.log((await client.buildAuthorizationUrlWithPAR(config, request)).href)

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const back = new URL((await lines.next()).value)
const got = await client.authorizationCodeGrant(config, back, { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true, maxAge: 3600 })
const { sub } = got.claims()
const refreshed = await client.refreshTokenGrant(config, got.refresh_token)
const { name } = await client.fetchUserInfo(config, refreshed.access_token, sub)
const { active } = await client.tokenIntrospection(config, refreshed.access_token)
await client.tokenRevocation(config, refreshed.refresh_token)
const ended = await client.tokenIntrospection(config, refreshed.access_token)
const leave = client.buildEndSessionUrl(config, { id_token_hint: got.id_token, post_logout_redirect_uri: new URL(redirect).origin + '/signed-out' })
console.log(JSON.stringify({ sub, name, active, ended: !ended.active, leave: leave.href }))
process.exit(0)
