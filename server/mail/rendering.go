package mail

import (
	"strings"
	"time"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/keypeg/keypeg/shared/message"
)

// Organisation is what every mail of an organisation says.
type Organisation struct {
	Product, Contact string
	Origin           string // where people reach it, "https://id.example.com"
	Language         string // of users who have chosen none
}

// content is a mail in words. Both forms of the mail are made from it.
type content struct {
	lang, title  string
	hello, lead  string
	facts        []fact
	fact         string // how one is a line
	advice       string
	link, target string // "" for none
	after        []string
	leadSays     bool // the lead says what the title does
	foot         []string
}

type fact struct{ name, value string }

// timeFormat has the zone. The user's own zone isn't known.
const timeFormat = "2006-01-02 15:04 MST"

// letter returns the mail about some news. It reports whether there is such a mail.
func (o Organisation) letter(id string, n news, link link) (Letter, bool) {
	catalogue := message.Choose(n.Language, o.Language)
	text := message.MailIn(catalogue)
	c := content{lang: catalogue.Lang, fact: text.Fact, hello: message.Fill(text.Hello, "name", plain(n.Name)), foot: o.foot(catalogue, text)}
	if c.asks(n, text, o.Product, catalogue.Activity.NotMe, link) {
		return o.written(id, n.To, c), true
	}
	row, is := noticeOf(n.Kind, n.Method)
	if !is {
		return Letter{}, false
	}
	c.title = row.title(text.Titles)
	c.lead = message.Fill(text.Lead, "product", o.Product)
	c.facts = n.facts(text)
	c.advice = message.Fill(text.NotYou, "notMe", catalogue.Activity.NotMe)
	c.link, c.target = catalogue.Activity.NotMe, link.target
	if row.shutOut {
		c.advice, c.link, c.target = text.NotYouAsk, "", ""
	}
	return o.written(id, n.To, c), true
}

// asks writes a mail that asks for something. It reports whether the news are such a mail.
func (c *content) asks(n news, text message.Mail, product, notMe string, link link) bool {
	until := link.expires
	if n.Kind == kindHeld {
		until = n.Until
	}
	fill := func(text string) string {
		return message.Fill(text, "address", plain(n.To), "user", plain(n.UserName), "product", product, "date", until.UTC().Format(timeFormat), "notMe", notMe)
	}
	var not string
	c.leadSays = true
	switch n.Kind {
	case kindVerification:
		c.title, c.lead, c.link, not = text.VerifyTitle, fill(text.VerifyLead), text.VerifyOpen, text.VerifyNot
	case kindInvitation:
		c.title, c.lead, c.link, not = text.InviteTitle, fill(text.InviteLead), text.InviteOpen, text.InviteNot
	case kindHeld:
		c.title, c.lead, c.facts = text.Titles.Held, fill(text.HeldLead), n.facts(text)
		if c.link, c.target, c.advice = text.Release, link.target, text.ReleaseHow; !n.Releases {
			c.link, c.target, c.advice = "", "", text.ReleaseAsk
		}
		return true
	default:
		c.leadSays = false
		return false
	}
	c.target, c.after = link.target, []string{fill(text.LinkUntil), not}
	return true
}

// Test returns a mail that says that mails arrive.
func (o Organisation) Test(id, to string) Letter {
	catalogue := message.Choose(o.Language)
	text := message.MailIn(catalogue)
	return o.written(id, to, content{
		lang: catalogue.Lang, title: text.TestTitle, lead: message.Fill(text.TestLead, "product", o.Product),
		foot: o.foot(catalogue, text),
	})
}

func (o Organisation) foot(catalogue *message.Catalogue, text message.Mail) []string {
	return []string{catalogue.WhomToAsk(o.Product, o.Contact), message.Fill(text.Automatic, "product", o.Product)}
}

func (n news) facts(text message.Mail) (facts []fact) {
	browser := plain(n.Browser)
	if n.System != "" && browser != "" {
		browser = message.Fill(text.BrowserOn, "browser", browser, "system", plain(n.System))
	}
	by := ""
	if n.ByOther {
		by = text.ByOtherIs
	}
	for _, f := range []fact{
		{text.When, n.Time.In(time.UTC).Format(timeFormat)},
		{text.Passkey, plain(n.Passkey)}, {text.Provider, plain(n.Provider)}, {text.Program, plain(n.Program)}, {text.NewEmail, plain(n.Email)},
		{text.ByOther, by}, {text.Browser, browser}, {text.Address, plain(n.Address)},
	} {
		if f.value != "" {
			facts = append(facts, f)
		}
	}
	return facts
}

