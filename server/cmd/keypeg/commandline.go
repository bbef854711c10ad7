package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/keypeg/keypeg/server/internal/config"
	"github.com/keypeg/keypeg/server/internal/namedfile"
	"github.com/keypeg/keypeg/server/internal/shown"
)

// settings are those that IT has made, and the tenant that a command names.
type settings struct {
	config.Settings
	tenant string // of --tenant, where a command has it
}

// branch is one of the tree of commands: it does something, or others stand behind it.
type branch struct {
	name, help string
	takes      func(*commandLine) // flags that stand behind it and behind all of commands
	commands   []branch
	always     bool   // it answers whatever the environment is; it looks at no settings but typed ones
	does       action // with commands, what is done where none of them is named
}

// action is what a command does, with what it takes for it.
type action interface {
	takes(*commandLine)
	Run(ctx context.Context, t terminal, s *settings) error
}

// commandLine is what stands behind the program's name: a command with its flags and
// arguments, and settings anywhere among them.
type commandLine struct {
	*pflag.FlagSet // all that may stand there; a command adds its own once it is named

	settings     settings
	settingFlags *pflag.FlagSet // those alone
	command      branch         // the last that is named
	path         string         // the words that led to it
	arguments    []argument
	required     []string // flags
	wantsHelp    bool
}

// argument is a word behind a command that must be there.
type argument struct {
	to         *string
	name, help string
	isFile     bool
	isOptional bool // only the last may be
}

func newCommandLine() *commandLine {
	l := &commandLine{
		FlagSet: config.NewFlagSet(), settingFlags: config.NewFlagSet(),
		path: "keypeg", command: branch{help: description, commands: commands()},
	}
	l.BoolVarP(&l.wantsHelp, "help", "h", false, "Show this, or the help of a command.")
	l.settings.Declare(l.settingFlags)
	l.AddFlagSet(l.settingFlags)

	// It isn't a setting of its own: neither the environment nor a file has it.
	l.BoolFunc("no-passkeys", "", func(text string) error { return l.Set("passkeys", either(text == "true", "false", "true")) })
	l.Lookup("no-passkeys").Hidden = true
	return l
}

// argument says what the next argument is.
func (l *commandLine) argument(to *string, name, help string) {
	l.arguments = append(l.arguments, argument{to: to, name: name, help: help})
}

// optional says what the last argument is, which may be left out.
func (l *commandLine) optional(to *string, name, help string) {
	l.arguments = append(l.arguments, argument{to: to, name: name, help: help, isOptional: true})
}

// file says that the next argument is the path of a file.
func (l *commandLine) file(to *string, help string) {
	l.arguments = append(l.arguments, argument{to: to, name: "file", help: help, isFile: true})
}

// require says which flags must be there.
func (l *commandLine) require(flags ...string) { l.required = append(l.required, flags...) }

// isTyped tells whether a flag stands on the command line itself, rather than in the
// environment or a file.
func (l *commandLine) isTyped(flag string) bool { return l.Changed(flag) }

// isSetting reports whether a flag is a setting, or another way to write one. Of those the
// last counts, so that a script can add one; what a command is to do is said once.
func (l *commandLine) isSetting(f *pflag.Flag) bool {
	return l.settingFlags.Lookup(f.Name) != nil || f.Hidden
}

// read reads all that was typed, and looks for the other settings elsewhere. Where help is
// wanted it leaves the rest alone: whoever asks how a command is used has not used it yet.
func (l *commandLine) read(words []string) error {
	if len(words) > 0 && words[0] == "--version" { // as other programs have it
		words = append([]string{"version"}, words[1:]...)
	}
	if len(words) > 0 && words[0] == "help" {
		l.wantsHelp, words = true, words[1:]
	}
	words, err := l.readCommand(words)
	if err != nil || l.wantsHelp {
		return err
	}
	if err := l.readArguments(words); err != nil {
		return err
	}
	if !l.command.always || l.isTyped("config") {
		if err := l.settings.LookElsewhere(l.settingFlags); err != nil {
			return err
		}
	}
	return l.settings.Check(l.path == "keypeg tenant add" && l.isTyped("rp-id"))
}

