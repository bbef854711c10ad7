package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestCandidates(t *testing.T) {
	for _, test := range []struct{ typed, has, hasNot string }{
		{"", "serve user audit config", "__complete list --listen"},
		{"us", "user", "serve"},
		{"user ", "add invite list", "serve"},
		{"user ad", "add", "invite"},
		{"user list --fi", "--find", "--find-all --listen"},
		{"serve --l", "--listen --log-level --log-json", "--database"},
		{"--database x user ", "add", "serve"},
		{"serve --log-level ", "debug info warn error", "true"},
		{"serve --log-level=w", "warn", "info"},
		{"client add --authentication ", "none private_key_jwt", "serve"},
		{"client add x --preset g", "gitea grafana", "immich"},
		{"client ", "add rotate remove", "serve"},
		{"serve --passkeys ", "true false", "serve"},
		{"backup --database ", "make verify", "add"},
		{"nonsense ", "", "add"},
	} {
		got := candidates(strings.Split(test.typed, " "))
		for _, word := range strings.Fields(test.has) {
			if !slices.Contains(got, word) {
				t.Errorf("%q: got %q, want %s too", test.typed, got, word)
			}
		}
		for _, word := range strings.Fields(test.hasNot) {
			if slices.Contains(got, word) {
				t.Errorf("%q: got %q, and not %s", test.typed, got, word)
			}
		}
	}
}

// TestCompletion has bash complete words as somebody does who presses Tab.
func TestCompletion(t *testing.T) {
	path, err := theProgram()
	if err != nil {
		t.Fatal(err)
	}
	shell := exec.Command("bash", "-c", `source <(keypeg completion bash) && COMP_WORDS=(keypeg user in) COMP_CWORD=2 && _keypeg && echo "${COMPREPLY[@]}"`)
	shell.Env = append(os.Environ(), "PATH="+filepath.Dir(path)+":"+os.Getenv("PATH"))
	if out, err := shell.CombinedOutput(); err != nil || string(out) != "invite\n" {
		t.Errorf("got %s (%v)", out, err)
	}
	failsWith(t, `there is no completion for "csh": write one of bash, fish, zsh`, "", "completion", "csh")
}

// TestManpage: every command and setting is on the page, and no line of it is taken for a macro by mistake.
func TestManpage(t *testing.T) {
	page := succeeds(t, "", "manpage")
	for _, want := range []string{".TH KEYPEG 1 ", "\n.SH NAME\nkeypeg \\- passkey sign\\-in", "\n.B keypeg user invite <name>\n", `.B \-\-listen=HOST:PORT`, `[KEYPEG_LISTEN, default localhost:8080]`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q:\n%s", want, page)
		}
	}
	for line := range strings.Lines(page) {
		if macro, _, _ := strings.Cut(strings.TrimSpace(line), " "); strings.HasPrefix(line, ".") && !slices.Contains([]string{".TH", ".SH", ".TP", ".B", ".I"}, macro) || strings.HasPrefix(line, "'") {
			t.Errorf("a strange line: %s", line)
		}
	}
}
