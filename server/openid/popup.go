package openid

import "net/http"

// A program may have its users sign in in a popup, and learns the answer by a message of its page there to the page that has
// opened it. All other pages of ours have Cross-Origin-Opener-Policy: same-origin, and one such answer on the way, a
// redirect too, cuts the popup off for good (HTML Living Standard, 7.1.3.2): the program takes it for closed, and
// the page there has nobody to tell. So each answer to a request with display=popup leaves that policy out, from the request itself to the
// page that leads back.
//
// What the page that has opened a popup can do to it meanwhile: lead it elsewhere, count its frames, send it messages, and
// see that it closes. It reads nothing. Our pages here have no frames and hear no messages. They do nothing that another
// address couldn't do by itself: the forms are refused from other sites, and can be sent by nobody who doesn't read the page.
// Another site may open the popup in the program's name, and lead it to a copy of our page later. It could open
// that copy at once, and in both cases the address says where the user is, and a passkey isn't offered there. It
// also may learn by the program's own page, if that has frames or a policy, that somebody gets in there without being asked.
// That is what a program takes that has popups, at any provider.
//
// So it is for these pages only, and no address alone brings another page there. The request itself must be of a registered
// program, for a registered address. What follows counts only if it leads on with that request: it is sealed in a
// cookie of this browser, under an id that is random and that no other site reads. The address of the sign-in page or of
// another one has no parameter for it. A request that nobody may send, and one of an app, which has no page that waits, stay
// cut off.

// displayPopup is the display of a request for a popup (OpenID Connect Core 1.0, 3.1.2.1).
const displayPopup = "popup"

// KeepOpener has an answer leave the browser's window connected to the page that has opened it, if next is where a request
// goes on that waits in this browser and is for a popup. Otherwise it changes nothing. It must come before the answer is written.
func (h *Handlers) KeepOpener(w http.ResponseWriter, r *http.Request, next string) {
	id, is := cutContinue(next)
	if !is {
		return
	}
	if p, err := h.pendingOf(r, id); err == nil {
		keepOpener(w, p.request)
	}
}

// keepOpener does so for a request that was checked.
func keepOpener(w http.ResponseWriter, a request) {
	if a.Popup {
		w.Header().Set("Cross-Origin-Opener-Policy", "unsafe-none")
	}
}
