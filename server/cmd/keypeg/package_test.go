package main

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestUnit: systemd thinks that the service may do little. make dist-try tries the whole package.
func TestUnit(t *testing.T) {
	unit := filepath.Join(projectRoot, "server/package/keypeg.service")
	out, err := exec.Command("systemd-analyze", "security", "--offline=true", "--threshold=19", unit).CombinedOutput()
	level := regexp.MustCompile(`Overall exposure level for keypeg.service: (\d+\.\d)`).FindSubmatch(out)
	if err != nil || level == nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if n, err := strconv.ParseFloat(string(level[1]), 64); err != nil || n >= 2 {
		t.Errorf("its exposure is %s, want under 2", level[1])
	}
}

// TestPackageFiles: each file that the packages take from here is here, and every script is for sh.
func TestPackageFiles(t *testing.T) {
	config := document(t, "server/package/nfpm.yaml")
	sources := regexp.MustCompile(`(?:src: |install: |remove: )((?:server/package/|LICEN)[\w./-]+)`).FindAllStringSubmatch(config, -1)
	if len(sources) < 8 {
		t.Fatalf("it names only %q", sources)
	}
	for _, source := range sources {
		text := document(t, source[1])
		if strings.HasSuffix(source[1], ".sh") && !strings.HasPrefix(text, "#!/bin/sh\n") {
			t.Errorf("%s is no script for sh", source[1])
		}
	}
}
