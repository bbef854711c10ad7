package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image/png"
	"os"
	"path"
	"strconv"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/text"
	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/web"
	"github.com/keypeg/keypeg/web/manual"
)

// buildManual draws every page of the manual, and returns the names of the files that it made.
// The build does this, so that keypeg has HTML in it and no renderer.
func buildManual(files *web.Files) (kept []string, err error) {
	pages := append([]manual.Page{{Name: manual.Index, Title: "Keypeg's manual"}}, manual.Pages()...)
	var built []web.ManualPage
	for _, page := range pages {
		drawn, err := drawPage(files, pages, page)
		if err != nil {
			return nil, fmt.Errorf("web/manual/%s.md: %w", page.Name, err)
		}
		form, err := compress(web.ManualFile(page.Name), drawn)
		if err != nil {
			return nil, err
		}
		kept = append(kept, form)
		built = append(built, web.ManualPage{Name: page.Name, SHA256: sha256Of(drawn)})
	}
	list, err := json.Marshal(built)
	if err != nil {
		return nil, err
	}
	return append(kept, web.ManualList), write(web.ManualList, list)
}

// heading is an entry of a page's table of contents.
type heading struct{ fragment, title string }

func drawPage(files *web.Files, pages []manual.Page, page manual.Page) ([]byte, error) {
	source := []byte(manual.Source(page.Name))
	markdown := goldmark.New(goldmark.WithExtensions(extension.Table))
	tree := markdown.Parser().Parse(text.NewReader(source))

	var contents []heading
	err := ast.Walk(tree, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Heading:
			title := string(n.Lines().Value(source))
			id := manual.Fragment(title)
			n.SetAttributeString("id", []byte(id))
			if n.Level > 1 {
				linkTo(n, id)
			}
			if n.Level == 2 {
				contents = append(contents, heading{id, strings.ReplaceAll(title, "`", "")})
			}
		case *ast.Link:
			target, err := address(string(n.Destination))
			n.Destination = []byte(target)
			return ast.WalkContinue, err
		case *ast.Image:
			return ast.WalkContinue, picture(files, n)
		case *ast.RawHTML, *ast.HTMLBlock:
			return ast.WalkStop, fmt.Errorf("it has HTML in it, which a terminal can't show")
		}
		return ast.WalkContinue, nil
	})
	if err != nil {
		return nil, err
	}
	var body bytes.Buffer
	if err := markdown.Renderer().Render(&body, source, tree); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = layout(files, pages, page, contents, scrollable.Replace(body.String())).Render(&b)
	return b.Bytes(), err
}

// scrollable lets the keyboard scroll code and tables, which may be wider than the screen.
var scrollable = strings.NewReplacer(
	"<pre>", `<pre tabindex="0">`,
	"<table>", `<div class="manual-table" role="group" aria-label="Table" tabindex="0"><table>`, "</table>", "</table></div>",
)

// linkTo makes a heading a link to itself, so that its address can be copied.
func linkTo(n *ast.Heading, id string) {
	link := ast.NewLink()
	link.Destination = []byte("#" + id)
	for n.FirstChild() != nil {
		link.AppendChild(link, n.FirstChild())
	}
	n.AppendChild(n, link)
}

// address returns the target of a link of the Markdown in a browser.
func address(link string) (string, error) {
	if outside, is := strings.CutPrefix(link, "../../"); is {
		return manual.Project + outside, nil
	}
	target, fragment, _ := strings.Cut(link, "#")
	name, isPage := strings.CutSuffix(target, ".md")
	switch {
	case strings.HasPrefix(link, "https://"), target == "" && fragment != "":
		return link, nil
	case !isPage || manual.Source(name) == "":
		return "", fmt.Errorf("it links to %q, which is no page", link)
	}
	target = web.ManualAddress(name)
	if fragment != "" {
		target += "#" + fragment
	}
	return target, nil
}

// picture points an image to its file, and sets its size, so that nothing moves when it loads.
func picture(files *web.Files, n *ast.Image) error {
	name := path.Base(string(n.Destination))
	url := files.URL(name)
	if url == "" || string(n.Destination) != "../pictures/"+name {
		return fmt.Errorf("it shows %q, which is no picture of web/pictures", n.Destination)
	}
	file, err := os.Open(path.Join("web/pictures", name))
	if err != nil {
		return err
	}
	defer file.Close()
	size, err := png.DecodeConfig(file)
	if err != nil {
		return err
	}
	n.Destination = []byte(url)
	n.SetAttributeString("loading", []byte("lazy"))
	n.SetAttributeString("width", []byte(strconv.Itoa(size.Width)))
	n.SetAttributeString("height", []byte(strconv.Itoa(size.Height)))
	return nil
}

// layout returns the whole page. The manual is in English only, so the page's own words are
// here and not in package message.
func layout(files *web.Files, pages []manual.Page, page manual.Page, contents []heading, body string) g.Node {
	title := page.Title + " · Keypeg's manual"
	if page.Name == manual.Index {
		title = page.Title
	}
	return h.Doctype(h.HTML(h.Lang("en"),
		h.Head(
			h.Meta(h.Charset("utf-8")),
			h.Meta(h.Name("viewport"), h.Content("width=device-width, initial-scale=1")),
			h.Meta(h.Name("color-scheme"), h.Content("light dark")),
			h.TitleEl(g.Text(title)),
			h.Link(h.Rel("icon"), h.Href(files.URL("icon.svg")), h.Type("image/svg+xml")),
			h.Link(h.Rel("stylesheet"), h.Href(files.URL("style.css"))),
			h.Link(h.Rel("stylesheet"), h.Href(files.URL("manual.css"))),
		),
		h.Body(h.Class("manual"),
			h.A(h.Class("skip"), h.Href("#text"), g.Text("Skip to the text")),
			h.Header(h.Class("top"),
				h.A(h.Class("brand"), h.Href(shared.PageManual),
					h.Img(h.Src(files.URL("icon.svg")), h.Alt(""), h.Width("32"), h.Height("32")), h.Span(g.Text("Manual"))),
				h.A(h.Href(shared.PageHome), g.Text("Start page")),
			),
			h.Div(h.Class("manual-columns"),
				g.If(page.Name != manual.Index && len(contents) > 1, contentsOf(contents)),
				h.Main(h.ID("text"), h.Class("manual-text"), h.TabIndex("-1"), g.Raw(body)),
				g.If(page.Name != manual.Index, listOf(pages, page)),
			),
		),
	))
}

func contentsOf(contents []heading) g.Node {
	return h.Nav(h.Class("manual-contents"), h.Aria("labelledby", "contents"),
		h.H2(h.ID("contents"), g.Text("On this page")),
		h.Ul(g.Map(contents, func(c heading) g.Node {
			return h.Li(h.A(h.Href("#"+c.fragment), g.Text(c.title)))
		})),
	)
}

func listOf(pages []manual.Page, current manual.Page) g.Node {
	return h.Nav(h.Class("manual-pages"), h.Aria("labelledby", "pages"),
		h.H2(h.ID("pages"), g.Text("All pages")),
		h.Ul(g.Map(pages[1:], func(p manual.Page) g.Node {
			return h.Li(h.A(h.Href(web.ManualAddress(p.Name)), g.If(p == current, h.Aria("current", "page")), g.Text(p.Title)))
		})),
	)
}
