package store

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// UserQuery selects users. The zero value selects all. A query has Find or In, but not both.
type UserQuery struct {
	// Find selects the users who have a word that begins with this one: see [User.Words]. They
	// come in the order of that word, which is the first one of several, and then of their
	// sign-in names.
	Find string
	// In selects the users of a category of [Counts]. They come, as all users do, in byte order
	// of their sign-in names.
	In string
	// After is the [UserQuery.Next] of the last user of the page before. It is "" for the first.
	After string
}

// Check fails with [ErrInvalid] if the query has Find and In. Backends call it first.
func (q UserQuery) Check() error {
	if q.Find != "" && q.In != "" {
		return ErrInvalid
	}
	return nil
}

// Next returns what asks for the page after the one that ends with this user. Without Find it is
// the sign-in name.
func (q UserQuery) Next(u User) string {
	if q.Find == "" {
		return u.Name
	}
	return q.Word(u) + "/" + u.Name // a word has neither / nor what is before it in byte order
}

// CutPlace takes the Next of a query with Find apart.
func CutPlace(next string) (word, name string) {
	word, name, _ = strings.Cut(next, "/")
	return word, name
}

// Selects reports whether the query selects a user.
func (q UserQuery) Selects(u User) bool {
	switch {
	case q.Find != "" && q.Word(u) == "", q.In != "" && !slices.Contains(u.Counted(), q.In):
		return false
	}
	return q.Next(u) > q.After
}

// Word returns the word by which Find finds a user, or "".
func (q UserQuery) Word(u User) string {
	words := u.Words()
	if at, _ := slices.BinarySearch(words, q.Find); at < len(words) && strings.HasPrefix(words[at], q.Find) {
		return words[at]
	}
	return ""
}

// Words lists the words of a user's display name, sign-in name and e-mail address, each once, in
// byte order.
func (u User) Words() []string { return WordsOf(u.DisplayName, u.Name, u.Email) }

// Bounds of the words of one user, so that no name makes an index large.
const (
	mostWords   = 32
	longestWord = 64 // bytes
)

// WordsOf lists the words of texts: what lies between two characters that are neither letters nor
// digits, in lower case and without accents.
func WordsOf(texts ...string) []string {
	var words []string
	for _, text := range texts {
		plain := strings.Map(func(r rune) rune {
			if unicode.Is(unicode.Mn, r) {
				return -1
			}
			return unicode.ToLower(r)
		}, norm.NFKD.String(text))
		for word := range strings.FieldsFuncSeq(plain, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
			words = append(words, shortened(word))
		}
	}
	slices.Sort(words)
	words = slices.Compact(words)
	return words[:min(len(words), mostWords)]
}

func shortened(word string) string {
	if len(word) <= longestWord {
		return word
	}
	end := longestWord
	for !utf8.RuneStart(word[end]) {
		end--
	}
	return word[:end]
}

// The beginnings of terms.
const (
	termWord     = "word/"
	termCategory = "in/"
)

// Terms lists what an index of users has of a user: the categories, and the words. A backend
// writes it only if [User.ListsAs] is false, so that a sign-in writes none of it.
func (u User) Terms() []string {
	var terms []string
	for _, category := range u.Counted() {
		terms = append(terms, termCategory+category)
	}
	for _, word := range u.Words() {
		terms = append(terms, TermOf(word))
	}
	slices.Sort(terms)
	return slices.Compact(terms)
}

// ListsAs reports whether two states of a user have the same name and terms.
func (u User) ListsAs(other User) bool {
	return u.Name == other.Name && u.DisplayName == other.DisplayName && u.Email == other.Email && slices.Equal(u.Counted(), other.Counted())
}

// Term returns the term that the query looks for, and whether it is only the beginning of one.
// It is "" for all users.
func (q UserQuery) Term() (term string, isBeginning bool) {
	if q.Find != "" {
		return TermOf(q.Find), true
	}
	if q.In != "" {
		return termCategory + q.In, false
	}
	return "", false
}

// TermOf returns the term of a word.
func TermOf(word string) string { return termWord + word }

// CutTerm returns the word of a term.
func CutTerm(term string) (word string, is bool) { return strings.CutPrefix(term, termWord) }
