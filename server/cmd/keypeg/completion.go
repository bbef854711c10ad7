package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/keypeg/keypeg/server/internal/config"
	"github.com/keypeg/keypeg/server/internal/shown"
)

// completeName is the command by which a shell asks what may come next. No help lists it.
const completeName = "__complete"

// shells are the scripts that have a shell ask. Where the program says nothing, the shell completes files.
var shells = map[string]string{
	"bash": `_keypeg() {
  mapfile -t COMPREPLY < <(keypeg ` + completeName + ` "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _keypeg keypeg
`,
	"zsh": `#compdef keypeg
_keypeg() {
  local -a found
  found=("${(@f)$(keypeg ` + completeName + ` "${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n $found ]]; then compadd -a found; else _files; fi
}
compdef _keypeg keypeg
`,
	"fish": `complete -c keypeg -a '(keypeg ` + completeName + ` (commandline -opc)[2..] (commandline -ct) 2>/dev/null)'
`,
}

// completionCommand prints such a script.
type completionCommand struct{ shell string }

func (c *completionCommand) takes(l *commandLine) {
	l.argument(&c.shell, "shell", "bash, zsh or fish.")
}

// Run implements action.
func (c *completionCommand) Run(_ context.Context, t terminal, _ *settings) error {
	script, is := shells[c.shell]
	if !is {
		return fmt.Errorf("there is no completion for %s: write one of %s", shown.Quoted(c.shell), strings.Join(slices.Sorted(maps.Keys(shells)), ", "))
	}
	_, err := io.WriteString(t.Out, script)
	return err
}

// candidates returns what the last word may become: commands, flags, or the values of a flag.
func candidates(typed []string) []string {
	if len(typed) == 0 {
		typed = []string{""}
	}
	before, last := typed[:len(typed)-1], typed[len(typed)-1]
	l := newCommandLine()
	for _, word := range before {
		if l.command.leadsTo(word) {
			l.enter(word)
		}
	}
	if l.command.does != nil {
		l.command.does.takes(l)
	}
	if flag, value, is := strings.Cut(last, "="); is {
		return l.valuesOf(flag, value)
	}
	if len(before) > 0 {
		if values := l.valuesOf(before[len(before)-1], last); len(values) > 0 {
			return values
		}
	}
	words := l.command.names()
	if strings.HasPrefix(last, "-") {
		words = nil
		l.VisitAll(func(f *pflag.Flag) { words = append(words, "--"+f.Name) })
	}
	return slices.DeleteFunc(words, func(word string) bool { return !strings.HasPrefix(word, last) })
}

// valuesOf returns the values of a flag that begin with a text, if the flag has a few.
func (l *commandLine) valuesOf(written, begin string) (values []string) {
	f := l.Lookup(strings.TrimPrefix(written, "--"))
	if f == nil || !strings.HasPrefix(written, "--") {
		return nil
	}
	for _, value := range config.ValuesOf(f) {
		if strings.HasPrefix(value, begin) {
			values = append(values, value)
		}
	}
	return values
}
