package doctor

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/andybalholm/brotli"

	"github.com/keypeg/keypeg/server/internal/warning"
	"github.com/keypeg/keypeg/shared"
)

const groupFiles = "The app by the public URL"

// slowLine is how long a file of the app may take.
const slowLine = time.Minute

// ofFiles are the checks of the files of which the app consists.
func (v *visit) ofFiles() []Check {
	return []Check{
		{Group: groupFiles, Name: "app.wasm", Run: v.needs(v.program), Within: slowLine},
		{Group: groupFiles, Name: "its type", Run: v.needsProgram(v.programType)},
		{Group: groupFiles, Name: "its encoding", Run: v.needsProgram(v.programCoding)},
		{Group: groupFiles, Name: "scripts and style", Run: v.needs(v.scripts), Within: slowLine},
	}
}

// program fetches the program, and looks whether it comes whole.
func (v *visit) program(ctx context.Context) Result {
	if v.organisation.Host != nil && v.page == nil {
		return leftOut("the panel doesn't come")
	}
	path := v.answer.Files["app.wasm"]
	if path == "" {
		return leftOut("the server has no app: it wasn't built (make build)")
	}
	sent, err := v.sentAs(ctx, path)
	if err != nil {
		return failed(err.Error(), v.passOn()...)
	}
	got, err := v.fetch(ctx, &asking{path: path})
	switch {
	case err != nil:
		return failed("it doesn't come: "+reason(err), linesFor(warning.Cause(shared.TroubleAppMissing))...)
	case got.status != sent.Status:
		return failed(fmt.Sprintf("it comes with status %d, and the server sends %d", got.status, sent.Status), linesFor(warning.Cause(shared.TroubleAppMissing))...)
	case got.cut != nil:
		return failed(fmt.Sprintf("%d bytes of it come, and it has %d", len(got.body), sent.Size), linesFor(warning.Cause(shared.TroubleAppCut))...)
	}
	v.programCame, v.programSent = got, sent
	if got.header.Get("Content-Encoding") == sent.Header.Get("Content-Encoding") && got.sha256() != sent.SHA256 {
		return failed(fmt.Sprintf("%d bytes come, and the server sends %d others", len(got.body), sent.Size), linesFor(warning.Cause(shared.TroubleAppCut))...)
	}
	return ok(fmt.Sprintf("it comes whole, with %d bytes", len(got.body)))
}

func (v *visit) needsProgram(run func(ctx context.Context) Result) func(ctx context.Context) Result {
	return v.needs(func(ctx context.Context) Result {
		if v.programCame == nil {
			return leftOut("app.wasm doesn't come")
		}
		return run(ctx)
	})
}

func (v *visit) programType(context.Context) Result {
	const want = "application/wasm"
	if got := v.programCame.header.Values("Content-Type"); !slices.Equal(got, []string{want}) {
		return failed(fmt.Sprintf("%s comes, and %q must: browsers refuse it", quoted(got), want), linesFor(warning.Cause(shared.TroubleAppType))...)
	}
	return ok(want)
}

func (v *visit) programCoding(context.Context) Result {
	got, sent := v.programCame.header.Values("Content-Encoding"), v.programSent.Header.Values("Content-Encoding")
	if !slices.Equal(got, sent) {
		if body, is := v.programCame.decoded(); is && len(sent) == 0 && (&fetched{body: body}).sha256() == v.programSent.SHA256 {
			return ok("the proxy compresses it")
		}
		v.changesFiles = true
		return failed(fmt.Sprintf("%s comes, and the server sends %s: browsers can't read it", quoted(got), quoted(sent)), linesFor(warning.Cause(shared.TroubleAppCoding))...)
	}
	return ok(quoted(got) + " comes, as the server sends it")
}

// decoded returns the body without gzip or brotli, and whether it had one of them.
func (f *fetched) decoded() (body []byte, coded bool) {
	var from io.Reader
	switch f.header.Get("Content-Encoding") {
	case "gzip":
		unzipped, err := gzip.NewReader(bytes.NewReader(f.body))
		if err != nil {
			return f.body, false
		}
		from = unzipped
	case "br":
		from = brotli.NewReader(bytes.NewReader(f.body))
	default:
		return f.body, false
	}
	body, err := io.ReadAll(io.LimitReader(from, mostBody))
	if err != nil {
		return f.body, false
	}
	return body, true
}

// scripts looks at the other files that pages load.
func (v *visit) scripts(ctx context.Context) Result {
	if v.isRefused {
		return leftOut("with the host that arrives they are refused")
	}
	if v.organisation.Host != nil && v.page == nil {
		return leftOut("the panel doesn't come")
	}
	if v.changesFiles {
		return leftOut("the proxy changes the encoding of files")
	}
	paths := []string{"/app.js", "/wasm_exec.js", shared.PathCredentialScript}
	if v.organisation.Host != nil { // whose proxy passes on what is below one path
		paths = []string{shared.PathEmbed + "wasm_exec.js", shared.PathCredentialScript}
	}
	for name, path := range v.answer.Files {
		if path != "" && name != "app.wasm" {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	var wrong []string
	for _, path := range paths {
		sent, err := v.sentAs(ctx, path)
		if err != nil {
			return failed(err.Error(), v.passOn()...)
		}
		if sent.Status != 200 {
			continue // it isn't built
		}
		got, err := v.fetch(ctx, &asking{path: path})
		if err != nil {
			wrong = append(wrong, path+" doesn't come")
			continue
		}
		if what := got.differsFrom(sent.Status, sent.Header.Get("Content-Type"), sent.SHA256, sent.Header.Get("Content-Encoding")); what != "" {
			wrong = append(wrong, path+" "+what)
		}
	}
	if len(wrong) > 0 {
		return failed(strings.Join(wrong, "; "), linesFor(warning.Cause(shared.TroubleAppScripts))...)
	}
	return ok(fmt.Sprintf("%d files come as the server sends them", len(paths)))
}

// differsFrom says how a file differs from what the server sends, or "".
func (f *fetched) differsFrom(status int, kind, sum, coding string) string {
	got := f
	if f.header.Get("Content-Encoding") != coding {
		body, _ := f.decoded()
		got = &fetched{body: body}
	}
	switch {
	case f.status != status:
		return fmt.Sprintf("comes with status %d", f.status)
	case f.header.Get("Content-Type") != kind:
		return fmt.Sprintf("comes as %q", f.header.Get("Content-Type"))
	case f.cut != nil:
		return "comes cut off"
	case got.sha256() != sum:
		return "comes with another content"
	}
	return ""
}
