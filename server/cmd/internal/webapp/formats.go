package webapp

import (
	"net/http"
	"strings"
	"time"
	_ "time/tzdata" // for machines without the names of time zones

	"golang.org/x/text/language"
	xmessage "golang.org/x/text/message"

	"github.com/keypeg/keypeg/shared"
)

// formats writes dates and numbers of a drawn page, as the browser's Intl will write them: in a language
// and its region, and in the reader's time zone. It need not know every region: the program writes all of
// them anew when it takes over, in the same places.
type formats struct {
	lang    string
	british bool // the day before the month, and 24 hours
	zone    *time.Location
	now     time.Time
	print   *xmessage.Printer
}

// months are the short names of the months other than the English ones (Unicode CLDR, "format-abbreviated").
var months = map[string][]string{
	"de": strings.Fields("Jan. Feb. März Apr. Mai Juni Juli Aug. Sept. Okt. Nov. Dez."),
	"fr": strings.Fields("janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc."),
	"es": strings.Fields("ene feb mar abr may jun jul ago sept oct nov dic"),
}

// formatsFor returns the formats of a reader, by what their browser asks for. The time zone is in a cookie
// that drawn.js sets. Without one it is UTC.
func formatsFor(r *http.Request, lang string, now time.Time) formats {
	f := formats{lang: lang, zone: time.UTC, now: now}
	if cookie, err := r.Cookie(shared.CookieTimeZone); err == nil {
		f.zone = zone(cookie.Value)
	}
	tag := language.Make(lang)
	wanted, _, _ := language.ParseAcceptLanguage(r.Header.Get("Accept-Language")) // a header that can't be parsed asks for nothing
	for _, t := range wanted {
		if base, _ := t.Base(); base.String() == lang {
			tag = t
			break
		}
	}
	region, _ := tag.Region()
	f.british = lang == "en" && region.String() != "US" && region.String() != "ZZ"
	f.print = xmessage.NewPrinter(tag)
	return f
}

// zone returns a time zone by its name of the IANA database, or UTC. It keeps none: somebody may send any
// name.
func zone(name string) *time.Location {
	found, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		return time.UTC
	}
	return found
}

// Number implements ui.Formats.
func (f formats) Number(n int) string { return f.print.Sprint(n) }

// Date implements ui.Formats. The year is left out if it is this one.
func (f formats) Date(t time.Time) (day, exact string) {
	t = t.In(f.zone)
	var short, long string
	switch {
	case f.lang == "ja":
		short, long = t.Format("1月2日"), t.Format("2006/01/02")
	case f.lang == "de":
		short, long = t.Format("2. ")+f.month(t), t.Format("02.01.2006")
	case f.lang == "en" && !f.british:
		short, long = t.Format("Jan 2"), t.Format("Jan 2, 2006")
	default:
		short = t.Format("2 ") + f.month(t)
		long = short + t.Format(" 2006")
	}
	if t.Year() != f.now.In(f.zone).Year() {
		short = long
	}
	return short, t.Format("2006-01-02 15:04:05 MST")
}

// month is the short name of a month, in English where there is no other.
func (f formats) month(t time.Time) string {
	if names := months[f.lang]; names != nil {
		return names[t.Month()-1]
	}
	return t.Format("Jan")
}

// Time implements ui.Formats.
func (f formats) Time(t time.Time) string {
	if f.lang == "en" && !f.british {
		return t.In(f.zone).Format("3:04 PM")
	}
	return t.In(f.zone).Format("15:04")
}

// Moment implements ui.Formats.
func (f formats) Moment(t time.Time) (moment, exact string) {
	day, exact := f.Date(t)
	if f.lang == "ja" {
		return day + " " + f.Time(t), exact
	}
	return day + ", " + f.Time(t), exact
}
