// The service worker: the app opens without a network, and no answer of the API
// is ever kept. go-app fills in the version and the list of files.

const prefix = "keypeg-";
const name = prefix + "{{.Version}}";
const files = {{.ResourcesToCache}};
const shell = "/shell";

// How long a page may keep us waiting before the shell is shown in its place.
const patience = 2500;

self.addEventListener("install", (event) => {
  event.waitUntil(
    caches
      .open(name)
      .then((cache) => cache.addAll(files))
      .then(() => self.skipWaiting()),
  );
});

// Pages that are open go on with the files of their own version until they are
// loaded again, so the cache before ours is kept. There is no clients.claim():
// with it, go-app takes a first visit for an update.
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

// page asks the network, whose answer decides who is signed in, and shows the
// shell when none comes.
async function page(request) {
  const answer = fetch(request);
  const late = new Promise((resolve) => setTimeout(resolve, patience));
  try {
    const first = await Promise.race([answer, late]);
    if (first) return first;
  } catch {
    // The network is away.
  }
  return (await caches.match(shell)) ?? answer;
}

// file prefers what was kept at install, and keeps nothing else.
async function file(request) {
  return (await caches.match(request)) ?? fetch(request);
}
