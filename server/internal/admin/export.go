package admin

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/keypeg/keypeg/server/internal/csvfile"
	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/shared"
)

// Table writes users as CSV. Call [Table.Flush] after the last one. The page and the command line write
// the same table.
type Table struct{ csv *csvfile.Writer }

// NewTable returns a Table, after it has written the names of the columns. An import reads those that
// package shared names.
func NewTable(w io.Writer) (*Table, error) {
	t := &Table{csvfile.NewWriter(w)}
	return t, t.csv.Write(shared.ColumnName, shared.ColumnDisplayName, shared.ColumnEmail, shared.ColumnGroups, "role", "state", "password", "passkeys", "providers", "created", "last_sign_in")
}

// Write writes the row of a user. Its error is that of the writer below.
func (t *Table) Write(u shared.Member) error {
	password, lastSignIn := "no", ""
	if u.HasPassword {
		password = "yes"
	}
	if !u.LastSignIn.IsZero() {
		lastSignIn = u.LastSignIn.UTC().Format(time.RFC3339)
	}
	return t.csv.Write(u.Name, u.DisplayName, u.Email, strings.Join(u.Groups, " "), string(u.Role), StateOf(u),
		password, strconv.Itoa(u.Passkeys), strconv.Itoa(u.Identities), u.Created.UTC().Format(time.RFC3339), lastSignIn)
}

// Flush writes what is still in memory.
func (t *Table) Flush() error { return t.csv.Flush() }

// StateOf says in a word or two whether a user can sign in.
func StateOf(u shared.Member) string {
	switch {
	case u.Disabled:
		return "disabled"
	case u.Invited:
		return "no way in"
	}
	return "enabled"
}

// export answers with all users that the query selects. It has one page of them in memory.
func (u Users) export(w http.ResponseWriter, r *http.Request) error {
	query := queryOf(r)
	users, next, err := u.Accounts.List(r.Context(), query)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", csvfile.ContentType)
	w.Header().Set("Content-Disposition", `attachment; filename="users.csv"`)
	answer := http.NewResponseController(w)
	table, err := NewTable(w)
	for ; err == nil; users, next, err = u.Accounts.List(r.Context(), query) {
		answer.SetWriteDeadline(time.Now().Add(httpapi.WriteFor))
		for _, user := range users {
			if err := table.Write(u.Accounts.Member(user)); err != nil {
				panic(http.ErrAbortHandler)
			}
		}
		if table.Flush() != nil || answer.Flush() != nil {
			panic(http.ErrAbortHandler)
		}
		if next == "" {
			return nil
		}
		query.After = next
	}
	panic(http.ErrAbortHandler) // so that a part isn't taken for all
}
