package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"

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

// within reports whether a package of ours is one of these, or stands below one.
func within(name string, folders ...string) bool {
	return slices.ContainsFunc(folders, func(folder string) bool {
		return name == module+folder || strings.HasPrefix(name, module+folder+"/")
	})
}

// side is where a package runs: on a machine, in the browser, or in both.
type side int

const (
	native side = 1 << iota
	inBrowser
)

// importRules say who may import whom. Packages stay independent of each other because of
// them. A rule gets each package of ours with each that it imports, and returns why that
// must not be, or "".
var importRules = []struct {
	claim  string
	on     side
	whyNot func(name, imported string) string
}{
	{"shared imports the standard library only", native, func(name, imported string) string {
		if within(name, "shared") && strings.Contains(imported, ".") && !within(imported, "shared") {
			return "shared is compiled into both sides, and into other people's programs"
		}
		return ""
	}},
	{"app doesn't know server", native, func(name, imported string) string {
		if within(name, "app") && within(imported, "server") {
			return "nothing of the server may reach the browser"
		}
		return ""
	}},
	{"server doesn't know app", native, func(name, imported string) string {
		if within(name, "server") && within(imported, "app") && !within(name, "server/cmd") {
			return "only programs wire both sides"
		}
		return ""
	}},
	{"heavy and delicate packages have one owner", native | inBrowser, func(name, imported string) string {
		for library, owner := range owners {
			if (imported == library || strings.HasPrefix(imported, library+"/")) && !within(name, owner...) {
				return fmt.Sprintf("it belongs to %v", owner)
			}
		}
		return ""
	}},
	{"go-app stays in pages and components", inBrowser, func(name, imported string) string {
		if strings.HasPrefix(imported, "github.com/maxence-charriere/go-app/") && within(name, "app/client", "app/ceremony", "app/browser") {
			return "it shall serve programs that draw for themselves"
		}
		return ""
	}},
	{"rules know neither HTTP nor a backend", native, func(name, imported string) string {
		rule := within(name, "server/account", "server/passkey", "server/session", "server/activity", "server/policy") && !within(name, "server/passkey/passkeytest")
		if rule && (imported == "net/http" || within(imported, "server/store/memstore", "server/store/boltstore", "server/store/pgstore", "server/internal/signinpages")) {
			return "a caller says who asks, and a rule sees the store's contract only"
		}
		return ""
	}},
	{"account and passkey don't know each other", native, func(name, imported string) string {
		if within(name, "server/account") && within(imported, "server/passkey") || within(name, "server/passkey") && within(imported, "server/account") {
			return "server joins the two"
		}
		return ""
	}},
	{"rules import downwards", native, func(name, imported string) string {
		// From the top: each may import those behind it, and none before it.
		order := []string{"server/account", "server/passkey", "server/activity", "server/session", "server/policy", "server/store"}
		for i, above := range order {
			for _, below := range order[i+1:] {
				if within(name, below) && within(imported, above) && !strings.Contains(name, "test") {
					return "it is used by it, and is handed what it needs"
				}
			}
		}
		return ""
	}},
	{"activity alone knows failures", native, func(name, imported string) string {
		if within(imported, "server/internal/failures") && !within(name, "server/activity", "server/internal/failures") {
			return "failed attempts go through activity.Service.Failed"
		}
		return ""
	}},
	{"features don't know each other", native, func(name, imported string) string {
		for _, feature := range features {
			if within(imported, feature) && within(name, features...) && !within(name, feature) && !registers(name, imported) {
				return "server joins features"
			}
		}
		return ""
	}},
	{"features and httpapi don't know server", native, func(name, imported string) string {
		if within(name, append(features, "server/internal/httpapi")...) && imported == module+"server" {
			return "server mounts it, and hands it what it needs"
		}
		return ""
	}},
	{"httpapi knows no feature", native, func(name, imported string) string {
		if within(name, "server/internal/httpapi") && within(imported, append(features, "server/passkey")...) {
			return "it serves every feature"
		}
		return ""
	}},
	{"servers and rules don't know that there are others", native, func(name, imported string) string {
		if within(imported, "server/internal/tenant", "server/internal/installation") && within(name, "server") && !within(name, "server/internal/tenant", "server/internal/installation", "server/internal/doctor", "server/internal/config", "server/cmd") {
			return "a server serves one organisation, and server/internal/tenant stands in front"
		}
		return ""
	}},
	{"tenant and control know no backend", native, func(name, imported string) string {
		if within(name, "server/internal/tenant", "server/internal/control") && within(imported, "server/store/memstore", "server/store/boltstore", "server/store/pgstore", "server/internal/installation", "server/cmd") {
			return "its caller says how an organisation is opened"
		}
		return ""
	}},
	{"the program alone knows flags, variables and files", native, func(name, imported string) string {
		if within(imported, "server/internal/config") && !within(name, "server/internal/config", "server/cmd/keypeg") {
			return "others ask installation.Settings"
		}
		return ""
	}},
	{"nothing of ours brings net/http or go-webauthn into the browser", inBrowser, func(name, imported string) string {
		if imported == "net/http" || strings.HasPrefix(imported, "github.com/go-webauthn/") {
			return "it adds megabytes to the app"
		}
		return ""
	}},
}

