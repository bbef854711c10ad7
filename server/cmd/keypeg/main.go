// Command keypeg is the program that IT runs: its commands, flags and terminal. Settings are
// in package config, the server and the rules of databases in package installation, and what
// commands ask of a running server in package control.
//
// Only packages below server/cmd see both the server and the app. So the tests that need both
// are here: who may import whom, how heavy the app is, and the whole flow without a browser.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/keypeg/keypeg/server/internal/metrics"
	"github.com/keypeg/keypeg/shared"
)

// gcPercent is how much garbage may collect, in percent of the memory in use. A sign-in
// leaves much garbage and little that stays. With Go's default of 100, collecting takes 3 %
// more CPU time and 8 MiB less memory.
const gcPercent = 200

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], terminal{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
}

// terminal is how a command talks to a person.
type terminal struct {
	In       *os.File
	Out, Err io.Writer
}

// commands are all commands of the program.
func commands() []branch {
	return []branch{
		{name: "serve", help: "Run the server.", serves: true, does: &serveCommand{}},
		{name: "init", help: "Write a configuration file with every setting, its meaning and its default. Settings that are typed are set in it.", always: true, serves: true, does: &initCommand{}},
		{name: "config", help: "Print the settings in force, and where each of them is written.", serves: true, does: &configShow{}, commands: []branch{
			{name: "show", help: "Print the settings in force, and where each of them is written. The word show may be left out.", serves: true, does: &configShow{}},
			{name: "check", help: "Say everything that is wrong with the settings of the server, as its start would. It opens no database.", serves: true, does: &configCheck{}},
		}},
		{name: "doctor", help: "Check everything that people need: settings, database, name, certificate, proxy, clock, providers, mail server. Say what to write where something is wrong.\n\n" +
			"It ends with 1 if a check failed. It changes nothing, and goes on after each failure.", serves: true, goesOn: true, does: &doctorCommand{}},
		{name: "user", help: "Manage users.", takes: ofTenant, commands: userCommands()},
		{name: "client", help: "Manage the programs to which users sign in here, as OpenID clients.", takes: ofTenant, commands: clientCommands()},
		{name: "host", help: "See and remove what Keypeg has of the users of a program that it is built into.", takes: ofTenant, commands: hostCommands()},
		{name: "openid", help: "Manage the OpenID provider, with which users sign in to those programs.", takes: ofTenant, commands: openidCommands()},
		{name: "audit", help: "See what happened in the organisation, and whether anybody changed it.", takes: ofTenant, commands: []branch{
			{name: "tail", help: "Print the newest events.", does: &auditTail{}},
			{name: "export", help: "Print all events, newest first.", does: &auditExport{}},
			{name: "verify", help: "Compare all events with the chain that seals them, and name each that was changed, removed or added.", does: &auditVerify{}},
		}},
		{name: "rollout", help: "Print how far the organisation has come with passkeys.", does: &rolloutCommand{}},
		{name: "mail", help: "See whether mails to users are sent.", takes: ofTenant, commands: []branch{
			{name: "test", help: "Send one mail now, and say what went wrong.", does: &mailTest{}},
			{name: "queue", help: "List the mails that wait, and those that were given up in the last days.", does: &mailQueue{}},
			{name: "retry", help: "Have all mails that wait tried again now, when the mail server is there again.", does: &mailRetry{}},
		}},
		{name: "setup-link", help: "Print a new one-time link that makes the first administrator.", does: &setupLinkCommand{}},
		{name: "backup", help: "Make and check backups. The word make may be left out.", does: &backupMake{}, commands: []branch{
			{name: "make", help: "Write a backup to a new file, also of a running server.", does: &backupMake{}},
			{name: "verify", help: "Read every record and every index entry of a backup.", does: &backupVerify{}},
			{name: "drill", help: "Restore a backup for a moment, and say what would come back. Unnamed: the newest ones in --backup-dir.", does: &backupDrill{}},
		}},
		{name: "restore", help: "Make the database of a backup. There must be none yet.", does: &restoreCommand{}},
		{name: "store", help: "Move records between databases.", commands: []branch{
			{name: "copy", help: "Copy all records into an empty database of either kind. Goes on where it was interrupted. Stop the servers before.", does: &storeCopy{}},
		}},
		{name: "signals", help: signalsHelp, commands: []branch{
			{name: "status", help: "Print whether they may be told.", does: &signalsStatus{}},
			{name: "on", help: "Have them told from now on. This database is complete, and the only one in use.", does: &signalsSet{allowed: true}},
			{name: "off", help: "Have them told nothing.", does: &signalsSet{}},
		}},
		{name: "tenant", help: "Manage the tenants of the cloud edition.", commands: []branch{
			{name: "add", help: "Add a tenant, and print the link that makes its first administrator.\n\n" +
				"With --rp-id, --product and --contact on this command line the tenant gets its own; else it has the host of its address, and the installation's. " +
				"With --arrive it is a program with users of its own that Keypeg is built into, and what is printed is the secret that both share.", does: &tenantAdd{}},
			{name: "change", help: "Change what is typed of a tenant, and leave the rest as it is.", does: &tenantChange{}},
			{name: "rotate", help: "Give the program of a tenant a new secret, and print it. The old one is accepted until the next rotation.", does: &tenantRotate{}},
			{name: "list", help: "List the tenants.", does: &tenantList{}},
			{name: "disable", help: "Switch a tenant off: its people are told so, and nothing of it is lost.", does: &tenantSuspend{suspended: true}},
			{name: "enable", help: "Switch a tenant on again.", does: &tenantSuspend{}},
			{name: "remove", help: "Delete a tenant that is switched off, with all of its records.", does: &tenantRemove{}},
		}},
		{name: "domain", help: "Move to another address, without a passkey lost on the way.", takes: ofTenant, commands: []branch{
			{name: "list", help: "List the domains (relying party ids) of the passkeys, and who has yet to move.", does: &domainList{}},
			{name: "users", help: "List the users of a domain who have yet to make a passkey for another one.", does: &domainUsers{}},
			{name: "move", help: "Make another address the main one. The present one goes on, until you end it. On premise it says what to write. In the cloud edition --rp-id is the new one; else it is the host.", does: &domainMove{}},
			{name: "add", help: "In the cloud edition: serve a tenant at a further address, for ever.", does: &domainAdd{}},
			{name: "remove", help: "In the cloud edition: serve a tenant at a further address no more, where another one has the same domain.", does: &domainRemove{}},
			{name: "end", help: "Give up the passkeys of a domain. Refused while somebody could not sign in any more.", does: &domainEnd{}},
		}},
		{name: "healthcheck", help: "Ask the server on this machine whether people can sign in, as /readyz does, with the settings of the server. The exit code is 0, or 1 if they can't. For containers.", serves: true, does: &healthcheckCommand{}},
		{name: "metrics", help: "Print files for monitoring; the figures themselves are at the address of --metrics.", always: true, commands: []branch{
			{name: "rules", help: "Print alert rules for Prometheus.", always: true, does: &metricsPrint{metrics.Rules}},
			{name: "dashboard", help: "Print a dashboard for Grafana.", always: true, does: &metricsPrint{metrics.Dashboard}},
		}},
		{name: "manual", help: "Print a page of the manual, or the list of its pages.", always: true, does: &manualCommand{}},
		{name: "completion", help: "Print the script with which a shell completes commands and flags. For bash: source <(keypeg completion bash)", always: true, does: &completionCommand{}},
		{name: "manpage", help: "Print the page for man(1).", always: true, does: manpageCommand{}},
		{name: "version", help: "Print the version, as --version does. With --config it checks all settings too.", always: true, does: &versionCommand{}},
	}
}

