package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a server under load.
type process struct {
	address string // that it listens on, and that people use
	command *exec.Cmd
}

// raiseOpenFiles lets this process and its children have many connections.
func raiseOpenFiles() error {
	var files syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err != nil {
		return err
	}
	files.Cur = files.Max
	return syscall.Setrlimit(syscall.RLIMIT_NOFILE, &files)
}

func freeAddress() (string, error) {
	free, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		return "", err
	}
	defer free.Close()
	return fmt.Sprintf("localhost:%d", free.Addr().(*net.TCPAddr).Port), nil
}

// startKeypeg runs the program on a database, and returns once it answers.
func (b *bench) startKeypeg(database string) (*process, time.Duration, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, 0, err
	}
	p := &process{address: address}
	// Its log goes to a file, as it does where a service manager keeps it.
	log, err := os.Create(filepath.Join(b.dir, "log of "+address))
	if err != nil {
		return nil, 0, err
	}
	defer log.Close()
	p.command = exec.Command(b.keypeg, "serve", "--listen", address, "--database", database)
	p.command.Stdout, p.command.Stderr = log, log
	begin := time.Now()
	if err := b.start(p, "/healthz"); err != nil {
		said, _ := os.ReadFile(log.Name())
		return nil, 0, fmt.Errorf("%w\n%s", err, said)
	}
	return p, time.Since(begin), nil
}

// start returns when the process answers.
func (b *bench) start(p *process, path string) error {
	if err := p.command.Start(); err != nil {
		return err
	}
	b.running = append(b.running, p)
	return p.answers(path)
}

// stopAll ends what was started, as whoever runs it would.
func (b *bench) stopAll() (err error) {
	for _, p := range slices.Clone(b.running) {
		err = errors.Join(err, b.stop(p))
	}
	return err
}

func (b *bench) stop(p *process) error {
	b.running = slices.DeleteFunc(b.running, func(r *process) bool { return r == p })
	return errors.Join(p.command.Process.Signal(os.Interrupt), p.command.Wait())
}

// answers waits for the first answer.
func (p *process) answers(path string) error {
	transport := &http.Transport{DisableKeepAlives: true}
	defer transport.CloseIdleConnections()
	client := http.Client{Transport: transport, Timeout: patience}
	for deadline := time.Now().Add(patience); ; {
		r, err := client.Get("http://" + p.address + path)
		if err == nil {
			io.Copy(io.Discard, r.Body)
			r.Body.Close()
			if r.StatusCode == http.StatusOK {
				return nil
			}
			err = errors.New(r.Status)
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s doesn't answer: %w", p.command.Path, err)
		}
		time.Sleep(500 * time.Microsecond)
	}
}

// clockTick is the unit of proc(5)'s times: USER_HZ is 100 wherever Go runs.
const clockTick = 10 * time.Millisecond

// cpu is the time that the process has had on processors, its system calls included.
func (p *process) cpu() time.Duration {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.command.Process.Pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(stat), ") ") // a name may have anything in it
	fields := strings.Fields(rest)
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * clockTick
}

// status is a size from proc(5)'s status, in MiB: "VmRSS" or "RssAnon".
func (p *process) status(name string) float64 {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.command.Process.Pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(content)) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == name+":" {
			kilobytes, _ := strconv.ParseFloat(fields[1], 64)
			return kilobytes / 1024
		}
	}
	return 0
}
