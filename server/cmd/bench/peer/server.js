// A small passkey server, which Keypeg is measured against: node server.js ADDRESS DATABASE USERS
//
// It has what a sign-in needs and nothing else: no limits, no audit of who asks, one process.
// Its two endpoints speak JSON as Keypeg's do, so that one load fits both. USERS is a JSON file
// of the users that it begins with.
import { createHash, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { generateAuthenticationOptions, verifyAuthenticationResponse } from "@simplewebauthn/server";
import Database from "better-sqlite3";
import Fastify from "fastify";

const [address, database, users] = process.argv.slice(2);
const { origin, hostname: rpID, port } = new URL(`http://${address}`);
const ceremonyLasts = 5 * 60 * 1000;
const sessionLasts = 24 * 60 * 60 * 1000;

const db = new Database(database);
db.pragma("journal_mode = WAL");
db.pragma("synchronous = FULL"); // with WAL, better-sqlite3 has NORMAL, which loses sign-ins in a power cut
db.pragma("foreign_keys = ON");
db.exec(`
  CREATE TABLE IF NOT EXISTS users (
    id     INTEGER PRIMARY KEY,
    handle TEXT NOT NULL UNIQUE,
    name   TEXT NOT NULL UNIQUE
  );
  CREATE TABLE IF NOT EXISTS passkeys (
    id         TEXT PRIMARY KEY,
    user_id    INTEGER NOT NULL REFERENCES users,
    name       TEXT NOT NULL,
    public_key BLOB NOT NULL,
    counter    INTEGER NOT NULL DEFAULT 0,
    last_used  INTEGER
  );
  CREATE INDEX IF NOT EXISTS passkeys_of_user ON passkeys (user_id);
  CREATE TABLE IF NOT EXISTS sessions (
    token_hash BLOB PRIMARY KEY,
    user_id    INTEGER NOT NULL REFERENCES users,
    passkey_id TEXT NOT NULL REFERENCES passkeys,
    created    INTEGER NOT NULL,
    expires    INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS sessions_of_user ON sessions (user_id);
  CREATE TABLE IF NOT EXISTS activity (
    id         INTEGER PRIMARY KEY,
    user_id    INTEGER NOT NULL REFERENCES users,
    at         INTEGER NOT NULL,
    kind       TEXT NOT NULL,
    passkey    TEXT NOT NULL,
    address    TEXT NOT NULL,
    user_agent TEXT NOT NULL
  );
  CREATE INDEX IF NOT EXISTS activity_of_user ON activity (user_id, at);
`);

const addUser = db.prepare("INSERT INTO users (handle, name) VALUES (?, ?)");
const addPasskey = db.prepare("INSERT INTO passkeys (id, user_id, name, public_key) VALUES (?, ?, ?, ?)");
db.transaction(() => {
  for (const user of JSON.parse(readFileSync(users))) {
    const { lastInsertRowid } = addUser.run(user.handle, user.name);
    for (const p of user.passkeys) {
      addPasskey.run(p.id, lastInsertRowid, p.name, Buffer.from(p.publicKey, "base64"));
    }
  }
})();

const passkeyByID = db.prepare(`
  SELECT p.id, p.user_id AS userID, p.name, p.public_key AS publicKey, p.counter, u.handle, u.name AS userName
  FROM passkeys p JOIN users u ON u.id = p.user_id WHERE p.id = ?`);
const usePasskey = db.prepare("UPDATE passkeys SET counter = ?, last_used = ? WHERE id = ? AND counter = ?");
const addSession = db.prepare("INSERT INTO sessions (token_hash, user_id, passkey_id, created, expires) VALUES (?, ?, ?, ?, ?)");
const addActivity = db.prepare("INSERT INTO activity (user_id, at, kind, passkey, address, user_agent) VALUES (?, ?, 'sign-in', ?, ?, ?)");

// signIn writes all of a sign-in, or nothing. It reports false if the same passkey was used
// with the same counter in the meantime; a passkey without a counter stays at zero.
const signIn = db.transaction((passkey, counter, tokenHash, request) => {
  const now = Date.now();
  if (usePasskey.run(counter, now, passkey.id, passkey.counter).changes !== 1) return false;
  addSession.run(tokenHash, passkey.userID, passkey.id, now, now + sessionLasts);
  addActivity.run(passkey.userID, now, passkey.name, request.ip, request.headers["user-agent"] ?? "");
  return true;
});

// ceremonies are the sign-ins that have begun, by ticket, the oldest first.
const ceremonies = new Map();

function beginCeremony(challenge) {
  const now = Date.now();
  for (const [ticket, { expires }] of ceremonies) {
    if (expires > now) break;
    ceremonies.delete(ticket);
  }
  const ticket = randomBytes(16).toString("base64url");
  ceremonies.set(ticket, { challenge, expires: now + ceremonyLasts });
  return ticket;
}

// takeChallenge returns the challenge of a ceremony once, and nothing after it.
function takeChallenge(ticket) {
  const ceremony = ceremonies.get(ticket);
  ceremonies.delete(ticket);
  return ceremony?.expires > Date.now() ? ceremony.challenge : undefined;
}

const app = Fastify();

app.get("/", async () => ({ ok: true }));

app.post("/api/v1/sign-in/passkey/begin", async () => {
  const publicKey = await generateAuthenticationOptions({ rpID, userVerification: "required", timeout: ceremonyLasts });
  return { ticket: beginCeremony(publicKey.challenge), publicKey };
});

const finish = {
  body: {
    type: "object",
    required: ["ticket", "credential"],
    properties: {
      ticket: { type: "string" },
      credential: { type: "object", required: ["id", "response"], properties: { id: { type: "string" }, response: { type: "object" } } },
    },
  },
};

app.post("/api/v1/sign-in/passkey/finish", { schema: finish }, async (request, reply) => {
  const refuse = () => reply.code(401).send({ error: "This passkey can't sign in here." });
  const { ticket, credential } = request.body;
  const expectedChallenge = takeChallenge(ticket);
  const passkey = passkeyByID.get(credential.id);
  if (!expectedChallenge || !passkey || credential.response.userHandle !== passkey.handle) return refuse();

  let verified, authenticationInfo;
  try {
    ({ verified, authenticationInfo } = await verifyAuthenticationResponse({
      response: credential,
      expectedChallenge,
      expectedOrigin: origin,
      expectedRPID: rpID,
      requireUserVerification: true,
      credential: { id: passkey.id, publicKey: passkey.publicKey, counter: passkey.counter },
    }));
  } catch {
    return refuse();
  }
  if (!verified) return refuse();

  const token = randomBytes(32).toString("base64url");
  const tokenHash = createHash("sha256").update(token).digest();
  if (!signIn(passkey, authenticationInfo.newCounter, tokenHash, request)) return refuse();
  reply.header("Set-Cookie", `session=${token}; Path=/; Max-Age=${sessionLasts / 1000}; HttpOnly; SameSite=Lax`);
  return { user: { name: passkey.userName } };
});

process.on("SIGINT", async () => {
  await app.close();
  db.close();
});

await app.listen({ host: rpID, port });
