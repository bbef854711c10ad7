package main

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

// exchangeCommand has this program serve plain exchanges, in a process of their own.
const exchangeCommand = "serve-exchanges"

// serveExchanges answers a small JSON object with another until it is interrupted.
func serveExchanges(address string) {
	http.HandleFunc("GET /", func(http.ResponseWriter, *http.Request) {})
	http.HandleFunc("POST /exchange", func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			Mediation string `json:"mediation"`
		}
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(struct {
			OK        bool   `json:"ok"`
			Mediation string `json:"mediation"`
		}{true, in.Mediation})
	})
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, os.Interrupt)
	go func() {
		fmt.Fprintln(os.Stderr, http.ListenAndServe(address, nil))
		os.Exit(1)
	}()
	<-ended
}

func (b *bench) startExchanges() (*process, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return b.launch("/", func(address string) *exec.Cmd { return exec.Command(program, exchangeCommand, address) })
}

// exchange is one exchange of JSON with [serveExchanges].
func exchange(_ *process, c *connection) (time.Duration, error) {
	return c.timed("POST", "/exchange", c.cookie, []byte(`{"mediation":""}`))
}

// verification is the time to verify a P-256 signature.
func (b *bench) verification() (load, error) {
	key, digest := b.keys[0], sha256.Sum256([]byte("a message"))
	signature, err := ecdsa.SignASN1(rand.Reader, key, digest[:])
	if err != nil {
		return load{}, err
	}
	return repeat(b.phase/4, func() error {
		if !ecdsa.VerifyASN1(&key.PublicKey, digest[:], signature) {
			return errors.New("a valid signature is refused")
		}
		return nil
	})
}

// diskWait is the time until a page of a file is on the disk (fdatasync).
func (b *bench) diskWait() (load, error) {
	file, err := os.Create(filepath.Join(b.dir, "disk"))
	if err != nil {
		return load{}, err
	}
	defer file.Close()
	page := make([]byte, os.Getpagesize())
	return repeat(b.phase/4, func() error {
		if _, err := file.WriteAt(page, 0); err != nil {
			return err
		}
		return syscall.Fdatasync(int(file.Fd()))
	})
}

// repeat does something again and again for a while.
func repeat(d time.Duration, do func() error) (load, error) {
	var took []time.Duration
	for begin := time.Now(); len(took) == 0 || time.Since(begin) < d; {
		before := time.Now()
		if err := do(); err != nil {
			return load{}, err
		}
		took = append(took, time.Since(before))
	}
	slices.Sort(took)
	return load{p50: took[len(took)/2]}, nil
}
