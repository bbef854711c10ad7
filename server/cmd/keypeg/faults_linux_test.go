package main

import (
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/keypeg/keypeg/server/internal/metrics"
	"github.com/keypeg/keypeg/server/passkey/passkeytest"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// letsGrow limits how large the program's files may become, as a disk that is full
// does. It also works where nobody may mount one.
func (p *program) letsGrow(bytes uint64) {
	p.Helper()
	limit := unix.Rlimit{Cur: bytes, Max: unix.RLIM_INFINITY}
	if err := unix.Prlimit(p.running.Process.Pid, unix.RLIMIT_FSIZE, &limit, nil); err != nil {
		p.Fatal(err)
	}
}

// TestDiskFull fills the disk of a running program, and frees it again.
func TestDiskFull(t *testing.T) {
	for name, limit := range map[string]func(p *program) uint64{
		"no byte can be written": func(*program) uint64 { return 0 },
		"the file can't grow": func(p *program) uint64 {
			info, err := os.Stat(p.database)
			if err != nil {
				t.Fatal(err)
			}
			return uint64(info.Size())
		},
	} {
		t.Run(name, func(t *testing.T) {
			socket := filepath.Join(t.TempDir(), "m")
			p := newProgram(t, "--metrics", "unix:"+socket)
			id, token := p.hasUser("ann")
			p.starts()
			device := passkeytest.New(p.url)
			added, err := p.opensTab(device, token).steps.Register(t.Context(), "Laptop", "")
			if err != nil {
				t.Fatal(err)
			}

			if answer := p.get(shared.PathReady); answer != http.StatusOK {
				t.Fatalf("before the disk is full, %s: %d", shared.PathReady, answer)
			}
			p.letsGrow(limit(p))
			p.becomes(shared.PathReady, http.StatusServiceUnavailable) // before the first refusal
			p.logs("the store can't be written: nobody can sign in")
			p.logs("may not grow any further: raise the limit on file sizes")
			if _, page := asks(t, privately(socket), metrics.PathMetrics); figures(t, page)[metrics.Ready] != 0 {
				t.Errorf("the figures are %s", page)
			}
			failsWith(t, "isn't ready: the store can't be written", "", append([]string{"healthcheck"}, p.args[1:]...)...)
			if answer := p.get(shared.PathHealth); answer != http.StatusOK {
				t.Errorf("what can be read can be read, and %s says %d", shared.PathHealth, answer)
			}
			signIns, refused := 0, 0
			for refused < 3 && signIns < 20_000 {
				tab := p.opensTab(device, "")
				_, err := tab.steps.SignIn(t.Context())
				switch {
				case err == nil:
					token = tab.token() // so many sessions end the first ones
					signIns++
				case shared.CodeOf(err) == shared.CodeInternal:
					refused++
				default:
					t.Fatalf("got %v, want a fault of ours", err)
				}
			}
			if refused == 0 {
				t.Fatalf("%d sign-ins, and the disk isn't full", signIns)
			}

			// What needs no writing goes on.
			list, err := p.opensTab(device, token).Passkeys(t.Context())
			if err != nil || len(list.Passkeys) != 1 || list.Passkeys[0].ID != added.ID {
				t.Errorf("the list: %+v, %v", list, err)
			}
			if response, err := http.Get(p.url + shared.PageSignIn); err != nil || response.StatusCode != 200 {
				t.Errorf("the sign-in page: %v, %v", response, err)
			}

			p.letsGrow(unix.RLIM_INFINITY)
			p.becomes(shared.PathReady, http.StatusOK)
			again := p.opensTab(device, "")
			if _, err := again.steps.SignIn(t.Context()); err != nil {
				t.Errorf("with room on the disk again: %v", err)
			}
			signIns++

			p.ends(syscall.SIGTERM)
			p.opens(func(db store.Store) {
				user, err := db.User(t.Context(), id)
				if err != nil || len(user.Passkeys) != 1 {
					t.Errorf("user %+v, %v", user, err)
				}
			})
			p.starts()
			activity := 0
			for before := ""; ; {
				page, err := p.opensTab(device, again.token()).Activity(t.Context(), before)
				if err != nil {
					t.Fatal(err)
				}
				for _, event := range page.Events {
					if event.Kind == shared.EventSignedIn {
						activity += max(int(event.Count), 1)
					}
				}
				if before = page.Next; before == "" {
					break
				}
			}
			if activity != signIns {
				t.Errorf("%d sign-ins were answered, and %d are known", signIns, activity)
			}
		})
	}
}
