package httpapi

import (
	"strings"
	"sync"
	"time"

	"github.com/mileusna/useragent"

	"github.com/keypeg/keypeg/server/internal/recent"
)

// agent is what is stored of a User-Agent header.
type agent struct{ browser, system string }

const (
	maxAgent = 512 // bytes of a User-Agent header that are read
	maxName  = 32  // bytes of a browser's or a system's name that are stored
)

func readAgent(header string) agent {
	read := useragent.Parse(header)
	return agent{browser: limited(read.Name, maxName), system: limited(read.OS, maxName)}
}

// agents remembers what was read of User-Agent headers. An organisation has few kinds of
// browsers, and reading a header takes as long as finding the user of a session. It is safe
// for concurrent use.
type agents struct {
	mu   sync.Mutex
	read *recent.Map[string, agent]
}

// mostAgents bounds one generation of headers: with two of them, that is at most 1 MB.
const mostAgents = 1000

// knownAgents is shared by all organisations of the process.
var knownAgents = agents{read: recent.NewMap[string, agent](time.Hour, mostAgents)}

func (a *agents) of(header string) agent {
	header = limited(header, maxAgent)
	now := time.Now()
	a.mu.Lock()
	defer a.mu.Unlock()
	read, found := a.read.Get(header, now)
	if !found {
		read = readAgent(header)
		a.read.Put(strings.Clone(header), read, now)
	}
	return read
}

func limited(s string, most int) string {
	return strings.ToValidUTF8(s[:min(len(s), most)], "")
}
