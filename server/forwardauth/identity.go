package forwardauth

import (
	"context"
	"net/http"
	"strings"
	"unicode"

	"github.com/keypeg/keypeg/server/grant"
	"github.com/keypeg/keypeg/server/store"
)

// The headers of an answer that lets a request pass. The names are those that Authelia has made usual.
const (
	headerUser      = "Remote-User"   // the user name
	headerName      = "Remote-Name"   // the display name
	headerEmail     = "Remote-Email"  // empty unless it is verified
	headerGroups    = "Remote-Groups" // with commas between
	headerAssertion = "Keypeg-Assertion"
)

// headers are what a program is told of a user.
type headers struct{ user, name, email, groups, assertion string }

// set sets each of them, also if it is empty: what isn't there reaches a program as its client wrote it.
func (i headers) set(h http.Header) {
	values := []string{i.user, i.name, i.email, i.groups, i.assertion}
	for n, name := range []string{headerUser, headerName, headerEmail, headerGroups, headerAssertion} {
		h[name] = values[n : n+1 : n+1]
	}
}

// identity returns what the program behind a gate is told of the user of a grant.
func (h *Handlers) identity(ctx context.Context, g Gate, on grant.Standing) (is headers, err error) {
	if g.Anonymous {
		return headers{}, nil
	}
	is = headers{user: inHeader(on.User.Name), name: inHeader(on.User.DisplayName), email: inHeader(verifiedEmail(on.User)), groups: groupList(on.User.Groups)}
	is.assertion, err = h.assertion(ctx, g, on)
	return is, err
}

func verifiedEmail(user store.User) string {
	if !user.EmailVerified {
		return ""
	}
	return user.Email
}

// groupList writes groups with commas between. A comma within a name becomes a blank, which no name of a group
// has: nobody gets into another group by the name of theirs.
func groupList(groups []string) string {
	var b strings.Builder
	for i, group := range groups {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strings.ReplaceAll(inHeader(group), ",", " "))
	}
	return b.String()
}

// inHeader returns a text as the value of a header: UTF-8, without what could end the line or change the text
// around it (RFC 9110, 5.5). Blanks at its ends are no part of a value.
func inHeader(text string) string {
	for i := 0; ; i++ {
		if i == len(text) {
			return strings.Trim(text, " ")
		}
		if b := text[i]; b < ' ' || b >= 0x7f {
			break
		}
	}
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case r == unicode.ReplacementChar, unicode.IsControl(r), unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp):
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, "")))
}

func isIn(set string, b byte) bool { return strings.IndexByte(set, b) >= 0 }
