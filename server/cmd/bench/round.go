package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/server/store/boltstore"
	"github.com/keypeg/keypeg/server/store/pgstore"
	"github.com/keypeg/keypeg/server/store/pgstore/pgtest"
)

// round measures each load once, when the first row asks for it. After a failure, err has the
// cause and all figures are worthless.
type round struct {
	*bench
	loads map[string]load
	err   error
}

// once returns the load of this name, and measures it if this round has not.
func (r *round) once(name string, measure func() (load, error)) load {
	l, measured := r.loads[name]
	if !measured && r.err == nil {
		l, r.err = measure()
		r.loads[name] = l
	}
	return l
}

// server returns a running server of the part, and starts it if it does not run.
func (r *round) server(name string, start func() (*process, error)) *process {
	p := r.servers[name]
	if p == nil && r.err == nil {
		if p, r.err = start(); r.err == nil {
			r.servers[name] = p
		}
	}
	return p
}

// onFile returns Keypeg, with settings, on a file with so many users.
func (r *round) onFile(name string, users int, settings ...string) *process {
	return r.server(name, func() (*process, error) {
		path := filepath.Join(r.dir, name+".db")
		return r.startKeypeg(path, users, func() (store.Store, error) { return boltstore.Open(path, time.Now) }, settings...)
	})
}

// load drives so many connections, once in a round.
func (r *round) load(name string, p *process, connections int, do task) load {
	return r.once(fmt.Sprint(name, connections), func() (load, error) { return drive(p, connections, r.phase, do) })
}

func (r *round) signIns(connections int) load {
	return r.load("sign-ins", r.onFile("signers", r.signers), connections, signIn)
}

func (r *round) peerSignIns(connections int) load {
	return r.load("peer's sign-ins", r.server("peer", r.startPeer), connections, signIn)
}

func (r *round) begins() load {
	return r.load("begins", r.onFile("signers", r.signers), 64, beginSignIn)
}
func (r *round) lists() load {
	return r.load("lists", r.onFile("signers", r.signers), 64, listPasskeys)
}

func (r *round) exchanges(connections int) load {
	return r.load("exchanges", r.server("exchanges", r.startExchanges), connections, exchange)
}

// cpuOfFloor is the server's CPU time for a sign-in, of the CPU time that no server can save.
func (r *round) cpuOfFloor(connections int) float64 {
	floor := r.once("verification", r.verification).p50 + 2*r.exchanges(connections).cpu
	return float64(r.signIns(connections).cpu) / float64(floor)
}

func (r *round) aloneOfFloor() float64 {
	floor := r.once("verification", r.verification).p50 + 2*r.exchanges(1).p50 + 2*r.once("disk", r.diskWait).p50
	return float64(r.signIns(1).p50) / float64(floor)
}

// idle is the memory of a program that has just started.
func (r *round) idle() float64 {
	if r.restart("idle", r.few); r.err != nil {
		return 0
	}
	return r.servers["idle"].memory()
}

// flood begins this round's share of the sign-ins. The process is the same in all rounds, so
// that what it keeps of each adds up.
func (r *round) flood() (most float64) {
	small := r.onFile("signers", r.signers)
	for done := 0; done < r.sizes.begins/r.rounds && r.err == nil; {
		var l load
		l, r.err = drive(small, 64, r.phase, beginSignIn)
		done, most = done+l.done, max(most, l.memory)
	}
	return most
}

func (r *round) programSize() float64 { return r.fileSize(r.program) / 1e6 }

// remoteSignIns are sign-ins on a PostgreSQL that waits for its disk. It ends with this program.
func (r *round) remoteSignIns() load {
	remote := r.server("postgres", func() (*process, error) {
		database, err := pgtest.Run("fsync = on", "shared_buffers = 256MB")
		if err != nil {
			return nil, err
		}
		url := database.URL("postgres")
		return r.startKeypeg(url, r.signers, func() (store.Store, error) { return pgstore.Open(context.Background(), url, "", time.Now) })
	})
	return r.load("remote sign-ins", remote, 64, signIn)
}

// manyOfFew is how long a task takes alone with many users, of the time with few.
func (r *round) manyOfFew(do task) float64 {
	return r.compared(r.onFile("many", r.users), r.onFile("few", r.few), do)
}

// mailsOfNone is how long a sign-in takes where mails are sent, of the time where none are. All
// users sign in before, so that their browsers are known, and there is no mail to send.
func (r *round) mailsOfNone() float64 {
	const users = 100
	mails := r.onFile("mails", users, "--smtp-server=localhost:9", "--smtp-security=none", "--mail-from=keypeg@example.com")
	none := r.onFile("no-mails", users)
	for _, p := range []*process{mails, none} {
		if r.err == nil {
			r.load(p.database, p, 1, signIn)
		}
	}
	return r.compared(mails, none, signIn)
}

// compared is how long a task takes alone with one server, of the time with another. What is
// compared is close, and machines drift: many short turns find it. The two take turns in being
// the first.
func (r *round) compared(one, other *process, do task) float64 {
	const turns = 10
	pair := [2]*process{other, one}
	var took [2]time.Duration
	for turn := range 2 * turns {
		which := (turn + turn/2) % 2
		if r.err == nil {
			var l load
			l, r.err = drive(pair[which], 1, 2*r.phase/turns, do)
			took[which] += l.p50
		}
	}
	return float64(took[1]) / float64(took[0])
}

// start is the time from a start of Keypeg to its first answer.
func (r *round) start(name string, users int) float64 {
	if r.restart(name, users); r.err != nil {
		return 0
	}
	return millis(r.servers[name].took)
}

// restart stops Keypeg on a file, and starts it again.
func (r *round) restart(name string, users int) {
	if r.onFile(name, users); r.err == nil {
		r.err = r.stop(name)
	}
	r.onFile(name, users)
}

func (r *round) bytesForUser() float64 {
	if r.onFile("many", r.users); r.err != nil {
		return 0
	}
	return r.fileSize(r.servers["many"].database) / float64(r.users)
}

func (r *round) fileSize(path string) float64 {
	file, err := os.Stat(path)
	if err != nil {
		r.err = err
		return 0
	}
	return float64(file.Size())
}
