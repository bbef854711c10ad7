package main

import (
	"cmp"
	"context"
	"fmt"
	"io"

	"github.com/keypeg/keypeg/server/internal/config"
	"github.com/keypeg/keypeg/server/internal/shown"
	"github.com/keypeg/keypeg/web/manual"
)

// manualCommand prints the manual in Markdown, because the machine may have no browser.
type manualCommand struct{ Page string }

func (c *manualCommand) takes(l *commandLine) {
	l.optional(&c.Page, "page", "Name of a page, or what a link in one names, such as running.md#settings. Unset: the list of all pages.")
}

func (c *manualCommand) Run(_ context.Context, t terminal, _ *settings) error {
	page := c.Page
	if page == "" {
		page = manual.Index
	}
	text := manual.Text(page)
	if text == "" {
		var names []string
		for _, p := range manual.Pages() {
			names = append(names, p.Name)
		}
		return fmt.Errorf("there is no page %s%s", shown.Quoted(page), cmp.Or(config.DidYouMean(page, names), ": keypeg manual lists them"))
	}
	_, err := io.WriteString(t.Out, text)
	return err
}
