package message

// Category is a plural category of the Unicode CLDR (its "Language Plural Rules"): which
// form of a noun a number takes. No language has all of them; each has [Other].
type Category int

// The categories. Their names say what they are in some languages only: French has One for
// 0 too, and Many for whole millions.
const (
	Other Category = iota
	Zero
	One
	Two
	Few
	Many
)

// Counted is a text that depends on a number, which stands as {n} in it: a form for each
// category that the language has. A form that is left out is that of Other, which no
// language leaves out.
type Counted struct {
	Zero  string `json:",omitempty"`
	One   string `json:",omitempty"`
	Two   string `json:",omitempty"`
	Few   string `json:",omitempty"`
	Many  string `json:",omitempty"`
	Other string
}

// form is the text of a category.
func (c Counted) form(category Category) string {
	form := [...]string{Zero: c.Zero, One: c.One, Two: c.Two, Few: c.Few, Many: c.Many, Other: c.Other}[category]
	if form == "" {
		return c.Other
	}
	return form
}

// Count completes the text for n, which is at least 0. In it {n} becomes number, which is n
// as it is written where the reader lives.
func (c *Catalogue) Count(text Counted, n int, number string) string {
	return Fill(text.form(categoryOf(c.Lang, n)), "n", number)
}

// rule is a language's choice for whole numbers from 0.
type rule func(n int) Category

// rules has the rule of each language. A new language brings its own, from CLDR; without
// one it has one form only. What CLDR says of fractions is left away: nothing here counts
// in them.
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

// isMillions reports whether a number is a whole number of millions. Written out, French and
// Spanish put "de" before the noun then. In digits they don't, so our texts have the same
// form as for Other.
func isMillions(n int) bool { return n != 0 && n%1_000_000 == 0 }

func categoryOf(lang string, n int) Category {
	if choose := rules[lang]; choose != nil {
		return choose(n)
	}
	return Other
}
