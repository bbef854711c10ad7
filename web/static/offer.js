// Offers a passkey to a user who has none: in a card below their name (web/static/elements.js), whose button opens
// the panel. After "Not now" this browser makes no offer for 30 days, as app/selfservice has it.
//
// On a narrow screen the card stands at the bottom, since below the name it would cover the beginning of the page. It
// makes way for the menu, and goes when the panel opens.
//
// Package web puts keypegTexts before this file: the texts of one language.

const days = 24 * 60 * 60; // in seconds

const looks = new CSSStyleSheet();
looks.replaceSync(`
  .offer:popover-open { display: grid; gap: 0.75em; line-height: 1.5; }
  .offer p { margin: 0; }
  .offer div { display: flex; flex-wrap: wrap; gap: 0.5em; }
  .primary { border-color: #0000; background: var(--keypeg-accent, light-dark(#15557f, #82c3ef)); color: var(--keypeg-on-accent, light-dark(#fff, #0b2233)); }
  .quiet { border-color: #0000; background: none; }
`);

const narrow = matchMedia("(max-width: 40rem)");

// offer shows the card. Of the element it gets the menu's list, the panel's dialog, and what puts something below the name.
export function offer(menu, { list, dialog, make, place }) {
  const root = menu.shadowRoot;
  if (!globalThis.PublicKeyCredential || dialog.open || root.querySelector(".offer")) return;
  if (!root.adoptedStyleSheets.includes(looks)) root.adoptedStyleSheets = [...root.adoptedStyleSheets, looks];

  const over = new AbortController();
  const { signal } = over;
  const button = (label, className, onClick) => {
    const made = make("button", { type: "button", className }, label);
    made.addEventListener("click", () => {
      over.abort();
      onClick();
    });
    return made;
  };
  const rest = () => (localStorage["keypeg-offer-after"] = Math.floor(Date.now() / 1000) + 30 * days);
  const card = make(
    "section",
    { popover: "manual", className: "card offer", ariaLabel: keypegTexts.offerTitle },
    make("strong", {}, keypegTexts.offerTitle),
    make("p", {}, keypegTexts.offerLead),
    make("div", {}, button(keypegTexts.offerAdd, "primary", () => menu.open("add-passkey")), button(keypegTexts.offerNotNow, "quiet", rest)),
  );

  const show = () => {
    if (!card.isConnected) return over.abort();
    const isBeside = !list.matches(":popover-open");
    card.togglePopover(isBeside);
    if (!isBeside) return;
    card.style.cssText = "";
    if (narrow.matches) Object.assign(card.style, { inset: "auto 0 0", margin: "0.5em", maxWidth: "none" });
    else place(card);
  };

  root.append(card);
  show();
  for (const event of ["scroll", "resize"]) addEventListener(event, show, { signal });
  list.addEventListener("toggle", show, { signal });
  list.addEventListener("beforetoggle", ({ newState }) => newState === "open" && card.hidePopover(), { signal });
  new MutationObserver(() => over.abort()).observe(dialog, { attributeFilter: ["open"] });
  signal.addEventListener("abort", () => card.remove());
}
