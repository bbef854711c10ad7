// Watches over the app. A Go program that panics ends, and leaves a page behind
// that looks alive and isn't: then this says so.
//
// It runs after app.js, whose goappEnv holds the texts, and before the program
// has arrived.
{
  const run = Go.prototype.run;
  Go.prototype.run = async function (instance) {
    await run.call(this, instance);
    const bar = document.createElement("div");
    bar.className = "bar bar-bad";
    bar.setAttribute("role", "alert");
    const text = document.createElement("span");
    const said = JSON.parse(goappEnv.KEYPEG_APP_BROKEN);
    const [broken, again] = said[document.documentElement.lang] ?? said.en;
    text.textContent = broken;
    const reload = document.createElement("button");
    reload.className = "button small";
    reload.textContent = again;
    reload.addEventListener("click", () => location.reload());
    bar.append(text, reload);
    document.body.prepend(bar);
  };
}

// An installed app may stay open for weeks. It looks for a new version whenever
// it is looked at.
document.addEventListener("visibilitychange", async () => {
  if (document.hidden) return;
  const registration = await navigator.serviceWorker?.getRegistration();
  registration?.update().catch(() => {}); // without a network there is none
});
