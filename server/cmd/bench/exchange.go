package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
)

// A plain exchange is what any JSON API costs on net/http: a small object in, a small
// object out, and nothing between. It is served by a process of its own, which is this
// program again.

const exchangeCommand = "serve-exchanges"

// own is this program.
var own = os.Executable

func serveExchanges() {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("POST /exchange", func(w http.ResponseWriter, r *http.Request) {
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
		fmt.Fprintln(os.Stderr, http.ListenAndServe(os.Args[2], mux))
		os.Exit(1)
	}()
	<-ended
}

func (b *bench) startExchanges() (*process, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	program, err := own()
	if err != nil {
		return nil, err
	}
	p := &process{address: address, command: exec.Command(program, exchangeCommand, address)}
	return p, b.start(p, "/")
}

// exchange is one, and nothing else.
func exchange(s *process) func(*connection, int) task {
	body := []byte(`{"mediation":""}`)
	return func(c *connection, _ int) task {
		return timed(func() error {
			_, err := c.ask("POST", "/exchange", "", body)
			return err
		})
	}
}
