package main

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"
	"testing"
)

// TestKindOfDatabase keeps the kinds of databases in the files of their drivers: a third
// kind, or another difference between the two, then touches one file.
func TestKindOfDatabase(t *testing.T) {
	const reason = "what kinds of databases differ in is a method of installation.Driver or installation.Database"
	drivers := 0
	eachSource(t, func(name string, _ *token.FileSet, file *ast.File) {
		switch {
		case strings.HasPrefix(name, "server/store/"), strings.HasPrefix(name, "server/cmd/bench/"), strings.HasPrefix(name, "server/cmd/toolcrib/"):
			// They are a kind, measure one, or are a program of others that has chosen one.
			return
		case strings.HasPrefix(name, "server/internal/installation/driver"):
			drivers++
			return
		}
		for _, imported := range file.Imports {
			if of := strings.Trim(imported.Path.Value, `"`); of == module+"server/store/boltstore" || of == module+"server/store/pgstore" {
				t.Errorf("%s imports %s: %s", name, of, reason)
			}
		}
		if strings.HasPrefix(name, "server/internal/installation/") {
			for _, asked := range kindsAsked(file) {
				t.Errorf("%s asks for %s: %s", name, asked, reason)
			}
		}
	})
	if drivers != 3 {
		t.Errorf("there are %d files of drivers, want the table and one for each kind", drivers)
	}
}

// kindsAsked are the names with which a file of the package installation tells the kinds apart.
func kindsAsked(file *ast.File) (names []string) {
	ofKinds := []string{"isPostgres", "isFile", "newPostgres", "newFile", "openPostgres", "openFiles"}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Ident:
			if slices.Contains(ofKinds, n.Name) {
				names = append(names, n.Name)
			}
		case *ast.TypeAssertExpr:
			if of, is := n.Type.(*ast.Ident); is && (of.Name == "postgres" || of.Name == "file") {
				names = append(names, of.Name)
			}
		case *ast.CaseClause:
			for _, one := range n.List {
				if of, is := one.(*ast.Ident); is && (of.Name == "postgres" || of.Name == "file") {
					names = append(names, of.Name)
				}
			}
		}
		return true
	})
	return names
}

// TestSizeOfTheProgram keeps the program's own package to commands, flags and the terminal.
func TestSizeOfTheProgram(t *testing.T) {
	const perCommand = 64 // lines, as they stand: each prints for people and for programs
	var count func([]branch) int
	count = func(branches []branch) (n int) {
		for _, b := range branches {
			if n += count(b.commands); b.does != nil && len(b.commands) == 0 {
				n++
			}
		}
		return n
	}
	most, lines := perCommand*count(commands()), 0
	eachSource(t, func(name string, files *token.FileSet, file *ast.File) {
		if strings.HasPrefix(name, "server/cmd/keypeg/") {
			lines += files.File(file.FileStart).LineCount()
		}
	})
	t.Logf("%d lines", lines)
	if lines > most {
		t.Errorf("the program has %d lines, more than the %d of its commands: rules belong to server/internal/installation, and settings to server/internal/config", lines, most)
	}
}
