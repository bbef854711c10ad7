package pgstore

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/keypeg/keypeg/server/namedfile"
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
	rest := withFolder(text)
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
	for _, key := range fileKeys {
		path, place := u.Query().Get(key), key+" in the database URL"
		if path == "" {
			place = "PG" + strings.ToUpper(key)
			path = os.Getenv(place)
		}
		if path == "" || path == "system" {
			continue
		}
		if _, err := namedfile.Look(path); err != nil && !(place == "PGPASSFILE" && errors.Is(err, fs.ErrNotExist)) { // where there is none it isn't asked
			return nil, fmt.Errorf("%s names no file that can be read: correct its path", place)
		}
	}
	config, err := pgxpool.ParseConfig("postgres://" + rest)
	if err != nil {
		return nil, whatIsWrong(u)
	}
	if config.ConnConfig.Database == "" {
		config.ConnConfig.Database = config.ConnConfig.User // as PostgreSQL has it
	}
	return config, nil
}

// fileKeys are the parameters that name files which are read with the URL. Each has a
// variable too, such as PGSSLROOTCERT.
var fileKeys = []string{"sslrootcert", "sslcert", "sslkey", "passfile", "servicefile"}

// whatIsWrong names the parameter without which a URL could be read.
func whatIsWrong(u *url.URL) error {
	for key := range u.Query() {
		without, query := *u, u.Query()
		query.Del(key)
		without.RawQuery = query.Encode()
		if _, err := pgxpool.ParseConfig(without.String()); err == nil {
			return fmt.Errorf("%s in the database URL has a value that can't be used: correct it, or leave it out", key)
		}
	}
	mend := form
	if slices.ContainsFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "PG") }) {
		mend += "; the fault may also be in a variable that begins with PG, such as PGSSLMODE"
	}
	return errors.New("the database URL can't be read: " + mend)
}

// withFolder returns what follows the scheme. A folder of Unix sockets may stand in the
// place of the host, with percent signs: libpq takes that, and Go reads it as a parameter.
func withFolder(text string) string {
	_, rest, _ := strings.Cut(text, "://")
	end := len(rest)
	if at := strings.IndexAny(rest, "/?#"); at >= 0 {
		end = at
	}
	user, host := "", rest[:end]
	if at := strings.LastIndexByte(host, '@'); at >= 0 {
		user, host = host[:at+1], host[at+1:]
	}
	if len(host) < 3 || !strings.EqualFold(host[:3], "%2F") {
		return rest
	}
	folder, port, hasPort := strings.Cut(host, ":")
	path, query, _ := strings.Cut(rest[end:], "?")
	query = strings.Trim(query+"&host="+folder, "&")
	if hasPort {
		query += "&port=" + port
	}
	return user + path + "?" + query
}

// HasPassword reports whether the password of a database is in its URL.
func HasPassword(text string) bool {
	u, err := url.Parse("postgres://" + withFolder(text))
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
