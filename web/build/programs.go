package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/andybalholm/brotli"
	"golang.org/x/sync/errgroup"

	"github.com/keypeg/keypeg/web"
)

// programs are what browsers run.
var programs = []program{
	{web.App, "./app/wasm", brotli.BestCompression},
	{web.Administration, "./app/wasm/administration", brotli.BestCompression},
}

// quick is the level of brotli with which a program has 13 % more bytes than with the highest
// one, in a tenth of the time. It is good enough while one works.
const quick = 9

type program struct {
	name, source string
	level        int // of brotli, in a release
}

// buildPrograms builds all, and returns the names of the files to keep. One is compressed, which takes a minute of one
// processor in a release, while the next one is compiled.
func buildPrograms(release bool) (kept []string, err error) {
	forms := make([]string, len(programs))
	var written errgroup.Group
	for i, p := range programs {
		built, err := p.compile()
		if err != nil {
			return nil, errors.Join(err, written.Wait())
		}
		written.Go(func() (err error) {
			forms[i], err = p.write(built, release)
			return err
		})
		kept = append(kept, p.name+".json")
	}
	if err := written.Wait(); err != nil {
		return nil, err
	}
	return append(kept, forms...), nil
}

// write writes a compiled program and the facts about it, and returns the name of its form. It keeps a form that is as
// small as asked for.
func (p program) write(built []byte, release bool) (form string, err error) {
	now := web.ProgramInfo{SHA256: sha256Of(built), Size: int64(len(built)), Level: quick}
	if release {
		now.Level = p.level
	}
	form = formOf(p.name, built)
	var before web.ProgramInfo
	content, err := os.ReadFile(filepath.Join(target, p.name+".json"))
	if err == nil && json.Unmarshal(content, &before) == nil && before.SHA256 == now.SHA256 && before.Level >= now.Level && isWritten(form) {
		return form, nil
	}
	if err := compressTo(form, p.name, built, now.Level); err != nil {
		return "", err
	}
	about, err := json.Marshal(now)
	if err != nil {
		return "", err
	}
	return form, write(p.name+".json", about)
}

// notInlined are packages that are smaller without inlining, and not noticeably slower: those
// that draw pages and read a few answers, and cryptography that go-app links and that never
// runs in a browser.
var notInlined = []string{
	"github.com/...", "crypto/...", "math/big",
	"context", "encoding/json", "fmt", "reflect", "regexp/...", "strings", "slices", "sync", "syscall/js", "time", "log/...",
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
