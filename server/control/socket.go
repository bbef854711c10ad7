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
	"time"

	"github.com/keypeg/keypeg/server/namedfile"
	"github.com/keypeg/keypeg/shared"
)

// The socket speaks HTTP with JSON: one path per command, the arguments in the
// body. Who may open the socket may do everything, so there is no sign-in.
const (
	pathAddUser        = "/add-user"
	pathUsers          = "/users"
	pathUser           = "/user"
	pathSetPassword    = "/set-password"
	pathRemovePassword = "/remove-password"
	pathEnable         = "/enable"
	pathDisable        = "/disable"
	pathLinkUser       = "/link-user"
	pathUnlinkUser     = "/unlink-user"
	pathInvite         = "/invite"
	pathRecoveryLink   = "/recovery-link"
	pathWithdrawLinks  = "/withdraw-links"
	pathSignals        = "/signals"
	pathAllowSignals   = "/allow-signals"
	pathSetupLink      = "/setup-link"
	pathBackup         = "/backup" // answers with the database's file
)

type (
	usersArgs struct {
		After string `json:"after"`
		Limit int    `json:"limit"`
	}
	passwordArgs struct {
		Name     string `json:"name"`
		Password string `json:"password"`
	}
	disabledArgs struct {
		Name     string `json:"name"`
		Disabled bool   `json:"disabled"`
	}
	disableArgs struct {
		Name string `json:"name"`
		// EvenTheLast administrator who can sign in.
		EvenTheLast bool `json:"evenTheLast,omitempty"`
	}
	identityArgs struct {
		Name     string `json:"name"`
		Provider string `json:"provider"`
		Subject  string `json:"subject,omitempty"`
	}
	none struct{}
)

// maxSocketPath is the longest path of a Unix socket in bytes, on Linux.
const maxSocketPath = 107

// Listen opens the socket at path, readable and writable by its owner only. A
// socket that a killed server left behind is removed: whoever calls Listen holds
// the database, so nobody else can be behind it.
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

// Handler offers commands on the socket, and backups of the database.
func Handler(c Commands, database io.WriterTo) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+pathBackup, backup(database))
	mux.HandleFunc("POST "+pathAddUser, serve(c.AddUser))
	mux.HandleFunc("POST "+pathUsers, serve(func(ctx context.Context, in usersArgs) ([]User, error) {
		return c.Users(ctx, in.After, in.Limit)
	}))
	mux.HandleFunc("POST "+pathUser, serve(c.User))
	mux.HandleFunc("POST "+pathSetPassword, serve(func(ctx context.Context, in passwordArgs) (none, error) {
		return none{}, c.SetPassword(ctx, in.Name, in.Password)
	}))
	mux.HandleFunc("POST "+pathRemovePassword, serve(func(ctx context.Context, name string) (none, error) {
		return none{}, c.RemovePassword(ctx, name)
	}))
	mux.HandleFunc("POST "+pathEnable, serve(func(ctx context.Context, name string) (none, error) {
		return none{}, c.Enable(ctx, name)
	}))
	mux.HandleFunc("POST "+pathDisable, serve(func(ctx context.Context, in disableArgs) (none, error) {
		return none{}, c.Disable(ctx, in.Name, in.EvenTheLast)
	}))
	mux.HandleFunc("POST "+pathLinkUser, serve(func(ctx context.Context, in identityArgs) (none, error) {
		return none{}, c.LinkUser(ctx, in.Name, in.Provider, in.Subject)
	}))
	mux.HandleFunc("POST "+pathUnlinkUser, serve(func(ctx context.Context, in identityArgs) (none, error) {
		return none{}, c.UnlinkUser(ctx, in.Name, in.Provider)
	}))
	mux.HandleFunc("POST "+pathInvite, serve(c.Invite))
	mux.HandleFunc("POST "+pathRecoveryLink, serve(c.NewRecoveryLink))
	mux.HandleFunc("POST "+pathWithdrawLinks, serve(c.WithdrawLinks))
	mux.HandleFunc("POST "+pathSignals, serve(func(ctx context.Context, _ none) (bool, error) {
		return c.SignalsAllowed(ctx)
	}))
	mux.HandleFunc("POST "+pathAllowSignals, serve(func(ctx context.Context, allowed bool) (none, error) {
		return none{}, c.AllowSignals(ctx, allowed)
	}))
	mux.HandleFunc("POST "+pathSetupLink, serve(func(ctx context.Context, _ none) (string, error) {
		return c.NewSetupLink(ctx)
	}))
	return mux
}

