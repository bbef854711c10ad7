// Package web holds the static files that a browser loads, and the built app.
//
// static/ has the files as they are written. The build (go run ./web/build) makes dist/: the
// app, the manual as HTML, and everything compressed with brotli. Both are embedded, so that
// keypeg is one file. A few clients don't accept brotli; the gzip forms for them are made at
// the first request. A fresh clone compiles with an empty dist/; [Files.Built] reports that.
//
// The address of a file has the hash of its content in it ([Files.URL]), so that a browser
// may keep it for ever. The pages of the manual have permanent addresses ([Files.Manual]).
//
// The script that runs the ceremonies is in a package of its own, credential, since servers
// without these files need it too.
package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/andybalholm/brotli"

	"github.com/keypeg/keypeg/shared/message"
	"github.com/keypeg/keypeg/web/credential"
)

//go:embed static pictures
//go:embed all:dist
var embedded embed.FS

// The WebAssembly programs, by their names among the files. App is everybody's, and
// Administration is loaded at the pages of administration.
const (
	App            = "app.wasm"
	Administration = "administration.wasm"
)

// Programs lists them.
var Programs = []string{App, Administration}

// Prefix begins the address of every file.
const Prefix = "/static/"

// Ground and Accent are colours of the light scheme, for what is coloured without the style
// sheet: the browser's bars, and an installed app while it starts.
const (
	Ground = "#f5f7f9"
	Accent = "#15557f"
)

// ProgramInfo is dist/app.wasm.json: facts about a program, of which only the compressed form
// is kept.
type ProgramInfo struct {
	SHA256 string `json:"sha256"` // of the program, in hexadecimal
	Size   int64  `json:"size"`   // of the program, in bytes
	Level  int    `json:"level"`  // of brotli, with which it is compressed
}

// Files serves the static files. It is safe for concurrent use.
type Files struct {
	byName  map[string]*file
	byURL   map[string]*file
	manual  []*file
	sizes   map[string]int64 // of the programs, before compression
	version string
}

// file is one static file in all its encodings.
type file struct {
	name     string
	url      string
	hash     string        // the first 16 hexadecimal digits of its SHA-256
	identity []byte        // nil for the programs and the manual
	br       []byte        // nil where the build made none
	gzip     func() []byte // of br; the first request makes it, and others wait for it
}

// HashLength is the number of hexadecimal digits of a file's SHA-256 in its address, and in the
// name of its compressed form.
const HashLength = 16

// Open reads the embedded files.
func Open() (*Files, error) { return open(embedded) }

func open(from fs.FS) (*Files, error) {
	f := &Files{byName: map[string]*file{}, byURL: map[string]*file{}, sizes: map[string]int64{}}

	names, err := fs.Glob(from, "static/*")
	if err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	pictures, err := fs.Glob(from, "pictures/*.png")
	if err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	names = append(names, pictures...)
	for _, name := range names {
		content, err := fs.ReadFile(from, name)
		if err != nil {
			return nil, fmt.Errorf("web: %w", err)
		}
		for name, content := range Served(path.Base(name), content) {
			f.add(from, name, sha256Of(content), content)
		}
	}

	for name, content := range Languages() {
		f.add(from, name, sha256Of(content), content)
	}

	for _, program := range Programs {
		about, err := fs.ReadFile(from, "dist/"+program+".json")
		if err != nil {
			continue // not built
		}
		var info ProgramInfo
		if err := json.Unmarshal(about, &info); err != nil {
			return nil, fmt.Errorf("web: dist/%s.json: %w", program, err)
		}
		f.add(from, program, info.SHA256, nil)
		f.sizes[program] = info.Size
	}
	f.version = f.hashAll()
	return f, f.addManual(from)
}

