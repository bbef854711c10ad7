package store

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestWordsOf(t *testing.T) {
	for _, row := range []struct {
		texts []string
		want  string
	}{
		{[]string{"Ann Miller", "ann.miller", "ann@example.com"}, "ann miller example com"},
		{[]string{"Ann Miller", "amiller2"}, "ann miller amiller2"},
		{[]string{"Ann Anna Annabel", "anna"}, "annabel"},            // whatever finds ann finds annabel
		{[]string{"\u00c5sa  M\u00fcller-L\u00fc"}, "asa muller lu"}, // without accents
		{[]string{"\uff24ora"}, "dora"},                              // a wide letter
		{[]string{"山田 太郎"}, "山田 太郎"},
		{[]string{"- . -", ""}, ""},
		{[]string{strings.Repeat("é", 40) + "x"}, strings.Repeat("e", 40) + "x"},
		{[]string{strings.Repeat("山", 40)}, strings.Repeat("山", 21)}, // 63 bytes
	} {
		if got := strings.Join(WordsOf(row.texts...), " "); got != row.want {
			t.Errorf("%q: got %q, want %q", row.texts, got, row.want)
		}
	}
}

func TestEntries(t *testing.T) {
	user := User{Name: "ann", DisplayName: "Ann Miller", Email: "a@example.com", Groups: []string{"it"}, Passkeys: []Passkey{{}}}
	want := []string{
		"in/group/it\x01ann", "in/users/one-device\x01ann", "in/users/with-passkey\x01ann",
		"word ann miller example com", "word com ann miller example", "word example ann miller com", "word miller ann example com",
	}
	if got := user.Entries(); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	var names []string
	for i := range 100 {
		names = append(names, fmt.Sprintf("%03d%s", i, strings.Repeat("x", 100)))
	}
	user = User{Name: "ann", DisplayName: strings.Join(names, " ")}
	size := 0
	for _, entry := range user.Entries() {
		size += len(entry)
	}
	if size > 7000 {
		t.Errorf("a user with long names has %d bytes of entries", size)
	}
}
