// Package csvfile writes and reads tables as text that spreadsheets understand (RFC 4180).
//
// A spreadsheet takes a cell that begins with = or a similar character for a formula, which may
// send what is in the table to somebody else. [Writer] puts an apostrophe before such a cell, and
// [Reader] takes it away again, so that what was exported can be imported.
//
// Spreadsheets of different countries separate cells by commas, semicolons or tabs, and begin a
// file with a byte order mark. [Reader] accepts all of that. It reads a row at a time, so a file
// may have any number of lines.
package csvfile

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/keypeg/keypeg/shared"
)

// ContentType is the media type of a table with a row of names (RFC 4180, 3).
const ContentType = "text/csv; charset=utf-8; header=present"

// Writer writes rows. Call [Writer.Flush] after the last one.
type Writer struct {
	csv  *csv.Writer
	safe []string
}

// NewWriter returns a Writer to w.
func NewWriter(w io.Writer) *Writer { return &Writer{csv: csv.NewWriter(w)} }

// Write writes a row. Its error is that of the writer below.
func (w *Writer) Write(cells ...string) error {
	w.safe = w.safe[:0]
	for _, cell := range cells {
		w.safe = append(w.safe, shared.SafeCell(cell))
	}
	return w.csv.Write(w.safe)
}

// Flush writes what is still in memory.
func (w *Writer) Flush() error {
	w.csv.Flush()
	return w.csv.Error()
}

// The errors of a line, and of a whole file. [LineError] says in which line.
var (
	// ErrQuotes means that a quotation mark is missing, or stands within a cell.
	ErrQuotes = errors.New("csvfile: a quotation mark in the wrong place")
	// ErrCells means that a row has more or fewer cells than the heading.
	ErrCells = errors.New("csvfile: not as many cells as the heading has")
	// ErrEncoding means that a text is not UTF-8. In the first line it is about the whole file.
	ErrEncoding = errors.New("csvfile: not UTF-8")
	// ErrTooLong means that a row is longer than about [MostRow] bytes. The file can't be read
	// further.
	ErrTooLong = errors.New("csvfile: a row that is too long")
	// ErrHeading means that there is no heading, or that it names a column twice.
	ErrHeading = errors.New("csvfile: no heading, or one with the same column twice")
)

// MostRow is the length of the longest row, in bytes. The memory of a [Reader] is a few times
// as much.
const MostRow = 64 << 10

// LineError is an error of one line. Lines are counted from 1, as an editor does: a cell can
// have several. A row that is too long begins there or later.
type LineError struct {
	Line int
	Err  error
}

// Error implements error.
func (e *LineError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }

// Unwrap returns the error without its line.
func (e *LineError) Unwrap() error { return e.Err }

// Reader reads a table whose first row names the columns. The names may be in any order, and in
// upper or lower case.
type Reader struct {
	csv     *csv.Reader
	input   *bounded
	columns []string
	line    int // in which the last row began
}

// Row is a row of a table.
type Row struct {
	Line    int // in which it begins
	columns []string
	cells   []string
}

// Cell returns the cell in a column, without spaces around it. It is "" if there is no such
// column.
func (r Row) Cell(column string) string {
	if at := indexOf(r.columns, column); at >= 0 && column != "" {
		return r.cells[at]
	}
	return ""
}

func indexOf(columns []string, column string) int {
	return slices.IndexFunc(columns, func(c string) bool { return strings.EqualFold(c, column) })
}

// NewReader returns a Reader, after it has read the heading. It fails with a [LineError], or with
// the error of the reader below.
func NewReader(from io.Reader) (*Reader, error) {
	buffered := bufio.NewReaderSize(from, MostRow)
	start, err := buffered.Peek(MostRow)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if bytes.HasPrefix(start, []byte("\xff\xfe")) || bytes.HasPrefix(start, []byte("\xfe\xff")) { // UTF-16
		return nil, &LineError{1, ErrEncoding}
	}
	skipped := 0
	if bytes.HasPrefix(start, []byte("\xef\xbb\xbf")) {
		skipped = 3
	}
	first, _, _ := bytes.Cut(start[skipped:], []byte("\n"))
	buffered.Discard(skipped) // it was peeked at

	r := &Reader{input: &bounded{from: buffered}}
	r.csv = csv.NewReader(r.input)
	r.csv.Comma = separator(first)
	r.csv.ReuseRecord = true
	r.csv.FieldsPerRecord = -1 // Next compares, and reads on
	heading, err := r.read()
	if errors.Is(err, io.EOF) {
		return nil, &LineError{1, ErrHeading}
	}
	if err != nil {
		return nil, err
	}
	for _, column := range heading.cells {
		if column != "" && indexOf(r.columns, column) >= 0 {
			return nil, &LineError{heading.Line, ErrHeading}
		}
		r.columns = append(r.columns, column)
	}
	return r, nil
}

// separator returns what separates the cells of a heading: the most frequent of three characters.
func separator(heading []byte) rune {
	best, most := ',', 0
	for _, candidate := range ",;\t" {
		if n := bytes.Count(heading, []byte(string(candidate))); n > most {
			best, most = candidate, n
		}
	}
	return best
}

// Columns are the names in the heading, as they are written there.
func (r *Reader) Columns() []string { return r.columns }

// Next returns the next row, and io.EOF after the last one. Rows without any text are left out.
// A [LineError] is about one row, and the next call returns the row after it, except for
// [ErrTooLong]. Any other error is that of the reader below.
func (r *Reader) Next() (Row, error) {
	for {
		row, err := r.read()
		if err != nil {
			return Row{}, err
		}
		isEmpty := !slices.ContainsFunc(row.cells, func(cell string) bool { return cell != "" })
		if isEmpty {
			continue
		}
		if len(row.cells) != len(r.columns) {
			return Row{}, &LineError{row.Line, ErrCells}
		}
		return row, nil
	}
}

func (r *Reader) read() (Row, error) {
	r.input.read = 0
	record, err := r.csv.Read()
	if broken, is := errors.AsType[*csv.ParseError](err); is {
		return Row{}, &LineError{broken.StartLine, ErrQuotes}
	}
	if errors.Is(err, ErrTooLong) {
		return Row{}, &LineError{r.line + 1, ErrTooLong} // it has no fields yet
	}
	if err != nil {
		return Row{}, err
	}
	row := Row{columns: r.columns, cells: make([]string, len(record))}
	row.Line, _ = r.csv.FieldPos(0)
	r.line = row.Line
	for i, cell := range record {
		if strings.ContainsRune(cell, utf8.RuneError) { // what a browser makes of other encodings, too
			return Row{}, &LineError{row.Line, ErrEncoding}
		}
		row.cells[i] = shared.PlainCell(strings.TrimSpace(cell))
	}
	return row, nil
}

// bounded fails when more is read for one row than a row may have.
type bounded struct {
	from io.Reader
	read int
}

// Read implements io.Reader.
func (b *bounded) Read(into []byte) (int, error) {
	if b.read > MostRow {
		return 0, ErrTooLong
	}
	n, err := b.from.Read(into)
	b.read += n
	return n, err
}
