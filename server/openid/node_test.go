package openid_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestOpenIDClient signs in with openid-client on Node, which is certified by the OpenID Foundation, by an ordinary request
// and by a pushed one.
func TestOpenIDClient(t *testing.T) {
	folder, err := filepath.Abs("../../bin/openid-client")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(folder, "node_modules/openid-client")); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("openid-client is missing: run make tools")
		}
		t.Skip("openid-client is missing: run make tools")
	}
	for i, kind := range []string{"ordinary", "pushed"} {
		t.Run(kind, func(t *testing.T) {
			s := newScene(t, stores["memstore"])
			ann := s.user("ann")
			program := exec.CommandContext(t.Context(), "node", "testdata/openid-client.mjs", folder, s.issuer, "grafana", secret, redirect)
			var faults strings.Builder
			program.Stderr = &faults
			in, err := program.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			out, err := program.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := program.Start(); err != nil {
				t.Fatal(err)
			}
			lines := bufio.NewScanner(out)
			says := func() string {
				if !lines.Scan() {
					t.Fatalf("it ends: %s", faults.String())
				}
				return lines.Text()
			}
			addresses := []string{says(), says()}
			fmt.Fprintln(in, redirect+"?"+ann.followed(addresses[i]).Encode())
			var got struct {
				Sub, Name, Leave string
				Active, Ended    bool
			}
			if err := json.Unmarshal([]byte(says()), &got); err != nil {
				t.Fatal(err)
			}
			if got.Sub != ann.user.ID || got.Name != "Ann Miller" || !got.Active || !got.Ended {
				t.Errorf("it has learnt %+v", got)
			}
			s.is("Location after the sign-out", ann.gets(got.Leave).header.Get("Location"), signedOut)
			s.is("signed in", ann.isSignedIn(), false)
			if err := program.Wait(); err != nil {
				t.Errorf("%v: %s", err, faults.String())
			}
		})
	}
}
