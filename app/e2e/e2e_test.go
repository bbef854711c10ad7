// Package e2e tests Keypeg in a real browser: in Debian's Chromium with a virtual
// authenticator, with the program as it is built and a fresh database. It does what a person
// does, and checks what a person sees.
//
// In a test, a person sits at a [browser] of a [server] and does things. The steps that many
// tests share are in steps_test.go. A step never waits for time to pass: it waits for what
// the person waits for. Each test has a server and a browser of its own. As many
// tests as there are processors run at the same time, and one more: each takes nearly a
// processor, and waits now and then. Tests of how fast or how still a page is run alone.
package e2e

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
)

// The programs, which are built once: keypeg is under test. openIDProvider is a provider for
// it. toolcrib is a host program that builds Keypeg in, and toolcribApp its app. gallery
// shows every state.
var keypeg, openIDProvider, toolcrib, toolcribApp, gallery string

func TestMain(m *testing.M) {
	if reason := withoutChromium(); reason != "" {
		if os.Getenv("CI") != "" {
			fmt.Fprintln(os.Stderr, "e2e:", reason)
			os.Exit(1)
		}
		fmt.Fprintln(os.Stderr, "e2e: skipping:", reason)
		os.Exit(0)
	}
	flag.Parse()
	if !wasSet("test.parallel") {
		flag.Set("test.parallel", fmt.Sprint(runtime.GOMAXPROCS(0)+1))
	}
	os.Exit(buildAndRun(m))
}

// wasSet reports whether the command line has this flag.
func wasSet(name string) (set bool) {
	flag.Visit(func(f *flag.Flag) { set = set || f.Name == name })
	return set
}

func withoutChromium() string {
	for _, program := range []string{"chromium", "chromium-headless-shell"} {
		if _, err := exec.LookPath(program); err != nil {
			return "the browser tests need Debian's Chromium: apt-get install chromium chromium-headless-shell"
		}
	}
	return ""
}

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "keypeg-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	defer os.RemoveAll(dir)

	keypeg, openIDProvider = filepath.Join(dir, "keypeg"), filepath.Join(dir, "provider")
	gallery = filepath.Join(dir, "gallery")
	toolcrib, toolcribApp = filepath.Join(dir, "toolcrib"), filepath.Join(dir, "toolcrib.wasm")
	for _, command := range [][]string{
		{"go", "run", "./web/build"},
		{"go", "build", "-o", toolcrib, "./server/cmd/toolcrib"},
		{"env", "GOOS=js", "GOARCH=wasm", "go", "build", "-o", toolcribApp, "./app/toolcrib/wasm"},
		{"go", "build", "-o", keypeg, "./server/cmd/keypeg"},
		{"go", "build", "-o", gallery, "./server/cmd/gallery"},
		{"go", "build", "-o", openIDProvider, "./server/federation/federationtest/provider"},
	} {
		build := exec.Command(command[0], command[1:]...)
		build.Dir = filepath.Join("..", "..")
		build.Env = append(os.Environ(), "CGO_ENABLED=0") // as make test compiles everything
		var output bytes.Buffer
		build.Stdout, build.Stderr = &output, &output
		if err := build.Run(); err != nil {
			fmt.Fprintf(os.Stderr, "e2e: %v: %v\n%s", command, err, output.String())
			return 1
		}
	}
	return m.Run()
}
