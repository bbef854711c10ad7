package shared

// Inviting the people of a table.

// The columns of a table that is imported. Only the name is needed. Groups have spaces, commas
// or semicolons between them. The order doesn't count, and other columns aren't read. The server
// understands other usual headings too, such as E-Mail and Username.
const (
	ColumnName        = "name"
	ColumnDisplayName = "display_name"
	ColumnEmail       = "email"
	ColumnGroups      = "groups"
)

// MaxImport is the length of the longest body of [PathImport], in bytes.
const MaxImport = 1 << 20

// MaxTable is the length of the longest table that an app sends, in bytes. In the body, quotation
// marks and line breaks take two.
const MaxTable = MaxImport / 2

// ImportUsers asks to invite the people of a table: all of them, or nobody.
type ImportUsers struct {
	Table  string `json:"table"`            // CSV, with the names of the columns in its first line
	DryRun bool   `json:"dryRun,omitempty"` // only says what would be done
	Mail   bool   `json:"mail,omitempty"`   // links go by mail to everybody with an address, and aren't shown
}

// ImportedUsers answers an [ImportUsers].
type ImportedUsers struct {
	Rows  []ImportRow `json:"rows"`
	Wrong int         `json:"wrong"` // how many rows have a problem
	// Ignored has the headings of columns that aren't read, as they are written in the table.
	Ignored []string `json:"ignored,omitempty"`
	// Links is a table (CSV) of the people with their links, which is shown only once. A dry run
	// makes none.
	Links string `json:"links,omitempty"`
}

// ImportRow is a row of the table: whom to invite, or what is wrong with it. A row that can't be read
// has no name.
type ImportRow struct {
	Line int `json:"line"`
	Invite
	Problem string `json:"problem,omitempty"` // a sentence
	Code    Code   `json:"code,omitempty"`    // of the problem
}
