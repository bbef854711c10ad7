// Command toolcrib is a small example of a program that builds Keypeg in: a crib of tools,
// with people, passwords, sessions and pages of its own. Keypeg adds passkeys.
//
// The code that builds Keypeg in is in keypeg.go, here and in app/toolcrib. Run it with
// make toolcrib.
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
	"path/filepath"
	"syscall"
	"time"

	"github.com/keypeg/keypeg/app/toolcrib"
	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/limit"
	"github.com/keypeg/keypeg/server/store/boltstore"
	"github.com/keypeg/keypeg/web"
)

func main() {
	listen := flag.String("listen", "localhost:8081", "the address to listen on")
	folder := flag.String("data", "data/toolcrib", "the folder with what the crib knows, made where missing")
	app := flag.String("app", "bin/toolcrib.wasm", "the built app")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *listen, *folder, *app); err != nil {
		fmt.Fprintln(os.Stderr, "toolcrib:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends.
func run(ctx context.Context, listen, folder, app string) (err error) {
	if _, err := os.Stat(app); err != nil {
		return fmt.Errorf("the app isn't built, run make toolcrib: %w", err)
	}
	c, isNew, err := openCrib(filepath.Join(folder, "crib.json"))
	if err != nil {
		return err
	}
	if isNew {
		if err := fill(c); err != nil {
			return err
		}
	}
	db, err := boltstore.Open(filepath.Join(folder, "passkeys.db"), time.Now)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()

	address := "http://" + listen
	files, err := web.Open()
	if err != nil {
		return err
	}
	keypeg, err := passkeys(ctx, c, db, files, address)
	if err != nil {
		return err
	}
	ours := pages(app, files)
	crib := routes{crib: c, guesses: limit.New(10, time.Minute), forget: keypeg.RemovePasskeys}.handler()
	mux := http.NewServeMux()
	mux.Handle("/api/v1/", keypeg)
	mux.Handle(toolcrib.PathCrib, crib)
	mux.Handle(toolcrib.PathCrib+"/", crib)
	mux.Handle("/", ours)

	s := &http.Server{Handler: mux, ReadHeaderTimeout: server.ReadHeaderTimeout, ReadTimeout: server.ReadTimeout, IdleTimeout: server.IdleTimeout}
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	fmt.Println("The tool crib is open at", address)
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(listener) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	keypeg.EndStreams()
	finish, stop := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer stop()
	err = s.Shutdown(finish)
	keypeg.Close(finish)
	return err
}

// fill fills a new crib: with some tools, a keeper, and two borrowers.
func fill(c *crib) error {
	err := c.change(func(k *kept) error {
		k.Tools = []tool{{ID: "1", Name: "Torque wrench"}, {ID: "2", Name: "Thermal camera"}, {ID: "3", Name: "Bench vice"}}
		return nil
	})
	if err != nil {
		return err
	}
	names := []string{"kim", "ann", "bob"}
	passwords, err := c.admit(names...)
	if err != nil {
		return err
	}
	fmt.Println("A new crib. Its people and their passwords, which are shown only now:")
	for _, name := range names {
		fmt.Printf("  %s  %s\n", name, passwords[name])
	}
	return nil
}
