package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/keypeg/keypeg/web"
)

const module = "github.com/keypeg/keypeg/"

// deps are the packages that a package of ours is built with, directly or not.
func deps(t *testing.T, env []string, pattern string) map[string][]string {
	t.Helper()
	command := exec.Command("go", "list", "-deps", "-f", "{{.ImportPath}} {{join .Imports \",\"}}", pattern)
	command.Dir = filepath.Join("..", "..", "..")
	command.Env = append(os.Environ(), env...)
	out, err := command.Output()
	if err != nil {
		t.Fatalf("go list %s: %v", pattern, err)
	}
	found := map[string][]string{}
	for line := range strings.Lines(string(out)) {
		name, imports, _ := strings.Cut(strings.TrimSpace(line), " ")
		found[name] = strings.Split(imports, ",")
	}
	return found
}

// TestImports checks who may import whom. Packages stay independent of each other
// because of these rules; each failure says why.
func TestImports(t *testing.T) {
	native := deps(t, nil, "./...")
	inBrowser := deps(t, []string{"GOOS=js", "GOARCH=wasm"}, "./app/...")

	within := func(name string, folders ...string) bool {
		return slices.ContainsFunc(folders, func(folder string) bool {
			return name == module+folder || strings.HasPrefix(name, module+folder+"/")
		})
	}
	each := func(packages map[string][]string, check func(name, imported string)) {
		for name, imports := range packages {
			if strings.HasPrefix(name, module) {
				for _, imported := range imports {
					check(name, imported)
				}
			}
		}
	}

	t.Run("shared imports the standard library only", func(t *testing.T) {
		each(native, func(name, imported string) {
			if within(name, "shared") && strings.Contains(imported, ".") && !within(imported, "shared") {
				t.Errorf("%s imports %s: shared is compiled into both sides, and into other people's programs", name, imported)
			}
		})
	})
	t.Run("app and server don't know each other", func(t *testing.T) {
		each(native, func(name, imported string) {
			if within(name, "app") && within(imported, "server") {
				t.Errorf("%s imports %s: nothing of the server may reach the browser", name, imported)
			}
			if within(name, "server") && within(imported, "app") && !within(name, "server/cmd") {
				t.Errorf("%s imports %s: only programs wire both sides", name, imported)
			}
		})
	})
	t.Run("heavy and delicate packages have one owner", func(t *testing.T) {
		for imported, owner := range map[string][]string{
			"github.com/go-webauthn/webauthn":               {"server/passkey"},
			"github.com/coreos/go-oidc":                     {"server/federation"},
			"golang.org/x/oauth2":                           {"server/federation"},
			"github.com/zitadel/oidc":                       {"server/federation/federationtest"},
			"go.etcd.io/bbolt":                              {"server/store/boltstore"},
			"github.com/jackc/pgx":                          {"server/store/pgstore", "server/cmd/bench"}, // a floor
			"github.com/valyala/fasthttp":                   {"server/cmd/bench"},
			"syscall/js":                                    {"app/browser"},
			"github.com/maxence-charriere/go-app/v10":       {"app", "server/cmd/keypeg", "server/cmd/gallery", "server/cmd/toolcrib"},
			"golang.org/x/text/secure/precis":               {"server/account"},
			"github.com/spf13/pflag":                        {"server/cmd/keypeg", "server/internal/config"},
			"google.golang.org/protobuf/encoding/protowire": {"server/store"},
			"golang.org/x/time":                             {"server/limit"},
			"maragu.dev/gomponents":                         {"server/internal/signinpages", "server/cmd/keypeg", "server/cmd/gallery", "web/build"},
			"github.com/yuin/goldmark":                      {"web/build"},
			// They call methods by name, so that the linker keeps every exported method of everything.
			"html/template": {"server/federation/federationtest"},
			"text/template": {},
			// Tests alone import these, and aren't looked at here.
			"github.com/getkin/kin-openapi":         {},
			"github.com/santhosh-tekuri/jsonschema": {},
		} {
			check := func(name, got string) {
				if (got == imported || strings.HasPrefix(got, imported+"/")) && !within(name, owner...) {
					t.Errorf("%s imports %s, which belongs to %v", name, got, owner)
				}
			}
			each(native, check)
			each(inBrowser, check)
		}
	})
	t.Run("go-app stays in pages and components", func(t *testing.T) {
		each(inBrowser, func(name, imported string) {
			if strings.HasPrefix(imported, "github.com/maxence-charriere/go-app/") && within(name, "app/client", "app/ceremony", "app/browser") {
				t.Errorf("%s imports %s: it shall serve programs that draw for themselves", name, imported)
			}
		})
	})
	t.Run("rules don't know HTTP, nor each other, nor a backend", func(t *testing.T) {
		each(native, func(name, imported string) {
			rule := within(name, "server/account", "server/passkey", "server/session", "server/activity", "server/policy") && !within(name, "server/passkey/passkeytest")
			if rule && (imported == "net/http" || within(imported, "server/store/memstore", "server/store/boltstore", "server/store/pgstore", "server/internal/signinpages")) {
				t.Errorf("%s imports %s: rules are told who asks, and see the store's contract only", name, imported)
			}
			if within(name, "server/account") && within(imported, "server/passkey") || within(name, "server/passkey") && within(imported, "server/account") {
				t.Errorf("%s imports %s: server joins the two", name, imported)
			}
		})
	})
	t.Run("rules import downwards", func(t *testing.T) {
		// From the top: each may import those behind it, and none before it.
		order := []string{"server/account", "server/passkey", "server/activity", "server/session", "server/policy", "server/store"}
		each(native, func(name, imported string) {
			for i, above := range order {
				for _, below := range order[i+1:] {
					if within(name, below) && within(imported, above) && !strings.Contains(name, "test") {
						t.Errorf("%s imports %s: it is used by it, and is handed what it needs", name, imported)
					}
				}
			}
			if within(imported, "server/internal/failures") && !within(name, "server/activity", "server/internal/failures") {
				t.Errorf("%s imports %s: failed attempts go through activity.Service.Failed", name, imported)
			}
		})
	})
	t.Run("features stand on httpapi, and know neither server nor each other", func(t *testing.T) {
		each(native, func(name, imported string) {
			features := []string{"server/internal/admin", "server/internal/signinpages", "server/federation"}
			feature := within(name, features...)
			for _, other := range features {
				if feature && within(imported, other) && !within(name, other) {
					t.Errorf("%s imports %s: server joins features", name, imported)
				}
			}
			if (feature || within(name, "server/internal/httpapi")) && imported == module+"server" {
				t.Errorf("%s imports %s: server mounts it, and hands it what it needs", name, imported)
			}
			if within(name, "server/internal/httpapi") && within(imported, "server/internal/admin", "server/internal/signinpages", "server/passkey", "server/federation") {
				t.Errorf("%s imports %s: it serves every feature, and knows none", name, imported)
			}
		})
	})
	t.Run("servers and rules don't know that there are others", func(t *testing.T) {
		each(native, func(name, imported string) {
			if within(imported, "server/internal/tenant", "server/internal/installation") && within(name, "server") && !within(name, "server/internal/tenant", "server/internal/installation", "server/internal/config", "server/cmd") {
				t.Errorf("%s imports %s: a server serves one organisation, and server/internal/tenant stands in front", name, imported)
			}
			if within(name, "server/internal/tenant", "server/internal/control") && within(imported, "server/store/memstore", "server/store/boltstore", "server/store/pgstore", "server/internal/installation", "server/cmd") {
				t.Errorf("%s imports %s: it is told how an organisation is opened", name, imported)
			}
		})
	})
	t.Run("an installation is told what IT has set", func(t *testing.T) {
		each(native, func(name, imported string) {
			if within(imported, "server/internal/config") && !within(name, "server/internal/config", "server/cmd/keypeg") {
				t.Errorf("%s imports %s: flags, variables and files are the program's, and others ask installation.Settings", name, imported)
			}
		})
	})
	t.Run("nothing of ours brings net/http or go-webauthn into the browser", func(t *testing.T) {
		each(inBrowser, func(name, imported string) {
			if imported == "net/http" || strings.HasPrefix(imported, "github.com/go-webauthn/") {
				t.Errorf("%s imports %s: it adds megabytes to the app", name, imported)
			}
		})
	})
	t.Run("the top level has these folders and no other", func(t *testing.T) {
		out, err := exec.Command("git", "-C", filepath.Join("..", "..", ".."), "ls-files").Output()
		if err != nil {
			t.Skipf("not a git checkout: %v", err)
		}
		for line := range strings.Lines(string(out)) {
			folder, _, inFolder := strings.Cut(line, "/")
			if inFolder && !slices.Contains([]string{"app", "server", "shared", "web", ".ci", ".github"}, folder) {
				t.Errorf("%s is a new folder at the top level", folder)
			}
		}
	})
}

// TestSize holds the budget of what a browser loads.
func TestSize(t *testing.T) {
	const budget = 1_600_000 // bytes of app.wasm with brotli: nine seconds on a slow line
	forms, err := filepath.Glob(filepath.Join("..", "..", "..", "web", "dist", web.App+".*.br"))
	if err != nil {
		t.Fatal(err)
	}
	if len(forms) == 0 {
		if os.Getenv("CI") != "" {
			t.Fatal("the app isn't built: make test does that first")
		}
		t.Skip("the app isn't built: go run ./web/build")
	}
	about, err := os.ReadFile(filepath.Join("..", "..", "..", "web", "dist", web.App+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var app web.AppInfo
	if err := json.Unmarshal(about, &app); err != nil {
		t.Fatal(err)
	}
	for _, form := range forms {
		info, err := os.Stat(form)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("app.wasm: %d bytes, brotli %d", app.Size, info.Size())
		if info.Size() > budget {
			t.Errorf("app.wasm has %d bytes with brotli, more than %d", info.Size(), budget)
		}
	}
}
