package e2e

import (
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

func TestInstalled(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann := openBrowser(t, s, whole)
	ann.hasDevice()
	// Chromium offers the installation by itself when a user has spent some time on a site.
	// The test stops that, since it depends on how long the test takes.
	ann.runsFirst(`addEventListener("beforeinstallprompt", (e) => { if (e.isTrusted) e.stopImmediatePropagation(); });`)
	ann.setsUp()

	t.Run("Chromium finds it installable", func(t *testing.T) {
		manifest, err := chromedp.Call(ann.ctx, page.GetAppManifest, page.GetAppManifestParams{})
		if err != nil || len(manifest.Errors) > 0 || manifest.URL == "" {
			t.Errorf("manifest %+v (%v)", manifest, err)
		}
		ann.waitsFor("the service worker", `navigator.serviceWorker.ready.then((r) => r.active?.state === "activated")`)
		problems, err := chromedp.Call(ann.ctx, page.GetInstallabilityErrors, cdp.Empty{})
		if err != nil {
			t.Fatal(err)
		}
		for _, problem := range problems.InstallabilityErrors {
			if problem.ErrorID != "in-incognito" { // every context of a test is one
				t.Errorf("not installable: %s %+v", problem.ErrorID, problem.ErrorArguments)
			}
		}
	})
	t.Run("the menu offers it while the browser does", func(t *testing.T) {
		ann.clicks("#user-menu-button")
		ann.hasFocusOn("#menu-passkeys")
		ann.seesNo("#menu-install")
		ann.presses(escape)
		value[bool](ann, `window.dispatchEvent(Object.assign(new Event("beforeinstallprompt"), {
			prompt: async () => { window.asked = true; }, userChoice: Promise.resolve({ outcome: "dismissed" }),
		}))`)
		ann.clicks("#user-menu-button")
		ann.clicks("#menu-install")
		ann.waitsFor("the browser to be asked", `window.asked === true`)
	})
	t.Run("where a page can't ask the browser, the page says how to install", func(t *testing.T) {
		ann.runsFirst(`
				Object.defineProperty(navigator, "vendor", { value: "Apple Computer, Inc." });
				addEventListener("beforeinstallprompt", (e) => e.stopImmediatePropagation());`)
		ann.opens("/")
		ann.clicks("#user-menu-button")
		ann.clicks("#menu-install")
		ann.reads("Add to Home Screen")
		ann.clicks("#install-hint button")
		ann.seesNo("#install-hint")
		ann.hasFocusOn("#user-menu-button")
	})
	t.Run("the manifest's files are all there", func(t *testing.T) {
		missing := value[[]string](ann, `fetch("/manifest.webmanifest").then((r) => r.json()).then((m) =>
			Promise.all([...m.icons, ...m.screenshots].map(async ({ src, type, sizes }) => {
				const answer = src ? await fetch(src) : { ok: false };
				if (!answer.ok || answer.headers.get("Content-Type") !== type) return src || "(no address)";
				if (sizes === "any") return "";
				const bitmap = await createImageBitmap(await answer.blob());
				return sizes === bitmap.width + "x" + bitmap.height ? "" : src + " is " + bitmap.width + "x" + bitmap.height;
			}))).then((all) => all.filter(Boolean))`)
		if len(missing) > 0 {
			t.Errorf("missing or wrong: %q", missing)
		}
	})
	t.Run("no answer of the API is in a cache", func(t *testing.T) {
		ann.opens("/passkeys")
		ann.reads("No passkeys yet")
		ann.waitsFor("the service worker to have the page", `navigator.serviceWorker.controller !== null`)
		kept := value[[]string](ann, `(async () => {
			const urls = [];
			for (const name of await caches.keys()) for (const r of await (await caches.open(name)).keys()) urls.push(new URL(r.url).pathname);
			return urls;
		})()`)
		shell := false
		for _, path := range kept {
			shell = shell || path == "/shell"
			if len(path) >= 5 && path[:5] == "/api/" {
				t.Errorf("%s is in a cache", path)
			}
		}
		if !shell {
			t.Errorf("the shell isn't in a cache: %q", kept)
		}
	})
}
