package pages

import (
	"context"
	"time"

	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/browser"
	"github.com/keypeg/keypeg/app/ui"
	"github.com/keypeg/keypeg/shared"
)

// elsewhere is shown at an address where this program has no page. With a network, the server
// answers such an address itself: with the other program, or a page of its own. Without one,
// every other address of the server ends here, the sign-in page too.
type elsewhere struct {
	goapp.Compo

	deps Deps
	speech
	followed bool // a link of this program led here
}

// OnMount learns the language, and waits for the server to be back, as the page promises. Who
// followed a link goes on at once: the browser asks the server for the address.
func (p *elsewhere) OnMount(ctx goapp.Context) {
	if p.followed {
		ctx.Defer(func(goapp.Context) { browser.Reload() }) // go-app changes the address after this
		return
	}
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

// serverAnswers reports whether the server is back. A refusal is an answer too: a proxy may
// keep [shared.PathHealth] for itself. If the server is away, a proxy answers with a status
// of 500 or more.
func (p *elsewhere) serverAnswers(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, answersWithin)
	defer cancel()
	status, _, err := p.deps.Transport.Send(ctx, "GET", shared.PathHealth, nil)
	return err == nil && status < 500
}

func (p *elsewhere) title(ctx goapp.Context) {
	ctx.Page().SetTitle("%s · %s", p.text.Shell.Offline, p.deps.Product)
}

// Render implements go-app's Composer.
func (p *elsewhere) Render() goapp.UI {
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
