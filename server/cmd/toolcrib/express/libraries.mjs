// The same as keypeg.mjs of the crib in Node (../node), which is own.mjs here, but other people's libraries check proofs and
// hooks. The manual shows both functions.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRemoteJWKSet, jwtVerify } from "jose";
import { Webhook } from "standardwebhooks";

import { origin } from "./own.mjs";

export * from "./own.mjs"; // and what is below counts in the place of theirs

const keypeg = process.env.KEYPEG; // where Keypeg listens
const secret = () => readFileSync(process.env.KEYPEG_SECRET_FILE, "ascii").split("\n")[0];

// The proof.
const keys = createRemoteJWKSet(new URL("/keypeg/jwks.json", keypeg));
const arrival = origin.startsWith("https:") ? "__Host-keypeg-arrival=" : "keypeg-arrival=";
const used = new Map(); // when a proof ends, by its jti. Several processes of a program share it

// redeem returns who has just used a passkey, or undefined. The browser's cookies say that it was in this browser.
export async function redeem(proof, cookies = "") {
  try {
    const { payload } = await jwtVerify(proof, keys, {
      algorithms: ["ES256"], typ: "keypeg-proof+jwt", issuer: origin, audience: origin + "/keypeg-arrive", requiredClaims: ["exp", "jti", "bound"],
    });
    const cookie = cookies.split("; ").find((one) => one.startsWith(arrival)) ?? arrival;
    if (payload.bound !== createHash("sha256").update(cookie.slice(arrival.length)).digest("base64url")) throw new Error("the proof was made in another browser");
    used.forEach((exp, jti) => exp < Date.now() / 1000 && used.delete(jti));
    if (used.has(payload.jti)) throw new Error("the proof was used before");
    used.set(payload.jti, payload.exp);
    return { userId: payload.sub, passkeyId: payload.passkeyId, proved: payload.iat };
  } catch (failure) {
    console.error("Keypeg:", failure.message);
  }
}

// The hook.
// heard returns what Keypeg tells, at least once, or undefined if somebody else does.
export function heard(headers, body) {
  try {
    return new Webhook(secret(), { format: "raw" }).verify(body, headers);
  } catch (failure) {
    console.error("Keypeg:", failure.message);
  }
}
