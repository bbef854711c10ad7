// Adds passkeys to the sign-in pages. The sign-in page gets a button, and autofill where the
// browser has it (conditional mediation). The page of an enrolment link gets a button that
// makes a passkey. Passwords work without this file.
//
// A browser runs one ceremony at a time. So autofill is aborted before the ceremony of the
// button begins, and armed again if that one fails.
//
// Package web puts web/credential before this file, and the sentences of a language, keypegTexts.

const { supported, create, get, can, forbidden, failures, keep, count } = keypegCredentials;
const form = document.querySelector("form[data-begin]");
const enrolling = form.id === "enrol";
const refusal = document.getElementById("refusal");
const button = document.getElementById("use-passkey"); // none while IT has passkeys off
const text = (name, values = {}) => keypegTexts[name].replace(/\{(\w+)\}/g, (whole, key) => values[key] ?? whole);

// A ticket works for five minutes. Autofill waits as long as the page is open, so it gets a new
// ticket in time.
const rearmAfter = 4 * 60 * 1000;

// immediate is the uiMode with which the browser asks only for passkeys that are on this device, and
// fails at once if there is none (WebAuthn Level 3, 5.1.4). So people without one don't meet a dialog
// about phones. The button uses it once. After a failure it lets the browser ask for everything.
let immediate;
if (!enrolling) {
  Promise.resolve()
    .then(() => PublicKeyCredential.getClientCapabilities())
    .then((can) => (immediate = can.immediateGet === true ? "immediate" : undefined))
    .catch(() => {}); // an older browser
}

let autofill; // { controller, done } of the conditional ceremony that waits

// Refused is a refusal, with a sentence for the person.
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

// between finds out what answered in the server's place, as app/client does. The server has the
// sentence for that.
async function between({ ok, status = 503 }, received) {
  if (status === 429 || status > 499) return new Refused(text("offline"));
  if (status === 413) return trouble("answer-large");
  if (!ok && status) return trouble("answer-refused");
  return trouble(received && received[0] !== "{" ? "answer-other" : "answer-cut");
}

async function trouble(name) {
  const explained = await send("/api/v1/trouble", { trouble: name }).then((answer) => answer.json(), () => {}).catch(() => {});
  return new Refused(explained?.detail ?? text("offline"));
}

// finish sends what the authenticator answered, and what failed here before.
async function finish(answer) {
  await post(form.dataset.finish, { ...answer, failed: failures() });
  keep();
}

async function signIn(mediation, signal, uiMode) {
  const { ticket, publicKey } = await post(form.dataset.begin, { mediation }, signal);
  const credential = await get(publicKey, { mediation, signal, uiMode }).catch((error) => {
    if (!uiMode || error.name !== "NotAllowedError" || forbidden("get")) throw error;
    immediate = undefined;
    throw new Refused(text("not here"));
  });
  show("");
  await finish({ ticket, credential }).catch((error) => {
    if (error.problem?.code === "passkey_removed") count("removed"); // the server knows nobody who had it
    if (error.problem?.unknownCredential) forget(credential.id, publicKey.rpId);
    throw Object.assign(error, { chosen: true });
  });
  if (credential.authenticatorAttachment === "cross-platform" && (await can("isUserVerifyingPlatformAuthenticatorAvailable"))) {
    sessionStorage.setItem("keypeg-from-another-device", "yes"); // app/pages/offer.go
  }
  location.assign("/signed-in?next=" + encodeURIComponent(form.elements.next.value));
}

// forget signals to the password manager that a passkey was removed (WebAuthn Level 3,
// 5.1.10.1). A manager can't restore what it deletes, so this happens only where the server
// allows it. It never happens for a new passkey: if the answer to its registration is lost,
// the server may have it all the same.
function forget(credentialId, rpId) {
  PublicKeyCredential.signalUnknownCredential?.({ rpId, credentialId })?.catch(() => {});
}

// sentence says what a failure means (WebAuthn Level 3, 5.1.3 and 5.1.4).
function sentence(error) {
  if (error instanceof Refused) return error.message;
  if (error.name === "AbortError") return "";
  const { name } = error;
  const known = [name + (enrolling ? " create" : " get"), name, "other"].find((it) => it in keypegTexts);
  return text(known, { host: location.hostname, rp: form.dataset.rp, reference: name });
}

