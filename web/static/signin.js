// Signs a user in to a program with a passkey, by <keypeg-sign-in> (web/static/elements.js): with its button, and by
// autofill where the browser has it (conditional mediation). What comes of it is a proof, which goes to the program.
//
// A browser runs one ceremony at a time. So autofill is aborted before the ceremony of the button begins, and armed
// again if that one fails. Of several elements on a page, such as for wide and for narrow screens, the last one has it.
//
// Package web puts keypegTexts before this file: the texts of one language.

// A ticket works for five minutes. Autofill waits as long as the page is open, so it gets a new ticket in time.
const rearmAfter = 4 * 60 * 1000;

// Who presses the button before the browser has said what it can waits for that so long, in milliseconds. It may never
// say it.
const saysWithin = 300;

// A refusal is as wide as the button, and never makes it wider. One that is no failure, since the user has closed the
// prompt, isn't red.
const looks = new CSSStyleSheet();
looks.replaceSync(`
  button:disabled { opacity: 0.55; cursor: default; }
  .quiet { border-color: #0000; background: none; }
  [role="alert"] {
    width: 0; min-width: 100%; padding: 0.75em 1em; border: 1px solid #0000; border-radius: 0.5em; line-height: 1.5;
    background: var(--keypeg-bad-ground, light-dark(#fdeceb, #43201e)); color: var(--keypeg-bad, light-dark(#9c211a, #ffb0a8));
  }
  [role="alert"].notice { background: var(--keypeg-raised, light-dark(#eef2f5, #242e37)); color: var(--keypeg-text, CanvasText); }
  [role="alert"]:empty { display: none; }
`);

let autofill; // { element, controller, timer, done } of the ceremony that waits until the user picks a passkey in the name's text box

async function disarm() {
  const { controller, timer, done } = autofill ?? {};
  autofill = undefined;
  clearTimeout(timer);
  controller?.abort();
  await done;
}

