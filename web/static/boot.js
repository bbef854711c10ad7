// Watches whether the app starts. It runs after app.js, and before the program has arrived.
//
// The page has a sentence for an app that doesn't start, in #app-stuck
// (server/cmd/internal/webapp/stuck.go). A style sheet shows it after some seconds (loader.css). Where
// this file runs, it takes over: it finds out the cause, shows it, and reports it to the
// server, so that IT can read it too.
{
  const stuck = document.getElementById("app-stuck");
  document.documentElement.classList.add("watched");

  let blocked = false; // a Content-Security-Policy blocked something while this file was here
  addEventListener("securitypolicyviolation", () => (blocked = true));

  // mayCompile reports whether a Content-Security-Policy lets the page compile WebAssembly. It
  // compiles the smallest program that there is.
  const mayCompile = () => {
    try {
      return !!new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0));
    } catch {
      return false;
    }
  };

  // mayStore reports whether the page may store something. It may not where the browser blocks its cookies, and then the
  // program can't even begin.
  const mayStore = () => {
    try {
      return !!localStorage;
    } catch {
      return false;
    }
  };

  // Who leaves the page cuts off what it loads, in some browsers a moment before the page knows that it is left
  // (app/browser/fetch_js.go). The Back button may bring it back as it was.
  let left = false;
  const failed = () => document.getElementById("app-wasm-loader-icon")?.className === "goapp-logo"; // go-app's, when loading has failed
  addEventListener("pagehide", () => (left = true));
  addEventListener("pageshow", ({ persisted }) => {
    left = false;
    if (persisted && failed()) location.reload();
  });

  // show shows a trouble in the page and reports it to the server.
  const show = (trouble) => {
    stuck.textContent = stuck.getAttribute("data-" + trouble) + " " + stuck.dataset.ask;
    stuck.classList.add("shown");
    fetch(stuck.dataset.report, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ trouble }),
      keepalive: true,
    }).catch(() => {}); // The server may be what is missing.
  };

  // whyNot loads the program again, and finds out what is wrong with it. It bypasses the
  // browser's cache: a wrong program may be kept there for a year, and this replaces it.
  const whyNot = async () => {
    let got = 0;
    try {
      const answer = await fetch(stuck.dataset.app, { cache: "reload" });
      const type = answer.headers.get("Content-Type") ?? "";
      if (!answer.ok || type.startsWith("text/html")) return "app-missing";
      let start = [];
      for (const reader = answer.body.getReader(); ; ) {
        const { done, value } = await reader.read();
        if (done) break;
        if (start.length < 4) start = [...start, ...value.slice(0, 4)];
        got += value.length;
      }
      if (String.fromCharCode(...start.slice(0, 4)) !== "\0asm") return "app-coding";
      if (got < Number(stuck.dataset.size)) return "app-cut";
      return type === "application/wasm" ? "app-cut" : "app-type"; // it is complete now, so it was cut off before
    } catch {
      // Nothing readable has come: there is no connection, or the encoding is wrong.
      return got > 0 ? "app-cut" : (await reaches()) ? "app-coding" : "app-missing";
    }
  };

  const reaches = () =>
    fetch(stuck.dataset.app, { method: "HEAD", cache: "no-store" }).then((answer) => answer.ok, () => false);

  const watch = () => {
    if (typeof Go === "undefined" || typeof goappEnv === "undefined") {
      show("app-missing");
      return;
    }
    if (!mayStore()) {
      show("cookies");
      return;
    }
    goappEnv.KEYPEG_APP_CONTACT = stuck.dataset.contact;
    const look = async () => {
      if (!failed()) return;
      watching.disconnect();
      const trouble = await whyNot();
      await new Promise((later) => setTimeout(later, 1000));
      if (!left) show(blocked || !mayCompile() ? "app-blocked" : trouble);
    };
    const watching = new MutationObserver(look);
    watching.observe(document.getElementById("app-wasm-loader-icon"), { attributes: true });
    look();
  };
  if (stuck) watch();
}

// Translators such as Google's put elements in the place of texts, mostly <font>. The program knows only its
// own texts, and ends if it can't change or remove one. So a text is back in its place before that, and is
// translated again.
{
  const inPlaceOf = new WeakMap(); // the element of a translator by the text of the program
  new MutationObserver((changes) => {
    for (const { addedNodes, removedNodes, previousSibling, nextSibling } of changes) {
      for (const text of removedNodes) {
        if (text.nodeType !== Node.TEXT_NODE || text.isConnected) continue;
        inPlaceOf.set(text, addedNodes[0] ?? [previousSibling, nextSibling].find((node) => node?.nodeName === "FONT"));
      }
    }
  }).observe(document.body, { childList: true, subtree: true });
  const back = (text) => inPlaceOf.get(text)?.replaceWith(text);
  const { removeChild, replaceChild } = Node.prototype;
  HTMLElement.prototype.removeChild = function (child) {
    back(child);
    return removeChild.call(this, child);
  };
  HTMLElement.prototype.replaceChild = function (child, old) {
    back(old);
    return replaceChild.call(this, child, old);
  };
  const { get, set } = Object.getOwnPropertyDescriptor(Node.prototype, "nodeValue");
  Object.defineProperty(Text.prototype, "nodeValue", {
    get,
    set(value) {
      back(this);
      set.call(this, value);
    },
  });
}

// go-app draws in the first element of the page. Browser extensions may put theirs before it.
Object.defineProperty(document.body, "firstElementChild", { get: () => document.querySelector("body > .app") });

// A Go program that panics ends, and its page still looks as if it worked. So a bar says that
// it has stopped. goappEnv has the texts.
if (typeof Go !== "undefined") {
  const run = Go.prototype.run;
  Go.prototype.run = async function (instance) {
    await run.call(this, instance);
    const bar = document.createElement("div");
    bar.className = "bar bar-bad";
    bar.setAttribute("role", "alert");
    const text = document.createElement("span");
    const texts = JSON.parse(goappEnv.KEYPEG_APP_BROKEN);
    const [broken, again] = texts[document.documentElement.lang] ?? texts.en;
    text.textContent = broken;
    const reload = document.createElement("button");
    reload.className = "button small";
    reload.textContent = again;
    reload.addEventListener("click", () => location.reload());
    bar.append(text, reload);
    document.body.prepend(bar);
  };
}

// An installed app may stay open for weeks. It looks for a new version whenever it becomes
// visible.
document.addEventListener("visibilitychange", async () => {
  if (document.hidden) return;
  const registration = await navigator.serviceWorker?.getRegistration();
  registration?.update().catch(() => {}); // without a network there is none
});
