package httpapi

import (
	"context"
	"net/http"
	"time"

	"golang.org/x/text/language"

	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// Text returns the catalogue of the language that the person has chosen, or else of one that is preferred for the
// request, or that their browser accepts (RFC 9110, 12.5.4).
func Text(r *http.Request) *message.Catalogue {
	var tags []string
	if chosen, err := r.Cookie(shared.CookieLanguage); err == nil {
		tags = append(tags, chosen.Value)
	}
	if preferred, _ := r.Context().Value(preferredKey{}).([]string); len(preferred) > 0 {
		tags = append(tags, preferred...)
	}
	// A header that can't be parsed asks for no language.
	wanted, _, _ := language.ParseAcceptLanguage(r.Header.Get("Accept-Language"))
	for _, tag := range wanted {
		tags = append(tags, tag.String())
	}
	return message.Choose(tags...)
}

type preferredKey struct{}

// Preferring returns a request whose answer is in one of these languages, by their BCP 47 tags, unless the person has
// chosen another one here.
func Preferring(r *http.Request, tags []string) *http.Request {
	if len(tags) == 0 {
		return r
	}
	return r.WithContext(context.WithValue(r.Context(), preferredKey{}, tags))
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
