package message

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func TestCatalogues(t *testing.T) {
	formats := refusals(t)
	for _, catalogue := range Languages {
		t.Run("every text is there in "+catalogue.Lang, func(t *testing.T) {
			complete(t, catalogue.Lang, reflect.ValueOf(*catalogue), reflect.ValueOf(English))
		})
		if catalogue == &English {
			continue
		}
		t.Run("and every refusal", func(t *testing.T) {
			for _, format := range formats {
				translated := ""
				if i := slices.IndexFunc(catalogue.Refusals, func(r Refusal) bool { return r.English == format }); i >= 0 {
					translated = catalogue.Refusals[i].Here
				}
				if !slices.Equal(verb.FindAllString(format, -1), verb.FindAllString(translated, -1)) || translated == "" {
					t.Errorf("%q is %q in %s", format, translated, catalogue.Lang)
				}
			}
			for _, r := range catalogue.Refusals {
				if !slices.Contains(formats, r.English) {
					t.Errorf("nobody refuses with %q any more", r.English)
				}
			}
		})
	}
}

var verb = regexp.MustCompile(`%[a-z]`)

// refusals returns the formats of all refusals in the program's source.
func refusals(t *testing.T) []string {
	var formats []string
	found := func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) < 2 || !makesRefusal(call.Fun) {
				return true
			}
			format, ok := call.Args[1].(*ast.BasicLit)
			if !ok {
				t.Errorf("%s: a refusal's sentence must stand where it is made, for translators to find it", path)
				return true
			}
			text, err := strconv.Unquote(format.Value)
			if err != nil {
				t.Fatal(err)
			}
			if text != "%s" && !slices.Contains(formats, text) { // a sentence of the server, in the right language already
				formats = append(formats, text)
			}
			return true
		})
		return nil
	}
	var err error
	for _, top := range []string{"app", "server", "shared"} { // other tests write in bin
		err = errors.Join(err, filepath.WalkDir(filepath.Join("..", "..", top), found))
	}
	if err != nil || len(formats) < 30 {
		t.Fatalf("found %d refusals (%v)", len(formats), err)
	}
	return formats
}

func makesRefusal(called ast.Expr) bool {
	switch called := called.(type) {
	case *ast.Ident:
		return called.Name == "Errorf"
	case *ast.SelectorExpr:
		of, ok := called.X.(*ast.Ident)
		return ok && of.Name == "shared" && called.Sel.Name == "Errorf"
	}
	return false
}

func TestChoose(t *testing.T) {
	for _, test := range []struct {
		tags []string
		want string
	}{
		{nil, "en"},
		{[]string{"tlh"}, "en"},
		{[]string{"de-CH"}, "de"},
		{[]string{"FR"}, "fr"},
		{[]string{"pt-BR", "es-419", "en"}, "es"},
		{[]string{"", "ja"}, "ja"},
		{[]string{"<script>"}, "en"},
	} {
		if got := Choose(test.tags...).Lang; got != test.want {
			t.Errorf("%q: got %s, want %s", test.tags, got, test.want)
		}
	}
}

// complete finds missing texts, and texts without a {name} that the English one has.
func complete(t *testing.T, path string, got, english reflect.Value) {
	if got.Kind() == reflect.Slice || got.Type() == reflect.TypeFor[Counted]() {
		return // compared with the source; TestPluralForms
	}
	if got.Kind() == reflect.Struct {
		for i := range got.NumField() {
			complete(t, path+"."+got.Type().Field(i).Name, got.Field(i), english.Field(i))
		}
		return
	}
	if strings.TrimSpace(got.String()) == "" {
		t.Errorf("%s has no text", path)
	}
	for _, part := range strings.Split(english.String(), "{")[1:] {
		name, _, _ := strings.Cut(part, "}")
		if !strings.Contains(got.String(), "{"+name+"}") {
			t.Errorf("%s lacks {%s}: %q", path, name, got.String())
		}
	}
}

func TestFill(t *testing.T) {
	if got := Fill("“{name}” of {name}, {other}", "name", "{other}", "other", "x"); got != "“{other}” of {other}, x" {
		t.Errorf("got %q: what a person typed is not to be filled again", got)
	}
}

func TestSentences(t *testing.T) {
	for _, catalogue := range Languages {
		text := SignInPageIn(catalogue)
		want := text.Elsewhere + " " + text.GoOn
		if catalogue == &Japanese {
			want = "別のデバイスまたは管理者によってサインアウトされました。サインインすると、元のページに戻ります。"
		}
		if got := Sentences(text.Elsewhere, text.GoOn); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestSignInPage(t *testing.T) {
	for _, catalogue := range Languages {
		t.Run("every text of the sign-in pages is there in "+catalogue.Lang, func(t *testing.T) {
			text := SignInPageIn(catalogue)
			complete(t, catalogue.Lang, reflect.ValueOf(text), reflect.ValueOf(signInPageEnglish))
			pages, about := SignInPagesIn(catalogue), AboutIn(catalogue)
			complete(t, catalogue.Lang, reflect.ValueOf(pages), reflect.ValueOf(signInPagesEnglish))
			complete(t, catalogue.Lang, reflect.ValueOf(about), reflect.ValueOf(aboutEnglish))
			if catalogue != &English && (text.Welcome == signInPageEnglish.Welcome || pages.SignInTitle == signInPagesEnglish.SignInTitle || about.Lead == aboutEnglish.Lead) {
				t.Errorf("got the English texts for %s", catalogue.Lang)
			}
		})
	}
}

func TestProgramPages(t *testing.T) {
	for _, catalogue := range Languages {
		t.Run("every text of the pages that lead to a program is there in "+catalogue.Lang, func(t *testing.T) {
			text := ProgramPagesIn(catalogue)
			complete(t, catalogue.Lang, reflect.ValueOf(text), reflect.ValueOf(programPagesEnglish))
			if catalogue != &English && text.ConsentTitle == programPagesEnglish.ConsentTitle {
				t.Errorf("got the English texts for %s", catalogue.Lang)
			}
			for _, counted := range []Counted{text.StepMinutes, text.StepHours, text.StepDays} {
				for _, n := range []int{1, 3} {
					got := catalogue.Count(counted, n, strconv.Itoa(n))
					if !strings.Contains(got, strconv.Itoa(n)) || !strings.Contains(got, "{name}") || !strings.Contains(got, "{program}") {
						t.Errorf("for %d: %q", n, got)
					}
				}
			}
		})
	}
}

func TestMails(t *testing.T) {
	for _, catalogue := range Languages {
		t.Run("every text of a mail is there in "+catalogue.Lang, func(t *testing.T) {
			text := MailIn(catalogue)
			complete(t, catalogue.Lang, reflect.ValueOf(text), reflect.ValueOf(mailEnglish))
			pages := MailPagesIn(catalogue)
			complete(t, catalogue.Lang, reflect.ValueOf(pages), reflect.ValueOf(mailPagesEnglish))
			if catalogue != &English && (text.Lead == mailEnglish.Lead || pages.VerifyTitle == mailPagesEnglish.VerifyTitle) {
				t.Errorf("got the English texts for %s", catalogue.Lang)
			}
		})
	}
}
