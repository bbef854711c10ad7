// Package control carries the commands of IT out, whoever has the database open.
//
// A bbolt file has one owner. While the server runs, the command line reaches it over a Unix
// socket beside the database, which only the owner of the file can open; else the command
// opens the database itself. A command is one row ([Ask], [Do]): its path on the socket, what
// it takes and answers, and how it is carried out. It looks the same both ways: it is called
// with a [Target], which is at hand ([Here]) or with the server ([Dial], [At]).
//
// The socket speaks HTTP with JSON: one path per command, the input in the body. Who may
// open it may do everything, so there is no sign-in.
//
// The commands about users are here ([Users]). Those about tenants stand where tenants are
// opened and erased, in package installation.
package control

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/keypeg/keypeg/shared"
)

// Target is what commands are carried out on: it is at hand in this process, or with a server
// that runs.
type Target[On any] struct {
	here   On
	server *Client // nil where it is at hand
}

// Here is a target that is at hand.
func Here[On any](it On) Target[On] { return Target[On]{here: it} }

// At is a target that a running server has.
func At[On any](server *Client) Target[On] { return Target[On]{server: server} }

// IsRunning reports whether a running server carries the commands out.
func (t Target[On]) IsRunning() bool { return t.server != nil }

// Set is the commands that there are for one kind of target. The zero Set has none.
type Set[On any] struct{ rows []row[On] }

type row[On any] struct {
	path   string // on the socket
	serves func(On) http.HandlerFunc
}

// None is the input of commands that need none.
type None struct{}

// Ask adds a command to a set: its path on the socket, what it takes and answers, and how it
// is carried out. What comes back is the command, for whoever has a target. Errors are
// a *shared.Error where there is something to tell the person at the keyboard.
func Ask[On, In, Out any](to *Set[On], path string, do func(context.Context, On, In) (Out, error)) func(context.Context, Target[On], In) (Out, error) {
	to.rows = append(to.rows, row[On]{path, func(it On) http.HandlerFunc {
		return serve(func(ctx context.Context, in In) (Out, error) { return do(ctx, it, in) })
	}})
	return func(ctx context.Context, t Target[On], in In) (Out, error) {
		if t.server != nil {
			return call[Out](ctx, t.server, path, in)
		}
		return do(ctx, t.here, in)
	}
}

// Do is [Ask] for a command that answers nothing.
func Do[On, In any](to *Set[On], path string, do func(context.Context, On, In) error) func(context.Context, Target[On], In) error {
	ask := Ask(to, path, func(ctx context.Context, it On, in In) (None, error) { return None{}, do(ctx, it, in) })
	return func(ctx context.Context, t Target[On], in In) error {
		_, err := ask(ctx, t, in)
		return err
	}
}

// Handler offers all commands of a set on the socket, and backups of the database, unless it is
// nil.
func (s *Set[On]) Handler(it On, database io.WriterTo) *http.ServeMux {
	mux := http.NewServeMux()
	if database != nil {
		mux.HandleFunc("POST "+pathBackup, backup(database))
	}
	for _, row := range s.rows {
		mux.HandleFunc("POST "+row.path, row.serves(it))
	}
	return mux
}

// HandleTenants adds the commands for each tenant to a handler. Of runs do with what a [Set]
// of the tenant's offers.
func HandleTenants(mux *http.ServeMux, of func(ctx context.Context, name string, do func(http.Handler)) error) {
	mux.HandleFunc("POST "+pathTenant+"{name}/", func(w http.ResponseWriter, r *http.Request) {
		name := r.PathValue("name")
		err := of(r.Context(), name, func(h http.Handler) { http.StripPrefix(pathTenant+name, h).ServeHTTP(w, r) })
		if err != nil {
			refuse(w, err)
		}
	})
}

const (
	pathBackup = "/backup"  // answers with the database's file
	pathTenant = "/tenant/" // and a name lead to the commands of that tenant
)

func backup(database io.WriterTo) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		// It may take long. The server's own limit is for answers to strangers.
		http.NewResponseController(w).SetWriteDeadline(time.Time{})
		if _, err := database.WriteTo(w); err != nil {
			panic(http.ErrAbortHandler) // so that nobody takes it for whole
		}
	}
}

func serve[In, Out any](command func(context.Context, In) (Out, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var in In
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10)).Decode(&in); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		out, err := command(r.Context(), in)
		if err != nil {
			refuse(w, err)
			return
		}
		json.NewEncoder(w).Encode(out)
	}
}

func refuse(w http.ResponseWriter, err error) {
	w.WriteHeader(http.StatusUnprocessableEntity)
	json.NewEncoder(w).Encode(problem(err))
}

// problem tells IT everything: there are no strangers on this socket.
func problem(err error) shared.Problem {
	if refusal, ok := errors.AsType[*shared.Error](err); ok {
		return shared.Problem{Code: refusal.Code, Detail: refusal.Message}
	}
	return shared.Problem{Code: shared.CodeInternal, Detail: err.Error()}
}
