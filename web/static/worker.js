// The service worker. With it, the app opens without a network. It never keeps an answer of
// the API. go-app fills in the version and the list of files.

const prefix = "keypeg-";
const name = prefix + "{{.Version}}";
// go-app names the start page too, which is for the signed-in: what is kept is the shell, for everybody.
const files = {{.ResourcesToCache}}.filter((file) => file !== "/");
const shell = "/shell";

// The pages that the shell can show in their place, and how long to wait for them before it does, in
// milliseconds. A sign-in page, a link or a provider's answer needs the server, however slow it is.
const pages = {{.Pages}};
const patience = 2500;

self.addEventListener("install", (event) => {
  event.waitUntil(
    caches
      .open(name)
      .then((cache) => cache.addAll(files))
      .then(() => self.skipWaiting()),
  );
});

// Open pages use the files of their own version until they are loaded again, so the previous
// cache is kept. There is no clients.claim(): with it, go-app takes a first visit for an
// update.
self.addEventListener("activate", (event) => {
  event.waitUntil(
    caches.keys().then((names) => {
      const others = names.filter((n) => n.startsWith(prefix) && n !== name);
      return Promise.all(others.slice(0, -1).map((n) => caches.delete(n)));
    }),
  );
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin || url.pathname.startsWith("/api/")) return;

  if (request.mode === "navigate") event.respondWith(page(request));
  else event.respondWith(file(request));
});

// page asks the network first, since the server decides who is signed in. It shows the shell
// if no answer comes in time.
async function page(request) {
  const answer = fetch(request);
  const late = new Promise((resolve) => pages.includes(new URL(request.url).pathname) && setTimeout(resolve, patience));
  try {
    const first = await Promise.race([answer, late]);
    if (first) return first;
  } catch {
    // The network is away.
  }
  return (await caches.match(shell)) ?? answer;
}

// file takes what was kept at the installation, and keeps nothing else.
async function file(request) {
  return (await caches.match(request)) ?? fetch(request);
}
