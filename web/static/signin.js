// Adds passkeys to the sign-in page: a button, and autofill where the browser
// offers it (conditional mediation). The password form works without this file.
//
// A browser runs one ceremony at a time: autofill is aborted before the button's
// own ceremony, and armed again when that one has failed.

const form = document.getElementById("sign-in");
const refusal = document.getElementById("refusal");
const button = document.getElementById("use-passkey");
const text = (name, values = {}) =>
  form.dataset["text" + name].replace(/\{(\w+)\}/g, (whole, key) => values[key] ?? whole);

// Whoever is here is signed out: nothing that names them stays behind (app/copy.go).
localStorage.removeItem("keypeg-copy");

// A ticket lives five minutes. Autofill waits for as long as the page is open,
// so it asks for a new one in time.
const rearmAfter = 4 * 60 * 1000;

let autofill; // { controller, done } of the conditional ceremony that waits

// Refused is an answer of the server, in a sentence for the person.
class Refused extends Error {
  constructor(sentence, problem = {}) {
    super(sentence);
    this.problem = problem;
  }
}

async function post(path, body) {
  let answer;
  try {
    answer = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
  } catch {
    throw new Refused(text("Offline"));
  }
  const json = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refused(json.detail || text("Offline"), json);
  return json;
}

async function ceremony(mediation, signal) {
  const { ticket, publicKey } = await post(form.dataset.begin, { mediation });
  const options = { publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(publicKey), signal };
  if (mediation) options.mediation = mediation;
  const credential = await navigator.credentials.get(options);
  show("");
  await post(form.dataset.finish, { ticket, credential: credential.toJSON() }).catch((error) => {
    show(sentence(error)); // somebody chose a passkey, so even autofill tells
    if (error.problem?.unknownCredential) forget(credential.id, publicKey.rpId);
    throw error;
  });
  if (credential.authenticatorAttachment === "cross-platform" && (await couldHoldOne())) {
    sessionStorage.setItem("keypeg-from-another-device", "yes"); // app/page_home.go
  }
  location.assign(form.elements.next.value);
}

// forget lets a password manager stop offering a passkey that nobody has here
// (WebAuthn Level 3, 5.1.10.1).
function forget(credentialId, rpId) {
  PublicKeyCredential.signalUnknownCredential?.({ rpId, credentialId })?.catch(() => {});
}

function couldHoldOne() {
  return PublicKeyCredential.isUserVerifyingPlatformAuthenticatorAvailable?.();
}

function sentence(error) {
  if (error instanceof Refused) return error.message;
  switch (error.name) {
    case "AbortError":
      return "";
    case "NotAllowedError":
      return text("Denied");
    case "SecurityError":
      return text("Address", { host: location.hostname, rp: form.dataset.rp });
    case "ConstraintError":
      return text("Lock");
    default:
      return text("Provider", { reference: error.name });
  }
}

function show(message) {
  refusal.textContent = message;
  refusal.hidden = !message;
}

function armAutofill() {
  const controller = new AbortController();
  const timer = setTimeout(rearm, rearmAfter);
  const done = ceremony("conditional", controller.signal)
    .catch(() => {}) // nobody asked for this ceremony, so nobody is told that it ended
    .finally(() => clearTimeout(timer));
  autofill = { controller, done };
}

async function disarmAutofill() {
  const waiting = autofill;
  autofill = undefined;
  waiting?.controller.abort();
  await waiting?.done;
}

async function rearm() {
  await disarmAutofill();
  armAutofill();
}

// busy makes a button say that it works, and returns how to undo that.
function busy(button) {
  const label = button.lastChild.textContent;
  button.disabled = true;
  button.lastChild.textContent = text("Working");
  return () => {
    button.disabled = false;
    button.lastChild.textContent = label;
  };
}

async function signIn() {
  const ready = busy(button);
  show("");
  await disarmAutofill();
  try {
    await ceremony();
  } catch (error) {
    show(sentence(error));
    ready();
    if (canAutofill) armAutofill();
  }
}

form.addEventListener("submit", () => {
  const ready = busy(form.querySelector("button"));
  // The browser may bring this page back as it was left.
  addEventListener("pageshow", ready, { once: true });
});

// There is no button while IT has passkeys off.
const capable = button && globalThis.PublicKeyCredential?.parseRequestOptionsFromJSON && isSecureContext;
const canAutofill = capable && (await PublicKeyCredential.isConditionalMediationAvailable?.());

if (capable) {
  document.getElementById("passkey").classList.remove("waiting");
  button.addEventListener("click", signIn);
} else {
  document.getElementById("passkey")?.remove();
}
if (canAutofill) armAutofill();

// The app opens warm after sign-in. Not on a connection that is paid by the byte.
if (!navigator.connection?.saveData) {
  const prefetch = document.createElement("link");
  Object.assign(prefetch, { rel: "prefetch", as: "fetch", href: form.dataset.app });
  document.head.append(prefetch);
}
