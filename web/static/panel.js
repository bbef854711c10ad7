// Begins the page in the frame that another program opens (web/static/elements.js), as early as it can. The page's Go
// program draws the panel, and drawn.js shows it until then.
//
// Everything that closes the panel goes back in the history of the frame: the Back button, the X and Escape. So no
// entry of it is left in the history of the program's page.
{
  const { env, program, drawn } = document.currentScript.dataset;
  const frame = globalThis.frameElement;
  if (frame) frame.dataset.begun = ""; // elements.js sees by it that this is the panel
  else location.replace("/"); // the program's own page
  const isInline = frame && "inline" in frame.dataset;
  const root = document.documentElement;

  const paint = (isDark) => {
    root.style.colorScheme = isDark ? "dark" : "light";
    const rules = [...document.styleSheets].flatMap((sheet) => [...sheet.cssRules]);
    for (const rule of rules) {
      if (rule.media?.mediaText.includes("prefers-color-scheme")) rule.media.mediaText = isDark ? "all" : "not all";
      rules.push(...(rule.cssRules ?? []));
    }
  };

  // The panel looks like the program's page around the frame. Custom properties end at the frame.
  const dress = () => {
    const looks = parent.getComputedStyle(frame);
    const names = "ground surface raised text quiet line field accent accent-strong on-accent bad bad-ground good good-ground shadow radius";
    for (const name of names.split(" ").map((it) => "--keypeg-" + it)) {
      const value = looks.getPropertyValue(name);
      if (value) root.style.setProperty(name, value);
    }
    root.style.setProperty("--font", looks.fontFamily);
    // A page whose color-scheme has both light and dark follows the reader's system, as the style sheets do. Any other is
    // always the one or the other, and the frame too: it would not be transparent otherwise (CSS Color Adjustment, 2.4).
    const schemes = looks.colorScheme.split(" ");
    if (!schemes.includes("dark") || !schemes.includes("light")) paint(schemes.includes("dark"));
    root.lang = frame.lang;
    root.classList.toggle("inline", isInline);
  };

  const close = () => frame.dispatchEvent(new CustomEvent("keypeg-close", { bubbles: true, composed: true }));

  // Until the program is there, nothing else closes the panel.
  const isDrawn = () => !document.querySelector("body > .app dialog[open]") || document.getElementById("drawn");
  const onClose = (event) => {
    if (isDrawn() && (event.key === "Escape" || event.target.closest?.("#drawn .panel-head button"))) history.back();
  };

  // As high as what is in it.
  const grow = () => (frame.style.height = document.body.scrollHeight + "px");

  // go-app's program begins with these.
  globalThis.goappEnv = JSON.parse(env);
  globalThis.goappGetenv = (name) => goappEnv[name];
  const start = async (arriving) => {
    try {
      const go = new Go();
      const { instance } = await WebAssembly.instantiateStreaming(arriving, go.importObject);
      go.run(instance);
      document.getElementById("app-wasm-loader").remove();
    } catch (error) {
      console.error(error);
      document.getElementById("app-wasm-loader-icon").className = "goapp-logo"; // boot.js finds out why
    }
  };

  if (frame) {
    dress();
    if (!isInline) {
      history.pushState(null, "", location.href);
      addEventListener("popstate", close);
      addEventListener("click", onClose);
      addEventListener("keydown", onClose);
    }
    const arriving = fetch(program);
    arriving.catch(() => {}); // start says so
    addEventListener("DOMContentLoaded", () => {
      if (isInline) new ResizeObserver(grow).observe(document.body);
      start(arriving);
    });
    // drawn.js asks for what the fragment says.
    globalThis.keypegDrawn = { from: drawn, shows: "?" + location.hash.slice(1) + (isInline ? "&inline" : ""), lang: frame.lang };
  }
}
