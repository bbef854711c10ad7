// Runs WebAuthn's ceremonies, and writes the credentials as WebAuthn Level 3's JSON (5.1 and
// 5.4). The sign-in pages have it in their script, and the app loads it from the server. It is
// the only place that knows how browsers and password managers differ.
//
// Password managers are extensions that replace the browser's functions, each in its own way.
// Their credentials may be plain objects, may have no toJSON() or one that throws, may have
// base64 in the place of bytes, and may come from another realm. Their promises may reject
// with any value, and may never settle.
{
  // A browser or manager that heeds the signal ends a ceremony at once. Others get this long,
  // in milliseconds.
  const abortFor = 1000;

  // failed returns an error with a name for any thrown value. It is chosen if the user had
  // picked or made a passkey before.
  function failed(thrown, chosen = false) {
    const name = first([thrown], (it) => (it.name && typeof it.name === "string" ? it.name : undefined)) ?? "UnknownError";
    return Object.assign(new Error(name), { name, chosen });
  }

  // first returns what read finds in the first of the sources. A source that throws has nothing.
  function first(sources, read) {
    for (const source of sources) {
      try {
        const found = read(source);
        if (found !== undefined) return found;
      } catch {}
    }
  }

  function decode(base64url) {
    const binary = atob(base64url.replaceAll("-", "+").replaceAll("_", "/").replace(/[=\s]+$/, ""));
    return Uint8Array.from(binary, (character) => character.charCodeAt(0));
  }

  // encode writes bytes as base64url. They may come as a buffer of any realm, a view of one, a
  // list of numbers, or base64 in either alphabet.
  function encode(value) {
    let bytes;
    if (typeof value === "string") bytes = decode(value);
    else if (ArrayBuffer.isView(value)) bytes = new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    else if (value.byteLength !== undefined) bytes = new Uint8Array(value);
    else bytes = numbers(Object.values(value.data ?? value)); // a Buffer of Node, or a view, that went through JSON
    let binary = "";
    for (const byte of bytes) binary += String.fromCharCode(byte);
    return binary ? btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "") : undefined;
  }

  function numbers(list) {
    if (!list.every((n) => Number.isInteger(n) && n >= 0 && n < 256)) throw new TypeError();
    return Uint8Array.from(list);
  }

  // read writes a credential as JSON. It takes the members before toJSON(): every site has
  // always used the members, while toJSON() is new and wrong in some extensions.
  function read(credential, required) {
    const sources = [credential, first([credential], (it) => it.toJSON())];
    const bytes = (name, getter) =>
      first(sources, (it) => encode(it.response[name])) ?? first(sources, (it) => encode(it.response[getter]()));
    const response = {
      clientDataJSON: bytes("clientDataJSON"),
      attestationObject: bytes("attestationObject"),
      authenticatorData: bytes("authenticatorData", "getAuthenticatorData"),
      signature: bytes("signature"),
      userHandle: bytes("userHandle"),
      publicKey: bytes("publicKey", "getPublicKey"),
      publicKeyAlgorithm: first(sources, (it) => it.response.getPublicKeyAlgorithm?.() ?? it.response.publicKeyAlgorithm),
      transports: first(sources, (it) => strings(it.response.getTransports())) ?? first(sources, (it) => strings(it.response.transports)),
    };
    const id = first(sources, (it) => encode(it.rawId)) ?? first(sources, (it) => encode(it.id));
    if (!id || required.some((name) => !response[name])) throw failed({ name: "DataError" }, true);

    // The results of other WebAuthn extensions may be secrets, and none is needed.
    const rk = first([credential], (it) => it.getClientExtensionResults().credProps.rk) ?? first(sources, (it) => it.clientExtensionResults.credProps.rk);
    return {
      id,
      rawId: id,
      type: "public-key",
      authenticatorAttachment: first(sources, (it) => strings([it.authenticatorAttachment])[0]),
      clientExtensionResults: typeof rk === "boolean" ? { credProps: { rk } } : {},
      response,
    };
  }

  function strings(list) {
    const found = Array.from(list).filter((it) => typeof it === "string");
    return found.length ? found : undefined;
  }

  // optionsOf turns the server's options into those that the browser takes.
  // PublicKeyCredential has functions for that, but not in older browsers, and not where an
  // extension has replaced it.
  function optionsOf(json) {
    const options = { ...json, challenge: decode(json.challenge) };
    if (json.user) options.user = { ...json.user, id: decode(json.user.id) };
    for (const list of ["allowCredentials", "excludeCredentials"]) {
      if (json[list]) options[list] = json[list].map((it) => ({ ...it, id: decode(it.id) }));
    }
    return options;
  }

  // settled returns a promise that settles as another one does. It rejects soon after the
  // signal, and after the time that the server waits for an answer.
  function settled(asked, signal, timeout = 300_000) {
    return new Promise((resolve, reject) => {
      const stop = (name, after) => setTimeout(() => reject({ name }), after);
      const late = stop("NotAllowedError", timeout + abortFor);
      const aborted = () => stop("AbortError", abortFor);
      if (signal?.aborted) aborted();
      else signal?.addEventListener("abort", aborted, { once: true });
      Promise.resolve(asked)
        .then(resolve, reject)
        .finally(() => clearTimeout(late));
    });
  }

  // forbidden reports whether a Permissions-Policy forbids a method on this page (WebAuthn Level 3,
  // 5.9). The exception for that is the same as for a closed prompt. Only browsers with
  // document.featurePolicy (Chromium) say more.
  const forbidden = (method) => document.featurePolicy?.allowsFeature("publickey-credentials-" + method) === false;

  // Why ceremonies failed in this tab, and how often, since one last succeeded. The page sends it
  // with the next one that succeeds: the server learns nothing of a prompt that was closed. The
  // reasons are those of shared.FailureReason.
  const store = "keypeg-failed";
  const reasons = {
    NotAllowedError: "closed",
    AbortError: "closed", // by a button of the page
    SecurityError: "elsewhere",
    ConstraintError: "no_lock",
    NotSupportedError: "unsupported",
  };

  const failures = () => first([globalThis], (it) => JSON.parse(it.sessionStorage[store]));

  // keep replaces what failures returns. A browser that keeps nothing is no error.
  const keep = (counts = {}) => first([globalThis], (it) => (it.sessionStorage[store] = JSON.stringify(counts)));

  const count = (reason) => keep({ ...failures(), [reason]: (failures()?.[reason] ?? 0) + 1 });

  // fail counts a failure and returns it. One that the user didn't ask for doesn't count, nor does
  // the device that has a passkey already.
  function fail(error, method, mediation) {
    const reason = error.name === "NotAllowedError" && forbidden(method) ? "unsupported" : (reasons[error.name] ?? "provider");
    if ((!mediation || error.chosen) && error.name !== "InvalidStateError") count(reason);
    return error;
  }

  async function run(method, required, json, { signal, mediation, uiMode } = {}) {
    let credential;
    try {
      const options = { publicKey: optionsOf(json), signal };
      if (mediation) options.mediation = mediation;
      if (uiMode) options.uiMode = uiMode;
      // Autofill waits as long as the page wants.
      credential = await settled(navigator.credentials[method](options), signal, mediation ? 2 ** 30 : json.timeout);
      if (credential === null || credential === undefined) throw { name: "NotAllowedError" };
    } catch (thrown) {
      throw fail(failed(signal?.aborted ? { name: "AbortError" } : thrown), method, mediation);
    }
    try {
      return read(credential, required);
    } catch (error) {
      throw fail(error, method, mediation);
    }
  }

  globalThis.keypegCredentials = {
    supported: isSecureContext && !!globalThis.PublicKeyCredential && !!navigator.credentials?.create && !!navigator.credentials.get,

    // create and get take the server's options, a signal, a mediation and a uiMode. They reject with
    // an error that has a name and says whether it is chosen.
    create: (json, how) => run("create", ["clientDataJSON", "attestationObject"], json, how),
    get: (json, how) => run("get", ["clientDataJSON", "authenticatorData", "signature"], json, how),

    forbidden,
    failures,
    keep,
    count,

    // can asks PublicKeyCredential a question. No answer within abortFor means no.
    can: (method) =>
      settled(first([globalThis.PublicKeyCredential], (it) => it[method]()), undefined, 0).then((it) => it === true, () => false),
  };
}
