package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/pflag"

	"github.com/keypeg/keypeg/server/internal/config"
)

const description = "Keypeg: passkey sign-in and passkey self-service.\n\n" +
	"Every setting is a flag that may stand before or behind a command, an environment variable (in brackets), or a key in a TOML file given by --config. " +
	"Flags win over the environment, and the environment over the file."

// help prints the help of a command: what it takes, and the commands below it.
func (l *commandLine) help(w io.Writer) {
	usage := l.path
	if l.command.does == nil {
		usage += " <command>"
	}
	fmt.Fprintf(w, "Usage: %s%s [flags]\n", usage, l.mustHave())
	for paragraph := range strings.SplitSeq(l.command.help, "\n\n") {
		fmt.Fprintf(w, "\n%s\n", config.Wrapped(paragraph, ""))
	}

	if len(l.arguments) > 0 {
		fmt.Fprint(w, "\nArguments:\n")
		for _, a := range l.arguments {
			entry(w, "<"+a.name+">", a.help)
		}
	}
	fmt.Fprint(w, "\nFlags:\n")
	for _, isOwn := range []bool{true, false} {
		l.VisitAll(func(f *pflag.Flag) {
			if !l.isSetting(f) && isOwn == (f.Name != "help" && f.Name != "tenant") {
				entry(w, config.Form(l.FlagSet, f), config.Text(f))
			}
		})
	}
	l.helpSettings(w)
	if len(l.command.commands) > 0 {
		fmt.Fprint(w, "\nCommands:\n")
		l.command.list(w, l.path)
		fmt.Fprint(w, "\nkeypeg help <command> tells more about one.\n")
	}
}

// helpSettings prints the settings where people look for them: in the help of the program and of the
// server. All other commands take them too, and most need only the database.
func (l *commandLine) helpSettings(w io.Writer) {
	if l.path != "keypeg" && l.path != "keypeg serve" {
		fmt.Fprintf(w, "\n%s\n", config.Wrapped("The settings of the server, such as --database, may stand here too: keypeg serve --help lists them.", ""))
		return
	}
	fmt.Fprint(w, "\nSettings:\n")
	l.settingFlags.VisitAll(func(f *pflag.Flag) {
		entry(w, config.Form(l.FlagSet, f), config.Text(f)+" ["+config.About(f)+"]")
	})
}

// list prints all commands below a branch.
func (b branch) list(w io.Writer, path string) {
	for _, next := range b.commands {
		path := path + " " + next.name
		next.list(w, path)
		if next.does != nil && len(next.commands) == 0 {
			l := &commandLine{FlagSet: config.NewFlagSet()}
			next.does.takes(l)
			short, _, _ := strings.Cut(next.help, "\n\n")
			entry(w, path+l.mustHave(), short)
		}
	}
}

// mustHave returns the arguments and flags that a command requires.
func (l *commandLine) mustHave() (all string) {
	if len(l.arguments) > 0 {
		all += " " + synopsis(l.arguments)
	}
	for _, name := range l.required {
		all += " " + config.Form(l.FlagSet, l.Lookup(name))
	}
	return all
}

func entry(w io.Writer, head, text string) {
	fmt.Fprintf(w, "  %s\n%s\n", head, config.Wrapped(text, "      "))
}
