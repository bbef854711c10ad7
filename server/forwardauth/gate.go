package forwardauth

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"

	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/grant"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// Gate is a protected host, with the program behind it.
type Gate struct {
	Name  string // in the configuration: [gate.NAME]
	Title string // of the program, that people read
	// Host is the host of the program as browsers write it, "wiki.example.com" or "wiki.localhost:8081".
	Host   string
	Secure bool     // https; without it, the host is one of this machine
	Groups []string // whose users may pass; none means everybody
	// Anonymous means that the program isn't told who comes: all its headers are empty.
	Anonymous bool
}

// Fault is what is wrong with a gate, in a sentence for IT that says what to write.
type Fault struct {
	Key      string // of its table in the configuration, or "" for its name
	Sentence string
}

// Error implements error.
func (f Fault) Error() string { return f.Sentence }

func faultOf(key, format string, args ...any) Fault { return Fault{key, fmt.Sprintf(format, args...)} }

// mostGroups bounds the groups of a gate. Each check compares them with those of the user.
const mostGroups = 50

var gateName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$`)

// Check returns the gate with its title and its groups in the form in which they are compared. It refuses what
// can't be a gate with a [Fault].
func (g Gate) Check() (Gate, error) {
	if !gateName.MatchString(g.Name) {
		return g, faultOf("", "this can't be the name of a gate: write up to 64 small letters, digits and dashes, such as [gate.wiki]")
	}
	if g.Host == "" {
		return g, faultOf("", "it has no host: write the one that it protects, such as host = \"wiki.example.com\"")
	}
	if g.Title == "" {
		g.Title = g.Name
	}
	title, err := shared.CleanDisplayName(g.Title)
	if err != nil {
		refusal, _ := errors.AsType[*shared.Error](err)
		return g, faultOf("title", "its title can't be used: %s", refusal.Message)
	}
	g.Title = title
	groups := make([]string, 0, len(g.Groups))
	for _, written := range g.Groups {
		group, err := account.CanonicalName(written)
		if err != nil {
			return g, faultOf("groups", "no group can be called %q: a group's name is like a user name, without spaces", written)
		}
		groups = append(groups, group)
	}
	slices.Sort(groups)
	if groups = slices.Compact(groups); len(groups) > mostGroups {
		return g, faultOf("groups", "it has %d groups: write at most %d", len(groups), mostGroups)
	}
	g.Groups = groups
	return g, nil
}

// Origin returns the origin of the protected host.
func (g Gate) Origin() string {
	if g.Secure {
		return "https://" + g.Host
	}
	return "http://" + g.Host
}

// Admits reports whether a user may pass, by the groups that may.
func (g Gate) Admits(user store.User) bool { return user.IsAmong(g.Groups) }

// program is the id of the gate among the programs of users.
func (g Gate) program() string { return grant.Gate + g.Name }

// refusal says that the gate doesn't admit the user.
func (g Gate) refusal() error {
	return shared.Errorf(shared.CodeNotAllowed, "You can't use %s with your account. Ask an administrator.", g.Title)
}

// at returns the gate that protects a host. Each has a host name of its own.
func (h *Handlers) at(host string) (Gate, bool) {
	if g, found := h.byHost[host]; found {
		return g, true
	}
	g, found := h.byName[h.HostName(host)]
	return g, found && h.IsHost(g, host)
}

// named returns the gate of a name, for the handler of a request that has one.
func (h *Handlers) named(name string) (Gate, error) {
	at := slices.IndexFunc(h.Gates, func(g Gate) bool { return g.Name == name })
	if at < 0 {
		return Gate{}, shared.Errorf(shared.CodeNotFound, "There is nothing at this address.")
	}
	return h.Gates[at], nil
}

// here returns the gate at whose host a request arrived.
func (h *Handlers) here(r *http.Request) (Gate, error) {
	g, found := h.at(r.Host)
	if !found {
		return g, shared.Errorf(shared.CodeNotFound, "There is nothing at this address.")
	}
	return g, nil
}
