package installation

import (
	"context"
	"net"
	"sync"
	"time"

	"github.com/keypeg/keypeg/server/embed"
	"github.com/keypeg/keypeg/server/internal/listening"
	"github.com/keypeg/keypeg/server/internal/metrics"
	"github.com/keypeg/keypeg/server/mail"
	"github.com/keypeg/keypeg/server/store"
)

// listen opens the listener for figures, or returns nil if nobody reads them. It says where the figures come
// from that are states, and no events.
func (c *composer) listen(address string, f front, certificates listening.Certificates) (net.Listener, error) {
	if address == "" {
		return nil, nil
	}
	private, err := listening.OpenPrivate("--metrics", address)
	if err != nil {
		return nil, err
	}
	c.metrics.Look(func(ctx context.Context, p *metrics.Page) {
		p.Set(metrics.Streams, float64(c.streams.Open()))
		if size, err := c.db.Size(ctx); err == nil {
			p.Set(metrics.DatabaseBytes, float64(size.Database))
			if size.Disk > 0 {
				p.Set(metrics.DiskFree, float64(size.DiskFree))
				p.Set(metrics.DiskSize, float64(size.Disk))
			}
		}
		if certificates != nil {
			for host, end := range certificates.Ends() {
				p.Set(metrics.CertificateEnd, float64(end.Unix()), "host", host)
			}
		}
	})
	if c.serving.Backups.Folder != "" {
		c.metrics.Look(func(_ context.Context, p *metrics.Page) { c.measureBackups(p) })
	}
	if c.sink != nil {
		c.metrics.Look(func(_ context.Context, p *metrics.Page) {
			away := 0.0
			if c.sink.IsAway() {
				away = 1
			}
			p.Set(metrics.AuditLogAway, away)
		})
	}
	sessions := newSessionCounts()
	c.metrics.Look(func(ctx context.Context, p *metrics.Page) {
		c.stores.Range(func(name, db any) bool {
			measureMails(ctx, p, name.(string), db.(store.Store))
			measureHooks(ctx, p, name.(string), db.(store.Store))
			if n, known := sessions.of(ctx, name.(string), db.(store.Store)); known {
				p.SetOf(name.(string), metrics.Sessions, float64(n))
			}
			return ctx.Err() == nil
		})
	})
	return private, nil
}

// measureBackups writes when organisations had their newest backups. Those of tenants who aren't there any
// more stay in the folder, and don't count.
func (c *composer) measureBackups(p *metrics.Page) {
	newest, _ := NewestBackups(c.serving.Backups.Folder) // with an error there is none that IT could use
	of := func(name string) float64 {
		if b, is := newest[c.backupName(name)]; is {
			return float64(b.Made.Unix())
		}
		return 0
	}
	p.Set(metrics.BackupEvery, c.serving.Backups.Every.Seconds())
	p.SetOf(rootName, metrics.BackupMade, of(rootName))
	c.stores.Range(func(name, _ any) bool {
		if name != rootName {
			p.SetOf(name.(string), metrics.BackupMade, of(name.(string)))
		}
		return true
	})
}

// mostMails is how many mails are looked at for the figures.
const mostMails = 1000

func measureMails(ctx context.Context, p *metrics.Page, tenant string, db store.Store) {
	mails, err := mail.List(ctx, db, mostMails)
	if err != nil {
		return // the figures of the store say so
	}
	waiting, oldest := 0, time.Duration(0)
	for _, m := range mails {
		if m.Next != nil {
			waiting++
			oldest = max(oldest, time.Since(m.Queued))
		}
	}
	p.SetOf(tenant, metrics.MailsWaiting, float64(waiting))
	p.SetOf(tenant, metrics.MailsGivenUp, float64(len(mails)-waiting))
	p.SetOf(tenant, metrics.MailOldest, oldest.Seconds())
}

// mostHooks is how many hooks are looked at for the figures.
const mostHooks = 1000

func measureHooks(ctx context.Context, p *metrics.Page, tenant string, db store.Store) {
	waiting, err := embed.ListHooks(ctx, db, mostHooks)
	if err != nil {
		return // the figures of the store say so
	}
	oldest := time.Duration(0)
	if len(waiting) > 0 {
		oldest = time.Since(waiting[0].Queued)
	}
	p.SetOf(tenant, metrics.HooksWaiting, float64(len(waiting)))
	p.SetOf(tenant, metrics.HookOldest, oldest.Seconds())
}

// sessionCounts has how many sessions organisations have. No store knows that number, so the sessions are
// read; that takes at most a hundredth of the time.
type sessionCounts struct {
	mu sync.Mutex
	by map[string]sessionCount
}

type sessionCount struct {
	n    int
	next time.Time // they are counted again then
}

func newSessionCounts() *sessionCounts { return &sessionCounts{by: map[string]sessionCount{}} }

const (
	countEvery = time.Minute
	countShare = 100
)

// of returns the number that was counted last, and reports whether there is one.
func (c *sessionCounts) of(ctx context.Context, tenant string, db store.Store) (n int, known bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	last, known := c.by[tenant]
	began := time.Now()
	if began.Before(last.next) {
		return last.n, known
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), countEvery) // who asked may not wait so long
	defer cancel()
	n, err := countSessions(ctx, db)
	if err != nil {
		return last.n, known
	}
	took := time.Since(began)
	c.by[tenant] = sessionCount{n, began.Add(max(countEvery, countShare*took))}
	return n, true
}

func countSessions(ctx context.Context, db store.Store) (n int, err error) {
	const page = 1000
	for after := []byte(nil); ; {
		found, err := db.Records(ctx, store.KindSession, after, page)
		if err != nil {
			return 0, err
		}
		n += len(found)
		if len(found) < page {
			return n, nil
		}
		after = found[page-1].Key
	}
}
