//go:build !js

package selfservice

import goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

// OnPreRender implements goapp.PreRenderer. A server that draws the page mounts nothing.
func (p *Panel) OnPreRender(ctx goapp.Context) {
	if p.IsDrawn {
		p.OnMount(ctx)
	}
}
