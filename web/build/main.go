// Command build makes web/dist. It compiles the app's programs to WebAssembly, makes HTML of the manual,
// and compresses both and every static file with brotli. Run it from the project's root,
// before go build embeds the result:
//
//	go run ./web/build            # make what has changed
//	go run ./web/build release    # with the programs as small as they get: a minute more
//	go run ./web/build icons      # draw the PNG icons again, into web/static
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
	how := ""
	if len(os.Args) > 1 {
		how = os.Args[1]
	}
	var err error
	switch how {
	case "", "release":
		err = build(how == "release")
	case "icons":
		err = drawIcons()
	default:
		err = fmt.Errorf("%q is neither release nor icons", how)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "web/build:", err)
		os.Exit(1)
	}
}

func build(release bool) error {
	if err := os.MkdirAll(target, 0o755); err != nil {
		return err
	}
	kept, err := buildPrograms(release)
	if err != nil {
		return err
	}
	kept = append(kept, ".gitignore")

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
		for name, content := range web.Served(filepath.Base(path), content) {
			form, err := compress(name, content)
			if err != nil {
				return err
			}
			kept = append(kept, form)
		}
	}
	for name, content := range web.Languages() {
		form, err := compress(name, content)
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
func compress(name string, content []byte) (form string, err error) {
	form = formOf(name, content)
	if isWritten(form) {
		return form, nil
	}
	return form, compressTo(form, name, content, brotli.BestCompression)
}

func formOf(name string, content []byte) string {
	return name + "." + sha256Of(content)[:web.HashLength] + ".br"
}

func isWritten(form string) bool {
	_, err := os.Stat(filepath.Join(target, form))
	return err == nil
}

func compressTo(form, name string, content []byte, level int) error {
	var b bytes.Buffer
	w := brotli.NewWriterLevel(&b, level)
	if _, err := w.Write(content); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	fmt.Printf("%-19s %9d bytes, brotli %8d\n", name, len(content), b.Len())
	return write(form, b.Bytes())
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
