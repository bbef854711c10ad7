// What the scripts of the sign-in pages have in common: requests to the server, what is shown when
// something fails, and a ceremony that a button begins. web/static/signinpages.js and
// web/static/confirm.js say what the button does.
//
// Package web puts web/credential before this file, and the sentences of a language, keypegTexts.

const { supported, create, get, can, forbidden, failures, keep, count } = keypegCredentials;
const form = document.querySelector("form[data-begin]");
const enrolling = form.id === "enrol";
const refusal = document.getElementById("refusal");
const button = document.getElementById("use-passkey"); // none while IT has passkeys off
const text = (name, values = {}) => keypegTexts[name].replace(/\{(\w+)\}/g, (whole, key) => values[key] ?? whole);

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
  if (received && received[0] !== "{") return trouble("answer-other");
  // Who leaves the page cuts it off, in some browsers a moment before the page is left (app/browser/fetch_js.go).
  await new Promise((later) => setTimeout(later, 1000));
  return trouble("answer-cut");
}

async function trouble(name) {
  const explained = await send("/api/v1/trouble", { trouble: name }).then((answer) => answer.json()).catch(() => {});
  return new Refused(explained?.detail ?? text("offline"));
}

// finish sends what the authenticator answered, and what failed here before.
async function finish(answer) {
  await post(form.dataset.finish, { ...answer, failed: failures() });
  keep();
}

// sentence says what a failure means (WebAuthn Level 3, 5.1.3 and 5.1.4).
function sentence(error) {
  if (error instanceof Refused) return error.message;
  if (error.name === "AbortError") return "";
  const { name } = error;
  const known = [name + (enrolling ? " create" : " get"), name, "other"].find((it) => it in keypegTexts);
  return text(known, { host: location.hostname, rp: form.dataset.rp, reference: name });
}

function show(message) {
  refusal.textContent = message;
  refusal.hidden = !message;
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
    // A password manager may keep a passkey that works nowhere.
    show(sentence(error) + (error.chosen && enrolling ? " " + text("kept") : ""));
    return error;
  }
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
