// Command build makes web/dist. It compiles the app's programs to WebAssembly, makes HTML of the manual,
// and compresses both and every static file with brotli. Run it from the project's root,
// before go build embeds the result:
//
//	go run ./web/build          # make what has changed
//	go run ./web/build icons    # draw the PNG icons again, into web/static
//
// It needs nothing but Go.
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/andybalholm/brotli"

	"github.com/keypeg/keypeg/web"
)

const (
	source = "web/static"
	target = "web/dist"
)

func main() {
	work := build
	if len(os.Args) == 2 && os.Args[1] == "icons" {
		work = drawIcons
	}
	if err := work(); err != nil {
		fmt.Fprintln(os.Stderr, "web/build:", err)
		os.Exit(1)
	}
}

func build() error {
	if err := os.MkdirAll(target, 0o755); err != nil {
		return err
	}
	kept := []string{".gitignore"}

	for _, p := range programs {
		form, err := buildProgram(p)
		if err != nil {
			return err
		}
		kept = append(kept, form, p.name+".json")
	}

	files, err := filepath.Glob(filepath.Join(source, "*"))
	if err != nil {
		return err
	}
	for _, path := range files {
		if ext := filepath.Ext(path); ext != ".css" && ext != ".js" && ext != ".svg" {
			continue
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		form, err := compress(filepath.Base(path), web.Served(filepath.Base(path), content), brotli.BestCompression)
		if err != nil {
			return err
		}
		kept = append(kept, form)
	}
	for name, content := range web.Languages() {
		form, err := compress(name, content, brotli.BestCompression)
		if err != nil {
			return err
		}
		kept = append(kept, form)
	}
	embedded, err := web.Open()
	if err != nil {
		return err
	}
	pages, err := buildManual(embedded)
	if err != nil {
		return err
	}
	return sweep(append(kept, pages...))
}

// compress writes a file's brotli form, unless it exists: its name has the hash of the content.
func compress(name string, content []byte, level int) (form string, err error) {
	form = name + "." + sha256Of(content)[:web.HashLength] + ".br"
	if _, err := os.Stat(filepath.Join(target, form)); err == nil {
		return form, nil
	}
	var b bytes.Buffer
	w := brotli.NewWriterLevel(&b, level)
	if _, err := w.Write(content); err != nil {
		return "", err
	}
	if err := w.Close(); err != nil {
		return "", err
	}
	fmt.Printf("%-19s %9d bytes, brotli %8d\n", name, len(content), b.Len())
	return form, write(form, b.Bytes())
}

func sha256Of(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// write writes a file completely or not at all.
func write(name string, content []byte) error {
	part, err := os.CreateTemp(target, ".part-")
	if err != nil {
		return err
	}
	_, err = part.Write(content)
	err = errors.Join(err, part.Chmod(0o644), part.Close())
	if err != nil {
		return errors.Join(err, os.Remove(part.Name()))
	}
	return os.Rename(part.Name(), filepath.Join(target, name))
}

// sweep removes all other files from web/dist.
func sweep(kept []string) error {
	entries, err := os.ReadDir(target)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if !slices.Contains(kept, entry.Name()) {
			if err := os.Remove(filepath.Join(target, entry.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}
