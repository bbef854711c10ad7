package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/andybalholm/brotli"

	"github.com/keypeg/keypeg/web"
)

// programs are what browsers run. The highest level of brotli takes most of the build's time.
// It is for the program that everybody loads. At the level of the other one, the file has 13 %
// more bytes, and the build takes a tenth of the time.
var programs = []program{
	{web.App, "./app/wasm", brotli.BestCompression},
	{web.Administration, "./app/wasm/administration", 9},
}

type program struct {
	name, source string
	level        int // of brotli
}

// buildProgram writes a program and the facts about it.
func buildProgram(p program) (form string, err error) {
	built, err := p.compile()
	if err != nil {
		return "", err
	}
	about, err := json.Marshal(web.ProgramInfo{SHA256: sha256Of(built), Size: int64(len(built))})
	if err != nil {
		return "", err
	}
	if err := write(p.name+".json", about); err != nil {
		return "", err
	}
	return compress(p.name, built, p.level)
}

// notInlined are packages that are smaller without inlining, and not noticeably slower: those
// that draw pages and read a few answers, and cryptography that go-app links and that never
// runs in a browser.
var notInlined = []string{
	"github.com/...", "crypto/...", "math/big",
	"encoding/json", "fmt", "reflect", "regexp/...", "time",
}

// compile compiles a program and returns it.
func (p program) compile() ([]byte, error) {
	dir, err := os.MkdirTemp("", "keypeg-build-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)

	out := filepath.Join(dir, p.name)
	arguments := []string{"build", "-trimpath", "-ldflags=-s -w", "-buildvcs=false", "-o", out}
	for _, packages := range notInlined {
		arguments = append(arguments, "-gcflags="+packages+"=-l")
	}
	command := exec.Command("go", append(arguments, p.source)...)
	command.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "CGO_ENABLED=0")
	command.Stderr = os.Stderr
	if err := command.Run(); err != nil {
		return nil, fmt.Errorf("compiling %s: %w", p.source, err)
	}
	return os.ReadFile(out)
}
