package message

import (
	"strings"
	"testing"

	"github.com/keypeg/keypeg/shared"
)

// TestCheckTexts finds texts of the page of checks that are missing in a language, or lack a {name}.
func TestCheckTexts(t *testing.T) {
	tables := map[string][5]string{}
	for name, columns := range checkTexts {
		tables[string(name)] = columns
	}
	for _, table := range []map[string][5]string{checkGroups, checkTitles} {
		for name, columns := range table {
			tables[name] = columns
		}
	}
	for name, columns := range tables {
		for i, text := range columns {
			for _, part := range []string{"{n}", "{program}"} {
				if strings.Contains(columns[0], part) != strings.Contains(text, part) {
					t.Errorf("%s in %s has or lacks %s: %q", name, Languages[i].Lang, part, text)
				}
			}
			if text == "" {
				t.Errorf("%s has no text in %s", name, Languages[i].Lang)
			}
		}
	}
	if german := ChecksIn(&German); len(german) != len(checkTexts) || german[shared.CheckTextToDo] != "Zu tun" {
		t.Errorf("in German they are %v", german)
	}
}