// signIn begins, with the parts of the element. It returns what ends it.
export function signIn(element, { ask, make, internals, button, label, refusal }) {
  const cancel = make("button", { type: "button", className: "quiet", hidden: true }, keypegTexts.cancel);
  button.after(cancel);
  const root = element.shadowRoot;
  if (!root.adoptedStyleSheets.includes(looks)) root.adoptedStyleSheets = [...root.adoptedStyleSheets, looks];
  const atRest = label.textContent;
  let canAutofill = false;
  let immediate; // the uiMode with which the browser asks only for passkeys of this device (WebAuthn Level 3, 5.1.4)
  let said; // settles when immediate is known
  let isOver = false;

  async function run(mediation, signal, uiMode) {
    const { get, failures, keep, count, forbidden } = keypegCredentials;
    const { json } = await ask("POST", "/api/v1/sign-in/passkey/begin", element.language, { mediation }, signal);
    const { ticket, publicKey } = json;
    const credential = await get(publicKey, { mediation, signal, uiMode }).catch((error) => {
      if (!uiMode || error.name !== "NotAllowedError" || forbidden("get")) throw error;
      immediate = undefined; // the next time the browser may ask for everything
      throw { name: "not here" };
    });
    show();
    const { headers } = await ask("POST", "/api/v1/sign-in/passkey/finish", element.language, { ticket, credential, failed: failures() }).catch((refused) => {
      if (refused.code === "passkey_removed") count("removed"); // the server knows nobody who had it
      if (refused.unknownCredential) forget(publicKey.rpId, credential.id);
      throw Object.assign(refused, { chosen: true });
    });
    keep();
    arrive(headers.get("Keypeg-Proof"), headers.get("Keypeg-Arrive"));
  }

  // forget signals to the password manager that a passkey was removed (WebAuthn Level 3, 5.1.10.1). A manager can't
  // restore what it deletes, so this happens only where the server allows it.
  function forget(rpId, credentialId) {
    PublicKeyCredential.signalUnknownCredential?.({ rpId, credentialId })?.catch(() => {});
  }

  // arrive brings the proof to the program: in its own form, so that its token against forged requests comes along,
  // or else alone. It is never in an address. The form isn't checked: the fields for a password may be empty.
  function arrive(proof, address) {
    if (!element.tell("keypeg-proof", { proof, arrive: address })) { // the program sends it, and may need another one
      ready();
      arm();
      return;
    }
    const submit = (form) => HTMLFormElement.prototype.submit.call(form); // a field may have the name "submit"
    const { form } = internals;
    if (form?.getAttribute("method")?.toLowerCase() === "post") {
      const entries = new FormData();
      entries.set("proof", proof);
      internals.setFormValue(entries);
      submit(form);
      internals.setFormValue(null); // with Back, the form comes back, and a proof works once
    } else {
      const own = make("form", { method: "post", action: address }, make("input", { type: "hidden", name: "proof", value: proof }));
      element.shadowRoot.append(own);
      submit(own);
      own.remove();
    }
  }

  // sentence says what a failure means (WebAuthn Level 3, 5.1.4).
  function sentence(error) {
    if (error.name === "AbortError") return "";
    if (error.code) return error.message;
    const known = [error.name + " get", error.name, "other"].find((it) => it in keypegTexts);
    const values = { host: location.hostname, rp: location.hostname, reference: error.name };
    return keypegTexts[known].replace(/\{(\w+)\}/g, (whole, key) => values[key] ?? whole);
  }

  // explained has the server warn IT of a Permissions-Policy that forbids passkeys here, and say so to the user. Of the
  // browser they would read that they have cancelled it.
  async function explained(error) {
    if (error.name !== "NotAllowedError" || !keypegCredentials.forbidden("get")) return error;
    const { json } = await ask("POST", "/api/v1/trouble", element.language, { trouble: "passkey-policy" }).catch(() => ({}));
    return json ? { code: "in_between", message: json.detail } : error;
  }

  function show(error) {
    refusal.className = error?.name === "NotAllowedError" || error?.name === "not here" ? "notice" : "";
    refusal.textContent = error ? sentence(error) : "";
  }

  async function arm() {
    while (autofill) await disarm();
    if (isOver || !canAutofill || button.disabled) return;
    const controller = new AbortController();
    const timer = setTimeout(arm, rearmAfter);
    // The user hasn't asked for this ceremony, so its end is shown only if they had picked a passkey.
    const done = run("conditional", controller.signal).catch((error) => error.chosen && show(error));
    autofill = { element, controller, timer, done };
  }

  function ready() {
    label.textContent = atRest;
    button.disabled = false;
    button.style.minWidth = "";
    cancel.hidden = true;
  }

  async function onSignIn() {
    const controller = new AbortController();
    button.disabled = true;
    button.style.minWidth = button.offsetWidth + "px"; // whatever it says
    label.textContent = keypegTexts.working;
    cancel.hidden = false; // not every password manager says that its user has closed it
    cancel.onclick = () => controller.abort();
    show();
    try {
      await loaded;
      await disarm();
      await Promise.race([said, new Promise((late) => setTimeout(late, saysWithin))]);
      await run(undefined, controller.signal, immediate);
    } catch (error) {
      const failure = await explained(error);
      ready();
      button.focus(); // what is disabled loses the focus
      show(failure);
      arm();
    }
  }

  // The Back button may bring the page back as it was left.
  const onShow = ({ persisted }) => {
    if (!persisted) return;
    ready();
    arm();
  };

  const loading = async () => {
    await import("/api/v1/credential.js").catch(() => Promise.reject({ name: "offline" }));
    const { supported, can } = keypegCredentials;
    button.hidden = !supported; // there is the program's own sign-in
    if (!supported) return;
    said = Promise.resolve()
      .then(() => PublicKeyCredential.getClientCapabilities())
      .then((can) => (immediate = can.immediateGet === true ? "immediate" : undefined))
      .catch(() => {}); // an older browser
    canAutofill = await can("isConditionalMediationAvailable");
    arm();
  };
  const loaded = loading();
  loaded.catch(() => {}); // the button says so

  button.addEventListener("click", onSignIn);
  addEventListener("pageshow", onShow);
  return () => {
    isOver = true;
    button.removeEventListener("click", onSignIn);
    removeEventListener("pageshow", onShow);
    ready();
    cancel.remove();
    if (autofill?.element === element) disarm();
  };
}
