package doctor

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/internal/installation"
)

func TestCheck(t *testing.T) {
	t.Run("one that doesn't end is given up", func(t *testing.T) {
		hangs := Check{Within: time.Millisecond, Run: func(context.Context) Result { select {} }}
		if r := hangs.run(t.Context()); r.State != Failed { // or this test hangs too
			t.Errorf("%+v", r)
		}
	})
	t.Run("one that says itself what it waited for is heard", func(t *testing.T) {
		waits := Check{Within: time.Millisecond, Run: func(ctx context.Context) Result { <-ctx.Done(); return failed("the mail server is silent") }}
		if r := waits.run(t.Context()); r.Compared != "the mail server is silent" {
			t.Errorf("%+v", r)
		}
	})
}

func TestReport(t *testing.T) {
	var r Report
	r.add(Check{Group: "One", Name: "a"}, warn("it is\n\x00slow", Mend{In: "nginx", Line: "fast on;"}))
	if !r.IsOK() {
		t.Error("a warning fails the report")
	}
	r.add(Check{Group: "Two", Name: "b"}, failed("it is broken", do("mend it")))
	r.add(Check{Group: "Two", Name: "c"}, leftOut("b is broken"))
	var text strings.Builder
	if err := r.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	const want = "One\n  warning   a: it is slow\n            → nginx: fast on;\n\nTwo\n  failed    b: it is broken\n            → mend: mend it\n  left out  c: b is broken\n\n1 check failed, 1 warning, of 3 checks.\n"
	if r.IsOK() || text.String() != want {
		t.Errorf("got\n%q, want\n%q", text.String(), want)
	}
}

func TestDatabaseFile(t *testing.T) {
	sound := installation.DatabaseFacts{Path: "/var/lib/keypeg/keypeg.db", Folder: "/var/lib/keypeg", Mode: 0o600, Owner: 998, FolderOwner: 998, Free: 5 << 30}
	for _, row := range []struct {
		what   string
		change func(f *installation.DatabaseFacts)
		want   State
		mend   string
	}{
		{"sound", func(*installation.DatabaseFacts) {}, "", ""},
		{"a folder of root's", func(f *installation.DatabaseFacts) { f.FolderOwner = 0 }, "", ""},
		{"little room", func(f *installation.DatabaseFacts) { f.Free = 900 << 20 }, Warning, "make room on the disk of /var/lib/keypeg"},
		{"no room", func(f *installation.DatabaseFacts) { f.Free = 99 << 20 }, Failed, "make room on the disk of /var/lib/keypeg"},
		{"readable by its group", func(f *installation.DatabaseFacts) { f.Mode = 0o640 }, Failed, "chmod 600 /var/lib/keypeg/keypeg.db"},
		{"replaceable", func(f *installation.DatabaseFacts) { f.FolderOpen = true }, Failed, "chmod go-w /var/lib/keypeg"},
		{"root's", func(f *installation.DatabaseFacts) { f.Owner = 0 }, Failed, "chown 998 /var/lib/keypeg/keypeg.db"},
		{"PostgreSQL", func(f *installation.DatabaseFacts) { *f = installation.DatabaseFacts{Server: "db"} }, "", ""},
	} {
		f := sound
		row.change(&f)
		r, _ := fileWrong(f)
		if r.State != row.want || row.mend != "" && (len(r.Mend) != 1 || r.Mend[0].Line != row.mend) {
			t.Errorf("%s: %+v, want %q with %q", row.what, r, row.want, row.mend)
		}
	}
}
