// Keypeg's elements, for the pages of a program in any language. The program loads this module, and
// writes into its pages:
//
//   <keypeg-menu introduction="…" fresh="/keypeg-introduction">Ann</keypeg-menu>   who is signed in, with their menu
//   <keypeg-panel introduction="…" fresh="/keypeg-introduction"></keypeg-panel>    their passkeys, within a page
//   <keypeg-sign-in></keypeg-sign-in>                                             signs in with a passkey
//
// An introduction says who is signed in at the program, and "fresh" is where the page gets a new one. The panel
// is a Go program in a frame of the same origin. A proof says to the program who has just used a passkey. The
// manual's page "Build it in" tells all of it.
//
// What few pages need comes when it is needed: the ceremony of signing in (signin.js) and the offer of a passkey
// (offer.js), with their texts in one language.
//
// The elements touch nothing but their own shadow trees. They work under the policy default-src 'self': there is
// no inline style, and no text is parsed as HTML.
//
// Package web puts keypegLabels before this file: short texts by language.

// Texts and requests

// make makes an element, with properties and children.
function make(name, set, ...children) {
  const made = Object.assign(document.createElement(name), set);
  made.append(...children);
  return made;
}

// glyph draws one of the app's icons (app/ui/icon.go).
function glyph(path) {
  const [svg, line] = ["svg", "path"].map((name) => document.createElementNS("http://www.w3.org/2000/svg", name));
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.ariaHidden = "true";
  line.setAttribute("d", path);
  svg.append(line);
  return svg;
}

const glyphs = {
  key: "M12.25 15.5a4.25 4.25 0 1 1-8.5 0 4.25 4.25 0 0 1 8.5 0zM11.1 12.4l8.4-8.4M16 7.5l2.75 2.75M13.25 10.25l1.75 1.75",
  list: "M9 6h11M9 12h11M9 18h11M4.5 6h.01M4.5 12h.01M4.5 18h.01",
  down: "m6 9.5 6 6 6-6",
};

// ask sends a request. What it throws has the code and the sentence (message) of the server's refusal, or neither if no
// answer of Keypeg's has come.
async function ask(method, path, lang, body, signal) {
  let answer, json;
  try {
    answer = await fetch(new URL(path, import.meta.url), { // the page may have a <base> of another host
      method,
      headers: { "Content-Type": "application/json", "Accept-Language": lang },
      body: body && JSON.stringify(body),
      redirect: "manual", // Keypeg has none
      cache: "no-store",
      signal,
    });
    json = answer.status === 204 ? {} : await answer.json();
  } catch (error) {
    if (signal?.aborted) throw error;
  }
  if (json?.developer) console.error("Keypeg:", json.developer);
  if (!answer?.ok || !json) throw { name: "offline", message: json?.detail, ...json };
  return { json, headers: answer.headers };
}

// What the elements have in common