func (o Organisation) written(id, to string, c content) Letter {
	return Letter{ID: id, To: to, Subject: c.title + " – " + o.Product, Text: c.text(), HTML: c.html(o.Product)}
}

// text is the mail as plain text.
func (c content) text() string {
	var paragraphs []string
	add := func(text string) {
		if text != "" {
			paragraphs = append(paragraphs, text)
		}
	}
	add(c.hello)
	add(c.lead)
	if !c.leadSays {
		add(c.title)
	}
	var facts []string
	for _, f := range c.facts {
		facts = append(facts, message.Fill(c.fact, "name", f.name, "value", f.value))
	}
	add(strings.Join(facts, "\n"))
	add(c.advice)
	if c.target != "" {
		add(c.link + "\n" + c.target)
	}
	for _, paragraph := range c.after {
		add(paragraph)
	}
	add(strings.Join(c.foot, "\n"))
	return strings.Join(paragraphs, "\n\n") + "\n"
}

// style is in the mail itself, because mail programs load nothing. Those that drop it show the
// same text in their own style.
const style = `
:root{color-scheme:light dark}
body{margin:0;padding:24px 12px;background:#f3f4f7;color:#1b1f2a;font:16px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif;line-break:strict;word-break:auto-phrase}
main{max-width:560px;margin:0 auto;padding:24px;background:#fff;border:1px solid #d9dce5;border-radius:12px}
h1{font-size:20px;line-height:1.3;margin:0 0 16px;text-wrap:balance}
.brand{margin:0 0 16px;color:#596074;font-weight:600}
p{margin:0 0 16px;overflow-wrap:anywhere;text-wrap:pretty}
table{width:100%;margin:0 0 16px;border-collapse:collapse}
th,td{padding:8px 0;border-top:1px solid #d9dce5;text-align:start;vertical-align:top;font-weight:400;overflow-wrap:anywhere}
th{width:1%;padding-inline-end:12px;color:#596074;font-size:14px;line-height:24px;white-space:nowrap}
.open{display:inline-block;padding:10px 18px;border-radius:8px;background:#2f4fd0;color:#fff;text-decoration:none;font-weight:600}
.foot{margin:0;padding-top:8px;color:#596074;font-size:14px}
@media (max-width:480px){
body{padding:12px 8px}
main{padding:20px 16px}
td{font-size:15px;line-height:24px}
}
@media (prefers-color-scheme:dark){
body{background:#12141b;color:#e9ebf2}
main{background:#1b1e28;border-color:#363b4b}
th,td{border-color:#363b4b}
.brand,th,.foot{color:#a9b0c4}
.open{background:#8ea6ff;color:#10131d}
}`

// html is the mail as a page. Every text in it is escaped.
func (c content) html(product string) string {
	var rows g.Group
	for _, f := range c.facts {
		rows = append(rows, h.Tr(h.Th(g.Attr("scope", "row"), g.Text(f.name)), h.Td(g.Text(f.value))))
	}
	var after, foot g.Group
	for _, text := range c.after {
		after = append(after, paragraph(text))
	}
	for _, line := range c.foot {
		foot = append(foot, h.P(h.Class("foot"), g.Text(line)))
	}
	var page strings.Builder
	err := h.Doctype(h.HTML(h.Lang(c.lang),
		h.Head(
			h.Meta(h.Charset("utf-8")),
			h.Meta(h.Name("viewport"), h.Content("width=device-width, initial-scale=1")),
			h.Meta(h.Name("color-scheme"), h.Content("light dark")),
			h.TitleEl(g.Text(c.title)),
			h.StyleEl(g.Raw(style)),
		),
		h.Body(h.Main(
			h.P(h.Class("brand"), g.Text(product)),
			h.H1(g.Text(c.title)),
			paragraph(c.hello),
			paragraph(c.lead),
			g.If(len(rows) > 0, h.Table(h.TBody(rows))),
			paragraph(c.advice),
			g.If(c.target != "", h.P(h.A(h.Class("open"), h.Href(c.target), g.Text(c.link)))),
			after,
			foot,
		)),
	)).Render(&page)
	if err != nil {
		panic("mail: writing to memory failed: " + err.Error())
	}
	return page.String()
}

func paragraph(text string) g.Node { return g.If(text != "", h.P(g.Text(text))) }
