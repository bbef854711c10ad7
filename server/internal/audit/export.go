package audit

import (
	"cmp"
	"context"
	"encoding/json"
	"io"
	"strconv"

	"github.com/keypeg/keypeg/server/internal/csvfile"
	"github.com/keypeg/keypeg/shared"
)

// format is a form in which events are exported.
type format struct {
	name, media string
	// begin returns the function that writes one event, and the one that ends a page.
	begin func(io.Writer) (write func(shared.AuditEvent) error, flush func() error, err error)
}

var formats = []format{
	{shared.ExportLines, "application/jsonl", func(w io.Writer) (func(shared.AuditEvent) error, func() error, error) {
		encoder := json.NewEncoder(w)
		return func(v shared.AuditEvent) error { return encoder.Encode(v) }, func() error { return nil }, nil
	}},
	{shared.ExportTable, csvfile.ContentType, func(w io.Writer) (func(shared.AuditEvent) error, func() error, error) {
		table := csvfile.NewWriter(w)
		return func(v shared.AuditEvent) error { return table.Write(row(v)...) }, table.Flush, table.Write(Columns...)
	}},
}

// formatOf returns the format with a name; "" is that of lines.
//
// Refusal: [shared.CodeInvalidRequest].
func formatOf(name string) (format, error) {
	for _, f := range formats {
		if f.name == cmp.Or(name, shared.ExportLines) {
			return f, nil
		}
	}
	return format{}, shared.Errorf(shared.CodeInvalidRequest, "There is no such format.")
}

// Columns are the columns of an export as a table.
var Columns = []string{
	"id", "time", "kind", "user_id", "user", "display_name", "by_id", "by", "method", "passkey", "provider", "program", "reason", "change", "browser", "system", "address", "count", "last",
}

func row(v shared.AuditEvent) []string {
	user, by := cmp.Or(v.User, &shared.AuditUser{}), cmp.Or(v.By, &shared.AuditUser{})
	count, last := "1", ""
	if v.Last != nil {
		count, last = strconv.FormatUint(v.Count, 10), timeText(*v.Last)
	}
	return []string{
		v.ID, timeText(v.Time), string(v.Kind), user.ID, user.Name, user.DisplayName, by.ID, by.Name, v.Method, v.Passkey, v.Provider, v.Program, string(v.Reason), v.Change, v.Browser, v.System, v.Address, count, last,
	}
}

// Export writes events, newest first, in a format of [shared.ExportLines] and the others. Next returns
// one page after the other, so that one is in memory; the last one has no Next. Flush is called after
// each page. "" is the format of lines.
//
// Refusal: [shared.CodeInvalidRequest] for another format. Other errors are those of next, of flush
// and of the writer.
func Export(ctx context.Context, w io.Writer, name string, next func(context.Context) (shared.AuditPage, error), flush func() error) error {
	format, err := formatOf(name)
	if err != nil {
		return err
	}
	write, end, err := format.begin(w)
	if err != nil {
		return err
	}
	for more := true; more; {
		page, err := next(ctx)
		if err != nil {
			return err
		}
		for _, v := range page.Events {
			if err := write(v); err != nil {
				return err
			}
		}
		if err := end(); err != nil {
			return err
		}
		if err := flush(); err != nil {
			return err
		}
		more = page.Next != ""
	}
	return nil
}
