package doctor

import (
	"context"
	"crypto/x509"
	"net/http"
	"net/netip"
	"slices"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/internal/installation"
	"github.com/keypeg/keypeg/server/internal/probe"
	"github.com/keypeg/keypeg/server/internal/tenant"
)

const groupSettings = "Settings"

// ofSettings are checks of the settings alone.
func (p Patient) ofSettings() []Check {
	checks := []Check{{Group: groupSettings, Name: "values", Run: func(context.Context) Result {
		if len(p.Faults) == 0 {
			return ok("all of them can be used")
		}
		var mends []Mend
		for _, fault := range p.Faults[1:] {
			mends = append(mends, do(fault))
		}
		return failed(p.Faults[0], mends...)
	}}}
	for _, n := range p.Notices {
		checks = append(checks, Check{Group: groupSettings, Name: "notice", Run: func(context.Context) Result {
			if n.Warns {
				return warn(n.Text)
			}
			return ok(n.Text)
		}})
	}
	return checks
}

// tenants returns the organisations that are examined. On premise it is one. Otherwise the checks say which
// tenants there are.
func (p Patient) tenants(ctx context.Context) (examined []tenant.Tenant, checks []Check) {
	if !p.Installation.Cloud {
		return []tenant.Tenant{{}}, nil
	}
	var result Result
	asking, cancel := context.WithTimeout(ctx, usual)
	defer cancel()
	all, err := p.Installation.ReadTenants(asking)
	active := slices.DeleteFunc(all, func(t tenant.Tenant) bool {
		return !t.IsActive() || p.Tenant != "" && t.Name != p.Tenant
	})
	switch {
	case err != nil:
		result = failed("the tenants can't be read: "+err.Error(), do("mend the database, or name another with --database"))
	case len(active) == 0 && p.Tenant != "":
		result = failed("there is no tenant "+p.Tenant+" that is switched on", keypegLine("keypeg tenant list"))
	case len(active) == 0:
		result = warn("there is no tenant that is switched on", keypegLine("keypeg tenant add NAME https://id.example.com"))
	default:
		result = ok("they can be read")
	}
	return active, []Check{{Group: groupDatabase, Name: "tenants", Run: func(context.Context) Result { return result }}, p.machine()}
}

// visit is the examination of one organisation, with what its checks have learnt for the next ones.
type visit struct {
	Patient
	tenant tenant.Tenant
	prefix string // of the names of groups

	organisation installation.Organisation
	address      server.Address
	unreachable  error // why there is no address

	examined     *installation.Examined // nil if the database can't be read
	leadsTo      []netip.Addr           // the host's addresses
	connects     netip.AddrPort         // one of them that answers
	chain        []*x509.Certificate    // that the public URL shows
	client       *http.Client           // for the public URL, which keeps connections
	answer       *probe.Answer          // of this installation by the public URL; nil if another one answers, or none
	arrived      *fetched               // that answer as it came
	page         *fetched               // the sign-in page
	sent         *probe.Sent            // that page, as it left the server
	programCame  *fetched               // app.wasm
	programSent  *probe.Sent
	changesFiles bool // the proxy encodes files otherwise
	isUnframed   bool // a policy of the proxy keeps the panel from opening
	isRefused    bool // the host is refused, so no page can be looked at
}

// ofOrganisation are the checks of one organisation, in the order in which they are made.
func (p Patient) ofOrganisation(t tenant.Tenant) (all []Check) {
	v := &visit{Patient: p, tenant: t}
	v.organisation, v.address, v.unreachable = p.Installation.Reached(t)
	if t.Name != "" && !p.hosted {
		v.prefix = t.Name + ": "
	}
	pages, others := v.ofPages, v.ofOthers
	if v.organisation.Host != nil {
		pages, others = v.ofPanel, v.ofProgram
	}
	for _, checks := range [][]Check{v.ofDatabase(), v.ofName(), v.ofRelated(), v.ofRoundTrip(), pages(), v.ofFiles(), v.ofRequests(), others()} {
		all = append(all, checks...)
	}
	for i := range all {
		all[i].Group = v.prefix + all[i].Group
	}
	return all
}
