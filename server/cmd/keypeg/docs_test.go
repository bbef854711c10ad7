package main

import (
	"go/ast"
	"go/token"
	"path"
	"testing"
)

// TestDocs checks that each package opens with a story, and that each exported name says
// what it is: whoever builds Keypeg in reads go doc, and not our code.
func TestDocs(t *testing.T) {
	hasStory := map[string]bool{} // by folder: whether a file of it has the story
	eachFile(t, false, func(name string, files *token.FileSet, file *ast.File) {
		folder := path.Dir(name)
		hasStory[folder] = hasStory[folder] || file.Doc != nil
		for _, name := range undocumented(file) {
			t.Errorf("%s: %s has no doc comment", files.Position(name.Pos()), name.Name)
		}
	})
	for folder, has := range hasStory {
		if !has {
			t.Errorf("package %s doesn't say what it is for", folder)
		}
	}
}

// undocumented are the exported names of a file that have no comment. A constant,
// a variable or a type may share the comment of its group.
func undocumented(file *ast.File) (names []*ast.Ident) {
	for _, declaration := range file.Decls {
		switch d := declaration.(type) {
		case *ast.FuncDecl:
			if d.Doc == nil && d.Name.IsExported() && isExported(d.Recv) {
				names = append(names, d.Name)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					if d.Doc == nil && spec.Doc == nil && spec.Name.IsExported() {
						names = append(names, spec.Name)
					}
				case *ast.ValueSpec:
					for _, name := range spec.Names {
						if d.Doc == nil && spec.Doc == nil && spec.Comment == nil && name.IsExported() {
							names = append(names, name)
						}
					}
				}
			}
		}
	}
	return names
}

// isExported reports whether a method's type is exported; a function has none, and is
// taken for one that is.
func isExported(receiver *ast.FieldList) bool {
	if receiver == nil {
		return true
	}
	for kind := receiver.List[0].Type; ; {
		switch k := kind.(type) {
		case *ast.StarExpr:
			kind = k.X
		case *ast.IndexExpr: // of one type parameter
			kind = k.X
		case *ast.IndexListExpr:
			kind = k.X
		case *ast.Ident:
			return k.IsExported()
		default:
			return false
		}
	}
}
