package ui

import (
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/keypeg/keypeg/shared/message"
)

// when writes a moment as people say it, and the exact time: "Today, 08:12", "Yesterday, 23:41",
// "25 Nov, 09:03".
func (c Context) when(t time.Time) (words, exact string) {
	moment, exact := c.Moment(t)
	if text := c.recent(t); text != "" {
		return message.Fill(text, "date", c.Time(t)), exact
	}
	return moment, exact
}

// whenWithin is when for a place within a sentence: "Last seen today, 08:12".
func (c Context) whenWithin(t time.Time) (words, exact string) {
	words, exact = c.when(t)
	if c.recent(t) != "" {
		first, size := utf8.DecodeRuneInString(words)
		words = string(unicode.ToLower(first)) + words[size:]
	}
	return words, exact
}

// recent returns the text for a day of the reader that is today or yesterday, and "" for others.
func (c Context) recent(t time.Time) string {
	now := time.Now()
	if c.now != nil {
		now = c.now()
	}
	day, _ := c.Date(t)
	today, _ := c.Date(now)
	switch day {
	case today:
		return c.Text.Shell.Today
	case c.dayBefore(now, today):
		return c.Text.Shell.Yesterday
	}
	return ""
}

// dayBefore writes the day before today. In a browser, Go knows today's offset from UTC and no others,
// so that AddDate is wrong after a clock change: a day may have 23 or 25 hours. Formats knows. Steps of
// half a day leave out none.
func (c Context) dayBefore(now time.Time, today string) (day string) {
	for step := 1; step <= 3; step++ {
		if day, _ = c.Date(now.Add(time.Duration(-12*step) * time.Hour)); day != today {
			break
		}
	}
	return day
}

// beginOf returns when a day of the reader begins, or some days after it. What is no day stays as it is,
// so that the server refuses it. As with dayBefore, only Formats knows every day's offset from UTC.
func (c Context) beginOf(day string, after int) string {
	midnight, err := time.ParseInLocation(time.DateOnly, day, time.Local) // or an hour beside it
	if err != nil {
		return day
	}
	const step = 30 * time.Minute // clocks change by so much or twice that
	begin := midnight.AddDate(0, 0, after).Add(12 * time.Hour)
	whole, _ := c.Date(begin)
	for range 28 {
		if before, _ := c.Date(begin.Add(-step)); before != whole {
			break
		}
		begin = begin.Add(-step)
	}
	return begin.UTC().Format(time.RFC3339)
}
