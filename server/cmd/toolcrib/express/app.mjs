// A program with Express and express-session, and a sign-in of its own. The manual shows the part about Keypeg, with which
// keypeg.mjs of the crib in Node (../node) is used as it is.
import { createHash, randomBytes, scryptSync, timingSafeEqual } from "node:crypto";
import express from "express";
import session from "express-session";

import * as keypeg from "./keypeg.mjs";

const hashOf = (password, salt) => scryptSync(password, salt, 32);
const users = ["kim", "ann", "bob"].map((name, i) => {
  const password = randomBytes(8).toString("hex");
  const salt = randomBytes(16);
  console.log(`  ${name}  ${password}`);
  return { id: 17 + i, name, salt, hash: hashOf(password, salt) };
});
const isRight = (user, password) => timingSafeEqual(hashOf(String(password), user.salt), user.hash);
const userOf = (req) => users.find(({ id }) => id === req.session.user);

const app = express();
const store = new session.MemoryStore();
app.use(session({ store, secret: randomBytes(32).toString("hex"), resave: false, saveUninitialized: false, cookie: { sameSite: "lax" } }));

// A hook needs the body as it came: it stands before express.urlencoded.
app.post("/keypeg-hooks", express.raw({ type: "*/*" }), (req, res) => {
  const event = keypeg.heard(req.headers, req.body ?? "");
  if (event?.type === "sessions.end") endSessions(event.data);
  res.sendStatus(event ? 204 : 401);
});
app.use(express.urlencoded({ extended: false }));

// The id of a session for Keypeg: express-session's own is a secret.
const sidOf = (id) => createHash("sha256").update(id).digest("hex");
const now = () => Math.floor(Date.now() / 1000);

// The end of each sign-in. After one with a password, passkey is "".
function signIn(req, res, user, passkey) {
  req.session.regenerate(() => {
    Object.assign(req.session, { user: user.id, passkey, proved: now() });
    res.redirect(303, "/");
  });
}

const introductionOf = (req, user) => keypeg.introduction({ id: String(user.id), name: user.name }, sidOf(req.sessionID), req.session);

app.all("/keypeg-introduction", (req, res) => {
  const user = userOf(req);
  if (!user) return res.sendStatus(401);
  if (req.method === "POST") {
    if (!isRight(user, req.body.password)) return res.status(403).end(); // and 429 after too many guesses
    req.session.proved = now();
  }
  res.type("text").send(introductionOf(req, user));
});

app.post("/keypeg-arrive", async (req, res) => {
  const proved = await keypeg.redeem(req.body.proof ?? "", req.headers.cookie);
  const user = proved && users.find(({ id }) => String(id) === proved.userId);
  if (!user) return res.status(403).send(page("The sign-in with a passkey did not work. Please try again."));
  signIn(req, res, user, proved.passkeyId);
});

app.post("/sign-out", async (req, res) => {
  const user = userOf(req);
  if (user) await keypeg.end({ id: String(user.id) }, sidOf(req.sessionID));
  req.session.destroy(() => res.redirect(303, "/sign-in"));
});

// Ends the sessions that began with a passkey, but for one.
function endSessions({ userId, passkeyId, except }) {
  store.all((_, sessions) => {
    for (const [id, { user, passkey }] of Object.entries(sessions)) {
      if (String(user) === userId && passkey === passkeyId && sidOf(id) !== except) store.destroy(id);
    }
  });
}

// That was Keypeg. This is the program.

const page = (body) => `<!doctype html><html lang="en"><meta charset="utf-8"><title>Express</title><script type="module" src="/keypeg/elements.js"></script><body>${body}`;

app.get("/", (req, res) => {
  const user = userOf(req);
  if (!user) return res.redirect("/sign-in");
  res.set("Cache-Control", "private, no-cache").send(page(`<keypeg-menu introduction="${introductionOf(req, user)}" fresh="/keypeg-introduction" offer>${user.name}
<button slot="items" form="sign-out">Sign out</button></keypeg-menu><form id="sign-out" method="post" action="/sign-out"></form>`));
});

app.get("/sign-in", (req, res) => {
  res.send(page(`<form method="post"><input name="name" autocomplete="username webauthn"><input name="password" type="password"><button>Sign in</button></form><keypeg-sign-in></keypeg-sign-in>`));
});

app.post("/sign-in", (req, res) => {
  const user = users.find(({ name }) => name === req.body.name);
  if (!user || !isRight(user, req.body.password)) return res.status(403).send(page("The name or the password is not right."));
  signIn(req, res, user, "");
});

const [host, port] = process.env.CRIB_LISTEN.split(":");
app.listen(Number(port), host, () => console.log("The program is open at", keypeg.origin));