// Served returns the files that browsers get for a file of static/, by their names. The files that
// the sign-in pages load lose their comments, which are a third of the script and an eighth of the
// style sheet, and so do those of the elements. The script of package credential, the sentences of a language and ceremony.js come before
// their scripts, which saves requests. The sign-in pages have a style sheet of their own: the part of the style sheet that
// they use, two fifths of it.
func Served(name string, content []byte) map[string][]byte {
	switch name {
	case "signinpages.js", "confirm.js":
		return scripts(strings.TrimSuffix(name, ".js"), content)
	case "elements.js":
		labels := map[string]message.Script{}
		for _, text := range message.Languages {
			labels[text.Lang] = message.LabelsIn(text)
		}
		return map[string][]byte{name: slices.Concat(constant("keypegLabels", labels), script(content))}
	case "signin.js", "offer.js":
		return modules(strings.TrimSuffix(name, ".js"), content)
	case "style.css":
		return map[string][]byte{name: style(content), "signinpages.css": style(appStyle.ReplaceAll(content, nil))}
	default:
		return map[string][]byte{name: content}
	}
}

// ceremony is what the scripts of the sign-in pages have in common.
//
//go:embed ceremony.js
var ceremony []byte

// scripts returns a script of the sign-in pages for each language.
func scripts(name string, content []byte) map[string][]byte {
	files := map[string][]byte{}
	for _, text := range message.Languages {
		texts := slices.Concat(constant("keypegTexts", message.ScriptIn(text)), script(ceremony), script(content))
		files[ScriptFile(name, text.Lang, false)] = slices.Concat(script(credential.Script), texts)
		files[ScriptFile(name, text.Lang, true)] = slices.Concat(script(credential.Script), script(credential.Related), texts)
	}
	return files
}

// modules returns a module of the elements for each language.
func modules(name string, content []byte) map[string][]byte {
	files := map[string][]byte{}
	for _, text := range message.Languages {
		texts := message.ScriptIn(text)
		if name == "offer" {
			texts = message.OfferIn(text)
		}
		files[name+"-"+text.Lang+".js"] = slices.Concat(constant("keypegTexts", texts), script(content))
	}
	return files
}

// constant declares a constant of a script.
func constant(name string, value any) []byte {
	encoded, err := json.Marshal(value)
	if err != nil {
		panic(err) // strings can always be encoded
	}
	return slices.Concat([]byte("const "+name+" = "), encoded, []byte(";\n"))
}

// ScriptFile is the name of the file with a script of the sign-in pages, signinpages or confirm, in a language:
// the usual one, or that for an organisation with several addresses.
func ScriptFile(name, lang string, related bool) string {
	if related {
		name += "-related"
	}
	return name + "-" + lang + ".js"
}

func script(content []byte) (served []byte) {
	for line := range bytes.Lines(content) {
		line = bytes.TrimSpace(line)
		code, comment, _ := bytes.Cut(line, []byte("// "))
		if !bytes.ContainsAny(comment, "\"'`") { // else it may be part of a text
			line = bytes.TrimSpace(code)
		}
		if len(line) > 0 && !bytes.HasPrefix(line, []byte("//")) {
			served = append(append(served, line...), '\n')
		}
	}
	return served
}

func style(content []byte) (served []byte) {
	for line := range bytes.Lines(styleComment.ReplaceAll(content, nil)) {
		if line = bytes.TrimSpace(line); len(line) > 0 {
			served = append(append(served, line...), '\n')
		}
	}
	return served
}

var (
	styleComment = regexp.MustCompile(`(?s)/\*.*?\*/`)
	appStyle     = regexp.MustCompile(`(?s)/\* \{\{.*?\}\} \*/`)
)

// Languages returns the app's texts: a JSON file for each language, by the name of the file.
func Languages() map[string][]byte {
	files := map[string][]byte{}
	for _, text := range message.Languages {
		encoded, err := json.Marshal(text)
		if err != nil {
			panic(err) // strings can always be encoded
		}
		files[LanguageFile(text.Lang)] = encoded
	}
	return files
}

// LanguageFile is the name of the file with the texts of a language.
func LanguageFile(lang string) string { return "language-" + lang + ".json" }

