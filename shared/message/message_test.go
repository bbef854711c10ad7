package message

import (
	"reflect"
	"strings"
	"testing"
)

func TestCatalogues(t *testing.T) {
	for _, catalogue := range []Catalogue{English} {
		t.Run("every text is there in "+catalogue.Lang, func(t *testing.T) {
			complete(t, catalogue.Lang, reflect.ValueOf(catalogue), reflect.ValueOf(English))
		})
	}
}

// complete finds texts that are missing, or that lack a {name} of the English.
func complete(t *testing.T, path string, got, english reflect.Value) {
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