// userCommands are the commands about users.
func userCommands() []branch {
	return []branch{
		{name: "add", help: "Add a user. The password is asked for, or read from standard input.", does: &userAdd{}},
		{name: "invite", help: "Add a user who chooses how to sign in by the link that is printed. It works once, for 7 days.", does: &userInvite{}},
		{name: "list", help: "List the users.", does: &userList{}},
		{name: "show", help: "Print what is known of a user.", does: &userShow{}},
		{name: "rename", help: "Change a user's name, and the display name.", does: &userRename{}},
		{name: "email", help: "Set or remove a user's e-mail address.", does: &userEmail{}},
		{name: "role", help: "Make a user an administrator, a helper or an auditor, or end that.", does: &userRole{}},
		{name: "group", help: "Add a user to groups, or take them from some.", does: &userGroup{}},
		{name: "remove", help: "Delete a user with all that belongs to them.", does: &userRemove{}},
		{name: "import", help: "Invite the people of a table, and print a table with their links. With a mistake in any line it invites nobody.", does: &userImport{}},
		{name: "export", help: "Print the users as a table (CSV).", does: &userExport{}},
		{name: "passwd", help: "Set or remove a user's password and end their sessions.", does: &userPasswd{}},
		{name: "disable", help: "Shut a user out and end their sessions.", does: &userDisable{}},
		{name: "enable", help: "Let a user in again.", does: &userEnable{}},
		{name: "release", help: "End what a user began with “This wasn't me” in a mail.", does: &userRelease{}},
		{name: "recovery-link", help: "Print a link with which a user adds a new passkey or password. It works once, for 30 minutes.", does: &userRecoveryLink{}},
		{name: "withdraw-link", help: "Make a user's invitation and recovery link dead.", does: &userWithdrawLink{}},
		{name: "link", help: "Let a user sign in at an OpenID provider.", does: &userLink{}},
		{name: "unlink", help: "End that.", does: &userUnlink{}},
	}
}

// run carries out one command and returns the exit code: 0; 1 with one sentence on standard
// error; or 2 if the command line is wrong.
func run(ctx context.Context, args []string, t terminal) int {
	if len(args) > 0 && args[0] == completeName {
		for _, word := range candidates(args[1:]) {
			fmt.Fprintln(t.Out, word)
		}
		return 0
	}
	line := newCommandLine()
	if err := line.read(args); err != nil {
		for sentence := range strings.SplitSeq(err.Error(), "\n") { // everything that is wrong with the settings
			fmt.Fprintf(t.Err, "keypeg: %s\n", sentence)
		}
		fmt.Fprint(t.Err, "Try keypeg --help.\n")
		return 2
	}
	if line.wantsHelp {
		line.help(t.Out)
		return 0
	}
	if name := line.settings.Unread(); name != "" && !line.command.always && !line.command.serves && !line.command.goesOn { // the others say it themselves
		fmt.Fprintf(t.Err, "keypeg: %s lies in this folder, and isn't read: add --config %s, or set KEYPEG_CONFIG\n", name, name)
	}
	if err := line.command.does.Run(ctx, t, &line.settings); err != nil {
		fmt.Fprintf(t.Err, "keypeg: %s\n", sentence(err))
		return 1
	}
	return 0
}

// sentence returns what IT reads of an error: our own sentence if there is one.
func sentence(err error) string {
	if refusal, ok := errors.AsType[*shared.Error](err); ok {
		return refusal.Message
	}
	return err.Error()
}