// registers reports whether a feature uses the registry that another one has: administrators register the clients of openid.
func registers(name, imported string) bool {
	return within(name, "server/internal/clients") && within(imported, "server/openid")
}

// features are mounted by server, and stand on httpapi.
var features = []string{"server/internal/admin", "server/internal/audit", "server/internal/clients", "server/internal/programs", "server/internal/signinpages", "server/federation", "server/openid", "server/forwardauth", "server/embed"}

// owners are the packages of ours that may import a heavy or delicate one.
var owners = map[string][]string{
	"github.com/go-webauthn/webauthn":               {"server/passkey"},
	"github.com/coreos/go-oidc":                     {"server/federation"},
	"golang.org/x/oauth2":                           {"server/federation"},
	"github.com/zitadel/oidc":                       {"server/federation/federationtest"},
	"go.etcd.io/bbolt":                              {"server/store/boltstore"},
	"github.com/jackc/pgx":                          {"server/store/pgstore"},
	"github.com/valyala/fasthttp":                   {"server/cmd/bench"},
	"syscall/js":                                    {"app/browser"},
	"github.com/maxence-charriere/go-app/v10":       {"app", "server/cmd/internal/webapp", "server/cmd/gallery", "server/cmd/toolcrib"},
	"golang.org/x/text/secure/precis":               {"server/account"},
	"github.com/spf13/pflag":                        {"server/cmd/keypeg", "server/internal/config"},
	"google.golang.org/protobuf/encoding/protowire": {"server/store"},
	"github.com/VictoriaMetrics/metrics":            {"server/internal/metrics"},
	"golang.org/x/time":                             {"server/limit"},
	"github.com/wneessen/go-mail":                   {"server/mail"},
	"github.com/emersion/go-smtp":                   {"server/mail/mailtest"},
	"maragu.dev/gomponents":                         {"server/internal/signinpages", "server/mail", "server/cmd/internal/webapp", "server/cmd/gallery", "web/build"},
	"github.com/yuin/goldmark":                      {"web/build"},
	// They call methods by name, so that the linker keeps every exported method of everything.
	"html/template": {"server/federation/federationtest"},
	"text/template": {},
	// Tests alone import these, and aren't looked at here.
	"github.com/getkin/kin-openapi":         {},
	"github.com/santhosh-tekuri/jsonschema": {},
}

func TestImports(t *testing.T) {
	built := map[side]map[string][]string{
		native:    deps(t, nil, "./..."),
		inBrowser: deps(t, []string{"GOOS=js", "GOARCH=wasm"}, "./app/..."),
	}
	for _, rule := range importRules {
		t.Run(rule.claim, func(t *testing.T) {
			for on, packages := range built {
				if rule.on&on == 0 {
					continue
				}
				for name, imports := range packages {
					if !strings.HasPrefix(name, module) {
						continue
					}
					for _, imported := range imports {
						if why := rule.whyNot(name, imported); why != "" {
							t.Errorf("%s imports %s: %s", name, imported, why)
						}
					}
				}
			}
		})
	}
}

// TestTopLevel checks that the top level has these folders and no other.
func TestTopLevel(t *testing.T) {
	out, err := exec.Command("git", "-C", projectRoot, "ls-files").Output()
	if err != nil {
		t.Skipf("not a git checkout: %v", err)
	}
	for line := range strings.Lines(string(out)) {
		folder, _, inFolder := strings.Cut(line, "/")
		if inFolder && !slices.Contains([]string{"app", "server", "shared", "web", ".ci", ".github"}, folder) {
			t.Errorf("%s is a new folder at the top level", folder)
		}
	}
}

// TestSize checks the budgets of what a browser loads. The same program may differ by 4 kB, since
// brotli finds other repetitions after a small change. What isn't built as a release is larger.
func TestSize(t *testing.T) {
	for program, budget := range map[string]int64{ // bytes with brotli
		// Nine seconds on a slow line. The list of programs and their events are 6 kB of it, the texts of the page for administrators 1 kB,
		// and the page in the frame of a program in another language 4 kB: a program of its own would be as large as this one.
		// One more function of 70 bytes may change what brotli makes of it by 14 kB, so there is room for that.
		web.App: 1_640_000,
		// It has all pages.
		web.Administration: 1_815_000,
	} {
		forms, err := filepath.Glob(filepath.Join("..", "..", "..", "web", "dist", program+".*.br"))
		if err != nil {
			t.Fatal(err)
		}
		if len(forms) == 0 || levelOf(t, program) < brotli.BestCompression {
			if os.Getenv("CI") != "" {
				t.Fatalf("%s isn't built as a release: make test does that first", program)
			}
			t.Skipf("%s isn't built as a release: go run ./web/build release", program)
		}
		for _, form := range forms {
			info, err := os.Stat(form)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%s: %d bytes with brotli", program, info.Size())
			if info.Size() > budget {
				t.Errorf("%s has %d bytes with brotli, more than %d", program, info.Size(), budget)
			}
		}
	}
}

// levelOf returns the level of brotli with which a program was compressed.
func levelOf(t *testing.T, program string) int {
	about, err := os.ReadFile(filepath.Join("..", "..", "..", "web", "dist", program+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var info web.ProgramInfo
	if err := json.Unmarshal(about, &info); err != nil {
		t.Fatal(err)
	}
	return info.Level
}
