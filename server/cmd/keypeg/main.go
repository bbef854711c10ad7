// Command keypeg is the server and its command line: configuration and wiring,
// no rules.
//
// As the one package that sees both sides it also holds the tests that need
// both: who may import whom, how heavy the app is, and the whole flow without a
// browser.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/keypeg/keypeg/shared"
)

// gcPercent is how much garbage may gather, in percent of what is in use. A sign-in leaves
// much behind and little that stays: at Go's own 100, collecting takes 3 % of the CPU time
// more, and 8 MiB less.
const gcPercent = 200

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], terminal{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
}

// terminal is where a command talks to a person.
type terminal struct {
	In       *os.File
	Out, Err io.Writer
}

// commandLine is every command, flag, environment variable and key of the
// configuration file.
type commandLine struct {
	settings

	Serve     serveCommand     `cmd:"" help:"Run the server."`
	User      userCommands     `cmd:"" help:"Manage users."`
	SetupLink setupLinkCommand `cmd:"" help:"Print a new one-time link that makes the first administrator."`
	Backup    backupCommands   `cmd:"" help:"Make and check backups."`
	Restore   restoreCommand   `cmd:"" help:"Make the database of a backup. There must be none yet."`
	Store     storeCommands    `cmd:"" help:"Move records between databases."`
	Tenant    tenantCommands   `cmd:"" help:"Manage the tenants of the cloud edition."`
	Version   versionCommand   `cmd:"" help:"Print the version."`
}

const description = "Keypeg: passkey sign-in and passkey self-service.\n\n" +
	"Every flag can also be set by an environment variable (in brackets), or in a TOML file given by --config. " +
	"Flags win over the environment, and the environment over the file."

// run carries one command out and returns the exit code: 0, or 1 with one
// sentence on standard error, or 2 where the command line itself is wrong.
func run(ctx context.Context, args []string, t terminal) int {
	var line commandLine
	exit := -1
	parser, err := kong.New(&line,
		kong.Name("keypeg"), kong.Description(description),
		kong.Configuration(readConfig),
		kong.Writers(t.Out, t.Err),
		kong.Exit(func(code int) { exit = code }),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(t), kong.Bind(&line.settings),
	)
	if err != nil {
		panic(err) // the struct above is wrong
	}

	command, err := parser.Parse(args)
	if exit >= 0 {
		return exit // --help was printed
	}
	if err != nil {
		fmt.Fprintf(t.Err, "keypeg: %s\nTry keypeg --help.\n", err)
		return 2
	}
	if err := command.Run(&line.settings); err != nil {
		fmt.Fprintf(t.Err, "keypeg: %s\n", sentence(err))
		return 1
	}
	return 0
}

// sentence is what IT reads: our own sentence where there is one.
func sentence(err error) string {
	if refusal, ok := errors.AsType[*shared.Error](err); ok {
		return refusal.Message
	}
	return err.Error()
}
