// Adds passkeys to the sign-in pages. On the sign-in page: a button, and autofill
// where the browser offers it (conditional mediation). On the page of an enrolment
// link: a button that makes one. The forms' passwords work without this file.
//
// A browser runs one ceremony at a time: autofill is aborted before the button's
// own ceremony, and armed again when that one has failed.
//
// The build puts web/credential before it.

const { supported, create, get, can } = keypegCredentials;
const form = document.querySelector("form[data-begin]");
const refusal = document.getElementById("refusal");
const button = document.getElementById("use-passkey"); // none while IT has passkeys off
const text = (name, values = {}) =>
  form.dataset["text" + name].replace(/\{(\w+)\}/g, (whole, key) => values[key] ?? whole);

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

const send = (path, body, signal) =>
  fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
    redirect: "manual", // the API has none
    signal,
  });

async function post(path, body, signal) {
  let answer, received, json;
  try {
    answer = await send(path, body, signal);
    received = await answer.text();
    json = JSON.parse(received);
  } catch (error) {
    if (signal?.aborted) throw error;
  }
  if (json && answer.ok) return json;
  throw json?.code ? new Refused(json.detail, json) : await between(answer ?? {}, received);
}

// between tells who answered in the server's place, as app/client does. The server has the
// sentence for it.
async function between({ ok, status = 503 }, received) {
  if (status === 429 || status > 499) return new Refused(text("Offline"));
  if (status === 413) return trouble("answer-large");
  if (!ok && status) return trouble("answer-refused");
  return trouble(received && received[0] !== "{" ? "answer-other" : "answer-cut");
}

async function trouble(name) {
  const explained = await send("/api/v1/trouble", { trouble: name }).then((answer) => answer.json(), () => {}).catch(() => {});
  return new Refused(explained?.detail ?? text("Offline"));
}

// forbidden reports whether the page was told to use no passkeys. Only some browsers say.
const forbidden = () =>
  document.featurePolicy?.allowsFeature("publickey-credentials-" + (enrolling ? "create" : "get")) === false;

async function signIn(mediation, signal) {
  const { ticket, publicKey } = await post(form.dataset.begin, { mediation }, signal);
  const credential = await get(publicKey, { mediation, signal });
  show("");
  await post(form.dataset.finish, { ticket, credential }).catch((error) => {
    if (error.problem?.unknownCredential) forget(credential.id, publicKey.rpId);
    throw Object.assign(error, { chosen: true });
  });
  if (credential.authenticatorAttachment === "cross-platform" && (await couldHoldOne())) {
    sessionStorage.setItem("keypeg-from-another-device", "yes"); // app/pages/offer.go
  }
  location.assign("/signed-in?next=" + encodeURIComponent(form.elements.next.value));
}

// forget lets a password manager stop offering a passkey that was removed
// (WebAuthn Level 3, 5.1.10.1). What it deletes can't be brought back, so only the
// server's word counts, and for a new passkey there is none: where the answer to
// one is lost or another's, it may be kept all the same.
function forget(credentialId, rpId) {
  PublicKeyCredential.signalUnknownCredential?.({ rpId, credentialId })?.catch(() => {});
}

function couldHoldOne() {
  return can("isUserVerifyingPlatformAuthenticatorAvailable");
}

// texts are what a DOMException is told by (WebAuthn Level 3, 5.1.3 and 5.1.4).
const texts = {
  NotAllowedError: "Denied",
  InvalidStateError: "Exists",
  NotSupportedError: "Unsupported",
  SecurityError: "Address",
  ConstraintError: "Lock",
};

function sentence(error) {
  if (error instanceof Refused) return error.message;
  if (error.name === "AbortError") return "";
  const known = "text" + texts[error.name] in form.dataset ? texts[error.name] : "Provider";
  return text(known, { host: location.hostname, rp: form.dataset.rp, reference: error.name });
}

// wholeSentence is the sentence, and what a password manager may have kept for nothing.
function wholeSentence(error) {
  return error.chosen && enrolling ? sentence(error) + " " + text("Kept") : sentence(error);
}

