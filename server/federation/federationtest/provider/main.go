// Command provider is an OpenID provider to try Keypeg with: whoever comes may
// choose who they are. It is for tests and for those who work on Keypeg.
//
//	go run ./server/federation/federationtest/provider -callback http://localhost:8080/sign-in/sso/test/callback
package main

import (
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"

	"github.com/keypeg/keypeg/server/federation/federationtest"
)

// secret is no secret: the provider is for tests.
const secret = "keypeg-test"

func main() {
	listen := flag.String("listen", "localhost:9096", "address to listen on; port 0 takes a free one")
	callback := flag.String("callback", "http://localhost:8080/sign-in/sso/test/callback", "where Keypeg waits for the answer")
	flag.Parse()
	if err := run(*listen, *callback); err != nil {
		fmt.Fprintln(os.Stderr, "provider:", err)
		os.Exit(1)
	}
}

func run(listen, callback string) error {
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		return err
	}
	provider, err := federationtest.New("http://localhost:"+port,
		federationtest.Person{Subject: "1001", Name: "Ann Admin", Username: "ann", Email: "ann@example.com", EmailVerified: true},
		federationtest.Person{Subject: "1002", Name: "Bob Builder", Username: "bob", Email: "bob@example.com", EmailVerified: true},
		federationtest.Person{Subject: "1003", Name: "Eve Elsewhere", Username: "eve", Email: "eve@elsewhere.example", EmailVerified: true},
	)
	if err != nil {
		return err
	}
	origin, _, _ := strings.Cut(callback, "/sign-in/")
	provider.Register(federationtest.Client{ID: "keypeg", Secret: secret, RedirectURIs: []string{callback}, SignedOutURIs: []string{origin + "/sign-in"}})
	fmt.Println(provider.URL)
	fmt.Fprintf(os.Stderr, "\nFor Keypeg's configuration file, with %q in the file keypeg.secret:\n\n"+
		"[provider.test]\nname = \"Test\"\nissuer = %q\nclient-id = \"keypeg\"\nclient-secret-file = \"keypeg.secret\"\n"+
		"create-users = true\nallowed-domains = [\"example.com\"]\n\n", secret, provider.URL)
	return http.Serve(listener, provider)
}
