package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A file is a chapter, and a function reads downhill: both end before a reader has forgotten
// how they began.
const (
	mostLines  = 500 // of a file
	mostOfOne  = 70  // of a function
	mostOfTest = 150 // of a test's function, besides its tables
)

// TestSizes checks how large a file and a function may be, but for tests, what tests are
// written with (a folder whose name ends in test), and the benchmark.
func TestSizes(t *testing.T) {
	tooMany := func(what string, lines, most int) {
		t.Errorf("%s has %d lines, and may have %d: look for the second idea in it, and give that a place of its own", what, lines, most)
	}
	eachSource(t, func(name string, files *token.FileSet, file *ast.File) {
		lines := func(n ast.Node) int { return files.Position(n.End()).Line - files.Position(n.Pos()).Line + 1 }
		isTest := strings.HasSuffix(filepath.Dir(name), "test") || strings.HasPrefix(name, "server/cmd/bench/")
		all := files.File(file.FileStart).LineCount()
		for _, d := range file.Decls {
			f, isFunction := d.(*ast.FuncDecl)
			if !isFunction || isTest {
				continue
			}
			if n := lines(f); n > mostOfOne {
				tooMany(name+" "+f.Name.Name, n, mostOfOne)
			}
		}
		if all > mostLines {
			tooMany(name, all, mostLines)
		}
	})
}

// TestSizesOfTests checks how large a test's function may be: one that makes many claims
// is several functions, or a table.
func TestSizesOfTests(t *testing.T) {
	eachFile(t, true, func(name string, files *token.FileSet, file *ast.File) {
		lines := func(n ast.Node) int { return files.Position(n.End()).Line - files.Position(n.Pos()).Line + 1 }
		for _, d := range file.Decls {
			f, isFunction := d.(*ast.FuncDecl)
			if !isFunction {
				continue
			}
			all := lines(f)
			ast.Inspect(f, func(n ast.Node) bool {
				table, is := n.(*ast.CompositeLit)
				if is && isTable(table) {
					all -= lines(table)
				}
				return !is
			})
			if all > mostOfTest {
				t.Errorf("%s %s has %d lines besides its tables, and may have %d: give its claims functions of their own, or a table", name, f.Name.Name, all, mostOfTest)
			}
		}
	})
}

// isTable reports whether a literal has rows: values of a slice or a map.
func isTable(l *ast.CompositeLit) bool {
	switch l.Type.(type) {
	case *ast.ArrayType, *ast.MapType:
		return true
	}
	return false
}

// eachSource reads every Go file of ours, for whichever system, but tests and what is
// generated.
func eachSource(t *testing.T, look func(name string, files *token.FileSet, file *ast.File)) {
	t.Helper()
	eachFile(t, false, look)
}

// eachFile reads every Go file of ours that is a test, or every one that isn't, but what is
// generated.
func eachFile(t *testing.T, tests bool, look func(name string, files *token.FileSet, file *ast.File)) {
	t.Helper()
	root := os.DirFS(projectRoot)
	for _, top := range []string{"app", "server", "shared", "web"} {
		err := fs.WalkDir(root, top, func(name string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") != tests {
				return err
			}
			text, err := fs.ReadFile(root, name)
			if err != nil {
				return err
			}
			files := token.NewFileSet()
			file, err := parser.ParseFile(files, name, text, parser.ParseComments|parser.SkipObjectResolution)
			if err == nil && !ast.IsGenerated(file) {
				look(name, files, file)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