const looks = new CSSStyleSheet();
looks.replaceSync(`
  :host { display: inline-block; max-width: 100%; }
  :host(keypeg-panel) { display: block; }
  :host([hidden]), [hidden] { display: none; }
  * { box-sizing: border-box; }
  button {
    display: inline-flex; align-items: center; justify-content: center; gap: 0.5em; min-height: 2.75em; max-width: 100%;
    padding: 0.5em 1.1em; border: 1px solid var(--keypeg-field, GrayText); border-radius: 0.5em; cursor: pointer;
    background: var(--keypeg-surface, Canvas); color: var(--keypeg-text, CanvasText); font: inherit; font-weight: 600;
  }
  button:hover, ::slotted([slot="items"]:is(a, button):hover) { box-shadow: inset 0 0 0 99em color-mix(in srgb, currentColor 12%, #0000); }
  .name { padding-inline: 0.75em; border-color: #0000; background: none; color: var(--keypeg-menu-text, inherit); }
  .name span { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; max-width: 14em; }
  svg { flex: none; width: 1.25em; fill: none; stroke: currentColor; stroke-width: 1.75; stroke-linecap: round; stroke-linejoin: round; }
  [popover], .card {
    margin: 0.35em 0; padding: 0.4em; border: 1px solid var(--keypeg-line, GrayText); border-radius: var(--keypeg-radius, 0.75em);
    background: var(--keypeg-surface, Canvas); color: var(--keypeg-text, CanvasText); box-shadow: 0 8px 24px #0003;
  }
  [popover] { inset: auto; min-width: 13em; max-width: min(24em, 100% - 1em); }
  .line, ::slotted([slot="items"]:is(a, button)) {
    display: flex; justify-content: start; align-items: center; width: 100%; min-height: 2.75em; padding: 0.4em 0.75em; border: 0;
    border-radius: 0.5em; background: none; color: inherit; font: inherit; font-weight: 400; text-align: start; text-decoration: none; cursor: pointer; box-sizing: border-box;
  }
  ::slotted([slot="items"]:is(form, div)) { margin: 0.4em 0.75em; }
  dialog .card, .sign-in { display: grid; gap: 0.75em; }
  .card { padding: 1.25em; }
  dialog { width: 100%; height: 100%; max-width: none; max-height: none; margin: 0; padding: 0; border: 0; overflow: hidden; background: none; }
  dialog::backdrop { background: #0b151d73; }
  dialog .card { position: absolute; justify-items: end; inset: 20% 0 auto; width: min(27em, 100% - 2em); margin: auto; }
  iframe { display: block; width: 100%; height: 100%; border: 0; }
`);

// userOf returns whose an introduction is, to be compared only.
function userOf(introduction) {
  try {
    return JSON.parse(atob(introduction.split(".")[1].replace(/-/g, "+").replace(/_/g, "/"))).sub;
  } catch {}
}

// Introductions go one after the other. The first gives the browser a mark, by which Keypeg knows it again: two at once
// would be those of two browsers.
let introducing = Promise.resolve();

class Element extends HTMLElement {
  static observedAttributes = ["introduction"];
  #refused; // an introduction that Keypeg takes no more, and why, once the element has begun

  constructor() {
    super();
    this.attachShadow({ mode: "open" }).adoptedStyleSheets = [looks];
  }

  // A page that isn't loaded anew may have another user.
  attributeChangedCallback(name, before, now) {
    if (this.#refused && userOf(before) !== userOf(now)) this.begin();
  }

  connectedCallback() {
    this.#refused = {};
    this.begin();
  }

  // language is that of the page at this place, or of the reader, if Keypeg speaks it.
  get language() {
    const tag = ((this.closest("[lang]") ?? document.documentElement).lang || navigator.language).split("-")[0].toLowerCase();
    return tag in keypegLabels ? tag : "en";
  }

  get labels() {
    return keypegLabels[this.language];
  }

  // introduce says to Keypeg who is signed in here. An introduction lasts for some minutes, and a page for hours,
  // so it may have to get a fresh one. A page from a cache that names another user has to be loaded again.
  async introduce() {
    const bring = (introduction, fresh) => (introducing = introducing.catch(() => {}).then(() => ask("POST", "/keypeg/introduction", this.language, { introduction, fresh })));
    const fresh = this.freshAt;
    const given = this.getAttribute("introduction");
    if (!fresh) return bring(given);
    if (given && given !== this.#refused.given) {
      try {
        return await bring(given);
      } catch (refusal) {
        if (!refusal.code) throw refusal;
        this.#refused = { ...refusal, given };
      }
    }
    const answer = await fetch(fresh, { redirect: "manual", cache: "no-store" }).catch(() => ({}));
    // Many programs redirect to their sign-in in the place of 401, which has the status 0 here.
    if ([401, 0].includes(answer.status)) this.tell("keypeg-signed-out");
    if (!answer.ok) {
      console.error("Keypeg:", fresh, "answers", answer.status);
      throw {};
    }
    const introduction = await answer.text();
    if (given && userOf(introduction) && userOf(introduction) !== userOf(given)) throw this.#refused;
    await bring(introduction, true);
  }

  // freshAt is an address of the program, also for the page in the frame, which is at another one. It hasn't the name of
  // the attribute: React would set it.
  get freshAt() {
    const path = this.getAttribute("fresh") ?? "";
    const { pathname, search } = new URL(path, document.baseURI);
    return path && location.origin + pathname + search;
  }

  // tell dispatches an event, and reports whether the program leaves what follows to us.
  tell(name, detail) {
    return this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true, cancelable: true }));
  }

  // leave has the program show its sign-in, or a page with a new introduction, unless it has something else in mind.
  leave(event) {
    setTimeout(() => event.defaultPrevented || location.reload());
  }

  // frame returns a frame with the panel. The page in it reads from the frame what it needs, and dispatches its
  // events at it (web/static/panel.js): they bubble to the program.
  frame(fragment, inline) {
    const frame = make("iframe", { src: new URL("/keypeg/panel#" + fragment, import.meta.url), title: this.labels.passkeys, lang: this.language });
    frame.onload = () => {
      if ("begun" in frame.dataset) return;
      console.error("Keypeg: something keeps the panel from its frame");
      this.refuse({}); // nobody can close the dialog from within another page, or none
    };
    frame.dataset.fresh = this.freshAt;
    if (inline) frame.dataset.inline = "";
    return frame;
  }
}

