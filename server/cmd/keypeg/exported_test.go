package main

import (
	"go/ast"
	"go/token"
	"path"
	"strings"
	"testing"
)

// TestExported holds that what a package offers to other people's programs mentions no type of
// an internal package: they could neither name nor make its values.
func TestExported(t *testing.T) {
	// What server alone mounts stands beside what programs configure.
	ours := map[string]bool{"server/federation/handlers.go": true, "server/forwardauth/handlers.go": true, "server/embed/handlers.go": true, "server/openid/handlers.go": true}
	eachSource(t, func(name string, files *token.FileSet, file *ast.File) {
		folder := "/" + path.Dir(name) + "/"
		if strings.Contains(folder, "/internal/") || strings.Contains(folder, "/cmd/") || ours[name] {
			return
		}
		internal := map[string]bool{}
		for _, imported := range file.Imports {
			if of := strings.Trim(imported.Path.Value, `"`); strings.Contains(of, "/internal/") {
				internal[path.Base(of)] = true
			}
		}
		check := func(of string, n ast.Node) {
			ast.Inspect(n, func(n ast.Node) bool {
				if selector, is := n.(*ast.SelectorExpr); is {
					if from, is := selector.X.(*ast.Ident); is && internal[from.Name] {
						t.Errorf("%s: %s is exported, and mentions %s.%s", files.Position(n.Pos()), of, from.Name, selector.Sel.Name)
					}
				}
				return true
			})
		}
		for _, d := range file.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Name.IsExported() && (d.Recv == nil || ast.IsExported(receiverOf(d))) {
					check(d.Name.Name, d.Type)
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					checkSpec(spec, check)
				}
			}
		}
	})
}

// receiverOf names the type that a method is of.
func receiverOf(d *ast.FuncDecl) (name string) {
	ast.Inspect(d.Recv.List[0].Type, func(n ast.Node) bool {
		if id, is := n.(*ast.Ident); is && name == "" {
			name = id.Name
		}
		return true
	})
	return name
}

// checkSpec checks a declaration as far as others see it: no unexported field.
func checkSpec(spec ast.Spec, check func(of string, n ast.Node)) {
	switch spec := spec.(type) {
	case *ast.ValueSpec:
		for _, name := range spec.Names {
			if name.IsExported() && spec.Type != nil {
				check(name.Name, spec.Type)
			}
		}
	case *ast.TypeSpec:
		if !spec.Name.IsExported() {
			return
		}
		of, is := spec.Type.(*ast.StructType)
		if !is {
			check(spec.Name.Name, spec.Type)
			return
		}
		for _, field := range of.Fields.List {
			embedded := len(field.Names) == 0
			if embedded || field.Names[0].IsExported() {
				check(spec.Name.Name, field.Type)
			}
		}
	}
}
