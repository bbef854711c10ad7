// Shows the page as the server draws it (server/draw.go), until the program has drawn the same. It runs as
// early as it can.
//
// It is in #drawn, below the program's own place, which isn't shown for so long. Links and signing out work
// there. What needs the program doesn't: what somebody presses, ticks, chooses or types until then is done when
// the program takes over.
{
  let drawn = null;
  let isOver = false;
  let pressed = null;
  const touched = new Set(); // what was ticked, chosen or typed in
  let isComposing = false; // with an input method

  // The page in the frame of another program says otherwise (web/static/panel.js).
  const { from = "/drawn", shows = location.search, lang } = globalThis.keypegDrawn ?? {};

  const openMenu = () => drawn.querySelector("details.menu[open]");

  const onClick = (event) => {
    // A link of the menu may be followed within the page, by the program. Then the menu is done with.
    if (!event.target.closest("details.menu") || event.target.closest("a")) openMenu()?.removeAttribute("open");
    const button = event.target.closest("button[type=button]");
    if (!button) return;
    pressed?.classList.remove("pressed");
    pressed = button;
    pressed.classList.add("pressed");
  };

  // Escape closes the menu, as it does when the program is there.
  const onKey = (event) => {
    const menu = event.key === "Escape" && openMenu();
    if (!menu) return;
    menu.removeAttribute("open");
    menu.querySelector("summary").focus();
  };

  // Enter in a box of the program's must not load the page again.
  const onSubmit = (event) => event.target.hasAttribute("action") || event.preventDefault();

  const show = ({ title, lang, html }) => {
    drawn = document.createElement("div");
    drawn.id = "drawn";
    drawn.innerHTML = html; // ours: every name in it is a text
    drawn.addEventListener("click", onClick);
    drawn.addEventListener("submit", onSubmit);
    drawn.addEventListener("input", ({ target }) => touched.add(target));
    drawn.addEventListener("compositionstart", () => (isComposing = true));
    drawn.addEventListener("compositionend", () => (isComposing = false));
    drawn.addEventListener("keydown", onKey);
    document.documentElement.lang = lang;
    document.title = title;
    document.body.append(drawn);
  };

  // What this browser knows of offers (app/pages/offer.go).
  const offers = () => {
    const rests = (key) => localStorage.getItem(key) * 1000 > Date.now();
    const words = { here: sessionStorage.getItem("keypeg-from-another-device"), rest: rests("keypeg-offer-after"), second: rests("keypeg-second-after") };
    return [...Object.keys(words).filter((word) => words[word]), localStorage.getItem("keypeg-recovered") ?? ""];
  };

  const get = async () => {
    if (localStorage.getItem("keypeg-signing-out")) return null; // its session is about to end (app/pages/signout.go)
    const nonce = Math.random().toString(36).slice(2);
    const query = new URLSearchParams({ page: location.pathname + shows, offers: offers() });
    const headers = { "Keypeg-Nonce": nonce, ...(lang && { "Accept-Language": lang }) };
    const answer = await fetch(from + "?" + query, { headers, cache: "no-store", redirect: "manual", signal: AbortSignal.timeout(10000) });
    if (!answer.ok || answer.headers.get("Keypeg-Nonce") !== nonce) return null; // or it is an answer to somebody else
    const drawing = await answer.json();
    if (document.readyState === "loading") await new Promise((loaded) => document.addEventListener("DOMContentLoaded", loaded));
    if (!isOver) show(drawing);
    return JSON.stringify(drawing.answers);
  };

  // The program begins with these answers of the API; null is none.
  globalThis.keypegArrives = get().catch(() => null);

  // The program calls this when it waits for no answer any more.
  globalThis.keypegTakeOver = () => {
    isOver = true;
    if (!drawn?.isConnected) return;
    // A word that is being composed would be lost, or be there twice.
    if (isComposing) return drawn.addEventListener("compositionend", keypegTakeOver, { once: true });
    // The program's menu opens out of sight first, so that it is there when this one goes.
    if (!openMenu()) return takeOver();
    const ownMenu = () => document.querySelector("body > .app #user-menu-button")?.click();
    ownMenu();
    setTimeout(() => {
      if (!openMenu()) ownMenu(); // it was closed meanwhile
      takeOver();
    }, 100);
  };

  const takeOver = () => {
    const of = (element) => (element?.id ? document.getElementById(element.id) : null);
    const focused = drawn.contains(document.activeElement) ? document.activeElement : null;
    const open = [...drawn.querySelectorAll("details[open]:not(.menu)")];
    const [left, top, down, unfolded] = [scrollX, scrollY, drawn.querySelector(".panel-body")?.scrollTop, drawn.querySelector(".panel .fold")?.open];
    drawn.remove();
    for (const dialog of document.querySelectorAll("dialog[open]")) dialog.style.animation = "none"; // it was there already
    for (const details of open) of(details)?.setAttribute("open", "");
    if (unfolded) document.querySelector(".panel .fold")?.setAttribute("open", "");
    document.querySelector(".panel-body")?.scrollTo(0, down);
    for (const box of touched) {
      const own = of(box);
      if (!own) continue;
      if (box.type === "checkbox") {
        if (own.checked !== box.checked) own.click();
        continue;
      }
      own.value = box.value;
      for (const event of ["input", "change"]) own.dispatchEvent(new Event(event, { bubbles: true }));
    }
    scrollTo(left, top);
    const own = of(focused) ?? document.querySelector("dialog[open] [autofocus]");
    own?.focus({ preventScroll: true });
    if (typeof focused?.selectionStart === "number") own?.setSelectionRange?.(focused.selectionStart, focused.selectionEnd);
    of(pressed)?.click();
  };

  // The Back button may bring the page back as it was left, after its user has signed out in it.
  addEventListener("pageshow", ({ persisted }) => persisted && drawn?.isConnected && location.reload());

  // The server writes times for this zone.
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone) document.cookie = `keypeg-zone=${zone}; Path=/; Max-Age=31536000; SameSite=Lax${location.protocol === "https:" ? "; Secure" : ""}`;
}
