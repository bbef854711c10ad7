package config

import (
	"fmt"
	"strings"
)

// DidYouMean returns a question for a refusal: whether one of the names was meant instead
// of what was written. It returns "" if no name is similar.
func DidYouMean(written string, names []string) (question string) {
	letters := len(strings.TrimPrefix(strings.TrimPrefix(written, variablePrefix), "--"))
	best, least := "", min(letters/2, farthest)+1
	for _, name := range names {
		if name == strings.ReplaceAll(strings.ToLower(written), "_", "-")+"-file" { // the setting takes a file with this content
			best = name
			break
		}
		if d := distance(strings.ToLower(written), strings.ToLower(name)); d < least {
			best, least = name, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(": did you mean %q?", best)
}

// farthest is how many letters may be wrong in a mistyped name.
const farthest = 4

// distance returns how many letters must be added, removed or replaced to turn a into b
// (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
