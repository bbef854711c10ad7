package installation

import (
	"context"
	"errors"
	"time"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/federation"
	"github.com/keypeg/keypeg/server/internal/control"
	"github.com/keypeg/keypeg/server/internal/tenant"
)

// Examined is what keypeg doctor learns of an organisation's records.
type Examined struct {
	control.Examination
	ByServer bool // a running server has answered by its socket
}

// Examine reads the records of an organisation: by the running server if that has the database exclusively, or
// beside it. It writes nothing, and makes no database. The policy is that of the settings.
func (i Installation) Examine(ctx context.Context, t tenant.Tenant) (found Examined, err error) {
	org, address, err := i.reached(t)
	if err != nil {
		return found, err
	}
	policy := account.New(org.rules(nil, address, nil)).Policy()
	running, err := i.driver().Dial(ctx)
	switch {
	case err == nil:
		if i.Cloud {
			running = running.Tenant(t.Name)
		}
		found.ByServer = true
		found.Examination, err = control.Examine(ctx, control.At[control.Accounts](running), policy)
		return found, err
	case !errors.Is(err, control.ErrNoServer):
		return found, err
	}
	if err := i.driver().Exists(ctx); err != nil {
		return found, err
	}
	db, err := i.driver().OpenReadOnly(ctx, t.Name, nothingExpires)
	if err != nil {
		return found, i.driver().Explain(err)
	}
	defer db.Close()
	found.Examination, err = control.ExamineStore(ctx, db, policy)
	return found, err
}

// Reached returns the settings and the address of an organisation.
func (i Installation) Reached(t tenant.Tenant) (Organisation, server.Address, error) {
	return i.reached(t)
}

// ProvidersOf returns the identity providers of an organisation.
func ProvidersOf(org Organisation, address server.Address) []*federation.Provider {
	return protocolsOf(org, address)
}

// NewestBackup returns when the newest backup of an organisation in the folder of a schedule was made, or the
// zero time.
func (i Installation) NewestBackup(s Schedule, organisation string) (made time.Time, err error) {
	newest, err := NewestBackups(s.Folder)
	return newest[i.backupName(organisation)].Made, err
}
