// Password managers that replace the browser's functions, each in its own way. The tab's
// sessionStorage has the name of the one in use. Without a name, the browser itself answers.
{
  const real = {
    create: navigator.credentials.create.bind(navigator.credentials),
    get: navigator.credentials.get.bind(navigator.credentials),
  };

  const toJSON = PublicKeyCredential.prototype.toJSON;

  const buffers = {
    create: ["clientDataJSON", "attestationObject"],
    get: ["clientDataJSON", "authenticatorData", "signature", "userHandle"],
  };
  const list = (buffer) => Array.from(new Uint8Array(buffer));
  const padded = (buffer) => btoa(String.fromCharCode(...list(buffer)));
  const base64url = (buffer) => padded(buffer).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  const kind = (credential) => (credential.response.attestationObject ? "create" : "get");

  // plain returns an object with the members that every credential had before toJSON.
  function plain(credential, write = (buffer) => buffer) {
    const response = {};
    for (const name of buffers[kind(credential)]) {
      if (credential.response[name]) response[name] = write(credential.response[name]);
    }
    if (credential.response.getTransports) response.getTransports = () => credential.response.getTransports();
    return {
      id: credential.id,
      rawId: write(credential.rawId),
      type: "public-key",
      authenticatorAttachment: credential.authenticatorAttachment,
      getClientExtensionResults: () => ({}),
      response,
    };
  }

  let elsewhere; // a realm of its own
  function fromElsewhere(buffer) {
    if (!elsewhere) {
      const frame = document.createElement("iframe");
      document.documentElement.append(frame);
      elsewhere = frame.contentWindow;
    }
    return elsewhere.Uint8Array.from(list(buffer)).buffer;
  }

  const throwing = () => {
    throw new TypeError("Illegal invocation");
  };

  // withJSON is the browser's own credential, but for toJSON.
  const withJSON = (toJSON) => (credential) => Object.defineProperty(credential, "toJSON", { value: toJSON });

  const credentials = {
    "the browser": (credential) => credential,
    "no toJSON": (credential) => plain(credential),
    "toJSON undefined": withJSON(undefined),
    "toJSON throws": withJSON(throwing),
    "toJSON throws undefined": withJSON(() => {
      throw undefined;
    }),
    "toJSON gives nothing": withJSON(() => undefined),
    "toJSON gives null": withJSON(() => null),
    "toJSON gives a text": withJSON(() => "{}"),
    "toJSON gives half of it": withJSON(() => ({ id: "AAAA", type: "public-key", response: {} })),
    "toJSON gives numbers": withJSON(() => ({ id: 1, rawId: 2, response: { clientDataJSON: 3, signature: 4 } })),
    "toJSON gives a promise": withJSON(async () => ({})),
    "toJSON alone is right": (credential) => ({ toJSON: toJSON.bind(credential) }),
    "an own prototype": (credential) => Object.assign(Object.create({ toJSON: throwing, constructor: throwing }), plain(credential)),
    "no prototype": (credential) => Object.assign(Object.create(null), plain(credential)),
    frozen: (credential) => Object.freeze(plain(credential)),
    "views of bytes": (credential) => plain(credential, (buffer) => new Uint8Array([9, ...list(buffer), 9]).subarray(1, -1)),
    DataViews: (credential) => plain(credential, (buffer) => new DataView(buffer)),
    "lists of numbers": (credential) => plain(credential, list),
    "a Buffer of Node's in JSON": (credential) => plain(credential, (buffer) => ({ type: "Buffer", data: list(buffer) })),
    "a view in JSON": (credential) => plain(credential, (buffer) => ({ ...list(buffer) })),
    "buffers of another realm": (credential) => plain(credential, fromElsewhere),
    "base64url texts": (credential) => plain(credential, base64url),
    "base64 with padding": (credential) => ({ ...plain(credential, padded), id: padded(credential.rawId) }),
    "no rawId": (credential) => {
      const made = plain(credential);
      delete made.rawId;
      return made;
    },
    "no methods, no attachment": (credential) => {
      const made = plain(credential);
      delete made.response.getTransports;
      delete made.getClientExtensionResults;
      delete made.authenticatorAttachment;
      return made;
    },
    "methods throw": (credential) => {
      const made = plain(credential);
      made.response.getTransports = made.getClientExtensionResults = throwing;
      return Object.defineProperty(made, "authenticatorAttachment", { get: throwing });
    },
    "extensions that can't be written": (credential) => {
      const results = { prf: { results: { first: new ArrayBuffer(32) } }, circle: {} };
      results.circle.circle = results.circle;
      return { ...plain(credential), getClientExtensionResults: () => results };
    },
  };
  const failures = {
    "undefined is thrown": () => Promise.reject(undefined),
    "undefined is thrown at once": () => {
      throw undefined;
    },
    "null is thrown": () => Promise.reject(null),
    "a text is thrown": () => Promise.reject("no vault"),
    "a nameless object is thrown": () => Promise.reject({ message: "no vault" }),
    "a name that throws": () => Promise.reject(Object.defineProperty({}, "name", { get: throwing })),
    "null is given": async () => null,
    "undefined is given": async () => undefined,
    "undefined is returned": () => undefined,
    "an empty credential is given": async () => ({ id: "AAAA", type: "public-key" }),
    "a text is given": async () => "credential",
    "a password is given": async () => ({ id: "ann", type: "password", password: "secret" }),
    never: () => new Promise(() => {}),
  };

  // written is what the browser's own credential has in its JSON.
  globalThis.managers = { written: undefined, credentials: Object.keys(credentials), failures: Object.keys(failures) };
  globalThis.asked = 0; // how often in this page

  for (const method of ["create", "get"]) {
    navigator.credentials[method] = (options) => {
      const name = sessionStorage.getItem("manager") ?? "the browser";
      asked++;
      if (failures[name]) return failures[name]();
      return real[method](options).then((credential) => {
        managers.written = toJSON.call(credential);
        return credentials[name](credential);
      });
    };
  }
}
