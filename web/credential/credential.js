// Asks for passkeys, and writes what comes as WebAuthn Level 3's JSON (5.1 and 5.4). The
// sign-in pages have it in their script, and the app loads it from the server: it is the
// only place that knows what browsers and password managers give.
//
// Extensions stand in for the browser, each in its own way. Their credentials may be plain
// objects, throw from toJSON() or lack it, hold base64 where bytes are due, and come from
// another realm. Their promises may reject with anything, and may never settle.
{
  // Whoever hears the signal ends a ceremony at once; the others get this long.
  const abortFor = 1000;

  // failed makes an error that has a name, of whatever was thrown. It is chosen if
  // somebody had picked or made a passkey by then.
  function failed(thrown, chosen = false) {
    const name = first([thrown], (it) => (it.name && typeof it.name === "string" ? it.name : undefined)) ?? "UnknownError";
    return Object.assign(new Error(name), { name, chosen });
  }

  // first is what the first of some sources has. One that throws has nothing.
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

  // encode writes bytes of any kind as base64url: a buffer of any realm, a view of one,
  // numbers, base64 in either alphabet.
  function encode(value) {
    let bytes;
    if (typeof value === "string") bytes = decode(value);
    else if (ArrayBuffer.isView(value)) bytes = new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    else if (value.byteLength !== undefined) bytes = new Uint8Array(value);
    else bytes = numbers(Object.values(value.data ?? value)); // a Buffer of Node's, or a view, that went through JSON
    let binary = "";
    for (const byte of bytes) binary += String.fromCharCode(byte);
    return binary ? btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "") : undefined;
  }

  function numbers(list) {
    if (!list.every((n) => Number.isInteger(n) && n >= 0 && n < 256)) throw new TypeError();
    return Uint8Array.from(list);
  }

  // read writes a credential as JSON. The members come first, as every site has always used
  // them: toJSON() is new, and what extensions get wrong.
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

    // Results of other extensions may be secrets, and none is needed.
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

  // optionsOf turns the options of our server into the browser's. PublicKeyCredential has
  // functions for it, but not in older browsers, nor where an extension replaced it.
  function optionsOf(json) {
    const options = { ...json, challenge: decode(json.challenge) };
    if (json.user) options.user = { ...json.user, id: decode(json.user.id) };
    for (const list of ["allowCredentials", "excludeCredentials"]) {
      if (json[list]) options[list] = json[list].map((it) => ({ ...it, id: decode(it.id) }));
    }
    return options;
  }

  // settled is what a promise comes to, or an error some time after the signal, or after
  // the time that the server waits for an answer.
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

  async function run(method, required, json, { signal, mediation } = {}) {
    let credential;
    try {
      const options = { publicKey: optionsOf(json), signal };
      if (mediation) options.mediation = mediation;
      // Autofill waits as long as the page wants.
      credential = await settled(navigator.credentials[method](options), signal, mediation ? 2 ** 30 : json.timeout);
    } catch (thrown) {
      throw failed(signal?.aborted ? { name: "AbortError" } : thrown);
    }
    if (credential === null || credential === undefined) throw failed({ name: "NotAllowedError" });
    return read(credential, required);
  }

  globalThis.keypegCredentials = {
    supported: isSecureContext && !!globalThis.PublicKeyCredential && !!navigator.credentials?.create && !!navigator.credentials.get,

    // create and get take the server's options, and a signal and a mediation besides. What
    // they reject with has a name and says whether it is chosen.
    create: (json, how) => run("create", ["clientDataJSON", "attestationObject"], json, how),
    get: (json, how) => run("get", ["clientDataJSON", "authenticatorData", "signature"], json, how),

    // can asks PublicKeyCredential a question. Whatever gives no answer soon says no.
    can: (method) =>
      settled(first([globalThis.PublicKeyCredential], (it) => it[method]()), undefined, 0).then((it) => it === true, () => false),
  };
}
