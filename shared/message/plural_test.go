package message

import (
	"reflect"
	"strconv"
	"strings"
	"testing"
)

// samples are CLDR's samples of whole numbers, by language and category. A language has the
// categories for which there are samples.
var samples = map[string]map[Category][]int{
	"en": {
		One:   {1},
		Other: {0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 100, 1000, 10000, 100000, 1000000},
	},
	"de": {
		One:   {1},
		Other: {0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 100, 1000, 10000, 100000, 1000000},
	},
	"es": {
		One:   {1},
		Many:  {1000000, 2000000, 3000000, 4000000, 5000000, 6000000},
		Other: {0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 100, 1000, 10000, 100000, 1000001},
	},
	"fr": {
		One:   {0, 1},
		Many:  {1000000, 2000000, 3000000, 4000000, 5000000, 6000000},
		Other: {2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 100, 1000, 10000, 100000, 1000001},
	},
	"ja": {
		Other: {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 100, 1000, 10000, 100000, 1000000},
	},
}

func TestPluralCategories(t *testing.T) {
	for _, catalogue := range Languages {
		if samples[catalogue.Lang] == nil {
			t.Errorf("%s has no samples", catalogue.Name)
		}
		choosesAsCLDR(t, catalogue.Lang, rules[catalogue.Lang], samples[catalogue.Lang])
	}
}

// choosesAsCLDR compares a rule with CLDR's samples.
func choosesAsCLDR(t *testing.T, lang string, choose rule, samples map[Category][]int) {
	t.Helper()
	for want, numbers := range samples {
		for _, n := range numbers {
			if got := choose(n); got != want {
				t.Errorf("%s: %d has category %d, want %d", lang, n, got, want)
			}
		}
	}
}

// TestPluralForms: each counted text has a form for each category of its language, and for no
// other.
func TestPluralForms(t *testing.T) {
	for _, catalogue := range Languages {
		found := 0
		eachCounted(reflect.ValueOf(*catalogue), catalogue.Lang, func(path string, text Counted) {
			found++
			for category, form := range map[Category]string{Zero: text.Zero, One: text.One, Two: text.Two, Few: text.Few, Many: text.Many, Other: text.Other} {
				if has, wants := form != "", samples[catalogue.Lang][category] != nil; has != wants {
					t.Errorf("%s: category %d has the form %q, and should have one: %t", path, category, form, wants)
				}
				// Zero, One and Two may have their number in words.
				if isOpen := category == Few || category == Many || category == Other; isOpen && form != "" && !strings.Contains(form, "{n}") {
					t.Errorf("%s: category %d lacks {n}: %q", path, category, form)
				}
			}
		})
		if found < 4 {
			t.Errorf("%s has only %d counted texts", catalogue.Name, found)
		}
	}
}

func eachCounted(of reflect.Value, path string, do func(path string, text Counted)) {
	if text, is := of.Interface().(Counted); is {
		do(path, text)
		return
	}
	if of.Kind() != reflect.Struct {
		return
	}
	for i := range of.NumField() {
		eachCounted(of.Field(i), path+"."+of.Type().Field(i).Name, do)
	}
}

func TestCount(t *testing.T) {
	for _, test := range []struct {
		catalogue *Catalogue
		n         int
		number    string
		want      string
	}{
		{&English, 0, "0", "0 passkeys"},
		{&English, 1, "1", "1 passkey"},
		{&English, 1200, "1,200", "1,200 passkeys"},
		{&German, 1, "1", "1 Passkey"},
		{&French, 0, "0", "0 clé d’accès"},
		{&French, 2, "2", "2 clés d’accès"},
		{&Japanese, 1, "1", "パスキー 1 件"},
		{&Catalogue{Lang: "tlh"}, 1, "1", "1 passkeys"}, // it has no rule
	} {
		text := test.catalogue.Home.PasskeyCount
		if text == (Counted{}) {
			text = English.Home.PasskeyCount
		}
		if got := test.catalogue.Count(text, test.n, test.number); got != test.want {
			t.Errorf("%s: %d are %q, want %q", test.catalogue.Lang, test.n, got, test.want)
		}
	}
}

// TestPluralsOfOthers: a language with more forms needs a rule and texts. CLDR's samples check
// both.
func TestPluralsOfOthers(t *testing.T) {
	for _, other := range []struct {
		lang    string
		choose  rule
		samples map[Category][]int
		text    Counted
		reads   map[int]string
	}{
		{
			lang: "pl",
			choose: func(n int) Category {
				switch ones, teens := n%10, n%100 >= 12 && n%100 <= 14; {
				case n == 1:
					return One
				case ones >= 2 && ones <= 4 && !teens:
					return Few
				}
				return Many
			},
			samples: map[Category][]int{
				One:  {1},
				Few:  {2, 3, 4, 22, 23, 24, 32, 33, 34, 42, 43, 44, 52, 53, 54, 62, 102, 1002},
				Many: {0, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 100, 1000, 10000, 100000, 1000000},
			},
			text:  Counted{One: "{n} plik", Few: "{n} pliki", Many: "{n} plików", Other: "{n} pliku"},
			reads: map[int]string{1: "1 plik", 3: "3 pliki", 12: "12 plików", 22: "22 pliki"},
		},
		{
			lang: "ar",
			choose: func(n int) Category {
				switch rest := n % 100; {
				case n == 0:
					return Zero
				case n == 1:
					return One
				case n == 2:
					return Two
				case rest >= 3 && rest <= 10:
					return Few
				case rest >= 11:
					return Many
				}
				return Other
			},
			samples: map[Category][]int{
				Zero:  {0},
				One:   {1},
				Two:   {2},
				Few:   {3, 4, 5, 6, 7, 8, 9, 10, 103, 104, 105, 106, 107, 108, 109, 110, 1003},
				Many:  {11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 111, 1011},
				Other: {100, 101, 102, 200, 201, 202, 300, 301, 302, 400, 401, 402, 500, 501, 502, 600, 1000, 10000, 100000, 1000000},
			},
			text:  Counted{Zero: "لا ملفات", One: "ملف واحد", Two: "ملفان", Few: "{n} ملفات", Many: "{n} ملفًا", Other: "{n} ملف"},
			reads: map[int]string{0: "لا ملفات", 2: "ملفان", 7: "7 ملفات", 11: "11 ملفًا", 100: "100 ملف"},
		},
	} {
		choosesAsCLDR(t, other.lang, other.choose, other.samples)
		for n, want := range other.reads {
			if got := Fill(other.text.form(other.choose(n)), "n", strconv.Itoa(n)); got != want {
				t.Errorf("%s: %d are %q, want %q", other.lang, n, got, want)
			}
		}
	}
}
