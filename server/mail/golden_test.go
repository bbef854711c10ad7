package mail

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

var update = flag.Bool("update", false, "write the files of testdata")

// TestLetters compares every mail in every language with a file.
func TestLetters(t *testing.T) {
	o := Organisation{Product: "Acme", Contact: "IT desk, phone 1234", Origin: "https://id.acme.example"}
	for _, catalogue := range message.Languages {
		for _, row := range notices {
			n := news{
				To: "ann@acme.example", Language: catalogue.Lang, Name: "Ann Miller", Kind: row.kind, Method: row.method,
				Time:    time.Date(2026, 11, 29, 9, 5, 0, 0, time.UTC),
				Browser: "Firefox", System: "Windows", Address: "192.0.2.44",
			}
			name := string(row.kind)
			switch row.kind {
			case shared.EventPasskeyAdded, shared.EventPasskeyRemoved:
				n.Passkey = "Ann’s phone"
			case shared.EventIdentityLinked, shared.EventIdentityUnlinked:
				n.Provider = "Example ID"
			case shared.EventProgramAllowed:
				n.Program = "Grafana"
			case shared.EventEmailChanged:
				n.Email = "ann.miller@acme.example"
			case shared.EventRoleChanged, shared.EventDisabled, shared.EventRecoveryLinkMade:
				n.ByOther, n.Browser, n.System, n.Address = true, "", "", ""
			case shared.EventSignedIn:
				if name = "signed_in_elsewhere"; row.method != "" {
					name = "signed_in_" + string(row.method)
				}
			}
			got, is := o.letter("one", n, link{target: o.Origin + "/not-me?token=abcdefg"})
			if !is {
				t.Fatalf("there is no mail about %s", row.kind)
			}
			same(t, catalogue.Lang+"/"+name+".txt", "Subject: "+got.Subject+"\n\n"+got.Text)
			same(t, catalogue.Lang+"/"+name+".html", got.HTML)
			standsAlone(t, got)
		}
		for name, n := range map[string]news{
			"email_verification": {Kind: kindVerification},
			"invitation":         {Kind: kindInvitation},
			"held":               {Kind: kindHeld, Releases: true},
			"held_elsewhere":     {Kind: kindHeld},
		} {
			n.To, n.Language, n.Name, n.UserName = "ann@acme.example", catalogue.Lang, "Ann Miller", "ann"
			n.Time, n.Until = time.Date(2026, 11, 29, 9, 5, 0, 0, time.UTC), time.Date(2026, 12, 6, 9, 5, 0, 0, time.UTC)
			if n.Kind == kindHeld {
				n.Browser, n.System, n.Address = "Firefox", "Windows", "192.0.2.44"
			}
			got, _ := o.letter("one", n, link{o.Origin + "/page?token=abcdefg", time.Date(2026, 11, 30, 9, 5, 0, 0, time.UTC)})
			same(t, catalogue.Lang+"/"+name+".txt", "Subject: "+got.Subject+"\n\n"+got.Text)
			same(t, catalogue.Lang+"/"+name+".html", got.HTML)
			standsAlone(t, got)
		}
	}
}

// Mail programs load nothing and run nothing, or should not, and many drop styles.
var (
	loads      = regexp.MustCompile(`(?i)<(script|img|link|iframe|object|embed|svg|form|base|video|audio|meta http-equiv)|\s(src|srcset|style|background|on\w+)=|@import|@font-face|url\(`)
	addresses  = regexp.MustCompile(`https?://[^\s"<]+`)
	attributes = regexp.MustCompile(`href="([^"]*)"`)
)

// standsAlone checks that a mail loads nothing, and that both of its forms have its only link.
func standsAlone(t *testing.T, got Letter) {
	t.Helper()
	if found := loads.FindString(got.HTML); found != "" {
		t.Errorf("%q has %q, which mail programs strip", got.Subject, found)
	}
	inText := addresses.FindAllString(got.Text, -1)
	var linked []string
	for _, match := range attributes.FindAllStringSubmatch(got.HTML, -1) {
		linked = append(linked, match[1])
	}
	if len(inText) > 1 || !slices.Equal(inText, linked) || !slices.Equal(addresses.FindAllString(got.HTML, -1), linked) {
		t.Errorf("%q has the links %q as a text, and %q as HTML", got.Subject, inText, linked)
	}
	if strings.ContainsAny(got.Text, "<>") {
		t.Errorf("%q has markup in its text:\n%s", got.Subject, got.Text)
	}
}

func same(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil || string(want) != got {
		t.Errorf("%s isn't what was read (%v); got:\n%s", name, err, got)
	}
}

// TestHostileNews checks that nothing that a person typed is markup or a line of its own.
func TestHostileNews(t *testing.T) {
	const hostile = "<img src=x onerror=alert(1)>\r\nBcc: eve@evil.example\u202e{product}"
	n := newsOf(store.Event{Kind: shared.EventPasskeyAdded, Passkey: hostile, Provider: hostile, Program: hostile, Client: store.Client{Browser: hostile, System: hostile, Address: hostile}},
		store.User{DisplayName: hostile}, "ann@acme.example")
	n.Email = hostile
	n.UserName = hostile
	for _, kind := range []shared.EventKind{n.Kind, kindVerification, kindInvitation, kindHeld} {
		n.Kind = kind
		got, _ := Organisation{Product: "Acme"}.letter("one", n, link{})
		notHostile(t, got)
	}
}

func notHostile(t *testing.T, got Letter) {
	t.Helper()
	if strings.Contains(got.HTML, "<img") {
		t.Errorf("a name is markup:\n%s", got.HTML)
	}
	if strings.Contains(got.Text, "\nBcc") || strings.ContainsAny(got.Text+got.HTML+got.Subject, "\r\u202e") {
		t.Errorf("a name begins a line, or turns one around:\n%q", got.Text)
	}
	if !strings.Contains(got.Text, "{product}") {
		t.Errorf("a name was filled again:\n%s", got.Text)
	}
}
