package store

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// UserQuery selects users. The zero value selects all. A query has Find or In, but not both.
type UserQuery struct {
	// Find selects the users who have, for each of these, a word that begins with it: see [WordsOf]
	// and [User.Words]. The order is that of the entries of one of these words: see [User.Entries].
	// Of several entries of a user, the first one counts.
	Find []string
	// In selects the users of a category of [Counts] for which [IsListed] holds. They come, as all
	// users do, in byte order of their sign-in names.
	In string
	// After is the next of the page before. It is "" for the first. Without Find it is the sign-in
	// name of a user, also of one that there isn't.
	After string
	// Looks is how many entries of the index a store looks at for one page. 0 is [MostLooks].
	Looks int
}

// MostLooks bounds the work for a page, also if few have together what many have singly.
const MostLooks = 10_000

// Check fails with [ErrInvalid] if the query has Find and In. Backends call it first.
func (q UserQuery) Check() error {
	if len(q.Find) > 0 && q.In != "" {
		return ErrInvalid
	}
	return nil
}

// Selects reports whether the query selects a user, on whatever page.
func (q UserQuery) Selects(u User) bool {
	if q.In != "" {
		return slices.Contains(u.Counted(), q.In)
	}
	words := u.Words()
	return !slices.ContainsFunc(q.Find, func(beginning string) bool {
		return !slices.ContainsFunc(words, func(word string) bool { return strings.HasPrefix(word, beginning) })
	})
}

// EachUser lists all users whom a query selects. It reads some at a time, and few at first, since
// many callers need one.
func EachUser(ctx context.Context, s Store, q UserQuery) iter.Seq2[User, error] {
	const first, most = 8, 512
	return func(yield func(User, error) bool) {
		for atOnce := first; ; atOnce = min(2*atOnce, most) {
			page, next, err := s.Users(ctx, q, atOnce)
			if err != nil {
				yield(User{}, err)
				return
			}
			for _, user := range page {
				if !yield(user, nil) {
					return
				}
			}
			if q.After = next; next == "" {
				return
			}
		}
	}
}

// Words lists the words by which a user is found, in the order of the display name, the sign-in name and
// the e-mail address. A name or a domain with dots is a word, and so is what is behind a dot in it:
// ann.miller and miller, mail.example.com and example.com. But com is none, or a search for "co" would
// find everybody at example.com. A word with which another one begins is left out, since whatever finds
// it finds the other.
func (u User) Words() []string {
	var words []string
	for _, text := range spelled(u.DisplayName, u.Name, u.Email) {
		before, domain, _ := strings.Cut(text, "@")
		for _, word := range WordsOf(before) {
			words = append(words, behindDots(word)...)
		}
		for _, word := range WordsOf(domain) {
			parts := behindDots(word)
			words = append(words, parts[:max(1, len(parts)-1)]...)
		}
	}
	words = withoutBeginnings(words)
	return words[:min(len(words), mostWords)]
}

// behindDots returns a word, and what is behind each dot in it.
func behindDots(word string) []string {
	parts := []string{word}
	for {
		_, rest, found := strings.Cut(parts[len(parts)-1], ".")
		if !found {
			return parts
		}
		parts = append(parts, strings.TrimLeft(rest, "."))
	}
}

// withoutBeginnings leaves out words with which another one begins, and repetitions.
func withoutBeginnings(words []string) (left []string) {
	for i, word := range words {
		begins := func(other string) bool { return strings.HasPrefix(other, word) }
		isLonger := func(other string) bool { return other != word && begins(other) }
		if !slices.ContainsFunc(words[:i], begins) && !slices.ContainsFunc(words[i+1:], isLonger) {
			left = append(left, word)
		}
	}
	return left
}

// Bounds of the words of one user, so that no name makes an index large.
const (
	mostWords     = 32
	mostCompared  = 4 * mostWords // before those are left out that others begin with
	longestWord   = 64            // bytes
	longestOthers = 128           // bytes of the other words in an entry
)

// spelled returns texts, and behind them those that many people write with two letters where there is
// one: somebody may look for Müller with mueller.
func spelled(texts ...string) []string {
	for _, text := range texts {
		if plain := twoLetters.Replace(norm.NFC.String(text)); plain != text {
			texts = append(texts, plain)
		}
	}
	return texts
}

var (
	twoLetters = strings.NewReplacer("ä", "ae", "ö", "oe", "ü", "ue", "Ä", "Ae", "Ö", "Oe", "Ü", "Ue", "å", "aa", "Å", "Aa", "ø", "oe", "Ø", "Oe")
	// withoutForm are letters that Unicode doesn't take apart.
	withoutForm = strings.NewReplacer("ß", "ss", "ẞ", "ss", "æ", "ae", "Æ", "ae", "œ", "oe", "Œ", "oe", "ø", "o", "Ø", "o", "ł", "l", "Ł", "l", "đ", "d", "Đ", "d", "ı", "i")
)

