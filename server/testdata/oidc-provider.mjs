// An OpenID provider of other people's making, for tests: oidc-provider on Node, which is certified. It prints its issuer,
// and ends with its input.
import { createRequire } from 'node:module'
import { createServer } from 'node:http'
import { pathToFileURL } from 'node:url'

const [folder, callback] = process.argv.slice(2)
const { Provider } = await import(pathToFileURL(createRequire(folder + '/x.js').resolve('oidc-provider')))

const people = { 1001: { name: 'Ann Admin', email: 'ann@example.com', email_verified: true }, 1004: { name: 'Dan Doe', email: 'dan@example.com', email_verified: true } }
const server = createServer((request, response) => handle(request, response))
let handle
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://localhost:${server.address().port}`
  handle = new Provider(issuer, {
    clients: [{ client_id: 'keypeg', client_secret: 's3cret', redirect_uris: [callback], grant_types: ['authorization_code'], response_types: ['code'] }],
    claims: { openid: ['sub'], profile: ['name'], email: ['email', 'email_verified'] },
    conformIdTokenClaims: false,
    cookies: { keys: ['of a test'] },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, ...people[id] }) }),
  }).callback()
  console.log(issuer)
})
process.stdin.on('end', () => process.exit(0)).resume()
