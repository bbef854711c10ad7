package e2e

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// frameworks is where npm has put the frameworks, and what bundles them.
const frameworks = "../../bin/frameworks"

// TestFrameworks has pages whose elements React and Vue draw, as they are from npm.
func TestFrameworks(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat(frameworks); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("React and Vue are missing: run make tools")
		}
		t.Skip("React and Vue are missing: run make tools")
	}
	for _, name := range []string{"react", "vue"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startShop(t)
			s.drawsWith(name)
			ann := openBrowser(t, s.server)
			laptop := ann.hasDevice()
			ann.entersShop("ann")
			ann.cannotAutofill()
			ann.touches(".card .quiet")
			ann.opens("/drawn-by-" + name)

			// The framework changes the name, and gets what happens in the menu and in the panel.
			ann.touches("#rename")
			ann.readsIn("keypeg-menu span", "Ann Miller")
			ann.touches(".name")
			ann.touches("#own")
			ann.readsIn("#passkeys-of", "asked by the menu")
			ann.opensPanel(1)
			ann.findsText("#passkeys", "No passkeys yet")
			ann.waitsFor("the framework to hear of it", `document.querySelector("#passkeys-of").innerText === "0"`)
			ann.touches("#passkey-add")
			ann.fills("#passkey-name", "Work laptop")
			ann.touches("#passkey-register")
			ann.waitsFor("the framework to hear of the passkey", `document.querySelector("#passkeys-of").innerText === "1"`)
			if n := laptop.holds(); n != 1 {
				t.Errorf("the device holds %d passkeys, want 1", n)
			}
			ann.touches("#passkey-try-end")
			ann.touches("#passkeys-close")
			ann.isClosed()

			// It takes the menu away while the panel is open.
			ann.opensPanel(1)
			ann.findsText("#passkeys", "Work laptop")
			value[bool](ann, `document.querySelector("#leave").click(), true`)
			ann.waitsFor("nothing to be left", `!document.querySelector("keypeg-menu") && document.querySelector("#passkeys-of").innerText === "1"`)
			ann.touches("#leave") // nothing is over the page

			// It draws the panel within the page, and takes the proofs of a sign-in itself.
			ann.findsText("#passkeys", "Work laptop")
			for _, proofs := range []string{"1", "2"} {
				ann.touches(".sign-in button")
				ann.readsIn("#proofs", proofs)
			}
			ann.hasNoComplaints()
		})
	}
}

// drawsWith adds a page that a framework draws.
func (s *shop) drawsWith(framework string) {
	s.t.Helper()
	folder := s.t.TempDir()
	source, err := filepath.Abs("testdata/frameworks/" + framework + ".js")
	if err != nil {
		s.t.Fatal(err)
	}
	modules, err := filepath.Abs(frameworks + "/node_modules")
	if err != nil {
		s.t.Fatal(err)
	}
	bundle := exec.Command("node", filepath.Join(modules, "esbuild", "bin", "esbuild"), source, "--bundle", "--format=esm",
		"--define:process.env.NODE_ENV=\"production\"", "--define:__VUE_OPTIONS_API__=true", "--define:__VUE_PROD_DEVTOOLS__=false", "--define:__VUE_PROD_HYDRATION_MISMATCH_DETAILS__=false",
		"--outfile="+filepath.Join(folder, framework+".js"))
	bundle.Env = append(os.Environ(), "NODE_PATH="+modules)
	if out, err := bundle.CombinedOutput(); err != nil {
		s.t.Fatalf("%v\n%s", err, out)
	}
	s.mux.Handle("GET /frameworks/", http.StripPrefix("/frameworks/", http.FileServer(http.Dir(folder))))
	s.mux.HandleFunc("GET /drawn-by-"+framework, s.forUsers(`<div id="app" data-introduction="{introduction}" data-user="{name}"></div><script type="module" src="/frameworks/`+framework+`.js"></script>`))
}