// WordsOf lists the words of a text, such as one that somebody searches for: what lies between two
// characters that are no letters, digits or dots, in lower case and without accents.
func WordsOf(text string) (words []string) {
	plain := strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFKD.String(withoutForm.Replace(text)))
	for word := range strings.FieldsFuncSeq(plain, func(r rune) bool { return r != '.' && !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		if word = strings.Trim(word, "."); word != "" {
			words = append(words, shortened(word))
		}
	}
	words = withoutBeginnings(words[:min(len(words), mostCompared)])
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

// The parts of entries.
const (
	space   = " "    // before each word; no category begins so
	behind  = "\x01" // a category
	andMore = " +"   // behind the last word that had room
)

// Entries lists what an index of users has of a user, in byte order: for each category, the
// category and the sign-in name; and for each word, the word and the user's other words. So a search
// by several words reads the entries of one, and loads no user to look for the others. A backend
// writes them only if [User.ListsAs] is false: a sign-in writes none.
func (u User) Entries() []string {
	var entries []string
	for _, category := range u.Counted() {
		if IsListed(category) {
			entries = append(entries, ListOf(category)+u.Name)
		}
	}
	words := u.Words()
	for i := range words {
		entries = append(entries, entryOfWord(words, i))
	}
	slices.Sort(entries)
	return slices.Compact(entries)
}

// ListOf returns the beginning of the entries of a category.
func ListOf(category string) string { return category + behind }

func entryOfWord(words []string, at int) string {
	entry := space + words[at]
	longest := len(entry) + longestOthers
	for i, word := range words {
		if i == at {
			continue
		}
		if len(entry)+len(word) > longest {
			return entry + andMore
		}
		entry += space + word
	}
	return entry
}

// ListsAs reports whether two states of a user have the same entries.
func (u User) ListsAs(other User) bool {
	return u.Name == other.Name && u.DisplayName == other.DisplayName && u.Email == other.Email && slices.Equal(u.Counted(), other.Counted())
}

// Search picks the users of one page from the entries of an index. A backend gives it the entries
// that begin with Prefix, from From on and in their order; or for all users their sign-in names.
type Search struct {
	Prefix string
	// The page begins with this entry, or behind this entry of the user with FromID.
	From, FromID string
	Found        []Found

	query        UserQuery
	limit, looks int
	last         string // the Next behind the last entry
	next         string
}

// Found is a user of a page.
type Found struct {
	UserID string
	entry  string
	unsure bool
}

// probe is how many entries of a word are counted before another one is preferred.
const probe = 256

// Search begins a page of up to limit users. Count returns how many entries begin with a text, and
// most if there are more: of several words, the rarest is read.
func (q UserQuery) Search(limit int, count func(prefix string, most int) (int, error)) (*Search, error) {
	s := &Search{query: q, limit: limit, looks: cmp.Or(q.Looks, MostLooks)}
	switch {
	case q.In != "":
		s.Prefix = ListOf(q.In)
		s.From = s.Prefix + behindName(q.After)
	case len(q.Find) == 0:
		s.From = behindName(q.After)
	default:
		word, err := q.rarest(count)
		if err != nil {
			return nil, err
		}
		s.Prefix = space + word
		s.From = s.Prefix
		if q.After != "" {
			entry, id, _ := strings.Cut(q.After, "/") // no word has one
			s.From, s.FromID = max(s.Prefix, space+entry), id
		}
	}
	return s, nil
}

// behindName returns the first text behind a name in byte order, as names have no zero bytes.
func behindName(name string) string {
	if name == "" {
		return ""
	}
	return name + "\x01"
}

// rarest chooses the word whose entries are read: always the same one for the pages of a search. Of
// two words of which one begins with the other, it is never the shorter one.
func (q UserQuery) rarest(count func(prefix string, most int) (int, error)) (string, error) {
	longer := func(a, b string) int { return cmp.Compare(len(b), len(a)) }
	words := slices.SortedStableFunc(slices.Values(q.Find), longer)
	if at := slices.IndexFunc(words, func(word string) bool { return strings.HasPrefix(q.After, word) }); at >= 0 && q.After != "" {
		return words[at], nil
	}
	best, least := words[0], probe
	for _, word := range words {
		if len(words) == 1 {
			break
		}
		n, err := count(space+word, least)
		if err != nil {
			return "", err
		}
		if n < least {
			best, least = word, n
		}
	}
	return best, nil
}

// Take takes the next entry. It reports whether the page may need another one.
func (s *Search) Take(entry, userID string) (more bool) {
	fits, sure := s.fits(entry)
	if s.looks == 0 || fits && len(s.Found) >= s.limit {
		s.next = s.last
		return false
	}
	s.looks--
	s.last = s.nextAfter(entry, userID)
	if fits {
		s.Found = append(s.Found, Found{userID, entry, !sure})
	}
	return true
}

// Next returns what asks for the page after this one, after Take has got all entries or has
// reported false. It is "" for the last page.
func (s *Search) Next() string { return s.next }

func (s *Search) nextAfter(entry, userID string) string {
	if len(s.query.Find) == 0 {
		return strings.TrimPrefix(entry, s.Prefix)
	}
	return strings.TrimPrefix(entry, space) + "/" + userID
}

// fits reports whether the user of an entry belongs to the list, at the place of this entry. It isn't
// sure if the entry doesn't have all words.
func (s *Search) fits(entry string) (fits, sure bool) {
	if len(s.query.Find) == 0 {
		return true, true
	}
	sure = !strings.HasSuffix(entry, andMore)
	for _, beginning := range s.query.Find {
		if !strings.Contains(entry, space+beginning) {
			return !sure, sure
		}
	}
	word, others, _ := strings.Cut(entry[len(space):], space)
	beginning := s.Prefix[len(space):]
	for other := range strings.SplitSeq(others, space) {
		if other < word && strings.HasPrefix(other, beginning) {
			return false, true // an earlier entry has found the user
		}
	}
	return true, sure
}

// Keeps reports whether a user whom the search has found belongs to the page, now that the user is
// loaded.
func (s *Search) Keeps(f Found, u User) bool {
	if !f.unsure {
		return true
	}
	its := u.Entries()
	first := slices.IndexFunc(its, func(entry string) bool { return strings.HasPrefix(entry, s.Prefix) })
	return first >= 0 && its[first] == f.entry && s.query.Selects(u)
}
