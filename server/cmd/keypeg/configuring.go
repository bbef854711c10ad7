package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"

	"github.com/keypeg/keypeg/server/internal/config"
	"github.com/spf13/pflag"
)

// defaultConfig is the file that keypeg init writes.
const defaultConfig = config.DefaultName

// initCommand writes a configuration file.
type initCommand struct {
	file     string
	settings *pflag.FlagSet
}

func (c *initCommand) takes(l *commandLine) {
	c.settings = l.settingFlags
	l.optional(&c.file, "file", "Path of the file. There must be none yet. Unset: "+defaultConfig+".")
	l.Func("url", "The address that people will use, such as https://id.example.com: short for --public-url.", func(text string) error { return l.Set("public-url", text) })
}

// Run implements action.
func (c *initCommand) Run(_ context.Context, t terminal, s *settings) (err error) {
	path := cmp.Or(c.file, defaultConfig)
	if s.PublicURL == "" && !s.IsCloud() {
		return errors.New("missing flag --url: the address that people will use, such as --url https://id.example.com")
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s exists, and is left as it is: name another file, or move it away", path)
	}
	if err != nil {
		return fmt.Errorf("the file can't be made: %w", err)
	}
	err = errors.Join(s.WriteFile(file, c.settings), file.Close())
	if err != nil {
		return errors.Join(fmt.Errorf("the file can't be written: %w", err), os.Remove(path))
	}
	fmt.Fprintf(t.Out, "Wrote %s, with every setting and its meaning. Next:\n\n  keypeg config check --config %s\n  keypeg serve --config %s\n", path, path, path)
	if s.IsCloud() {
		return nil
	}
	address, err := s.PublicAddress()
	if err != nil {
		return err
	}
	return explainRPID(t.Out, address.RPID)
}

// explainRPID says what can't be undone later.
func explainRPID(out io.Writer, rpID string) error {
	_, err := fmt.Fprintf(out, "\nPasskeys will belong to %[1]s, the relying party id. They work at %[1]s and at hosts below it, and nowhere else. "+
		"If other sites of yours are to share them, write the domain above all of them as rp-id before the first passkey is made: with another one, all passkeys stop working.\n", rpID)
	return err
}

// configShow prints the settings in force.
type configShow struct {
	json     bool
	settings *pflag.FlagSet
}

func (c *configShow) takes(l *commandLine) {
	c.settings = l.settingFlags
	l.BoolVar(&c.json, "json", false, "Print JSON, without the tables of the file.")
}

// Run implements action.
func (c *configShow) Run(_ context.Context, t terminal, s *settings) error {
	if !c.json {
		return s.WriteInForce(t.Out, c.settings)
	}
	encoder := json.NewEncoder(t.Out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(map[string]any{"settings": s.InForce(c.settings)})
}

// configCheck has nothing to check itself: what is wrong was refused before it runs.
type configCheck struct{}

func (c *configCheck) takes(*commandLine) {}

// Run implements action. It prints what the log of the server would say at its start.
func (c *configCheck) Run(_ context.Context, t terminal, s *settings) error {
	s.LogNotices(slog.New(&notices{say: func(warns bool, text string) {
		fmt.Fprintf(t.Out, "%s: %s\n", either(warns, "warning", "note"), text)
	}}))
	_, err := fmt.Fprintf(t.Out, "The settings can be used. The server can check more when it starts, such as whether everybody keeps a way to sign in.\n")
	return err
}

// notices is a slog.Handler that passes sentences on for a person.
type notices struct {
	say   func(warns bool, text string)
	attrs []slog.Attr
}

// Enabled implements slog.Handler.
func (n *notices) Enabled(context.Context, slog.Level) bool { return true }

// Handle implements slog.Handler.
func (n *notices) Handle(_ context.Context, r slog.Record) error {
	about := ""
	add := func(a slog.Attr) bool { about += fmt.Sprintf(" [%s]", a); return true }
	for _, a := range n.attrs {
		add(a)
	}
	r.Attrs(add)
	n.say(r.Level >= slog.LevelWarn, r.Message+about)
	return nil
}

// WithAttrs implements slog.Handler.
func (n *notices) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &notices{n.say, append(n.attrs[:len(n.attrs):len(n.attrs)], attrs...)}
}

// WithGroup implements slog.Handler. No notice has groups.
func (n *notices) WithGroup(string) slog.Handler { return n }
