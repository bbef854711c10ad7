package httpapi

import (
	"net/http"
	"time"

	"golang.org/x/text/language"

	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// Text returns the catalogue of the language that the person has chosen, or else of one
// that their browser accepts (RFC 9110, 12.5.4).
func Text(r *http.Request) *message.Catalogue {
	var tags []string
	if chosen, err := r.Cookie(shared.CookieLanguage); err == nil {
		tags = append(tags, chosen.Value)
	}
	// A header that can't be parsed asks for no language.
	wanted, _, _ := language.ParseAcceptLanguage(r.Header.Get("Accept-Language"))
	for _, tag := range wanted {
		tags = append(tags, tag.String())
	}
	return message.Choose(tags...)
}

// languageLife is how long a browser keeps the language that was chosen in it.
const languageLife = 365 * 24 * time.Hour

// ChooseLanguage makes the browser keep a language. Unlike other cookies, scripts may read it: the app
// sets it too.
func ChooseLanguage(w http.ResponseWriter, text *message.Catalogue) {
	http.SetCookie(w, &http.Cookie{
		Name: shared.CookieLanguage, Value: text.Lang, Path: "/", MaxAge: int(languageLife.Seconds()), SameSite: http.SameSiteLaxMode,
	})
}
