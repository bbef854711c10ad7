package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/keypeg/keypeg/server/internal/config"
	"github.com/keypeg/keypeg/server/internal/namedfile"
	"github.com/keypeg/keypeg/server/internal/shown"
)

// settings are the settings of IT, and the tenant that a command names.
type settings struct {
	config.Settings
	tenant string   // the value of --tenant
	faults []string // what is wrong with the settings, for a command that goes on anyway
}

// branch is a node in the tree of commands: it does something, or has commands below it.
type branch struct {
	name, help string
	takes      func(*commandLine) // declares flags for it and for all commands below it
	commands   []branch
	always     bool   // it ignores settings that aren't typed, so that it always answers
	serves     bool   // it needs the settings with which people reach the server
	goesOn     bool   // with settings that can't be used, since it says what is wrong with them
	does       action // if there are commands, for when none is named
}

// action is what a command does, with its flags and arguments.
type action interface {
	takes(*commandLine)
	Run(ctx context.Context, t terminal, s *settings) error
}

// commandLine is what follows the program's name: a command with its flags and arguments,
// and settings anywhere among them.
type commandLine struct {
	*pflag.FlagSet // all flags; a command adds its own when it is named

	settings     settings
	settingFlags *pflag.FlagSet // the settings among them
	command      branch         // the last one that is named
	path         string         // the words that name it
	arguments    []argument
	required     []string // flags
	wantsHelp    bool
}

// argument is a word after a command.
type argument struct {
	to         *string
	name, help string
	isFile     bool
	isOptional bool // for the last one only
}

func newCommandLine() *commandLine {
	l := &commandLine{
		FlagSet: config.NewFlagSet(), settingFlags: config.NewFlagSet(),
		path: "keypeg", command: branch{help: description, commands: commands()},
	}
	l.BoolVarP(&l.wantsHelp, "help", "h", false, "Show this, or the help of a command.")
	l.settings.Declare(l.settingFlags)
	l.AddFlagSet(l.settingFlags)
	if _, err := os.Stat(configSet); configSet != "" && !errors.Is(err, fs.ErrNotExist) {
		l.settings.Config = configSet
	}

	// It isn't a separate setting, so neither the environment nor a file has it.
	l.BoolFunc("no-passkeys", "", func(text string) error { return l.Set("passkeys", either(text == "true", "false", "true")) })
	l.Lookup("no-passkeys").Hidden = true
	return l
}

// argument declares the next argument.
func (l *commandLine) argument(to *string, name, help string) {
	l.arguments = append(l.arguments, argument{to: to, name: name, help: help})
}

// optional declares the last argument as optional.
func (l *commandLine) optional(to *string, name, help string) {
	l.arguments = append(l.arguments, argument{to: to, name: name, help: help, isOptional: true})
}

// file declares the next argument as the path of a file.
func (l *commandLine) file(to *string, help string) {
	l.arguments = append(l.arguments, argument{to: to, name: "file", help: help, isFile: true})
}

// require declares flags that must be typed.
func (l *commandLine) require(flags ...string) { l.required = append(l.required, flags...) }

// isTyped reports whether a flag is on the command line itself, rather than in the
// environment or a file.
func (l *commandLine) isTyped(flag string) bool { return l.Changed(flag) }

// isSetting reports whether a flag is a setting, or another form of one. If a setting is
// typed twice the last value counts, so that a script can append one. Other flags are typed
// once.
func (l *commandLine) isSetting(f *pflag.Flag) bool {
	return l.settingFlags.Lookup(f.Name) != nil || f.Hidden
}

// read reads everything that was typed, and the other settings from elsewhere. If help is
// wanted, it reads nothing else, because the person doesn't know yet how the command is
// used.
func (l *commandLine) read(words []string) error {
	if len(words) > 0 && words[0] == "--version" { // as in other programs
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
		l.settings.LookElsewhere(l.settingFlags)
	}
	err = l.settings.Check(config.Use{Serves: l.command.serves, AddsTenant: (l.path == "keypeg tenant add" || l.path == "keypeg domain move") && l.isTyped("rp-id")})
	if l.command.goesOn {
		l.settings.faults, err = faultsOf(err), nil
	}
	return err
}

// readCommand follows the words to a command and returns its arguments. The flags of a
// command are known only after its name. There the word after a flag can be distinguished
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
	case l.command.does != nil: // otherwise a flag's value or a later word has the name of a command
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
		// Otherwise a mistyped command would write a file with its own name, with
		// everything that lets people in.
		word := shown.Text(arguments[0])
		file := ""
		if len(l.arguments) > 0 {
			file = " (a file of that name is written ./" + word + ")"
		}
		return nil, fmt.Errorf("there is no command %s %s%s%s", l.path, word, config.DidYouMean(word, l.command.names()), file)
	}
	return arguments, err
}

// enter goes on to a command below the last one.
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

// readFlags returns the words that aren't flags: all of them for a command that does
// something, otherwise everything from the first one on.
func (l *commandLine) readFlags(words []string) (others []string, err error) {
	err = l.ParseAll(words, func(f *pflag.Flag, value string) error {
		if strings.HasPrefix(value, "-") && slices.Contains(words, value) { // and isn't typed as --flag=value
			return fmt.Errorf("--%s needs a value, and %s looks like a flag: if it is the value, write --%s=%s", f.Name, shown.Text(value), f.Name, either(shown.MayHoldSecret(value), "VALUE", value))
		}
		_, mayRepeat := f.Value.(*repeated)
		if f.Changed && !mayRepeat && !l.isSetting(f) && value != f.Value.String() {
			return fmt.Errorf("--%s is there twice, with two values: leave one of them out", f.Name)
		}
		if l.settingFlags.Lookup(f.Name) != nil {
			l.settings.Type(f, value)
			return nil
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
