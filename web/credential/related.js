// Chooses the relying party id of a ceremony, where an organisation has several addresses. One
// ceremony has one relying party id. The options have those of the others as alternatives: each has
// the members that differ. Browsers without related origin requests (WebAuthn Level 3, 5.11) refuse
// all but the one of the page's own address.
//
// It is loaded after credential.js, and wraps create and get of keypegCredentials.
{
  const { create, get, failures, keep } = keypegCredentials;

  // What this browser used last at this address comes first, or what the user has asked for.
  const key = "keypeg-rp-id";
  const guarded = (access) => {
    try {
      return access();
    } catch {} // a browser that keeps nothing
  };
  let first = guarded(() => localStorage[key]);
  const refused = new Set(); // by this browser

  const idOf = (options) => options.rpId ?? options.rp?.id;

  // choices returns the options for each id that this browser hasn't refused.
  function choices({ alternatives = [], ...options }) {
    const all = [options, ...alternatives.map((other) => ({ ...options, ...other }))];
    const left = all.filter((it) => !refused.has(idOf(it)));
    return left.length ? left : all;
  }

  const remembered = (a, b) => (idOf(b) === first) - (idOf(a) === first);

  // remember keeps the id with which a ceremony succeeded. Options are those that the caller gave, who
  // reads there which id it was.
  function remember(options, chosen) {
    Object.assign(options, chosen);
    first = idOf(chosen);
    guarded(() => (localStorage[key] = first));
    draw();
  }

  // run asks for one id after the other, until the browser takes one.
  async function run(method, options, how, tries) {
    for (const [i, chosen] of tries.entries()) {
      const before = failures();
      try {
        const credential = await method(chosen, how);
        remember(options, chosen);
        return credential;
      } catch (error) {
        const next = tries[i + 1];
        const isRefused = error.name === "SecurityError";
        if (isRefused) {
          refused.add(idOf(chosen));
          draw();
        }
        // An immediate request fails where this device has no passkey for the id, and asks nobody.
        if (next && (isRefused || (how?.uiMode && error.name === "NotAllowedError"))) {
          keep(before);
          continue;
        }
        // Where no link leads to the others, the next request asks for one of those.
        if (method === get && !links.length && !how?.mediation && tries.length > 1) first = idOf(next ?? tries[0]);
        throw error;
      }
    }
  }

  // The sign-in page has a link for each id, to the address where every browser takes it. Those for
  // other ids than the button asks for are shown. Pressed, they begin the ceremony here, if the browser
  // can.
  const links = [...document.querySelectorAll("[data-rp-id]")];
  function draw() {
    const ids = links.map((link) => link.dataset.rpId).filter((id) => !refused.has(id));
    const asked = ids.includes(first) ? first : ids[0];
    for (const link of links) link.hidden = link.dataset.rpId === asked;
  }
  draw();
  for (const link of links) {
    link.addEventListener("click", (event) => {
      const button = document.getElementById("use-passkey");
      if (refused.has(link.dataset.rpId) || button.disabled) return;
      event.preventDefault();
      first = link.dataset.rpId;
      draw();
      button.click();
    });
  }

  Object.assign(keypegCredentials, {
    // A new passkey is for the first id that the browser takes, so that it works at all addresses.
    create: (options, how) => run(create, options, how, choices(options)),
    get: (options, how) => run(get, options, how, choices(options).sort(remembered)),
  });
}
