import { startRegistration, startAuthentication } from "@simplewebauthn/browser";

export async function keypeg(method, path, body) {
  const answer = await fetch("/api/v1/" + path, {
    method,
    headers: { "Content-Type": "application/json" },
    body: body && JSON.stringify(body),
  });
  const received = answer.status === 204 ? null : await answer.json();
  if (!answer.ok) throw Object.assign(new Error(received.detail), { code: received.code });
  return received;
}

export async function addPasskey(name) {
  const { ticket, publicKey } = await keypeg("POST", "passkeys/register/begin", {});
  const credential = await startRegistration({ optionsJSON: publicKey });
  return keypeg("POST", "passkeys/register/finish", { ticket, credential, name });
}

export async function signIn() {
  const { ticket, publicKey } = await keypeg("POST", "sign-in/passkey/begin", {});
  const credential = await startAuthentication({ optionsJSON: publicKey });
  return keypeg("POST", "sign-in/passkey/finish", { ticket, credential });
}
