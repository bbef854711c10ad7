package server

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// chooseLanguage takes the form in the foot of the pages before sign-in, and leads back to the page.
func (s *Server) chooseLanguage(w http.ResponseWriter, r *http.Request) error {
	typed, err := httpapi.Form(r)
	if err != nil {
		return err
	}
	if text := message.Choose(typed.Get("tag")); text.Lang == typed.Get("tag") {
		httpapi.ChooseLanguage(w, text)
		s.explainEnd(w, r, text) // the reason, which the page had in the other language
	}
	http.Redirect(w, r, s.pageWithLanguage(w, r, typed.Get("at")), http.StatusSeeOther)
	return nil
}

// pageWithLanguage returns the page of an address, if the language can be chosen there, and the sign-in
// page otherwise. So a form can't lead anywhere else.
func (s *Server) pageWithLanguage(w http.ResponseWriter, r *http.Request, at string) string {
	address, err := url.Parse(at)
	if err != nil {
		return shared.PageSignIn
	}
	if slices.Contains([]string{shared.PageAbout, shared.PageRecovery, shared.PageEnrol, shared.PageDevice}, address.Path) {
		return address.Path
	}
	if strings.HasPrefix(address.Path, shared.PageContinue) && s.nextPage(w, r, address.Path) == address.Path {
		return address.Path
	}
	return httpapi.WithNext(shared.PageSignIn, s.nextPage(w, r, address.Query().Get("next")))
}
