package ui

import (
	"testing"
	"time"
)

// zoned writes days of a time zone, as a browser does.
type zoned struct {
	Formats
	zone *time.Location
}

func (z zoned) Date(t time.Time) (day, exact string) { return t.In(z.zone).Format("2 Jan"), "" }

// TestRecent: the day after a clock change is short or long, and yesterday is the day before all the same.
func TestRecent(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	at := func(day string) time.Time {
		moment, err := time.ParseInLocation("2006-01-02 15:04", day, berlin)
		if err != nil {
			t.Fatal(err)
		}
		return moment
	}
	for _, test := range []struct{ now, at, want string }{
		{"2026-11-20 18:45", "2026-11-20 00:00", "Today, {date}"},
		{"2026-11-20 18:45", "2026-11-19 23:59", "Yesterday, {date}"},
		{"2026-11-20 18:45", "2026-11-18 23:59", ""},
		{"2026-03-30 00:30", "2026-03-29 12:00", "Yesterday, {date}"}, // 29 March had 23 hours
		{"2026-03-30 00:30", "2026-03-28 23:45", ""},
		{"2026-10-25 23:45", "2026-10-24 12:00", "Yesterday, {date}"}, // 25 October has 25 hours
		{"2026-10-25 23:45", "2026-10-25 00:15", "Today, {date}"},
		{"2026-10-26 00:30", "2026-10-25 00:15", "Yesterday, {date}"},
	} {
		c := inEnglish()
		c.Formats, c.now = zoned{c.Formats, berlin}, func() time.Time { return at(test.now).UTC() }
		if got := c.recent(at(test.at).UTC()); got != test.want {
			t.Errorf("at %s, %s is %q, want %q", test.now, test.at, got, test.want)
		}
	}
}