// The user's name, with the menu

class Menu extends Element {
  #button = make("button", { type: "button", className: "name", part: "button" }, make("span", {}, make("slot")), glyph(glyphs.down));
  #list = make("div", { popover: "auto", part: "menu" });
  #items = make("slot", { name: "items" });
  #dialog = make("dialog");

  constructor() {
    super();
    this.#button.popoverTargetElement = this.#list;
    this.shadowRoot.append(this.#button, this.#list, this.#dialog);
    this.shadowRoot.addEventListener("keydown", (event) => this.#onKey(event));
    this.#list.addEventListener("beforetoggle", ({ newState }) => {
      if (newState === "open") this.#fill();
      else if (this.contains(this.getRootNode().activeElement)) this.#button.focus(); // else only where the line is ours
    });
    this.#items.addEventListener("click", () => this.#list.hidePopover());
    this.#dialog.addEventListener("close", () => this.#dialog.replaceChildren());
    this.addEventListener("keypeg-close", () => this.#dialog.close());
    this.addEventListener("keypeg-signed-out", (event) => {
      if (!this.#dialog.open) return; // nobody has asked for anything: the page would be loaded again and again
      this.#dialog.close();
      this.leave(event);
    });
  }

  begin() {
    this.#list.replaceChildren(this.#items); // as it is without the menu
    this.#dialog.close();
    this.shadowRoot.querySelector(".offer")?.remove();
    this.#offer().catch(() => {}); // nobody has asked for it
  }

  // #place puts something below the name, at the side where there is room.
  #place(what) {
    const { left, right, bottom } = this.#button.getBoundingClientRect();
    const width = document.documentElement.clientWidth;
    const [side, other, at] = left + right < width ? ["left", "right", left] : ["right", "left", width - right];
    Object.assign(what.style, { top: bottom + "px", [side]: Math.max(0, at) + "px", [other]: "auto" });
  }

  #line(label, path, fragment) {
    return make("button", { type: "button", className: "line", onclick: () => this.open(fragment) }, glyph(path), label);
  }