// wholeSentence returns the sentence, and another one if a password manager may keep a passkey
// that works nowhere.
function wholeSentence(error) {
  return error.chosen && enrolling ? sentence(error) + " " + text("kept") : sentence(error);
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
      // The user hasn't asked for this ceremony, so its end is shown only if they had picked
      // a passkey.
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

// busy disables a button and shows that it works. It returns a function that undoes that. The
// function is also called when the Back button brings the page back as it was.
function busy(button) {
  const label = button.lastChild.textContent;
  button.disabled = true;
  button.lastChild.textContent = text("working");
  const ready = () => {
    button.disabled = false;
    button.lastChild.textContent = label;
  };
  addEventListener("pageshow", (event) => event.persisted && ready());
  return ready;
}

// run runs the ceremony of the button. Meanwhile another button cancels it, since not every
// password manager reports that its user has closed it.
async function run(ceremony) {
  const ready = busy(button);
  const controller = new AbortController();
  const cancel = Object.assign(document.createElement("button"), {
    type: "button",
    id: "cancel-passkey",
    className: "button quiet wide",
    textContent: text("cancel"),
  });
  cancel.addEventListener("click", () => controller.abort());
  button.after(cancel);
  show("");
  try {
    await ceremony(controller.signal);
    cancel.remove();
  } catch (error) {
    cancel.remove();
    ready();
    if (document.activeElement === document.body) button.focus(); // what is disabled or gone loses the focus
    if (error.name === "NotAllowedError" && forbidden(enrolling ? "create" : "get")) error = await trouble("passkey-policy");
    show(wholeSentence(error));
    return error;
  }
}

async function onSignIn() {
  const failed = await run(async (signal) => {
    await disarmAutofill();
    await signIn(undefined, signal, immediate);
  });
  if (failed && canAutofill) armAutofill();
}

// onEnrol makes a passkey, and sets the password that was typed, if any.
function onEnrol() {
  const password = form.elements.password;
  if (password?.value && !password.reportValidity()) return;
  run(async (signal) => {
    const { ticket, publicKey } = await post(form.dataset.begin, {}, signal);
    const credential = await create(publicKey, { signal });
    await finish({ ticket, credential, password: password?.value }).catch((error) => {
      // A refusal with such a code means that only the password manager has the passkey, as
      // in app/ceremony. An answer without a code isn't the server's.
      const code = error.problem?.code;
      throw Object.assign(error, { chosen: !!code && !form.dataset.registered.split(" ").includes(code) });
    });
    location.replace(form.dataset.next);
  });
}

// A form takes along what failed here before, and the page gets it back with a refusal.
const failed = form.elements.failed;
if (failed?.defaultValue) keep(JSON.parse(failed.defaultValue));
form.addEventListener("submit", (event) => {
  if (failed) {
    failed.value = JSON.stringify(failures());
    keep();
  }
  busy(event.submitter);
});

const folded = document.getElementById("by-password");
folded?.addEventListener("toggle", () => folded.open && form.elements.password.focus());

document.getElementById("unscripted")?.remove();
const capable = button && supported;
if (capable) {
  for (const element of document.querySelectorAll(".waiting")) element.classList.remove("waiting");
} else {
  for (const element of document.querySelectorAll(".waiting")) element.remove();
  document.getElementById("incapable")?.removeAttribute("hidden");
  document.querySelector(".instead")?.classList.add("primary");
  folded?.setAttribute("open", "");
}

let canAutofill = false;
button?.addEventListener("click", enrolling ? onEnrol : onSignIn);
if (capable && form.elements.name && !enrolling) {
  canAutofill = await can("isConditionalMediationAvailable");
  if (canAutofill && !button.disabled) armAutofill(); // else when that ceremony has failed
}

// A user at the sign-in page is signed out, so their data is removed (app/pages/copy.go).
// A sign-out that the server hasn't heard of forgets whom the page greets.
if (!enrolling) {
  localStorage.removeItem("keypeg-copy");
  if (localStorage.getItem("keypeg-signing-out")) { // app/pages/signout.go
    localStorage.removeItem("keypeg-signing-out");
    document.getElementById("not-you")?.submit();
  }
}

// Prefetches what the first page after sign-in needs, in this order. It isn't prefetched for users who
// save data.
if (!navigator.connection?.saveData) {
  for (const href of form.dataset.ahead.split(" ")) {
    document.head.append(Object.assign(document.createElement("link"), { rel: "prefetch", href }));
  }
}
