// Looks at the installation from an administrator's browser, for the page of checks. It only gathers what the
// browser sees: the server compares that with what it sent, and says what to do (server/internal/checks). The words
// are those of shared.Observed.
{
  const { credentials, serviceWorker } = navigator;
  const random = () => crypto.getRandomValues(new Uint8Array(32));
  const said = (thrown) => String(thrown?.name ?? thrown);
  const sha256 = async (bytes) => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const base64url = (bytes) => btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

  // within returns what a promise resolves to, or undefined if that takes longer.
  const within = (milliseconds, promise) => Promise.race([promise, new Promise((resolve) => setTimeout(resolve, milliseconds))]);

  // ask gets a file from the server. The service worker knows no address with this query, and no cache either.
  const ask = (path, method = "GET") => fetch(path + "?check=" + hex(random()), { method, cache: "no-store", redirect: "manual" });

  async function file(path) {
    const seen = {};
    const arrived = (answer) => {
      seen.status = answer.status;
      seen.headers = Object.fromEntries(answer.headers);
      if (answer.type === "opaqueredirect") seen.failed = "it redirects";
    };
    try {
      const answer = await ask(path);
      arrived(answer);
      const bytes = await answer.arrayBuffer();
      seen.size = bytes.byteLength;
      if (isSecureContext) seen.sha256 = hex(await sha256(bytes));
    } catch (thrown) {
      seen.failed = said(thrown);
      // The headers of what can't be decoded don't reach scripts.
      if (!seen.status) await ask(path, "HEAD").then(arrived, () => {});
    }
    return seen;
  }

  async function worker() {
    const seen = { able: !!serviceWorker, registered: false, controlling: !!serviceWorker?.controller };
    if (!serviceWorker) return seen;
    if (typeof goappEnv !== "undefined") seen.loaded = goappEnv.GOAPP_VERSION;
    try {
      const answer = await ask("/app-worker.js");
      const type = answer.headers.get("Content-Type") ?? "";
      if (!answer.ok) seen.failed = "status " + answer.status;
      else if (!/^(text|application)\/(x-)?(java|ecma)script/.test(type)) seen.failed = "its type is " + type;
      else seen.served = (await answer.text()).match(/const name = prefix \+ "([^"]*)"/)?.[1];
    } catch (thrown) {
      seen.failed = said(thrown);
    }
    // A first visit registers it a moment after the page has loaded. Then it gets the files that it keeps, which a slow
    // line takes long for.
    if (!seen.failed) await within(5000, serviceWorker.ready);
    const installing = (await serviceWorker.getRegistration())?.installing;
    if (installing) await within(60_000, new Promise((resolve) => installing.addEventListener("statechange", resolve)));
    const registration = await serviceWorker.getRegistration();
    seen.registered = !!(registration?.active ?? registration?.waiting);
    seen.scope = registration?.scope;
    return seen;
  }

  // A busy machine delays every answer. So what counts is how much later than another answer the first event comes.
  const stream = (path, another) =>
    new Promise((resolve) => {
      let late;
      let from; // when the other answer came
      const source = new EventSource(path);
      const end = (failed) => {
        clearTimeout(late);
        source.close();
        resolve({ after: Math.round(performance.now() - (from ?? performance.now())), failed });
      };
      within(60_000, ask(another, "HEAD").catch(() => {})).then(() => {
        from = performance.now();
        if (source.readyState !== EventSource.CLOSED) late = setTimeout(() => end("nothing came within 8 seconds"), 8000);
      });
      for (const first of ["ready", "same"]) source.addEventListener(first, () => end());
      source.addEventListener("error", () => source.readyState === EventSource.CLOSED && end("the stream is refused, or isn't one"));
    });

  // A throwaway passkey is made for a user that nobody is. The server gets no part of it, so it knows nobody who
  // could sign in with it.
  let made; // and not used yet: the next call goes on with it

  async function throwaway(rpId) {
    const seen = { made: !!made, used: false, proven: false, verified: false, signalled: false };
    const common = { challenge: random(), timeout: 120_000 };
    try {
      made ??= await credentials.create({
        publicKey: {
          ...common,
          rp: { id: rpId, name: "Keypeg check" },
          user: { id: random(), name: "Keypeg check", displayName: "Keypeg check" },
          pubKeyCredParams: [-8, -7, -257].map((alg) => ({ type: "public-key", alg })),
          authenticatorSelection: { residentKey: "required", requireResidentKey: true, userVerification: "preferred" },
        },
      });
      seen.made = true;
      const got = await credentials.get({
        publicKey: { ...common, rpId, userVerification: "preferred", allowCredentials: [{ type: "public-key", id: made.rawId }] },
      });
      seen.used = true;
      const data = new Uint8Array(got.response.authenticatorData);
      seen.verified = (data[32] & 4) !== 0;
      seen.failed = await wrongWith(got, data, common.challenge, rpId);
      seen.proven = !seen.failed;
    } catch (thrown) {
      seen.failed = said(thrown);
      return seen;
    }
    try {
      await within(5000, PublicKeyCredential.signalUnknownCredential({ rpId, credentialId: base64url(new Uint8Array(made.rawId)) }));
      seen.signalled = true;
    } catch {
      // The browser doesn't have it, and the page says what to do.
    }
    made = undefined;
    return seen;
  }

  // wrongWith says what is wrong with an answer of the throwaway passkey (WebAuthn Level 3, 7.2).
  async function wrongWith(got, data, challenge, rpId) {
    const client = JSON.parse(new TextDecoder().decode(got.response.clientDataJSON));
    if (client.type !== "webauthn.get") return "type";
    if (client.challenge !== base64url(challenge)) return "challenge";
    if (client.origin !== location.origin) return "origin";
    if (hex(data.slice(0, 32)) !== hex(await sha256(new TextEncoder().encode(rpId)))) return "relying party id";
    if (!(data[32] & 1)) return "nobody was there";
    const key = made.response.getPublicKey?.();
    const [algorithm, how] = {
      "-8": [{ name: "Ed25519" }, { name: "Ed25519" }],
      "-7": [{ name: "ECDSA", namedCurve: "P-256" }, { name: "ECDSA", hash: "SHA-256" }],
      "-257": [{ name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" }, { name: "RSASSA-PKCS1-v1_5" }],
    }[made.response.getPublicKeyAlgorithm?.()] ?? [];
    if (!key || !algorithm) return; // some password managers don't tell it
    let signature = new Uint8Array(got.response.signature);
    if (algorithm.namedCurve) signature = plain(signature);
    const signed = new Uint8Array([...data, ...(await sha256(got.response.clientDataJSON))]);
    const imported = await crypto.subtle.importKey("spki", key, algorithm, false, ["verify"]);
    if (!(await crypto.subtle.verify(how, imported, signature, signed))) return "signature";
  }

  // plain makes two numbers of 32 bytes of a signature in DER, as WebCrypto takes it.
  function plain(der) {
    const both = new Uint8Array(64);
    let at = 2;
    for (const end of [32, 64]) {
      const length = der[at + 1];
      const number = der.slice(at + 2, at + 2 + length).slice(-32);
      both.set(number, end - number.length);
      at += 2 + length;
    }
    return both;
  }

  let last; // what was seen of everything else, when a throwaway passkey is asked for

  globalThis.keypegChecks = {
    // observe returns an Observed in JSON. With a relying party id it only tries a throwaway passkey, which needs a
    // click, and repeats the rest.
    observe: async ({ page, program, live, rpId }) => {
      const key = rpId ? await throwaway(rpId) : undefined;
      if (!last || !rpId) {
        const [capabilities, seenPage, seenProgram, seenWorker, seenStream] = await Promise.all([
          Promise.resolve(globalThis.PublicKeyCredential?.getClientCapabilities?.()).catch(() => undefined),
          file(page),
          program ? file(program) : {},
          worker(),
          stream(live, page),
        ]);
        last = {
          origin: location.origin,
          secure: isSecureContext,
          passkeys: !!globalThis.PublicKeyCredential && !!credentials?.create,
          capabilities: capabilities && { ...capabilities },
          page: seenPage,
          program: seenProgram,
          worker: seenWorker,
          stream: seenStream,
        };
      }
      return JSON.stringify({ ...last, throwaway: key, clock: Date.now() });
    },
  };
}
