package pgstore

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"net/netip"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/keypeg/keypeg/server/internal/namedfile"
)

// IsURL reports whether a setting names a PostgreSQL database.
func IsURL(setting string) bool {
	scheme, _, found := strings.Cut(setting, "://")
	scheme = strings.ToLower(scheme)
	return found && (scheme == "postgres" || scheme == "postgresql")
}

// Check returns what is wrong with a URL, as a sentence for IT. The sentence has no part of the
// URL, because any part may be a password.
func Check(text string) error {
	_, err := parse(text)
	return err
}

const form = "write it as postgres://user@host:5432/database, and the password in PGPASSWORD or in the file that PGPASSFILE names, or with percent signs"

// parse reads a URL as libpq does. It refuses a URL that libpq would read in another way than
// its author means: in a password, # ? / @ : begin another part of the URL.
func parse(text string) (*pgxpool.Config, error) {
	rest := withFolder(text)
	u, err := url.Parse("postgres://" + rest)
	authority := rest
	if at := strings.IndexAny(rest, "/?#"); at >= 0 {
		authority = rest[:at]
	}
	beforeQuery, _, _ := strings.Cut(rest, "?")
	switch {
	case strings.Contains(rest, "#"):
		return nil, errors.New("the database URL has a # in it: in a password, write it as %23")
	case strings.Count(beforeQuery, "@") > 1:
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
	if err := checkParameters(u.RawQuery); err != nil {
		return nil, err
	}
	for _, key := range fileKeys {
		path, place := u.Query().Get(key), key+" in the database URL"
		if path == "" {
			place = "PG" + strings.ToUpper(key)
			path = os.Getenv(place)
		}
		if path == "" || path == "system" || path == os.DevNull && !strings.HasPrefix(key, "ssl") { // reads as an empty file
			continue
		}
		if _, err := namedfile.Look(path); err != nil && !(place == "PGPASSFILE" && errors.Is(err, fs.ErrNotExist)) { // the file may be missing
			return nil, fmt.Errorf("%s names no file that can be read: correct its path", place)
		}
	}
	config, err := pgxpool.ParseConfig("postgres://" + rest)
	if err != nil {
		return nil, whatIsWrong(u)
	}
	if config.ConnConfig.Database == "" {
		config.ConnConfig.Database = config.ConnConfig.User // PostgreSQL's default
	}
	if err := checkNames(config.ConnConfig); err != nil {
		return nil, err
	}
	boundSilence(config)
	return config, nil
}

// connectWithin bounds the time for one of several hosts to connect, and for an idle connection to
// answer. A machine that has lost its power refuses nothing: it is silent.
const connectWithin = 3 * time.Second

// boundSilence lets a node go on to the next host when one is silent. The connect_timeout of the
// URL counts if it has one.
func boundSilence(config *pgxpool.Config) {
	first := config.ConnConfig
	isOther := func(c *pgconn.FallbackConfig) bool { return c.Host != first.Host || c.Port != first.Port }
	if slices.ContainsFunc(first.Fallbacks, isOther) && first.ConnectTimeout == 0 {
		first.ConnectTimeout = connectWithin
	}
	if config.PingTimeout == 0 {
		config.PingTimeout = connectWithin
	}
}

// parameterName matches the name of a parameter. Any other text is a part of something else,
// such as a password.
var parameterName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.]*$`)

// connecting has the parameters that say where to connect and as whom. PostgreSQL's settings,
// such as TimeZone, may be written in capitals. These parameters may not, because in capitals
// they would be sent to the server.
var connecting = []string{
	"host", "port", "user", "password", "dbname", "service", "target_session_attrs", "connect_timeout",
	"sslmode", "sslpassword", "sslcertmode", "sslnegotiation", "sslsni", "channel_binding", "require_auth",
	"krbspn", "krbsrvname", "min_protocol_version", "max_protocol_version",
}

// checkParameters refuses parameters that would be ignored silently or read as others.
func checkParameters(query string) error {
	parameters, err := url.ParseQuery(query)
	if err != nil {
		return errors.New("the parameters of the database URL can't be read: write ?name=value&name=value, and in a value ; as %3B and % as %25")
	}
	for _, name := range slices.Sorted(maps.Keys(parameters)) {
		known := slices.Concat(connecting, fileKeys)
		switch small := strings.ToLower(name); {
		case !parameterName.MatchString(name):
			return errors.New("the database URL has a ? or a & that begins no parameter: in a password, write them as %3F and %26")
		case small != name && slices.Contains(known, small):
			return fmt.Errorf("the database URL has a parameter %s: write it as %s", name, small)
		case len(parameters[name]) > 1:
			return fmt.Errorf("the database URL has the parameter %s more than once: leave one of them", name)
		}
	}
	return nil
}

// checkNames refuses names with parameters or a password in them, because names are shown.
func checkNames(config *pgx.ConnConfig) error {
	const parameters = "parameters begin with ?, and & stands between them"
	switch {
	case strings.ContainsAny(config.User, ":;&=?"):
		return errors.New("the name of the database user has one of : ; & = ? in it, in the URL or in PGUSER: a password follows a : that isn't written as %3A, and " + parameters)
	case strings.ContainsAny(config.Database, ";&=?"), strings.Contains(config.Database, "://"):
		return errors.New("the name of the database has one of ; & = ? or :// in it, in the URL or in PGDATABASE: " + parameters)
	}
	for _, host := range hostsOf(config) {
		_, notAddress := netip.ParseAddr(host.name)
		hasPort := strings.Contains(host.name, ":") && !host.isFolder() && notAddress != nil
		if hasPort || strings.ContainsAny(host.name, ";&=?@") {
			return errors.New("the host of the database has one of : ; & = ? @ in it, in the URL or in PGHOST: " + parameters + ", and a port is a number")
		}
	}
	return nil
}

// host is where a database answers: a name or an address with a port, or a folder of Unix
// sockets.
type host struct {
	name string
	port uint16
}

func (h host) isFolder() bool { return strings.HasPrefix(h.name, "/") }

func (h host) String() string {
	if h.isFolder() {
		return h.name
	}
	return net.JoinHostPort(h.name, strconv.Itoa(int(h.port)))
}

// hostsOf returns the hosts in the order in which they are tried.
func hostsOf(config *pgx.ConnConfig) (hosts []host) {
	hosts = append(hosts, host{config.Host, config.Port})
	for _, other := range config.Fallbacks {
		if h := (host{other.Host, other.Port}); !slices.Contains(hosts, h) {
			hosts = append(hosts, h)
		}
	}
	return hosts
}

// fileKeys has the parameters that name files. Each has an environment variable too, such as
// PGSSLROOTCERT.
var fileKeys = []string{"sslrootcert", "sslcert", "sslkey", "passfile", "servicefile"}

// whatIsWrong returns an error that names the parameter without which the URL can be read.
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

// withFolder returns the URL after the scheme. libpq accepts a folder of Unix sockets with
// percent signs as the host. Go refuses that, so it becomes a parameter.
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

// HasPassword reports whether the URL of a database has a password: that of the user, or that
// of a certificate's key.
func HasPassword(text string) bool {
	u, err := url.Parse("postgres://" + withFolder(text))
	if err != nil || !IsURL(text) {
		return false
	}
	_, typed := u.User.Password()
	return typed || u.Query().Has("password") || u.Query().Has("sslpassword")
}

// Describe returns the name of a database for logs and messages. It has only hosts, user and
// database.
func Describe(text string) string {
	parsed, err := parse(text)
	if err != nil {
		return "a database URL that can't be read"
	}
	config := parsed.ConnConfig
	var hosts []string
	for _, h := range hostsOf(config) {
		if name := h.String(); !slices.Contains(hosts, name) { // a folder may have two ports
			hosts = append(hosts, name)
		}
	}
	return fmt.Sprintf("postgres://%s@%s/%s", url.PathEscape(config.User), strings.Join(hosts, ","), url.PathEscape(config.Database))
}