func backup(database io.WriterTo) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		// It may take long. The server's own limit is for answers to strangers.
		http.NewResponseController(w).SetWriteDeadline(time.Time{})
		if _, err := database.WriteTo(w); err != nil {
			panic(http.ErrAbortHandler) // so that nobody takes it for whole
		}
	}
}

func serve[In, Out any](command func(context.Context, In) (Out, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var in In
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10)).Decode(&in); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		out, err := command(r.Context(), in)
		if err != nil {
			refuse(w, err)
			return
		}
		json.NewEncoder(w).Encode(out)
	}
}

func refuse(w http.ResponseWriter, err error) {
	w.WriteHeader(http.StatusUnprocessableEntity)
	json.NewEncoder(w).Encode(problem(err))
}

// problem tells IT everything: there are no strangers on this socket.
func problem(err error) shared.Problem {
	if refusal, ok := errors.AsType[*shared.Error](err); ok {
		return shared.Problem{Code: refusal.Code, Detail: refusal.Message}
	}
	return shared.Problem{Code: shared.CodeInternal, Detail: err.Error()}
}

// ErrNoServer means that nobody listens at the socket.
var ErrNoServer = errors.New("control: no server is running")

// Client has the commands carried out by a running server.
type Client struct {
	http   http.Client
	prefix string // of the paths; see Tenant
}

var _ Commands = (*Client)(nil)

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

// refusal is what the server said. What was no refusal there is none here.
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

// AddUser implements [Commands].
func (c *Client) AddUser(ctx context.Context, user NewUser) (User, error) {
	return call[User](ctx, c, pathAddUser, user)
}

// Users implements [Commands].
func (c *Client) Users(ctx context.Context, after string, limit int) ([]User, error) {
	return call[[]User](ctx, c, pathUsers, usersArgs{after, limit})
}

// User implements [Commands].
func (c *Client) User(ctx context.Context, name string) (User, error) {
	return call[User](ctx, c, pathUser, name)
}

// SetPassword implements [Commands].
func (c *Client) SetPassword(ctx context.Context, name, password string) error {
	_, err := call[none](ctx, c, pathSetPassword, passwordArgs{name, password})
	return err
}

// RemovePassword implements [Commands].
func (c *Client) RemovePassword(ctx context.Context, name string) error {
	_, err := call[none](ctx, c, pathRemovePassword, name)
	return err
}

// Enable implements [Commands].
func (c *Client) Enable(ctx context.Context, name string) error {
	_, err := call[none](ctx, c, pathEnable, name)
	return err
}

// Disable implements [Commands].
func (c *Client) Disable(ctx context.Context, name string, evenTheLast bool) error {
	_, err := call[none](ctx, c, pathDisable, disableArgs{name, evenTheLast})
	return err
}

// LinkUser implements [Commands].
func (c *Client) LinkUser(ctx context.Context, name, provider, subject string) error {
	_, err := call[none](ctx, c, pathLinkUser, identityArgs{name, provider, subject})
	return err
}

// UnlinkUser implements [Commands].
func (c *Client) UnlinkUser(ctx context.Context, name, provider string) error {
	_, err := call[none](ctx, c, pathUnlinkUser, identityArgs{Name: name, Provider: provider})
	return err
}

// Invite implements [Commands].
func (c *Client) Invite(ctx context.Context, who Invite) (Link, error) {
	return call[Link](ctx, c, pathInvite, who)
}

// NewRecoveryLink implements [Commands].
func (c *Client) NewRecoveryLink(ctx context.Context, name string) (Link, error) {
	return call[Link](ctx, c, pathRecoveryLink, name)
}

// WithdrawLinks implements [Commands].
func (c *Client) WithdrawLinks(ctx context.Context, name string) (bool, error) {
	return call[bool](ctx, c, pathWithdrawLinks, name)
}

// SignalsAllowed implements [Commands].
func (c *Client) SignalsAllowed(ctx context.Context) (bool, error) {
	return call[bool](ctx, c, pathSignals, none{})
}

// AllowSignals implements [Commands].
func (c *Client) AllowSignals(ctx context.Context, allowed bool) error {
	_, err := call[none](ctx, c, pathAllowSignals, allowed)
	return err
}

// NewSetupLink implements [Commands].
func (c *Client) NewSetupLink(ctx context.Context) (string, error) {
	return call[string](ctx, c, pathSetupLink, none{})
}
