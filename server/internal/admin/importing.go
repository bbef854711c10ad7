package admin

import (
	"cmp"
	"errors"
	"hash/maphash"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/internal/csvfile"
	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// ReadPeople calls do with each row of a table of people to invite, or with what is wrong with it: it
// can't be read, or an earlier row has the same name or address. What do returns ends it. The page and
// the command line read the same table. It returns the names of columns that it doesn't know, and so
// ignores.
//
// The memory that it takes is some 70 bytes for each row, so a table may have a million.
//
// Refusal: [shared.CodeInvalidRequest] for a table that can't be read.
func ReadPeople(from io.Reader, do func(line int, who shared.Invite, refusal error) error) (ignored []string, err error) {
	table, err := csvfile.NewReader(from)
	if err != nil {
		return nil, unreadable(err)
	}
	heading, ignored, err := understand(table.Columns())
	if err != nil {
		return nil, err
	}
	earlier := seen{seed: maphash.MakeSeed(), lines: map[uint64]int32{}}
	for {
		row, err := table.Next()
		wrong, isOfLine := errors.AsType[*csvfile.LineError](err)
		switch {
		case errors.Is(err, io.EOF):
			return ignored, nil
		case isOfLine && !errors.Is(err, csvfile.ErrTooLong):
			err = do(wrong.Line, shared.Invite{}, unreadable(wrong.Err))
		case err != nil:
			return nil, unreadable(err)
		default:
			who := shared.Invite{
				Name: row.Cell(heading[shared.ColumnName]), DisplayName: row.Cell(heading[shared.ColumnDisplayName]), Email: row.Cell(heading[shared.ColumnEmail]),
				Groups: strings.FieldsFunc(row.Cell(heading[shared.ColumnGroups]), func(r rune) bool { return unicode.IsSpace(r) || r == ',' || r == ';' }),
			}
			err = do(row.Line, who, earlier.refuses(row.Line, who))
		}
		if err != nil {
			return nil, err
		}
	}
}

// columnsByHeading are the columns by what people and other programs call them, in lower case and
// without spaces, dashes and underscores: E-Mail is email.
var columnsByHeading = map[string]string{
	"name": shared.ColumnName, "username": shared.ColumnName, "user": shared.ColumnName, "login": shared.ColumnName,
	"displayname": shared.ColumnDisplayName, "fullname": shared.ColumnDisplayName,
	"email": shared.ColumnEmail, "mail": shared.ColumnEmail, "emailaddress": shared.ColumnEmail, "mailaddress": shared.ColumnEmail,
	"group": shared.ColumnGroups, "groups": shared.ColumnGroups,
}

// understand returns the headings of the columns that it knows, by column, and those that it doesn't
// know.
func understand(headings []string) (known map[string]string, ignored []string, err error) {
	known = map[string]string{}
	for _, heading := range headings {
		bare := strings.Map(func(r rune) rune {
			if unicode.IsSpace(r) || r == '_' || unicode.Is(unicode.Dash, r) {
				return -1
			}
			return unicode.ToLower(r)
		}, heading)
		column, is := columnsByHeading[bare]
		switch earlier := known[column]; {
		case !is && heading != "":
			ignored = append(ignored, heading)
		case is && earlier != "":
			return nil, nil, shared.Errorf(shared.CodeInvalidRequest, "The columns %s and %s are the same one. Leave one of them out.", earlier, heading)
		case is:
			known[column] = heading
		}
	}
	if known[shared.ColumnName] == "" {
		return nil, nil, shared.Errorf(shared.CodeInvalidRequest, "The first line must name the columns, and one of them must be called name.")
	}
	return known, ignored, nil
}

// unreadable is the refusal of a table, or of one of its lines.
func unreadable(err error) error {
	switch {
	case errors.Is(err, csvfile.ErrEncoding):
		return shared.Errorf(shared.CodeInvalidRequest, "This isn't UTF-8. Save the table as CSV UTF-8.").Because(err)
	case errors.Is(err, csvfile.ErrQuotes):
		return shared.Errorf(shared.CodeInvalidRequest, "A quotation mark is missing, or is in the wrong place.").Because(err)
	case errors.Is(err, csvfile.ErrCells):
		return shared.Errorf(shared.CodeInvalidRequest, "This line doesn't have as many cells as the first one.").Because(err)
	case errors.Is(err, csvfile.ErrTooLong):
		at, _ := errors.AsType[*csvfile.LineError](err)
		return shared.Errorf(shared.CodeInvalidRequest, "From line %d on, a line is too long. Perhaps a quotation mark is missing there.", at.Line).Because(err)
	case errors.Is(err, csvfile.ErrHeading):
		return shared.Errorf(shared.CodeInvalidRequest, "The first line must name the columns, each of them once.").Because(err)
	}
	return err
}

// seen has the names and addresses of earlier rows, as hashes.
type seen struct {
	seed  maphash.Seed
	lines map[uint64]int32
}

// refuses refuses a row with a name or an address that an earlier one has.
func (s seen) refuses(line int, who shared.Invite) error {
	name, err := account.CanonicalName(who.Name)
	if err != nil {
		return err
	}
	if earlier, is := s.is("name "+name, line); is {
		return shared.Errorf(shared.CodeNameTaken, "Line %d has the same user name.", earlier)
	}
	address, err := account.CanonicalEmail(who.Email)
	if err != nil || address == "" {
		return err
	}
	if earlier, is := s.is("address "+store.EmailKey(address), line); is {
		return shared.Errorf(shared.CodeEmailTaken, "Line %d has the same e-mail address.", earlier)
	}
	return nil
}

func (s seen) is(key string, line int) (earlier int, is bool) {
	hash := maphash.String(s.seed, key)
	if earlier, is := s.lines[hash]; is {
		return int(earlier), true
	}
	s.lines[hash] = int32(line)
	return 0, false
}

// Links writes a table of invited people with their links as CSV.
type Links struct{ csv *csvfile.Writer }

// NewLinks returns Links, after it has written the names of the columns.
func NewLinks(w io.Writer) (*Links, error) {
	l := &Links{csvfile.NewWriter(w)}
	return l, l.csv.Write(shared.LinksColumns...)
}

// Write writes the row of one of them.
func (l *Links) Write(who shared.Invite, link string, expires time.Time) error {
	return l.csv.Write(who.Name, who.DisplayName, who.Email, link, expires.UTC().Format(time.RFC3339))
}

// Flush writes what is still in memory.
func (l *Links) Flush() error { return l.csv.Flush() }

// importUsers invites the people of a table. A dry run answers with every row, and what is wrong with it.
// Otherwise a wrong row is the refusal of all.
func (u Users) importUsers(w http.ResponseWriter, r *http.Request) error {
	var request shared.ImportUsers
	if err := httpapi.Decode(r, &request); err != nil {
		return err
	}
	rows, people, ignored, err := peopleOf(request.Table)
	if err != nil {
		return err
	}
	for i := range people {
		people[i].Mail = request.Mail
	}
	who := u.actingFor(r, store.User{})
	var made []account.Invitation
	var refusals []error
	if request.DryRun || len(people) < len(rows) {
		refusals, err = u.Accounts.CheckInvitations(r.Context(), who, people)
	} else {
		made, refusals, err = u.Accounts.InviteAll(r.Context(), who, people)
	}
	if err != nil {
		return err
	}
	answer := imported(rows, refusals, httpapi.Text(r))
	answer.Ignored = ignored
	if request.DryRun {
		return httpapi.Respond(w, http.StatusOK, answer)
	}
	if at := slices.IndexFunc(answer.Rows, func(row shared.ImportRow) bool { return row.Problem != "" }); at >= 0 {
		return shared.Errorf(answer.Rows[at].Code, "Nobody was invited. Line %d: %s", answer.Rows[at].Line, answer.Rows[at].Problem)
	}
	if answer.Links, err = u.links(people, made); err != nil {
		return err
	}
	return httpapi.Respond(w, http.StatusCreated, answer)
}

// row is a row of a table, and what is wrong with it.
type row struct {
	line    int
	who     shared.Invite
	refusal error
}

// peopleOf returns the rows of a table, the people of those that can be read, and the columns that are
// ignored.
func peopleOf(table string) (rows []row, people []shared.Invite, ignored []string, err error) {
	ignored, err = ReadPeople(strings.NewReader(table), func(line int, who shared.Invite, refusal error) error {
		if rows = append(rows, row{line, who, refusal}); refusal == nil {
			people = append(people, who)
		}
		if len(rows) > account.MostInvited {
			return account.ErrMany
		}
		return nil
	})
	if err == nil && len(rows) == 0 {
		err = shared.Errorf(shared.CodeInvalidRequest, "The table has no people.")
	}
	return rows, people, ignored, err
}

// imported describes rows to a reader. The refusals are those of the people, in their order, or none.
func imported(rows []row, refusals []error, text *message.Catalogue) shared.ImportedUsers {
	answer, person := shared.ImportedUsers{Rows: make([]shared.ImportRow, len(rows))}, 0
	for i, row := range rows {
		shown := shared.ImportRow{Line: row.line, Invite: row.who}
		shown.DisplayName = cmp.Or(shown.DisplayName, shown.Name)
		if row.refusal == nil && refusals != nil {
			row.refusal = refusals[person]
			person++
		}
		if refusal, is := errors.AsType[*shared.Error](row.refusal); is {
			shown.Problem, shown.Code = text.Refusal(refusal), refusal.Code
			answer.Wrong++
		}
		answer.Rows[i] = shown
	}
	return answer
}

// addressOf returns a link's address, or "" if it goes by mail.
func (u Users) addressOf(link account.Link) string {
	if link.MailedTo != "" {
		return ""
	}
	return u.EnrolURL(link.Token)
}

// links returns the table of people who were invited with their links.
func (u Users) links(people []shared.Invite, made []account.Invitation) (string, error) {
	var text strings.Builder
	table, err := NewLinks(&text)
	for i, invitation := range made {
		if err == nil {
			err = table.Write(people[i], u.addressOf(invitation.Link), invitation.Link.Expires)
		}
	}
	err = errors.Join(err, table.Flush())
	return text.String(), err
}
