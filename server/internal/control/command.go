// Package control carries out the commands of IT, by the running server or in this process.
//
// A bbolt file can be opened by one process only. While the server is running, the command
// line reaches it by a Unix socket beside the database, which only the owner of the file
// can open. Otherwise the command opens the database itself. A command is one row ([Ask],
// [Do]): its path on the socket, its input and output, and the function that carries it
// out. It is called in the same way in both cases, with a [Target] that is in this process
// ([Here]) or behind the socket ([Dial], [At]).
//
// The socket speaks HTTP with JSON: one path for each command, and the input in the body.
// Whoever may open it may do everything, so there is no sign-in.
//
// The commands about users are here ([Users]). Those about tenants are in package
// installation, which opens and erases tenants.
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

// Target is what commands are carried out on, in this process or by a running server.
type Target[On any] struct {
	here   On
	server *Client // nil if the target is in this process
}

// Here returns a target in this process.
func Here[On any](it On) Target[On] { return Target[On]{here: it} }

// At returns a target behind a running server.
func At[On any](server *Client) Target[On] { return Target[On]{server: server} }

// IsRunning reports whether a running server carries the commands out.
func (t Target[On]) IsRunning() bool { return t.server != nil }

// Set is the set of commands for one kind of target. The zero Set has none.
type Set[On any] struct{ rows []row[On] }

type row[On any] struct {
	path   string // on the socket
	serves func(On) http.HandlerFunc
}

// None is the input of a command that needs none.
type None struct{}

// Ask adds a command to a set: its path on the socket, and the function that carries it
// out. It returns the function with which a caller who has a target runs the command.
// Errors that have something to say to the person are a *shared.Error.
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

// Do is [Ask] for a command without an output.
func Do[On, In any](to *Set[On], path string, do func(context.Context, On, In) error) func(context.Context, Target[On], In) error {
	ask := Ask(to, path, func(ctx context.Context, it On, in In) (None, error) { return None{}, do(ctx, it, in) })
	return func(ctx context.Context, t Target[On], in In) error {
		_, err := ask(ctx, t, in)
		return err
	}
}

// Handler serves all commands of a set on the socket, and backups of the database.
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

// HandleTenants adds the commands for each tenant to a handler. Of calls do with the
// handler of one tenant's commands.
func HandleTenants(mux *http.ServeMux, of func(ctx context.Context, name string, do func(http.Handler)) error) {
	mux.HandleFunc("POST "+pathTenant+"{name}/", func(w http.ResponseWriter, r *http.Request) {
		name := r.PathValue("name")
		err := of(r.Context(), name, func(h http.Handler) { http.StripPrefix(pathTenant+name, h).ServeHTTP(w, r) })
		if err != nil {
			refuse(w, err)
		}
	})
}

// MaxInput is the length of the longest input of a command, in bytes.
const MaxInput = 4 << 20

const (
	pathBackup = "/backup"  // answers with the file of the database
	pathTenant = "/tenant/" // the prefix, followed by a tenant's name, of that tenant's commands
)

func backup(database io.WriterTo) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		takesLong(w)
		if _, err := database.WriteTo(w); err != nil {
			panic(http.ErrAbortHandler) // so that the copy isn't taken for complete
		}
	}
}

// takesLong allows a command as long as it takes. The server's write timeout is for answers to
// strangers.
func takesLong(w http.ResponseWriter) { http.NewResponseController(w).SetWriteDeadline(time.Time{}) }

func serve[In, Out any](command func(context.Context, In) (Out, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		takesLong(w)
		var in In
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, MaxInput)).Decode(&in); err != nil {
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

// problem answers with the cause too, because only IT uses this socket.
func problem(err error) shared.Problem {
	if refusal, ok := errors.AsType[*shared.Error](err); ok {
		return shared.Problem{Code: refusal.Code, Detail: refusal.Message}
	}
	return shared.Problem{Code: shared.CodeInternal, Detail: err.Error()}
}
