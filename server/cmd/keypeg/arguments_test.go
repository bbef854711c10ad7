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

// TestFewArguments checks that a rule takes no more arguments than a reader keeps apart.
// Who acts, from where and in which session is one of them, a session.Actor: a rule that
// took a client or a session by itself could be given those of two people.
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
					for _, parameter := range f.Type.Params.List {
						if of := typeOf(parameter.Type); rules != "session" && f.Name.IsExported() && (of == "store.Client" || of == "store.Session") {
							t.Errorf("server/%s/%s: %s takes a %s: it belongs to the session.Actor who acts", rules, entry.Name(), f.Name.Name, of)
						}
					}
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

// typeOf is a type of another package as it is written, or "".
func typeOf(written ast.Expr) string {
	if of, is := written.(*ast.SelectorExpr); is {
		if in, is := of.X.(*ast.Ident); is {
			return in.Name + "." + of.Sel.Name
		}
	}
	return ""
}
