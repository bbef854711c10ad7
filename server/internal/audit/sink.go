package audit

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/keypeg/keypeg/server/internal/namedfile"
	"github.com/keypeg/keypeg/server/internal/warning"
	"github.com/keypeg/keypeg/shared"
)

// How an audit log is named that is no file.
const (
	Stdout          = "stdout"
	SyslogPrefix    = "syslog:"     // before HOST:PORT, or the path of a socket
	SyslogTLSPrefix = "syslog-tls:" // before HOST:PORT
)

// Sink takes the events of streams: a file, the standard output, or a syslog server. It is safe for concurrent
// use.
type Sink struct {
	name string
	id   string // by which a stream knows how far it is there

	mu  sync.Mutex
	out output

	seldom *warning.Seldom[struct{}]
	away   bool // guarded by mu too
}

// output is where lines go. After an error it tries from the beginning at the next write.
type output interface {
	write(entries []entry) error
	reopen() error
	close() error
}

// entry is an event in an audit log.
type entry struct {
	kind shared.EventKind
	at   time.Time
	text []byte // JSON
}

// OpenSink opens the audit log that a setting names, or returns nil for none. A file that can't be opened is
// an error, whose text is a sentence. A syslog server may be away.
func OpenSink(setting string, stdout io.Writer) (*Sink, error) {
	if setting == "" {
		return nil, nil
	}
	host, err := os.Hostname()
	if err != nil {
		host = "-"
	}
	sum := sha256.Sum256([]byte(host + "\n" + setting)) // nodes may share a store
	s := &Sink{name: setting, id: hex.EncodeToString(sum[:8]), seldom: warning.NewSeldom[struct{}](10*time.Minute, time.Now)}
	target, isSyslog := strings.CutPrefix(setting, SyslogPrefix)
	encrypted, isTLS := strings.CutPrefix(setting, SyslogTLSPrefix)
	switch {
	case setting == Stdout:
		s.out = stream{stdout}
	case isSyslog:
		s.out = &syslog{target: target, host: host}
	case isTLS:
		s.out = &syslog{target: encrypted, host: host, tls: true}
	default:
		s.out = &file{path: setting}
		if err := s.out.reopen(); err != nil {
			return nil, fmt.Errorf("--audit-log %s can't be written: let the server write there, or name another file: %w", setting, err)
		}
	}
	return s, nil
}

// Reopen opens a file again, after logrotate(8) has moved it. A nil Sink has none.
func (s *Sink) Reopen() error {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.out.reopen()
}

// Close closes it.
func (s *Sink) Close() error {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.out.close()
}

func (s *Sink) write(entries []entry) error {
	if len(entries) == 0 {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.out.write(entries)
}

// logs logs that the sink, or what is written to it, is away, or is there again.
func (s *Sink) logs(log *slog.Logger, err error) {
	s.mu.Lock()
	was := s.away
	s.away = err != nil
	s.mu.Unlock()
	switch {
	case err != nil && (!was || s.seldom.Due(struct{}{})):
		s.seldom.Due(struct{}{})
		log.Error("the audit log can't be written; nothing is lost, and it is tried again every few seconds: look after what --audit-log names", "audit_log", s.name, "cause", err)
	case err == nil && was:
		log.Info("the audit log can be written again", "audit_log", s.name)
	}
}

// IsAway reports whether the last write failed.
func (s *Sink) IsAway() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.away
}

// lines joins entries as JSON lines.
func lines(entries []entry) []byte {
	var b bytes.Buffer
	for _, e := range entries {
		b.Write(e.text)
		b.WriteByte('\n')
	}
	return b.Bytes()
}

// stream is an open stream.
type stream struct{ to io.Writer }

func (s stream) write(entries []entry) error {
	_, err := s.to.Write(lines(entries))
	return err
}
func (stream) reopen() error { return nil }
func (stream) close() error  { return nil }

// file is a file that only its owner can read.
type file struct {
	path string
	open *os.File
	cut  bool // a line wasn't written wholly
}

const fileMode = 0o600

func (f *file) reopen() error {
	opened, err := os.OpenFile(f.path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, fileMode)
	if err != nil {
		return namedfile.Explain(f.path, err)
	}
	f.close()
	f.open, f.cut = opened, false
	return nil
}

// write returns when the lines are on the disk.
func (f *file) write(entries []entry) error {
	text := lines(entries)
	if f.cut {
		text = append([]byte{'\n'}, text...)
	}
	n, err := f.open.Write(text)
	if n > 0 {
		f.cut = n < len(text)
	}
	if err == nil {
		err = f.open.Sync()
	}
	if pipe, is := errors.AsType[*os.PathError](err); is && pipe.Op == "sync" && !isRegular(f.open) {
		err = nil // a pipe has no disk
	}
	return namedfile.Explain(f.path, err)
}

func isRegular(f *os.File) bool {
	info, err := f.Stat()
	return err != nil || info.Mode().IsRegular()
}

func (f *file) close() error {
	if f.open == nil {
		return nil
	}
	return f.open.Close()
}

// syslog is a syslog server (RFC 5424): by TCP with the length before each message (RFC 6587, 3.4.1), by TLS
// with the same (RFC 5425, 4.3), or a datagram socket of this machine.
type syslog struct {
	target, host string
	tls          bool
	conn         net.Conn
	datagrams    bool
}

const (
	syslogPriority = 13*8 + 6 // log audit, informational
	syslogWithin   = 5 * time.Second
)

func (s *syslog) reopen() error { return s.close() }

func (s *syslog) close() error {
	if s.conn == nil {
		return nil
	}
	err := s.conn.Close()
	s.conn = nil
	return err
}

// dial connects, unless a connection is open. A server that has ended it is noticed, because else the next
// lines were lost.
func (s *syslog) dial() (err error) {
	if s.conn != nil && !s.datagrams {
		s.conn.SetReadDeadline(time.Now().Add(time.Millisecond))
		if _, err := s.conn.Read(make([]byte, 1)); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			s.close()
			return fmt.Errorf("the syslog server has ended the connection: %w", err)
		}
	}
	if s.conn != nil {
		return nil
	}
	if !strings.HasPrefix(s.target, "/") {
		s.datagrams = false
		dialer := &net.Dialer{Timeout: syslogWithin}
		if s.tls {
			var conn *tls.Conn
			if conn, err = tls.DialWithDialer(dialer, "tcp", s.target, nil); err == nil {
				s.conn = conn
			}
			return err
		}
		s.conn, err = dialer.Dial("tcp", s.target)
		return err
	}
	s.datagrams = true
	if s.conn, err = net.Dial("unixgram", s.target); err != nil {
		s.datagrams = false
		s.conn, err = net.Dial("unix", s.target)
	}
	return err
}

func (s *syslog) write(entries []entry) error {
	if err := s.dial(); err != nil {
		return err
	}
	s.conn.SetWriteDeadline(time.Now().Add(syslogWithin))
	for _, e := range entries {
		message := s.message(e)
		if !s.datagrams {
			message = append(append(strconv.AppendInt(nil, int64(len(message)), 10), ' '), message...)
		}
		if _, err := s.conn.Write(message); err != nil {
			return errors.Join(err, s.close())
		}
	}
	return nil
}

// message returns an event as a message (RFC 5424, 6), with its kind as MSGID.
func (s *syslog) message(e entry) []byte {
	return fmt.Appendf(nil, "<%d>1 %s %s keypeg %d %s - %s", syslogPriority, e.at.UTC().Format("2006-01-02T15:04:05.000000Z"), cmp.Or(s.host, "-"), os.Getpid(), e.kind, e.text)
}