func sha256Of(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

func (f *Files) add(from fs.FS, name, hash string, identity []byte) {
	added := newFile(from, name, hash, identity)
	ext := path.Ext(name)
	added.url = Prefix + strings.TrimSuffix(name, ext) + "." + added.hash + ext
	f.byName[name], f.byURL[added.url] = added, added
}

// newFile returns a file with the compressed form that the build made of it.
func newFile(from fs.FS, name, hash string, identity []byte) *file {
	made := &file{name: name, hash: hash[:HashLength], identity: identity}
	// The compressed form is found by hash, so it is never of an older file.
	made.br, _ = fs.ReadFile(from, "dist/"+name+"."+made.hash+".br")
	made.gzip = sync.OnceValue(made.zip)
	return made
}

func (f *Files) hashAll() string {
	var urls []string
	for url := range f.byURL {
		urls = append(urls, url)
	}
	slices.Sort(urls)
	sum := sha256.Sum256([]byte(strings.Join(urls, "\n")))
	return hex.EncodeToString(sum[:])[:HashLength]
}

// Built reports whether the programs have been built.
func (f *Files) Built() bool {
	for _, program := range Programs {
		if built := f.byName[program]; built == nil || built.br == nil {
			return false
		}
	}
	return true
}

// URL returns the address of a file by its name, such as "style.css". It returns "" for an
// unknown name, and for a program that hasn't been built.
func (f *Files) URL(name string) string {
	if found := f.byName[name]; found != nil {
		return found.url
	}
	return ""
}

// Text returns the content of a file in static/, or "".
func (f *Files) Text(name string) string {
	if found := f.byName[name]; found != nil {
		return string(found.identity)
	}
	return ""
}

// Version changes when any file does.
func (f *Files) Version() string { return f.version }

// SizeOf returns the size of a program in bytes before compression, for a progress bar.
func (f *Files) SizeOf(program string) int64 { return f.sizes[program] }

// ServeHTTP implements http.Handler for the addresses of [Files.URL]. It looks addresses up in
// a map, so that no path reaches a disk.
func (f *Files) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	found := f.byURL[r.URL.Path]
	if found == nil {
		http.NotFound(w, r)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "only GET and HEAD", http.StatusMethodNotAllowed)
		return
	}

	found.serve(w, r, "public, max-age=31536000, immutable")
}

// At returns a handler of a file by its name, for an address that doesn't change: a browser asks each time whether the
// file is still the same. It answers nothing but 404 for an unknown name.
func (f *Files) At(name string) http.Handler {
	found := f.byName[name]
	if found == nil {
		return http.NotFoundHandler()
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { found.serve(w, r, "no-cache") })
}

// serve writes the file in the form that the client accepts. Keep is its Cache-Control.
func (f *file) serve(w http.ResponseWriter, r *http.Request, keep string) {
	h := w.Header()
	h.Set("Content-Type", contentTypes[path.Ext(f.name)])
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", keep)
	h.Set("Vary", "Accept-Encoding")
	h.Set("ETag", `"`+f.hash+`"`)
	if strings.Contains(r.Header.Get("If-None-Match"), f.hash) {
		w.WriteHeader(http.StatusNotModified)
		return
	}

	body, encoding := f.choose(r.Header.Get("Accept-Encoding"))
	if body == nil {
		f.inflate(w, r)
		return
	}
	if encoding != "" {
		h.Set("Content-Encoding", encoding)
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method == http.MethodGet {
		w.Write(body)
	}
}

var contentTypes = map[string]string{
	".css":  "text/css; charset=utf-8",
	".html": "text/html; charset=utf-8",
	".json": "application/json",
	".js":   "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
	".png":  "image/png",
	".wasm": "application/wasm",
}

// choose returns the smallest form that the client accepts (RFC 9110, 12.5.3). A nil body means
// that the client accepts only the uncompressed form of a file of which we keep none.
func (f *file) choose(accept string) (body []byte, encoding string) {
	switch takes := accepted(accept); {
	case f.br != nil && takes("br"):
		return f.br, "br"
	case f.br != nil && takes("gzip"):
		return f.gzip(), "gzip"
	default:
		return f.identity, ""
	}
}

// accepted reads an Accept-Encoding header.
func accepted(header string) (takes func(encoding string) bool) {
	quality := map[string]float64{}
	for part := range strings.SplitSeq(header, ",") {
		name, parameter, _ := strings.Cut(part, ";")
		q := 1.0
		if value, found := strings.CutPrefix(strings.TrimSpace(parameter), "q="); found {
			q, _ = strconv.ParseFloat(value, 64)
		}
		quality[strings.ToLower(strings.TrimSpace(name))] = q
	}
	return func(encoding string) bool {
		q, named := quality[encoding]
		if !named {
			q = quality["*"]
		}
		return q > 0
	}
}

// zip makes the gzip form, at the default level: the best one would take a second for one
// percent less.
func (f *file) zip() []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := io.Copy(w, brotli.NewReader(bytes.NewReader(f.br)))
	if err := errors.Join(err, w.Close()); err != nil {
		panic(fmt.Errorf("web: the brotli form of %s is damaged: %w", f.name, err)) // embedded as the build made it
	}
	return bytes.Clone(b.Bytes()) // without the buffer's spare room, as it is kept
}

