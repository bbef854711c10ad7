package account

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// A password must not be guessed within the attempts that the limits allow. Length alone
// doesn't ensure that: "123456789012" is among the first passwords that attackers try. NIST
// SP 800-63B, 3.1.1.2 asks to compare with common passwords, repetitions, sequences, and
// words of the context: the names and the e-mail address of the user, the product and the host.
//
// This check counts how many things a person has to think of. A common word, a row of keys,
// a year and a repetition are one thing each, and so is every other character. Common
// passwords of any length matter, because people extend them with what comes next.

// leastThoughts is the lowest count that is accepted. Four common words with blanks between
// them count as seven.
const leastThoughts = 7

// refuseGuessable refuses a password that is easy to guess, with the reason.
func (s *Service) refuseGuessable(user store.User, password string) error {
	local := localWords(user.Name, user.DisplayName, user.Email, s.c.Product, s.c.Policy.RPID)
	switch {
	case thoughts(password, local) >= leastThoughts:
		return nil
	case thoughts(password, nil) >= leastThoughts:
		return shared.Errorf(shared.CodeInvalidPassword, "This password is easy to guess, because it is made of your name or of the name of this site. Please choose another, such as four words that have nothing to do with each other.")
	}
	return shared.Errorf(shared.CodeInvalidPassword, "This password is easy to guess, because it is made of common words, repetitions or rows of keys. Please choose another, such as four words that have nothing to do with each other.")
}

