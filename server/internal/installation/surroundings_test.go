package installation

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/internal/warning"
)

func TestTellJump(t *testing.T) {
	for by, want := range map[time.Duration]string{
		0:                 "",
		26 * time.Hour:    "jumped ahead, or the machine slept: sessions and links may have expired early; keep it right with NTP (timedatectl set-ntp true)\" by=26h0m0s",
		-90 * time.Minute: "jumped back: sign-ins of the time in between may be refused; keep it right with NTP (timedatectl set-ntp true)\" by=1h30m0s",
	} {
		var output strings.Builder
		logJump(slog.New(slog.NewTextHandler(&output, nil)), by)
		if got := output.String(); !strings.Contains(got, want) || (want == "") != (got == "") || want != "" && !strings.Contains(got, "level=ERROR") {
			t.Errorf("of %s the log says %q, want %q", by, got, want)
		}
	}
}

// TestTellApart checks that both times are logged once a day.
func TestTellApart(t *testing.T) {
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	seldom := warning.NewSeldom[struct{}](warning.Again, func() time.Time { return now })
	var output strings.Builder
	log := slog.New(slog.NewTextHandler(&output, nil))
	for _, row := range []struct {
		passes, behind time.Duration
		tells          bool
	}{
		{0, 59 * time.Second, false}, {0, time.Minute, true}, {time.Hour, time.Minute, false}, {22 * time.Hour, -time.Hour, false}, {time.Hour, -time.Hour, true},
	} {
		output.Reset()
		now = now.Add(row.passes)
		logApart(log, seldom, now, now.Add(-row.behind))
		if (output.Len() > 0) != row.tells {
			t.Errorf("%s behind at %s: the log says %q", row.behind, now, &output)
		}
	}
	for _, want := range []string{"level=WARN", "keep it right with NTP", "here=2026-11-29T12:00:00Z database=2026-11-29T13:00:00Z"} {
		if !strings.Contains(output.String(), want) {
			t.Errorf("the log says %q, want %q", &output, want)
		}
	}
}

func TestMostStreams(t *testing.T) {
	for descriptors, want := range map[uint64]int{0: 1, 100: 27, 1024: 672, 1500: 984, 65536: 43008} {
		if got := mostStreams(descriptors); got != want {
			t.Errorf("of %d descriptors: %d, want %d", descriptors, got, want)
		}
	}
}