function show(message) {
  refusal.textContent = message;
  refusal.hidden = !message;
}

function armAutofill() {
  const controller = new AbortController();
  const timer = setTimeout(rearm, rearmAfter);
  const done = signIn("conditional", controller.signal)
    .catch((error) => {
      // Nobody asked for this ceremony, so nobody is told that it ended, unless they had
      // picked a passkey.
      if (error.chosen) show(sentence(error));
    })
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

// busy makes a button say that it works, and returns how to undo that. The browser may
// bring the page back as it was left: then nothing works on it any more.
function busy(button) {
  const label = button.lastChild.textContent;
  button.disabled = true;
  button.lastChild.textContent = text("Working");
  const ready = () => {
    button.disabled = false;
    button.lastChild.textContent = label;
  };
  addEventListener("pageshow", (event) => event.persisted && ready());
  return ready;
}

// run is what the button does. Until it has ended another button cancels it: not every
// password manager says that its user has left.
async function run(ceremony) {
  const ready = busy(button);
  const controller = new AbortController();
  const cancel = Object.assign(document.createElement("button"), {
    type: "button",
    id: "cancel-passkey",
    className: "button quiet wide",
    textContent: text("Cancel"),
  });
  cancel.addEventListener("click", () => controller.abort());
  button.after(cancel);
  show("");
  try {
    await ceremony(controller.signal);
    cancel.remove();
  } catch (error) {
    const focused = document.activeElement === cancel;
    cancel.remove();
    ready();
    if (focused) button.focus();
    if (error.name === "NotAllowedError" && forbidden()) error = await trouble("passkey-policy");
    show(wholeSentence(error));
    return error;
  }
}

async function onSignIn() {
  const failed = await run(async (signal) => {
    await disarmAutofill();
    await signIn(undefined, signal);
  });
  if (failed && canAutofill) armAutofill();
}

// onEnrol makes a passkey, and has the password that was typed kept with it, if any.
function onEnrol() {
  const password = form.elements.password;
  if (password?.value && !password.reportValidity()) return;
  run(async (signal) => {
    const { ticket, publicKey } = await post(form.dataset.begin, {}, signal);
    const credential = await create(publicKey, { signal });
    await post(form.dataset.finish, { ticket, credential, password: password?.value }).catch((error) => {
      // Refused, so that nobody has the passkey but its manager, as in app/ceremony. Without
      // a code something else than the server has answered.
      const code = error.problem?.code;
      throw Object.assign(error, { chosen: !!code && !form.dataset.registered.split(" ").includes(code) });
    });
    location.replace(form.dataset.next);
  });
}

form.addEventListener("submit", (event) => busy(event.submitter));

document.getElementById("unscripted")?.remove();
const capable = button && supported;
if (capable) {
  for (const element of document.querySelectorAll(".waiting")) element.classList.remove("waiting");
} else {
  for (const element of document.querySelectorAll(".waiting")) element.remove();
  document.getElementById("incapable")?.removeAttribute("hidden");
}

const enrolling = form.id === "enrol";
let canAutofill = false;
button?.addEventListener("click", enrolling ? onEnrol : onSignIn);
if (capable && form.elements.name && !enrolling) {
  canAutofill = await can("isConditionalMediationAvailable");
  if (canAutofill && !button.disabled) armAutofill(); // else when the button's ceremony has failed
}

// Whoever signs in is signed out: nothing that names them stays behind (app/pages/copy.go).
if (!enrolling) {
  localStorage.removeItem("keypeg-copy");
  localStorage.removeItem("keypeg-signing-out"); // app/pages/signout.go
}

// The app opens warm after sign-in. Not on a connection that is paid by the byte.
if (!navigator.connection?.saveData) {
  const prefetch = document.createElement("link");
  Object.assign(prefetch, { rel: "prefetch", as: "fetch", href: form.dataset.app });
  document.head.append(prefetch);
}
