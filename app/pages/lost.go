package pages

import (
	"context"
	"time"

	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/browser"
	"github.com/keypeg/keypeg/app/ui"
	"github.com/keypeg/keypeg/shared"
)

// lostPage stands where the app has no page. Opened without a network, any
// address of the server ends here, the sign-in page too; with one, the server
// answers such addresses itself.
type lostPage struct {
	goapp.Compo

	deps Deps
	speech
}

// OnMount learns the language, and waits for the server to be back, as the page promises.
func (p *lostPage) OnMount(ctx goapp.Context) {
	p.speak(ctx, p.languages.wanted(), p.title)
	go func() {
		if browser.Returns(ctx, p.serverAnswers) {
			browser.Reload()
		}
	}()
}

// answersWithin is less than the service worker waits for a page. A server that takes
// longer would have us load this page again and again.
const answersWithin = 2 * time.Second

// serverAnswers takes a refusal for an answer: a proxy may keep [shared.PathHealth] for
// itself. Where the server itself is away, a proxy says so with a status of 500 and more.
func (p *lostPage) serverAnswers(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, answersWithin)
	defer cancel()
	status, _, err := p.deps.Transport.Send(ctx, "GET", shared.PathHealth, nil)
	return err == nil && status < 500
}

func (p *lostPage) title(ctx goapp.Context) {
	ctx.Page().SetTitle("%s · %s", p.text.Shell.Offline, p.deps.Product)
}

// Render implements go-app's Composer.
func (p *lostPage) Render() goapp.UI {
	frame := ui.Frame{Product: p.deps.Product, Icon: p.deps.Icon, Home: shared.PageHome}
	if !p.spoken {
		return frame.With()
	}
	return frame.With(
		ui.Message{
			Title: p.text.Shell.Offline, Lead: p.text.Shell.OfflineLead,
			Button: p.text.Shell.TryAgain, OnButton: func(goapp.Context, goapp.Event) { browser.Reload() },
		}.Render(),
	)
}
