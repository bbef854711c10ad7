package csvfile_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/keypeg/keypeg/server/internal/csvfile"
)

// read returns every row of a file as "line: name|email", and every error of a line.
func read(file io.Reader) (rows []string, err error) {
	r, err := csvfile.NewReader(file)
	if err != nil {
		return nil, err
	}
	for {
		row, err := r.Next()
		wrong, ofLine := errors.AsType[*csvfile.LineError](err)
		switch {
		case errors.Is(err, io.EOF):
			return rows, nil
		case errors.Is(err, csvfile.ErrTooLong) || err != nil && !ofLine:
			return rows, err
		case ofLine:
			rows = append(rows, wrong.Error())
		default:
			rows = append(rows, fmt.Sprintf("%d: %s|%s", row.Line, row.Cell("name"), row.Cell("email")))
		}
	}
}

func TestReader(t *testing.T) {
	for _, row := range []struct{ what, file, want string }{
		{"commas", "name,email\nann,a@example.org\n", "2: ann|a@example.org"},
		{"no line break at the end", "name,email\nann,a", "2: ann|a"},
		{"CRLF", "name,email\r\nann,a\r\nbob,b\r\n", "2: ann|a; 3: bob|b"},
		{"semicolons", "name;email\nann, Dr.;a\n", "2: ann, Dr.|a"},
		{"tabs", "name\temail\nann\ta\n", "2: ann|a"},
		{"a byte order mark", "\ufeffname,email\nann,a\n", "2: ann|a"},
		{"a byte order mark and quotes", "\ufeff\"name\",\"email\"\nann,a\n", "2: ann|a"},
		{"quotes", "name,email\n\"Miller, \"\"Ann\"\"\",a\n", `2: Miller, "Ann"|a`},
		{"a line break in a cell", "name,email\n\"ann\nmiller\",a\nbob,b\n", "2: ann\nmiller|a; 4: bob|b"},
		{"other order, other case, more columns", "EMail,role, Name \na,none,ann\n", "2: ann|a"},
		{"a column is missing", "name\nann\n", "2: ann|"},
		{"spaces around", "name,email\n ann , a\n", "2: ann|a"},
		{"empty lines and cells", "\nname,email\n\n,\nann,a\n ,\n", "5: ann|a"},
		{"a formula that was written by us", "name,email\n'=1+1,'-\n", "2: =1+1|-"},
		{"an apostrophe of a name", "name,email\n'ann',''=x\n", "2: 'ann'|'=x"},
		{"too few cells, too many", "name,email\nann\nbob,b\nc,c,c\n", "line 2: " + csvfile.ErrCells.Error() + "; 3: bob|b; line 4: " + csvfile.ErrCells.Error()},
		{"a quotation mark within a cell", "name,email\na\"nn,a\nbob,b\n", "line 2: " + csvfile.ErrQuotes.Error() + "; 3: bob|b"},
		{"text after a quotation mark", "name,email\n\"ann\"x,a\nbob,b\n", "line 2: " + csvfile.ErrQuotes.Error() + "; 3: bob|b"},
		{"a quotation mark is missing", "name,email\nbob,b\n\"ann,a\ncarl,c\n", "2: bob|b; line 3: " + csvfile.ErrQuotes.Error()},
		{"not UTF-8", "name,email\nM\xfcller,a\nbob,b\n", "line 2: " + csvfile.ErrEncoding.Error() + "; 3: bob|b"},
	} {
		rows, err := read(iotest.OneByteReader(strings.NewReader(row.file)))
		if got := strings.Join(rows, "; "); err != nil || got != row.want {
			t.Errorf("%s: got %q (%v), want %q", row.what, got, err, row.want)
		}
	}
}

