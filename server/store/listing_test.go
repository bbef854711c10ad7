package store

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestWordsOf(t *testing.T) {
	for _, row := range []struct{ text, want string }{
		{"Ann Miller", "ann miller"},
		{"Ann Anna Annabel anna", "annabel"}, // whatever finds annabel is found by the others
		{"ann.miller@Example.com", "ann.miller example.com"},
		{"J. R.R. ..Tolkien...", "j r.r tolkien"},
		{"\u00c5sa  M\u00fcller-L\u00fc", "asa muller lu"}, // without accents
		{"\uff24ora", "dora"},                              // a wide letter
		{"山田 太郎", "山田 太郎"},
		{"Weiß Łukæ", "weiss lukae"},
		{"- . -", ""},
		{strings.Repeat("é", 40) + "x", strings.Repeat("e", 40) + "x"},
		{strings.Repeat("山", 40), strings.Repeat("山", 21)}, // 63 bytes
	} {
		if got := strings.Join(WordsOf(row.text), " "); got != row.want {
			t.Errorf("%q: got %q, want %q", row.text, got, row.want)
		}
	}
}

func TestWords(t *testing.T) {
	for _, row := range []struct {
		user User
		want string
	}{
		{User{DisplayName: "Ann Miller", Name: "ann.miller", Email: "Ann@mail.example.com"}, "miller ann.miller mail.example.com example.com"},
		{User{DisplayName: "Ann Miller", Name: "amiller2"}, "ann miller amiller2"},
		{User{DisplayName: "Dr.Ann", Name: "ann@my-company.example"}, "dr.ann ann my company.example"},
		{User{Name: "ann@localhost"}, "ann localhost"},
		{User{Name: "a..b"}, "a..b b"},
		{User{DisplayName: "Jörg Müller", Name: "jm"}, "jorg muller jm joerg mueller"}, // found as both
		{User{DisplayName: "Åsa Weiß", Name: "aw"}, "asa weiss aw aasa"},
	} {
		if got := strings.Join(row.user.Words(), " "); got != row.want {
			t.Errorf("%+v: got %q, want %q", row.user, got, row.want)
		}
	}
}

func TestEntries(t *testing.T) {
	user := User{Name: "ann", DisplayName: "Ann Miller", Email: "a@example.com", Groups: []string{"it"}, Passkeys: []Passkey{{}}}
	want := []string{
		" ann miller example.com", " example.com ann miller", " miller ann example.com",
		"group/it\x01ann", "users/one-device\x01ann", "users/with-passkey\x01ann",
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
