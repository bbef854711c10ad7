package pgstore

import (
	"context"
	"net/netip"

	"github.com/keypeg/keypeg/shared"
)

// Facts are what IT may want to know of a database server.
type Facts struct {
	Version, Encoding string
	Encrypted         bool
	Local             bool // the server is on this machine
	Standbys          int  // that replicate it; -1 if this user may not know
}

// LookAt connects to a database, and asks for its [Facts]. It changes nothing. Errors are those of
// [OpenDatabase].
func LookAt(ctx context.Context, url string) (f Facts, err error) {
	config, err := parse(url)
	if err != nil {
		return f, err
	}
	conn, _, err := connectFirst(ctx, config)
	if err != nil {
		return f, sentence(config.ConnConfig, err)
	}
	defer disconnect(conn)
	asking, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	err = conn.QueryRow(asking, `SELECT current_setting('server_version'), current_setting('server_encoding'), coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false)`).
		Scan(&f.Version, &f.Encoding, &f.Encrypted)
	if err != nil {
		return f, sentence(config.ConnConfig, err)
	}
	if err := conn.QueryRow(asking, `SELECT count(*) FROM pg_stat_replication WHERE state IS NOT NULL`).Scan(&f.Standbys); err != nil {
		f.Standbys = -1
	}
	host := config.ConnConfig.Host
	ip, err := netip.ParseAddr(host)
	f.Local = len(host) > 0 && host[0] == '/' || shared.IsLocalhost(host) || err == nil && ip.IsLoopback()
	return f, nil
}