func TestFilesThatCannotBeRead(t *testing.T) {
	broken := errors.New("the connection ended")
	for _, row := range []struct {
		what string
		file io.Reader
		line int
		want error
	}{
		{"nothing", strings.NewReader(""), 1, csvfile.ErrHeading},
		{"only a byte order mark", strings.NewReader("\ufeff"), 1, csvfile.ErrHeading},
		{"a column twice", strings.NewReader("name,Name\n"), 1, csvfile.ErrHeading},
		{"UTF-16", strings.NewReader("\xff\xfen\x00a\x00"), 1, csvfile.ErrEncoding},
		{"a heading that isn't UTF-8", strings.NewReader("n\xe4me\n"), 1, csvfile.ErrEncoding},
		{"a heading without an end", strings.NewReader(strings.Repeat("x", 1<<20)), 1, csvfile.ErrTooLong},
		{"a cell without an end", strings.NewReader("name,email\nann,a\n\"bob," + strings.Repeat("x\n", 1<<20)), 3, csvfile.ErrTooLong},
		{"a line without an end", strings.NewReader("name,email\nann,a\nbob," + strings.Repeat("x", 1<<20)), 3, csvfile.ErrTooLong},
		{"a reader that fails", io.MultiReader(strings.NewReader("name,email\nann,a\n"), iotest.ErrReader(broken)), 0, broken},
		{"a reader that fails later", io.MultiReader(strings.NewReader("name,email\n"+strings.Repeat("ann,a\n", 1<<16)), iotest.ErrReader(broken)), 0, broken},
	} {
		_, err := read(row.file)
		at := 0
		if wrong, is := errors.AsType[*csvfile.LineError](err); is {
			at = wrong.Line
		}
		if !errors.Is(err, row.want) || at != row.line {
			t.Errorf("%s: got %v, want %v in line %d", row.what, err, row.want, row.line)
		}
	}
}

// TestFormulas checks that no cell begins with what a spreadsheet calculates, and that what was
// written is read as it was.
func TestFormulas(t *testing.T) {
	for _, cell := range []string{"=1+1", " =1+1", "+41 44", "-", "@SUM(A1)", "\tx", "\r=x", "\n=x", "'=x", "''@x", "'", "'ann'", "ann", "a=b", "", "ä;ö,\"ü\"", "=HYPERLINK(\"https://evil.example\")"} {
		var file bytes.Buffer
		w := csvfile.NewWriter(&file)
		for _, cells := range [][]string{{"name", "email"}, {cell, "x"}} {
			if err := w.Write(cells...); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		written := strings.Trim(strings.TrimPrefix(file.String(), "name,email\n"), `"`)
		if strings.IndexByte("=+-@\t\r", written[0]) >= 0 {
			t.Errorf("%q is written as %q, which begins a formula", cell, written)
		}
		rows, err := read(&file)
		want := []string{"2: " + cell + "|x"}
		if strings.TrimSpace(cell) != cell { // a Reader takes the spaces away, and the formula is none any more
			continue
		}
		if err != nil || !reflect.DeepEqual(rows, want) {
			t.Errorf("%q: got %q (%v)", cell, rows, err)
		}
	}
}

// lines is a file of a number of rows that is never in memory as a whole.
type lines struct {
	left int
	part strings.Reader
}

// Read implements io.Reader.
func (l *lines) Read(into []byte) (int, error) {
	if l.part.Len() == 0 {
		if l.left == 0 {
			return 0, io.EOF
		}
		n := min(l.left, 1000)
		l.left -= n
		l.part.Reset(strings.Repeat("ann.miller;ann.miller@example.org\r\n", n))
	}
	return l.part.Read(into)
}

// TestAMillionLines checks that the memory does not grow with the file.
func TestAMillionLines(t *testing.T) {
	const million = 1_000_000
	r, err := csvfile.NewReader(io.MultiReader(strings.NewReader("name;email\r\n"), &lines{left: million}))
	if err != nil {
		t.Fatal(err)
	}
	var before, now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var largest uint64
	n, last := 0, csvfile.Row{}
	for {
		row, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		n, last = n+1, row
		if n%250_000 == 0 {
			runtime.GC()
			runtime.ReadMemStats(&now)
			largest = max(largest, now.HeapAlloc)
		}
	}
	if n != million || last.Line != million+1 || last.Cell("email") != "ann.miller@example.org" {
		t.Errorf("read %d rows, the last is %+v", n, last)
	}
	if largest > before.HeapAlloc+(4<<20) {
		t.Errorf("%d bytes are in memory, %d before", largest, before.HeapAlloc)
	}
}

func FuzzReader(f *testing.F) {
	f.Add([]byte("name;email\r\n\"a\"\"\";'=b\n"))
	f.Add([]byte("\ufeff\"name\"\n\"\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		rows, err := read(bytes.NewReader(file))
		if len(rows) > bytes.Count(file, []byte("\n"))+1 {
			t.Errorf("%d rows of %q (%v)", len(rows), file, err)
		}
	})
}
