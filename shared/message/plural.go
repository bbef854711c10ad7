package message

// Category is a plural category of the Unicode CLDR ("Language Plural Rules"). It says which
// form of a noun belongs to a number. Every language has [Other], and none has all.
type Category int

// The categories. Their names fit only some languages: in French, One is also for 0, and Many
// is for whole millions.
const (
	Other Category = iota
	Zero
	One
	Two
	Few
	Many
)

// Counted is a text that depends on a number, with {n} for the number. It has a form for each
// category of the language. A missing form is that of Other, which is always there.
type Counted struct {
	Zero  string `json:",omitempty"`
	One   string `json:",omitempty"`
	Two   string `json:",omitempty"`
	Few   string `json:",omitempty"`
	Many  string `json:",omitempty"`
	Other string
}

// form returns the text of a category.
func (c Counted) form(category Category) string {
	form := [...]string{Zero: c.Zero, One: c.One, Two: c.Two, Few: c.Few, Many: c.Many, Other: c.Other}[category]
	if form == "" {
		return c.Other
	}
	return form
}

// Count returns the text for n, which is at least 0. It replaces {n} by number, which is n in
// the reader's regional format.
func (c *Catalogue) Count(text Counted, n int, number string) string {
	return Fill(text.form(categoryOf(c.Lang, n)), "n", number)
}

// rule returns the category of a whole number from 0 on.
type rule func(n int) Category

// rules has the rule of each language. A new language needs its own, from CLDR; without a rule
// it has only one form. CLDR's rules for fractions are left out, since we count no fractions.
var rules = map[string]rule{
	"en": oneOrOther,
	"de": oneOrOther,
	"es": func(n int) Category {
		switch {
		case n == 1:
			return One
		case isMillions(n):
			return Many
		}
		return Other
	},
	"fr": func(n int) Category {
		switch {
		case n <= 1:
			return One
		case isMillions(n):
			return Many
		}
		return Other
	},
	"ja": func(int) Category { return Other },
}

func oneOrOther(n int) Category {
	if n == 1 {
		return One
	}
	return Other
}

// isMillions reports whether a number is a whole number of millions. After such a number in
// words, French and Spanish put "de" before the noun. After digits they don't, so our texts
// have the same form as for Other.
func isMillions(n int) bool { return n != 0 && n%1_000_000 == 0 }

func categoryOf(lang string, n int) Category {
	if choose := rules[lang]; choose != nil {
		return choose(n)
	}
	return Other
}
