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

// reopened is what a hang-up has read or opened again.
type reopened struct {
	certificates listening.Certificates // or nil
	sink         *audit.Sink            // or nil
	secrets      func()                 // or nil
}

// watch keeps the certificates new until ctx ends. At each hang-up it looks for new ones and for new secrets of a
// program, and opens the audit log again.
func (t TLS) watch(ctx context.Context, on reopened, hangUp <-chan struct{}, log *slog.Logger) {
	if on.certificates != nil {
		defer inBackground(ctx, on.certificates.Watch)()
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangUp:
		}
		if t.Cert == "" && on.sink == nil && on.secrets == nil {
			log.Info("a hang-up signal (SIGHUP) changes nothing: it has the files of a certificate, of --audit-log and of the secrets of [host] opened again, and there are none; restart the server to use changed settings")
			continue
		}
		if t.Cert != "" {
			on.certificates.Renew()
		}
		if on.secrets != nil {
			on.secrets()
		}
		if err := on.sink.Reopen(); err != nil {
			log.Error("the audit log can't be opened again, so the file before is still written: let the server write there", "cause", err)
		}
	}
}