  #fill() {
    const { passkeys, activity } = this.labels;
    const lines = [this.#line(passkeys, glyphs.key, "your-passkeys")];
    if (!this.hasAttribute("no-activity")) lines.push(this.#line(activity, glyphs.list, "your-activity"));
    lines[0].autofocus = true;
    this.#list.replaceChildren(...lines, this.#items);
    this.#place(this.#list);
    addEventListener("scroll", () => this.#list.hidePopover(), { once: true }); // it would stay where it was
  }

  #onKey(event) {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!by || this.#dialog.open) return;
    event.preventDefault();
    if (!this.#list.matches(":popover-open")) return this.#list.showPopover();
    const lines = [...this.#list.querySelectorAll("button"), ...this.querySelectorAll("a, button")];
    const at = lines.findIndex((it) => it.matches(":focus"));
    lines.at((at + by) % lines.length).focus();
  }

  // open opens the panel: at "your-passkeys", "add-passkey" or "your-activity".
  async open(fragment = "your-passkeys") {
    if (this.#dialog.open) return;
    this.#list.hidePopover();
    this.#button.focus(); // the dialog gives it back
    this.#dialog.showModal(); // at once: the rest takes a moment
    try {
      await this.introduce();
      if (!this.#dialog.open) return;
      const frame = this.frame(fragment);
      this.#dialog.replaceChildren(frame);
      frame.focus();
    } catch (refusal) {
      this.refuse(refusal);
    }
  }

  refuse(refusal) {
    const close = make("button", { type: "button", onclick: () => this.#dialog.close() }, this.labels.close);
    this.#dialog.replaceChildren(make("div", { className: "card", role: "alert" }, refusal.message || this.labels.offline, close));
    close.focus();
  }

  // #offer offers a passkey to a user who has none, if the program wants that.
  async #offer() {
    if (!this.hasAttribute("offer") || localStorage["keypeg-offer-after"] * 1000 > Date.now()) return;
    await this.introduce();
    const { json } = await ask("GET", "/api/v1/account", this.language);
    if (!json.passkeysOn || json.passkeys) return;
    const { offer } = await import(`/keypeg/offer-${this.language}.js`);
    offer(this, { list: this.#list, dialog: this.#dialog, make, place: (what) => this.#place(what) });
  }
}

// The panel within a page

class Panel extends Element {
  constructor() {
    super();
    this.addEventListener("keypeg-signed-out", (event) => this.shadowRoot.querySelector("iframe") && this.leave(event));
  }

  async begin() {
    try {
      await this.introduce();
      this.shadowRoot.replaceChildren(this.frame("your-passkeys", true));
    } catch (refusal) {
      this.refuse(refusal);
    }
  }

  refuse(refusal) {
    this.shadowRoot.replaceChildren(make("p", { role: "alert" }, refusal.message || this.labels.offline));
  }
}

// Signing in

class SignIn extends Element {
  static formAssociated = true;
  #internals = this.attachInternals();
  #label = make("span");
  #button = make("button", { type: "button", part: "button" }, glyph(glyphs.key), this.#label);
  #refusal = make("div", { role: "alert", part: "refusal" });
  #stop;

  constructor() {
    super();
    this.shadowRoot.append(make("div", { className: "sign-in" }, this.#button, this.#refusal));
  }

  async begin() {
    this.#label.textContent = this.labels.signIn;
    let isPressed = false; // before the script has come
    this.#button.onclick = () => (isPressed = true);
    const { signIn } = await import(`/keypeg/signin-${this.language}.js`).catch(() => ({}));
    if (!signIn) this.#refusal.textContent = this.labels.offline;
    if (!signIn || !this.isConnected) return;
    this.#stop?.();
    this.#button.onclick = null;
    this.#stop = signIn(this, { ask, make, internals: this.#internals, button: this.#button, label: this.#label, refusal: this.#refusal });
    if (isPressed) this.#button.click();
  }

  disconnectedCallback() {
    this.#stop?.();
  }
}

const define = (name, element) => customElements.get(name) || customElements.define(name, element);
define("keypeg-menu", Menu);
define("keypeg-panel", Panel);
define("keypeg-sign-in", SignIn);
