// Command gallery shows every component of the app and every sign-in page in every state,
// for those who work on them. The server draws them without the app, so only markup and
// style can be seen.
//
//	go run ./server/cmd/gallery
//
// The states are beside the components: [ui.States] and [pages.States]. The tests of
// app/e2e check all of them: whether they fit, whether nothing moves, and whether everybody
// can use them.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/web"
)

func main() {
	listen := flag.String("listen", "localhost:8082", "the address to listen on")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *listen); err != nil {
		fmt.Fprintln(os.Stderr, "gallery:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends.
func run(ctx context.Context, listen string) error {
	files, err := web.Open()
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	s := &http.Server{Handler: newGallery(files), ReadHeaderTimeout: server.ReadHeaderTimeout}
	defer context.AfterFunc(ctx, func() { s.Close() })()
	fmt.Printf("The gallery is open at http://%s\n", listen)
	if err := s.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
