// Builds Keypeg in: people get passkeys, and the crib keeps its people, passwords and sessions.
import { createHmac, randomUUID, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";

export const origin = process.env.CRIB_ORIGIN; // of the crib, as browsers see it
const keypeg = process.env.KEYPEG; // where Keypeg listens

// The secrets are read each time, so that a new one needs no restart.
const secrets = () => readFileSync(process.env.KEYPEG_SECRET_FILE, "ascii").trim().split(/\s+/);

// introduction says who is signed in at a page: the attribute of <keypeg-menu>.
export function introduction(person, sid, session) {
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    sub: person.id, name: person.name, hasPassword: true, aud: origin,
    sid, proved: session.proved, passkey: session.passkey,
    iat: now, exp: now + 300, jti: randomUUID(),
  };
  const text = [{ alg: "HS256" }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
  return text + "." + createHmac("sha256", secrets()[0]).update(text).digest("base64url");
}

// ask asks Keypeg, as the program. It returns undefined if Keypeg refuses, or can't be reached.
async function ask(method, path, form, cookies = "") {
  try {
    const headers = { Authorization: "Bearer " + secrets()[0], Cookie: cookies };
    const answer = await fetch(keypeg + path, { method, headers, body: form && new URLSearchParams(form), signal: AbortSignal.timeout(10_000) });
    const text = await answer.text();
    if (answer.ok) return JSON.parse(text || "{}");
    console.error("Keypeg:", text);
  } catch (failure) {
    console.error("Keypeg:", failure);
  }
}

// end says that a session has ended. If Keypeg doesn't hear it, it ends there with the introduction.
export const end = (person, sid) => ask("DELETE", `/keypeg/users/${encodeURIComponent(person.id)}/sessions/${encodeURIComponent(sid)}`);

// redeem returns who has just used a passkey, or undefined. The browser's cookies say that it was in this browser.
export const redeem = (proof, cookies) => ask("POST", "/keypeg/redeem", { proof }, cookies);

// heard returns what Keypeg tells, at least once, or undefined if somebody else does.
export function heard({ "webhook-id": id, "webhook-timestamp": at, "webhook-signature": sent = "" }, body) {
  const right = secrets().map((secret) => Buffer.from("v1," + createHmac("sha256", secret).update(`${id}.${at}.`).update(body).digest("base64")));
  const isRight = sent.split(" ").map((one) => Buffer.from(one)).some((one) => right.some((own) => own.length === one.length && timingSafeEqual(own, one)));
  if (isRight && Math.abs(Date.now() / 1000 - at) < 300) return JSON.parse(body);
}

// introduce answers GET if the page is older than its introduction, and POST if they confirm with their password.
export async function introduce(r) {
  const status = !r.person ? 401 : r.method === "GET" ? 200 : await r.prove(r.form.get("password") ?? "");
  r.answer(status, status === 200 ? introduction(r.person, r.sid, r.session) : "");
}

export async function arrive(r) {
  const proved = await redeem(r.form.get("proof") ?? "", r.headers.cookie);
  if (!proved) return r.refuse("The sign-in with a passkey did not work. Please try again.");
  r.begin(proved.userId, proved.passkeyId);
}

export function hear(r) {
  const event = heard(r.headers, r.body);
  if (event?.type === "sessions.end") r.crib.endSessions(event.data.userId, event.data.passkeyId, event.data.except);
  r.answer(event ? 204 : 401);
}
