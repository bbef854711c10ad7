package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFewArguments holds the rules to as many arguments as a reader keeps apart. Who acts,
// from where and for whom is one of them, a session.Actor.
func TestFewArguments(t *testing.T) {
	const most = 5
	for _, rules := range []string{"account", "passkey", "session", "activity"} {
		folder := filepath.Join("..", "..", rules)
		entries, err := os.ReadDir(folder)
		if err != nil {
			t.Fatal(err)
		}
		functions := 0
		for _, entry := range entries {
			if !strings.HasSuffix(entry.Name(), ".go") || strings.HasSuffix(entry.Name(), "_test.go") {
				continue
			}
			file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(folder, entry.Name()), nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			for _, declared := range file.Decls {
				if f, is := declared.(*ast.FuncDecl); is {
					functions++
					if n := f.Type.Params.NumFields(); n > most {
						t.Errorf("server/%s/%s: %s takes %d arguments, more than %d: what belongs together is one value", rules, entry.Name(), f.Name.Name, n, most)
					}
				}
			}
		}
		if functions == 0 {
			t.Errorf("server/%s has no functions: this test looks in the wrong place", rules)
		}
	}
}
