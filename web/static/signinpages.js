// Adds passkeys to the sign-in pages. The sign-in page gets a button, and autofill where the
// browser has it (conditional mediation). The page of an enrolment link gets a button that
// makes a passkey. Passwords work without this file.
//
// A browser runs one ceremony at a time. So autofill is aborted before the ceremony of the
// button begins, and armed again if that one fails.
//
// Package web puts web/ceremony.js before this file.

// A ticket works for five minutes. Autofill waits as long as the page is open, so it gets a new
// ticket in time.
const rearmAfter = 4 * 60 * 1000;

// immediate is the uiMode with which the browser asks only for passkeys that are on this device, and
// fails at once if there is none (WebAuthn Level 3, 5.1.4). So people without one don't meet a dialog
// about phones. The button uses it once. After a failure it lets the browser ask for everything. said
// settles when it is known.
let immediate, said;
if (!enrolling) {
  said = (async () => PublicKeyCredential.getClientCapabilities())()
    .then((can) => can.immediateGet && (immediate = "immediate"))
    .catch(() => {}); // an older browser
}

let autofill; // { controller, done } of the last conditional ceremony

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
    // The password manager hears that a passkey was removed (WebAuthn Level 3, 5.1.10.1). It can't restore what it deletes,
    // so this happens only where the server allows it. It never happens for a new passkey: if the answer to its registration
    // is lost, the server may have it all the same.
    if (error.problem?.unknownCredential) PublicKeyCredential.signalUnknownCredential?.({ rpId: publicKey.rpId, credentialId: credential.id })?.catch(() => {});
    throw Object.assign(error, { chosen: true });
  });
  if (credential.authenticatorAttachment === "cross-platform" && (await can("isUserVerifyingPlatformAuthenticatorAvailable"))) {
    sessionStorage.setItem("keypeg-from-another-device", "yes"); // app/pages/offer.go
  }
  location.assign("/signed-in?next=" + encodeURIComponent(form.elements.next.value));
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
  autofill?.controller.abort();
  await autofill?.done;
}

async function rearm() {
  await disarmAutofill();
  armAutofill();
}

async function onSignIn() {
  const failed = await run(async (signal) => {
    await disarmAutofill();
    await Promise.race([said, new Promise((late) => setTimeout(late, 300))]); // ms; the browser may never say it
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

let canAutofill;
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
