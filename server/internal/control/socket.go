package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"

	"github.com/keypeg/keypeg/server/internal/namedfile"
	"github.com/keypeg/keypeg/shared"
)

// maxSocketPath is the longest path of a Unix socket on Linux, in bytes.
const maxSocketPath = 107

// Listen opens the socket at path. Only its owner may use it. It removes the socket that a
// killed server has left: the caller has the database exclusively, so no other server can
// be using the socket.
func Listen(path string) (net.Listener, error) {
	if len(path) > maxSocketPath {
		return nil, fmt.Errorf("the path %s is too long for a socket, which may have %d characters", path, maxSocketPath)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("making the folder of the socket: %w", namedfile.Explain(filepath.Dir(path), err))
	}
	if info, err := os.Lstat(path); err == nil && info.Mode()&fs.ModeSocket == 0 {
		return nil, fmt.Errorf("there is something else at %s: name a path for the socket where nothing is", path)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("removing an old socket: %w", err)
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("opening the socket for commands: %w", namedfile.Explain(path, err))
	}
	if err := os.Chmod(path, 0o600); err != nil {
		listener.Close()
		return nil, fmt.Errorf("closing the socket to others: %w", err)
	}
	return listener, nil
}

// ErrNoServer means that no server listens at the socket.
var ErrNoServer = errors.New("control: no server is running")

// Client sends commands to a running server.
type Client struct {
	http   http.Client
	prefix string // the prefix of paths; see Tenant
}

// Dial returns a Client of the server that listens at path, or [ErrNoServer].
func Dial(ctx context.Context, path string) (*Client, error) {
	var dialer net.Dialer
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) { return dialer.DialContext(ctx, "unix", path) }

	probe, err := dial(ctx, "", "")
	if errors.Is(err, fs.ErrPermission) {
		return nil, fmt.Errorf("the running server takes no commands from this account (%w): run the command as the user that the server runs as, such as sudo -u keypeg", err)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoServer, err)
	}
	probe.Close()
	return &Client{http: http.Client{Transport: &http.Transport{DialContext: dial}}}, nil
}

// Tenant returns a Client of the same server for the commands of one tenant.
func (c *Client) Tenant(name string) *Client { return &Client{c.http, pathTenant + name} }

// Backup writes the running server's database.
func (c *Client) Backup(ctx context.Context, to io.Writer) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://keypeg"+c.prefix+pathBackup, nil)
	if err != nil {
		return err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return fmt.Errorf("asking the running server: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusUnprocessableEntity {
		answer, err := io.ReadAll(response.Body)
		return errors.Join(refusal(answer), err)
	}
	if response.StatusCode != http.StatusOK {
		return errOtherVersion(response.StatusCode)
	}
	if _, err := io.Copy(to, response.Body); err != nil {
		return fmt.Errorf("reading the backup: %w", err)
	}
	return nil
}

func errOtherVersion(status int) error {
	return fmt.Errorf("the running server doesn't know this command (status %d): is it of another version, or edition?", status)
}

func call[Out any](ctx context.Context, c *Client, path string, in any) (Out, error) {
	var out Out
	body, err := json.Marshal(in)
	if err != nil {
		return out, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://keypeg"+c.prefix+path, bytes.NewReader(body))
	if err != nil {
		return out, err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return out, fmt.Errorf("asking the running server: %w", err)
	}
	defer response.Body.Close()

	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return out, fmt.Errorf("reading the running server's answer: %w", err)
	}
	if response.StatusCode == http.StatusUnprocessableEntity {
		return out, refusal(answer)
	}
	if response.StatusCode != http.StatusOK {
		return out, errOtherVersion(response.StatusCode)
	}
	return out, json.Unmarshal(answer, &out)
}

// refusal returns the error that the server has sent: a *shared.Error, unless it was a fault.
func refusal(answer []byte) error {
	var p shared.Problem
	if err := json.Unmarshal(answer, &p); err != nil {
		return fmt.Errorf("reading the running server's answer: %w", err)
	}
	if p.Code == shared.CodeInternal {
		return errors.New(p.Detail)
	}
	return shared.Errorf(p.Code, "%s", p.Detail)
}
