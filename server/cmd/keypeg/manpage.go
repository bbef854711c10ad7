package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/pflag"

	"github.com/keypeg/keypeg/server/internal/config"
)

// manpageCommand prints the page of man(1) for the program, in the macros of man(7). It is made from the
// commands and the settings themselves.
type manpageCommand struct{}

func (manpageCommand) takes(*commandLine) {}

// Run implements action.
func (manpageCommand) Run(_ context.Context, t terminal, _ *settings) error {
	l := newCommandLine()
	var b strings.Builder
	title, _, _ := strings.Cut(description, ".")
	fmt.Fprintf(&b, ".TH KEYPEG 1 \"\" \"Keypeg %s\"\n.SH NAME\nkeypeg \\- %s\n", roff(version()), roff(strings.TrimPrefix(title, "Keypeg: ")))
	b.WriteString(".SH SYNOPSIS\n.B keypeg\n.I command\n[flags]\n.SH DESCRIPTION\n")
	_, about, _ := strings.Cut(description, "\n\n")
	fmt.Fprintf(&b, "%s\n.SH COMMANDS\n", roff(about))
	l.command.manpage(&b, "keypeg")
	b.WriteString(".SH SETTINGS\n")
	l.settingFlags.VisitAll(func(f *pflag.Flag) {
		fmt.Fprintf(&b, ".TP\n.B %s\n%s [%s]\n", roff(config.Form(l.FlagSet, f)), roff(config.Text(f)), roff(config.About(f)))
	})
	b.WriteString(".SH EXIT STATUS\n0; 1 with one sentence on standard error; 2 if the command line or the settings are wrong.\n" +
		".SH SEE ALSO\n.B keypeg help\n.I command\ntells more about a command, and\n.B keypeg manual\nprints the manual.\n")
	_, err := io.WriteString(t.Out, b.String())
	return err
}

// manpage writes all commands below a branch.
func (b branch) manpage(w io.Writer, path string) {
	for _, next := range b.commands {
		path := path + " " + next.name
		next.manpage(w, path)
		if next.does == nil || len(next.commands) > 0 {
			continue
		}
		l := &commandLine{FlagSet: config.NewFlagSet()}
		next.does.takes(l)
		fmt.Fprintf(w, ".TP\n.B %s\n%s\n", roff(path+l.mustHave()), roff(strings.ReplaceAll(next.help, "\n\n", " ")))
	}
}

// roff escapes a text that stands on lines of its own.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(text)
	if strings.HasPrefix(text, ".") || strings.HasPrefix(text, "'") {
		text = `\&` + text
	}
	return text
}
