package main

import (
	"crypto/ecdsa"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/keypeg/keypeg/server/proxytest"
	"github.com/keypeg/keypeg/server/store"
)

// bench is a run of the benchmark.
type bench struct {
	sizes
	program string // keypeg
	peer    string // the folder of the server that it is compared with
	dir     string
	keep    bool // the folder
	began   time.Time
	keys    []*ecdsa.PrivateKey // of all users
	filled  map[string]bool     // databases that have their users
	servers map[string]*process // that run, by a name in the part
}

// process is a server under load.
type process struct {
	address  string
	command  *exec.Cmd
	took     time.Duration // from the start to the first answer
	database string        // a path or a URL, "" for none
	users    population
}

// newBench works in a folder: without one, in a new one that close removes.
func newBench(program, peer, dir string, s sizes) (*bench, error) {
	keys, err := newKeys()
	if err != nil {
		return nil, err
	}
	keep := dir != ""
	if !keep {
		dir, err = os.MkdirTemp("", "keypeg-bench-")
	}
	return &bench{sizes: s, program: program, peer: peer, dir: dir, keep: keep, began: time.Now(), keys: keys, filled: map[string]bool{}, servers: map[string]*process{}}, err
}

func (b *bench) close() error {
	err := b.stopAll()
	if !b.keep {
		err = errors.Join(err, os.RemoveAll(b.dir))
	}
	return err
}

// startKeypeg runs Keypeg, with settings, on a database that has so many users. Its first start
// fills the database, which open opens.
func (b *bench) startKeypeg(database string, users int, open func() (store.Store, error), settings ...string) (*process, error) {
	everybody := population{users, b.keys, b.began}
	if _, err := os.Stat(database); err == nil {
		b.filled[database] = true // by this run, or by one before
	}
	if !b.filled[database] {
		records, err := open()
		if err != nil {
			return nil, err
		}
		if err := errors.Join(everybody.fill(records), records.Close()); err != nil {
			return nil, err
		}
		b.filled[database] = true
	}
	p, err := b.launch("/healthz", func(address string) *exec.Cmd {
		return exec.Command(b.program, append([]string{"serve", "--listen", address, "--database", database}, settings...)...)
	})
	if err != nil {
		return nil, err
	}
	p.database, p.users = database, everybody
	return p, nil
}

// launch starts a server on a free address, and returns when it answers. It logs into a file,
// as service managers have it.
func (b *bench) launch(path string, command func(address string) *exec.Cmd) (*process, error) {
	port, err := proxytest.FreePort()
	if err != nil {
		return nil, err
	}
	address := fmt.Sprintf("localhost:%d", port)
	log, err := os.CreateTemp(b.dir, "log-")
	if err != nil {
		return nil, err
	}
	defer log.Close()
	p := &process{address: address, command: command(address)}
	p.command.Stdout, p.command.Stderr = log, log
	begin := time.Now()
	if err := p.command.Start(); err != nil {
		return nil, err
	}
	if err := p.answers(path); err != nil {
		err = errors.Join(err, p.kill())
		lines, _ := os.ReadFile(log.Name())
		return nil, fmt.Errorf("%w\n%s", err, lines)
	}
	p.took = time.Since(begin)
	return p, nil
}

// answers waits for the first answer.
func (p *process) answers(path string) error {
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	for begin := time.Now(); ; time.Sleep(500 * time.Microsecond) {
		r, err := client.Get("http://" + p.address + path)
		if err == nil {
			r.Body.Close()
			if r.StatusCode == http.StatusOK {
				return nil
			}
			err = errors.New(r.Status)
		}
		if time.Since(begin) > patience {
			return fmt.Errorf("%s does not answer: %w", p.command.Path, err)
		}
	}
}

// kill ends a server that is of no use.
func (p *process) kill() error {
	p.command.Process.Kill()
	return p.command.Wait()
}

// stop ends a server as IT would.
func (b *bench) stop(name string) error {
	p := b.servers[name]
	delete(b.servers, name)
	return errors.Join(p.command.Process.Signal(os.Interrupt), p.command.Wait())
}

// stopAll ends what a part started.
func (b *bench) stopAll() (err error) {
	for name := range b.servers {
		err = errors.Join(err, b.stop(name))
	}
	return err
}

// cpu is the time that the process had on processors, system calls included. The unit of
// proc(5) is 10 ms wherever Go runs.
func (p *process) cpu() time.Duration {
	stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.command.Process.Pid))
	_, rest, _ := strings.Cut(string(stat), ") ") // the name before it can contain anything
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}

// memory is what the process has for itself, in MiB.
func (p *process) memory() (kib float64) {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.command.Process.Pid))
	_, rest, _ := strings.Cut(string(status), "\nRssAnon:")
	fmt.Sscan(rest, &kib)
	return kib / 1024
}

// syncs is how often the database waited for the disk since it was made. A commit of bbolt
// waits twice: for the pages, and for the meta page that makes them valid. The number of the
// last commit is in one of the two meta pages, behind magic, version, page size, flags, root,
// freelist and high-water mark. A server without such a file has none.
func (p *process) syncs() (most uint64) {
	file, err := os.Open(p.database)
	if err != nil {
		return 0
	}
	defer file.Close()
	for page := range 2 {
		number := make([]byte, 8)
		if _, err := file.ReadAt(number, int64(page*os.Getpagesize()+64)); err == nil {
			most = max(most, binary.NativeEndian.Uint64(number))
		}
	}
	return 2 * most
}
