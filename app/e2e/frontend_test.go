package e2e

import (
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"testing"
)

// startBeside runs the program and another front end behind one proxy, as a company with a
// front end of its own would. Both have one origin, since passkeys and cookies belong to it.
func startBeside(t *testing.T, frontEnd http.Handler) *server {
	t.Helper()
	listener, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	s := startServer(t, "--public-url", "http://localhost:"+port)

	routes := http.NewServeMux()
	routes.Handle("/theirs/", http.StripPrefix("/theirs", frontEnd))
	routes.Handle("/", &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(&url.URL{Scheme: "http", Host: s.listens})
		r.Out.Host = r.In.Host
	}})
	proxy := &http.Server{Handler: routes}
	t.Cleanup(func() { proxy.Close() })
	go proxy.Serve(listener)
	return s
}

// TestAnotherFrontEnd registers a passkey and signs in with it on a page that isn't ours, with
// @simplewebauthn/browser from npm. The page has the script that the manual shows.
func TestAnotherFrontEnd(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("../../bin/simplewebauthn/index.js"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("@simplewebauthn/browser is missing: run make tools")
		}
		t.Skip("@simplewebauthn/browser is missing: run make tools")
	}
	theirs := http.NewServeMux()
	theirs.Handle("/", http.FileServer(http.Dir("testdata/front-end")))
	theirs.Handle("/simplewebauthn/", http.StripPrefix("/simplewebauthn", http.FileServer(http.Dir("../../bin/simplewebauthn"))))
	ann := openBrowser(t, startBeside(t, theirs))
	laptop := ann.hasDevice()

	// Ann signs in at our sign-in page, and adds a passkey on their page.
	ann.setsUp()
	ann.opens("/theirs/")
	ann.readsIn("#who", "Signed in as Ann Admin")
	ann.types("#name", "Work laptop")
	ann.clicks("#add")
	ann.readsIn("#passkeys", "Work laptop")
	if n := laptop.holds(); n != 1 {
		t.Fatalf("the device holds %d passkeys, want 1", n)
	}

	// The same device again: the library finds in our options what it holds.
	ann.clicks("#add")
	ann.readsIn("#refusal", "ERROR_AUTHENTICATOR_PREVIOUSLY_REGISTERED: The authenticator was previously registered")

	// Out, and in again with the passkey alone.
	ann.clicks("#out")
	ann.readsIn("#who", "Nobody is signed in")
	ann.readsIn("#passkeys", "")
	ann.clicks("#in")
	ann.readsIn("#who", "Signed in as Ann Admin")
	ann.readsIn("#passkeys", "Work laptop (used for this session)")
	ann.readsIn("#refusal", "")

	// Our own pages agree.
	ann.opens("/passkeys")
	ann.readsIn(row(1, ".row-name bdi"), "Work laptop")
	ann.reads("You signed in with it")

	// The page shows the code of a refusal.
	ann.opens("/theirs/")
	ann.readsIn("#passkeys", "Work laptop (used for this session)") // above the buttons, which move
	ann.clicks("#out")
	ann.readsIn("#who", "Nobody is signed in")
	ann.server.command(t, "", "user", "disable", "ann", "--even-the-last")
	ann.clicks("#in")
	ann.readsIn("#refusal", "account_disabled: Your account is disabled. Please ask IT.")
	ann.readsIn("#who", "Nobody is signed in")
	ann.hasNoComplaints()
}
