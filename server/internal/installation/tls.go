package installation

import (
	"context"
	"log/slog"
	"time"

	"github.com/keypeg/keypeg/server/internal/audit"
	"github.com/keypeg/keypeg/server/internal/listening"
	"github.com/keypeg/keypeg/server/store"
)

// certificates returns where the certificates come from, or nil.
func (t TLS) certificates(f front, root store.Store, log *slog.Logger) (listening.Certificates, error) {
	switch {
	case t.Directory != "":
		return listening.NewACME(listening.ACMEConfig{
			Directory: t.Directory, Email: t.Email, Host: f.host(), Serves: func(host string) bool { return f.origin(host) != "" || f.lists(host) },
			Store: root, Log: log, Now: time.Now,
		}), nil
	case t.Cert != "":
		return listening.NewFiles(t.Cert, t.Key, f.hosts(), log, time.Now)
	}
	return nil, nil
}

// watch keeps the certificates new until ctx ends. At each hang-up it looks for new ones, and opens the audit
// log again.
func (t TLS) watch(ctx context.Context, certificates listening.Certificates, sink *audit.Sink, hangUp <-chan struct{}, log *slog.Logger) {
	if certificates != nil {
		defer inBackground(ctx, certificates.Watch)()
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangUp:
		}
		if t.Cert == "" && sink == nil {
			log.Info("a hang-up signal (SIGHUP) changes nothing: it has the files of a certificate and of --audit-log opened again, and there are none; restart the server to use changed settings")
			continue
		}
		if t.Cert != "" {
			certificates.Renew()
		}
		if err := sink.Reopen(); err != nil {
			log.Error("the audit log can't be opened again, so the file before is still written: let the server write there", "cause", err)
		}
	}
}
