package shared

import (
	"strings"
	"time"
)

// SafeCell returns the text of a cell of a table that spreadsheets read. They take a cell that begins
// with = or a similar character for a formula, which may send what is in the table to somebody else. An
// apostrophe before it prevents that. [PlainCell] takes it away again.
func SafeCell(cell string) string {
	if looksLikeFormula(cell) {
		return "'" + cell
	}
	return cell
}

// PlainCell returns the text that [SafeCell] was made of.
func PlainCell(cell string) string {
	if plain, marked := strings.CutPrefix(cell, "'"); marked && looksLikeFormula(plain) {
		return plain
	}
	return cell
}

// looksLikeFormula reports whether a spreadsheet may take a cell for a formula, or would without the
// spaces and apostrophes before it.
func looksLikeFormula(cell string) bool {
	plain := strings.TrimLeft(cell, " '")
	return plain != "" && strings.IndexByte("=+-@\t\r\n", plain[0]) >= 0
}

// TableRow returns a row of a table in CSV (RFC 4180), with its line end.
func TableRow(cells ...string) string {
	var b strings.Builder
	for i, cell := range cells {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(`"` + strings.ReplaceAll(SafeCell(cell), `"`, `""`) + `"`)
	}
	return b.String() + "\n"
}

// LinksColumns are the columns of a table of invited people with their links.
var LinksColumns = []string{ColumnName, ColumnDisplayName, ColumnEmail, "link", "expires"}

// LinksHead returns its first row.
func LinksHead() string { return TableRow(LinksColumns...) }

// LinksRow returns the row of one of them.
func LinksRow(name, displayName, email, link string, expires time.Time) string {
	return TableRow(name, displayName, email, link, expires.UTC().Format(time.RFC3339))
}