// inflate serves the app, or a page of the manual, to a client that accepts no compression.
// There are almost none, so no uncompressed form is kept for them. It reads the gzip form,
// which takes 46 kB of memory for each request; brotli's window would take 5.7 MB.
func (f *file) inflate(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodHead {
		return
	}
	plain, err := gzip.NewReader(bytes.NewReader(f.gzip()))
	if err != nil {
		http.Error(w, "this file can't be served", http.StatusInternalServerError)
		return
	}
	io.Copy(w, plain)
}

// Manifest returns the web app manifest, with the installation's own name.
func (f *Files) Manifest(product string) []byte {
	type icon struct {
		Src     string `json:"src"`
		Sizes   string `json:"sizes"`
		Type    string `json:"type"`
		Purpose string `json:"purpose,omitempty"`
	}
	type screenshot struct {
		Src        string `json:"src"`
		Sizes      string `json:"sizes"`
		Type       string `json:"type"`
		FormFactor string `json:"form_factor"`
		Label      string `json:"label"`
	}
	type shortcut struct {
		Name string `json:"name"`
		URL  string `json:"url"`
	}
	manifest, err := json.Marshal(struct {
		ID         string     `json:"id"`
		Name       string     `json:"name"`
		ShortName  string     `json:"short_name"`
		Lang       string     `json:"lang"`
		StartURL   string     `json:"start_url"`
		Scope      string     `json:"scope"`
		Display    string     `json:"display"`
		Background string     `json:"background_color"`
		Theme      string     `json:"theme_color"`
		Icons      []icon     `json:"icons"`
		Shortcuts  []shortcut `json:"shortcuts"`

		Screenshots []screenshot `json:"screenshots"`
	}{
		ID: "/", Name: product, ShortName: product, Lang: "en", StartURL: "/", Scope: "/", Display: "standalone",
		Background: Ground, Theme: Accent,
		Icons: []icon{
			{f.URL("icon.svg"), "any", "image/svg+xml", ""},
			{f.URL("icon-192.png"), "192x192", "image/png", ""},
			{f.URL("icon-512.png"), "512x512", "image/png", ""},
			{f.URL("icon-maskable-512.png"), "512x512", "image/png", "maskable"},
		},
		Shortcuts: []shortcut{{"Passkeys", "/passkeys"}},
		Screenshots: []screenshot{
			{f.URL("screenshot-wide.png"), "1280x800", "image/png", "wide", "Your passkeys"},
			{f.URL("screenshot-narrow.png"), "390x800", "image/png", "narrow", "Your passkeys"},
		},
	})
	if err != nil {
		panic(err) // strings can always be encoded
	}
	return manifest
}