// localWords returns the words in names, of three letters or more.
func localWords(names ...string) (words []string) {
	for _, name := range append(names, "keypeg") {
		name = strings.ToLower(name)
		parts := strings.FieldsFunc(name, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
		for _, word := range append(parts, name, strings.Join(parts, "")) {
			if len([]rune(word)) >= leastRun {
				words = append(words, word)
			}
		}
	}
	return words
}

// leastRun is the least length of a part that counts as one thing.
const leastRun = 3

// thoughts counts the things that a person had to think of for a password.
func thoughts(password string, local []string) (n int) {
	plain := []rune(strings.ToLower(password))
	// A 1 may stand for an i or for an l.
	spellings := [][]rune{plain, spelled(plain, 'i'), spelled(plain, 'l')}
	for at := 0; at < len(plain); n++ {
		step := max(1, yearAt(plain[at:]), sequenceAt(plain[at:]), repeatedAt(plain, at))
		for _, text := range spellings {
			step = max(step, wordAt(text[at:], local))
		}
		at += step
	}
	return n
}

// spelled replaces digits and signs that look like a letter by that letter.
func spelled(text []rune, one rune) []rune {
	like := map[rune]rune{'0': 'o', '1': one, '!': one, '3': 'e', '4': 'a', '@': 'a', '5': 's', '$': 's', '7': 't', '8': 'b', '9': 'g'}
	letters := make([]rune, len(text))
	for i, r := range text {
		letters[i] = r
		if l, is := like[r]; is {
			letters[i] = l
		}
	}
	return letters
}

// wordAt returns the length of the longest known word that the text begins with.
func wordAt(text []rune, local []string) int {
	rest := string(text[:min(len(text), maxWord)])
	found := "" // all that are found begin the same text, so that the longest has the most bytes, too
	for _, words := range [][]string{common, local} {
		for _, word := range words {
			if len(word) > len(found) && strings.HasPrefix(rest, word) {
				found = word
			}
		}
	}
	return utf8.RuneCountInString(found)
}

// maxWord bounds the length of a part that is compared.
const maxWord = 64

// yearAt returns the length of a year that the text begins with.
func yearAt(text []rune) int {
	if len(text) >= 4 && (string(text[:2]) == "19" || string(text[:2]) == "20") && unicode.IsDigit(text[2]) && unicode.IsDigit(text[3]) {
		return 4
	}
	return 0
}

// sequenceAt returns the length of the part of a row that the text begins with. Three
// digits in a row are no accident; letters need to be four.
func sequenceAt(text []rune) (longest int) {
	for n := min(len(text), maxWord); n >= leastRun; n-- {
		part := string(text[:n])
		if n == leastRun && strings.ContainsFunc(part, unicode.IsLetter) {
			return 0
		}
		for _, row := range rows {
			if strings.Contains(row, part) {
				return n
			}
		}
	}
	return 0
}

// repeatedAt returns the length of a repetition of an earlier part. It may overlap that
// part, as in "aaaa".
func repeatedAt(text []rune, at int) (longest int) {
	for before := range at {
		n := 0
		for at+n < len(text) && text[before+n] == text[at+n] {
			n++
		}
		longest = max(longest, n)
	}
	if longest < leastRun {
		return 0
	}
	return longest
}

// rows are sequences that people type, in both directions.
var rows = bothWays(
	"01234567890", "abcdefghijklmnopqrstuvwxyz", "qwertyuiop", "asdfghjkl", "zxcvbnm", "qwertzuiopü", "asdfghjklöä", "yxcvbnm", "azertyuiop", "qsdfghjklm", "wxcvbn",
	"qwertyuiopasdfghjklzxcvbnm", "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p", "qazwsxedcrfvtgbyhnujmikolp", "1q2w3e4r5t6y7u8i9o0p", "q1w2e3r4t5y6u7i8o9p0", "zaq12wsxcde34rfvbgt56yhnmju78ik",
	"1qazxsw23edcvfr45tgbnhy67ujm", "a1b2c3d4e5f6g7h8i9j0", "1a2b3c4d5e6f7g8h9i0j", "aabbccddeeffgghhiijj", "112233445566778899", "111222333444555666777888999", "147258369", "159357", "789456123",
	"!@#$%^&*()", "!\"§$%&/()=", "13579", "24680", "1029384756", "11235813213455", "31415926535897932384", "27182818284590452353",
)

func bothWays(rows ...string) (all []string) {
	for _, row := range rows {
		runes := []rune(row)
		back := make([]rune, len(runes))
		for i, r := range runes {
			back[len(runes)-1-i] = r
		}
		all = append(all, row, string(back))
	}
	return all
}

// common are words of which many passwords are made, in the languages of the catalogue.
var common = strings.Fields(`
	password passwort passwd passw pass pwd kennwort motdepasse contraseña contrasena clave pasuwado パスワード
	passphrase secret geheim secreto segredo himitsu thisis this is my mein mon mi the and
	welcome willkommen bienvenue bienvenido yokoso hello hallo bonjour hola konnichiwa letmein open sesame opensesame sesame
	admin administrator administrateur administrador root superuser user guest gast test tester testing demo default changeme change temp temporary example login signin account office company server system
	qwerty qwertz azerty asdf zxcv qaz wsx abc xyz
	iloveyou iloveu ilove loveyou love lovely ichliebedich liebe schatz teamo tequiero amor amour jetaime loulou doudou chouchou
	monkey dragon master shadow sunshine princess princesse prinzessin princesa prinz football fussball futbol baseball basketball soccer hockey tennis golf superman batman spiderman pokemon naruto starwars matrix
	trustno trustme freedom whatever nothing forever killer hunter ranger buster tiger lion eagle falcon phoenix wolf puppy kitty
	summer sommer verano winter hiver invierno spring fruhling frühling printemps primavera autumn herbst automne otoño natsu fuyu haru sakura
	january february march april june july august september october november december januar februar märz juni juli oktober dezember
	monday tuesday wednesday thursday friday saturday sunday montag dienstag mittwoch donnerstag freitag samstag sonntag
	red green blue black white yellow orange purple silver golden gold diamond ginger pepper cookie cheese banana chocolate coffee flower butterfly angel baby
	michael jennifer jordan charlie thomas andrew michelle jessica daniel joshua maggie ashley amanda nicole george robert william matthew anthony patrick richard martin alexander david james john peter maria anna julia laura nicolas marie jose juan carlos
	computer internet google facebook microsoft windows apple iphone samsung amazon netflix linkedin instagram youtube hotmail gmail yahoo
	liverpool arsenal chelsea barcelona realmadrid juventus bayern manchester united yankees dallas cowboys steelers
	correcthorsebatterystaple correcthorsebattery troubador
	corvette ferrari porsche mercedes mustang harley camaro merlin thunder hammer cowboy rainbow starlight moonlight
	god jesus christ heaven blessed family familie familia friends bestfriend
	money dollar euro business manager security sicherheit seguridad passkey passkeys
	city london paris berlin madrid tokyo newyork munich münchen hamburg deutschland france españa espana japan nippon america england
`)
