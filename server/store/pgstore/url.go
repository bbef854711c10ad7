package pgstore

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"
)

// IsURL reports whether a setting names a PostgreSQL database.
func IsURL(setting string) bool {
	scheme, _, found := strings.Cut(setting, "://")
	scheme = strings.ToLower(scheme)
	return found && (scheme == "postgres" || scheme == "postgresql")
}

// Check says what is wrong with the text of a URL, in a sentence for IT that holds nothing
// of it: a part of it may be a password.
func Check(text string) error {
	_, err := parse(text)
	return err
}

const form = "write it as postgres://user@host:5432/database, and the password in PGPASSWORD or in the file that PGPASSFILE names, or with percent signs"

// parse reads a URL as libpq does, and refuses what libpq takes for something else than
// whoever wrote it means: in a password # ? / @ : begin another part of the URL.
func parse(text string) (*pgxpool.Config, error) {
	_, rest, _ := strings.Cut(text, "://")
	u, err := url.Parse("postgres://" + rest)
	authority := rest
	if at := strings.IndexAny(rest, "/?#"); at >= 0 {
		authority = rest[:at]
	}
	switch {
	case strings.Contains(rest, "#"):
		return nil, errors.New("the database URL has a # in it: in a password, write it as %23")
	case strings.Count(authority, "@") > 1:
		return nil, errors.New("the database URL has an @ too many: in a password, write it as %40")
	case strings.Contains(rest[len(authority):], "@") && !strings.Contains(authority, "@"):
		return nil, errors.New("the database URL has a / or a ? before its @: in a password, write them as %2F and %3F")
	case err != nil && strings.Contains(err.Error(), "invalid URL escape"):
		return nil, errors.New("the database URL has a % that begins no character: in a password, write it as %25")
	case err != nil:
		return nil, errors.New("the database URL can't be read: " + form)
	case strings.Contains(strings.TrimPrefix(u.Path, "/"), "/"):
		return nil, errors.New("the database URL has a / too many: " + form)
	}
	config, err := pgxpool.ParseConfig("postgres://" + rest)
	if err != nil {
		return nil, errors.New("the database URL can't be read: " + form)
	}
	return config, nil
}

// HasPassword reports whether the password of a database is in its URL.
func HasPassword(text string) bool {
	u, err := url.Parse(text)
	if err != nil || !IsURL(text) {
		return false
	}
	_, typed := u.User.Password()
	return typed || u.Query().Has("password")
}

// Describe names a database for logs and messages, from what was understood of its URL:
// hosts, user and database, and nothing else.
func Describe(text string) string {
	parsed, err := parse(text)
	if err != nil {
		return "a database URL that can't be read"
	}
	config := parsed.ConnConfig
	var hosts []string
	add := func(host string, port uint16) {
		name := net.JoinHostPort(host, strconv.Itoa(int(port)))
		if strings.HasPrefix(host, "/") {
			name = host // a folder of Unix sockets
		}
		if !slices.Contains(hosts, name) {
			hosts = append(hosts, name)
		}
	}
	add(config.Host, config.Port)
	for _, other := range config.Fallbacks {
		add(other.Host, other.Port)
	}
	return fmt.Sprintf("postgres://%s@%s/%s", url.PathEscape(config.User), strings.Join(hosts, ","), url.PathEscape(config.Database))
}