// readCommand follows the words to a command and returns its arguments. The flags of a
// command are known behind its name only: there a word that follows one can be told
// from a command or an argument.
func (l *commandLine) readCommand(words []string) (arguments []string, err error) {
	if l.command.does != nil && !slices.ContainsFunc(words, l.command.leadsTo) {
		return l.readAction(words)
	}
	l.SetInterspersed(false)
	words, err = l.readFlags(words)
	switch {
	case err != nil:
		return nil, err
	case len(words) > 0 && l.command.leadsTo(words[0]):
		l.enter(words[0])
		return l.readCommand(words[1:])
	case l.command.does != nil: // a flag's value or a later word is named like a command
		return l.readAction(words)
	case len(words) > 0 && config.DidYouMean(words[0], l.command.names()) != "":
		return nil, fmt.Errorf("there is no command %s %s%s", l.path, words[0], config.DidYouMean(words[0], l.command.names()))
	case len(words) > 0:
		return nil, fmt.Errorf("unexpected argument %s: expected one of %s", shown.Text(words[0]), l.command.behind())
	case l.wantsHelp:
		return nil, nil
	}
	return nil, fmt.Errorf("expected one of %s", l.command.behind())
}

func (l *commandLine) readAction(words []string) (arguments []string, err error) {
	l.command.does.takes(l)
	l.SetInterspersed(true)
	arguments, err = l.readFlags(words)
	if err == nil && len(l.command.commands) > 0 && len(arguments) > 0 && !strings.ContainsAny(arguments[0], `./\`) {
		// Else a mistyped command would make a file of its name, of what lets people in.
		word := shown.Text(arguments[0])
		return nil, fmt.Errorf("there is no command %s %s%s (a file of that name is written ./%s)", l.path, word, config.DidYouMean(word, l.command.names()), word)
	}
	return arguments, err
}

// enter goes on to a command behind the last.
func (l *commandLine) enter(name string) {
	at := slices.IndexFunc(l.command.commands, func(b branch) bool { return b.name == name })
	l.command = l.command.commands[at]
	l.path += " " + name
	if l.command.takes != nil {
		l.command.takes(l)
	}
}

func (b branch) leadsTo(word string) bool {
	return slices.ContainsFunc(b.commands, func(b branch) bool { return b.name == word })
}

func (b branch) behind() string { return strings.Join(b.names(), ", ") }

func (b branch) names() (names []string) {
	for _, next := range b.commands {
		names = append(names, next.name)
	}
	return names
}

// readFlags returns what is no flag: all such words of a command that does something, and
// else what begins with the first of them.
func (l *commandLine) readFlags(words []string) (others []string, err error) {
	err = l.ParseAll(words, func(f *pflag.Flag, value string) error {
		if strings.HasPrefix(value, "-") && slices.Contains(words, value) { // and isn't typed as --flag=value
			return fmt.Errorf("--%s needs a value, and %s looks like a flag: if it is the value, write --%s=%s", f.Name, shown.Text(value), f.Name, either(shown.MayHoldSecret(value), "VALUE", value))
		}
		if f.Changed && !l.isSetting(f) && value != f.Value.String() {
			return fmt.Errorf("--%s is there twice, with two values: leave one of them out", f.Name)
		}
		f.Changed = true
		return config.Set(f, value, "--"+f.Name)
	})
	if unknown, is := errors.AsType[*pflag.NotExistError](err); is {
		var names []string
		l.VisitAll(func(f *pflag.Flag) { names = append(names, "--"+f.Name) })
		name := unknown.GetSpecifiedName()
		if letters := unknown.GetSpecifiedShortnames(); len(letters) > 1 { // -database=URL, as other programs have it
			name, _, _ = strings.Cut(letters, "=")
			err = fmt.Errorf("unknown flag: -%s", shown.Text(name))
		}
		err = fmt.Errorf("%w%s", err, config.DidYouMean("--"+name, names))
	}
	return l.Args(), err
}

func (l *commandLine) readArguments(words []string) error {
	for i, word := range words {
		if i == len(l.arguments) {
			return fmt.Errorf("unexpected argument %s", shown.Text(word))
		}
		if l.arguments[i].isFile {
			if err := namedfile.Check(word); err != nil {
				return fmt.Errorf("<%s> %w: %s", l.arguments[i].name, err, config.WritePath)
			}
		}
		*l.arguments[i].to = word
	}
	if len(words) < len(l.arguments) && !l.arguments[len(words)].isOptional {
		return fmt.Errorf("expected %s", synopsis(l.arguments[len(words):]))
	}
	for _, name := range l.required {
		if !l.isTyped(name) {
			return errors.New("missing flag --" + name)
		}
	}
	return nil
}

func synopsis(arguments []argument) string {
	var names []string
	for _, a := range arguments {
		name := "<" + a.name + ">"
		if a.isOptional {
			name = "[" + name + "]"
		}
		names = append(names, name)
	}
	return strings.Join(names, " ")
}
