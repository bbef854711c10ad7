package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/keypeg/keypeg/server"
	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/server/passkey"
	"github.com/keypeg/keypeg/server/passkey/passkeytest"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// openapi.yaml is written by hand, and this is what keeps it true: it has the routes,
// codes and types that there are, and no others; and every exchange of every test of
// this package under /api/ is as it says.

// document is openapi.yaml.
type document struct {
	*openapi3.T
	mux        *http.ServeMux                // leads a request to its *operation
	hostMux    *http.ServeMux                // the same, of those that a [server.Host] has
	programMux *http.ServeMux                // the same, of those that a program of any language has
	schemas    map[string]*jsonschema.Schema // by where they are
}

// operation is what the document says of one method of one path.
type operation struct {
	*openapi3.Operation
	http.Handler // none: an operation is found by the mux, and never called
	route        *routers.Route
	codes        []shared.Code
}

// openAPI is the document, read once.
var openAPI = sync.OnceValues(func() (*document, error) {
	spec, err := openapi3.NewLoader().LoadFromFile("openapi.yaml")
	if err != nil {
		return nil, err
	}
	if err := spec.Validate(context.Background()); err != nil {
		return nil, err
	}
	d := &document{T: spec, mux: http.NewServeMux(), hostMux: http.NewServeMux(), programMux: http.NewServeMux()}
	hosts, _ := spec.Extensions["x-host"].([]any)
	programs, _ := spec.Extensions["x-program"].([]any)
	for path, item := range spec.Paths.Map() {
		for method, o := range item.Operations() {
			codes, err := d.codesOf(method, o)
			if err != nil {
				return nil, fmt.Errorf("%s %s: %w", method, path, err)
			}
			route := &routers.Route{Spec: spec, Path: path, PathItem: item, Method: method, Operation: o}
			described := &operation{Operation: o, route: route, codes: codes}
			switch pattern := method + " " + path; {
			case slices.Contains(programs, any(o.OperationID)):
				d.programMux.Handle(pattern, described)
				continue
			case slices.Contains(hosts, any(o.OperationID)):
				d.hostMux.Handle(pattern, described)
				d.programMux.Handle(pattern, described)
			}
			d.mux.Handle(method+" "+path, described)
		}
	}
	return d, d.compile()
})

// compile prepares the schemas. The filter would do that anew for each body, which
// makes these tests three times as long.
func (d *document) compile() error {
	text, err := json.Marshal(d.T)
	if err != nil {
		return err
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return err
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	if err := compiler.AddResource("openapi.json", value); err != nil {
		return err
	}
	d.schemas = map[string]*jsonschema.Schema{}
	for name := range d.Components.Schemas {
		at := "#/components/schemas/" + name
		if d.schemas[at], err = compiler.Compile("openapi.json" + at); err != nil {
			return err
		}
	}
	return nil
}

func theDocument(t *testing.T) *document {
	t.Helper()
	d, err := openAPI()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// ofHost is the document as it is for a server that is built into another program.
func (d *document) ofHost() *document {
	host := *d
	host.mux = d.hostMux
	return &host
}

// ofProgram is the document as it is for a server that is built into a program of any language.
func (d *document) ofProgram() *document {
	program := *d
	program.mux = d.programMux
	return &program
}

// codesOf are the codes that an operation may answer: its own, and those that the
// document gives to all operations of its sort.
func (d *document) codesOf(method string, o *openapi3.Operation) ([]shared.Code, error) {
	codes := []shared.Code{shared.CodeInternal, shared.CodeWrongHost, shared.CodeSuspended}
	own, listed := o.Extensions["x-codes"].([]any)
	if !listed && slices.Contains(o.Tags, "Health") {
		return nil, nil
	}
	if !listed {
		return nil, errors.New("there are no x-codes")
	}
	for _, code := range own {
		if !slices.Contains(d.Components.Schemas["Code"].Value.Enum, code) {
			return nil, fmt.Errorf("%v isn't a code", code)
		}
		codes = append(codes, shared.Code(code.(string)))
	}
	if d.needsSession(o) {
		codes = append(codes, shared.CodeUnauthenticated)
	}
	if method != http.MethodGet {
		codes = append(codes, shared.CodeCrossSite)
	}
	if o.RequestBody != nil {
		codes = append(codes, shared.CodeInvalidRequest, shared.CodeUnsupportedType, shared.CodeTooLarge)
	}
	return codes, nil
}

func (d *document) needsSession(o *openapi3.Operation) bool {
	security := d.Security
	if o.Security != nil {
		security = *o.Security
	}
	return slices.ContainsFunc(security, func(r openapi3.SecurityRequirement) bool { _, session := r["session"]; return session })
}

// checks returns what the document doesn't say of an exchange.
func (d *document) checks(r *http.Request, sent []byte, got answer) error {
	found, _ := d.mux.Handler(r)
	o, documented := found.(*operation)
	if !documented {
		return d.isProblem(got, shared.CodeNotFound, shared.CodeMethodNotAllowed, shared.CodeCrossSite, shared.CodeWrongHost, shared.CodeSuspended)
	}
	if got.status >= 300 && o.codes != nil {
		return d.isProblem(got, o.codes...)
	}

	input := &openapi3filter.RequestValidationInput{
		Request: r, PathParams: valuesOf(o.route.Path, r.URL.Path), Route: o.route,
		Options: &openapi3filter.Options{
			IncludeResponseStatus: true, ExcludeRequestBody: true, ExcludeResponseBody: true, SkipSettingDefaults: true,
			AuthenticationFunc: hasCookie,
		},
	}
	if err := openapi3filter.ValidateRequest(r.Context(), input); err != nil {
		return err
	}
	output := &openapi3filter.ResponseValidationInput{RequestValidationInput: input, Status: got.status, Header: got.header, Options: input.Options}
	if err := openapi3filter.ValidateResponse(r.Context(), output); err != nil {
		return err
	}

	if taken := o.RequestBody; taken != nil && (len(sent) > 0 || taken.Value.Required) {
		if r.Header.Get("Content-Type") == "application/x-www-form-urlencoded" {
			sent = membersOfForm(sent)
		}
		if err := d.isBody(taken.Value.Content, r.Header, sent); err != nil {
			return fmt.Errorf("the request: %w", err)
		}
	}
	response := o.Responses.Status(got.status)
	if response == nil {
		return fmt.Errorf("a success of status %d", got.status)
	}
	if r.Method == http.MethodHead {
		return nil // net/http leaves the body out
	}
	return d.isBody(response.Value.Content, got.header, got.body)
}

// isBody checks a body against one of the types that are described.
func (d *document) isBody(content openapi3.Content, header http.Header, body []byte) error {
	if len(content) == 0 {
		if len(body) > 0 {
			return errors.New("no body is described")
		}
		return nil
	}
	described := content.Get(header.Get("Content-Type"))
	if described == nil {
		return fmt.Errorf("no body of type %q is described", header.Get("Content-Type"))
	}
	schema := d.schemas[described.Schema.Ref]
	if schema == nil { // of a text
		return described.Schema.Value.VisitJSON(string(body), openapi3.EnableJSONSchema2020())
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return err
	}
	return schema.Validate(value)
}

// membersOfForm returns the fields of a form as the object that the document has for them (OpenAPI 3.1, 4.8.14.4).
func membersOfForm(sent []byte) []byte {
	fields := map[string]string{}
	form, err := url.ParseQuery(string(sent))
	for name := range form {
		fields[name] = form.Get(name)
	}
	object, failed := json.Marshal(fields)
	if errors.Join(err, failed) != nil {
		return sent
	}
	return object
}

// isProblem checks a refusal, which may have one of these codes.
func (d *document) isProblem(got answer, codes ...shared.Code) error {
	if err := d.isBody(d.Components.Responses["Problem"].Value.Content, got.header, got.body); err != nil {
		return err
	}
	var problem shared.Problem
	if err := json.Unmarshal(got.body, &problem); err != nil {
		return err
	}
	switch waits := got.header.Get("Retry-After") != ""; {
	case !slices.Contains(codes, problem.Code):
		return fmt.Errorf("the code %q isn't in %v", problem.Code, codes)
	case problem.Status != got.status:
		return fmt.Errorf("the problem has the status %d", problem.Status)
	case waits != (problem.Code == shared.CodeTooManyAttempts):
		return fmt.Errorf("Retry-After is %q", got.header.Get("Retry-After"))
	}
	return nil
}

// valuesOf are the parameters of a path.
func valuesOf(template, path string) map[string]string {
	values := map[string]string{}
	parts := strings.Split(path, "/")
	for i, part := range strings.Split(template, "/") {
		if strings.HasPrefix(part, "{") {
			values[strings.Trim(part, "{}")] = parts[i]
		}
	}
	return values
}

// hasCookie reports whether a request has what a security scheme asks for. The tests'
// server is at http://localhost, where the cookies have no prefix; the session may be
// that of the [crib].
func hasCookie(_ context.Context, in *openapi3filter.AuthenticationInput) error {
	r := in.RequestValidationInput.Request
	if in.SecurityScheme.Type == "http" {
		if !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer ") {
			return errors.New("no bearer token")
		}
		return nil
	}
	_, err := r.Cookie(strings.TrimPrefix(in.SecurityScheme.Name, "__Host-"))
	if err != nil && in.SecuritySchemeName == "session" {
		_, err = r.Cookie("crib")
	}
	return err
}

// ServeHTTP answers as the site's server does, and holds every exchange under /api/, and
// at /healthz and /readyz, to the document. The fuzzer goes without: it shall be fast.
func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	isPage := r.URL.Path == shared.PageHostEnrol || r.URL.Path == shared.PageHostEnrolled
	isOfAPI := strings.HasPrefix(r.URL.Path, "/api/") || strings.HasPrefix(r.URL.Path, shared.PathEmbed) && s.config.Embed != nil || shared.IsHealthCheck(r.URL.Path)
	if fuzzing() || isPage && s.config.Asset != nil || !isOfAPI {
		s.handler.ServeHTTP(w, r)
		return
	}
	sent, err := io.ReadAll(r.Body)
	if err != nil {
		s.Error(err)
	}
	r.Body = io.NopCloser(bytes.NewReader(sent))
	recorded := &recorder{ResponseWriter: w, status: http.StatusOK}

	s.handler.ServeHTTP(recorded, r)

	d := theDocument(s.T)
	switch {
	case s.config.Host != nil:
		d = d.ofHost()
	case s.config.Embed != nil:
		d = d.ofProgram()
	}
	got := answer{recorded.status, w.Header(), recorded.body.Bytes()}
	if err := d.checks(r, sent, got); err != nil {
		s.Errorf("%s %s isn't as openapi.yaml says: %v\nsent %.500s\ngot %.500s", r.Method, r.URL.Path, err, sent, got)
	}
}

func fuzzing() bool {
	return flag.Lookup("test.fuzz").Value.String() != "" || flag.Lookup("test.fuzzworker").Value.String() == "true"
}

// recorder keeps what a handler answers.
type recorder struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

func (l *recorder) WriteHeader(status int) {
	l.status = status
	l.ResponseWriter.WriteHeader(status)
}

func (l *recorder) Write(p []byte) (int, error) {
	l.body.Write(p)
	return l.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach the real writer.
func (l *recorder) Unwrap() http.ResponseWriter { return l.ResponseWriter }

func TestOpenAPI(t *testing.T) {
	d := theDocument(t)

	t.Run("the document has every route, and no other", func(t *testing.T) {
		var served, described []string
		for _, pattern := range newSite(t, stores["memstore"], nil).handler.Patterns() {
			if pattern != "/api/" { // what no other takes
				served = append(served, nameless(pattern))
			}
		}
		programs, _ := d.Extensions["x-program"].([]any)
		for path, item := range d.Paths.Map() {
			for method, o := range item.Operations() {
				if slices.Contains(programs, any(o.OperationID)) {
					continue // below
				}
				described = append(described, nameless(method+" "+path))
			}
		}
		sameNames(t, "route", described, append(served, "GET "+shared.PathHealth, "GET "+shared.PathReady))
	})
	t.Run("the document has every route of a server that is built into another program", func(t *testing.T) {
		onEveryStoreOfAPhoneHost(t, func(s *site, _ *crib) {
			hosts, _ := d.Extensions["x-host"].([]any)
			served := slices.DeleteFunc(s.handler.Patterns(), func(pattern string) bool { return pattern == "/" })
			if len(served) != len(hosts) {
				s.Errorf("%d routes are served, and %d described", len(served), len(hosts))
			}
			for _, pattern := range served {
				method, path, _ := strings.Cut(pattern, " ")
				if _, described := d.hostMux.Handler(httptest.NewRequest(method, parameter.ReplaceAllString(path, "x"), nil)); described == "" {
					s.Errorf("the document lacks the route %s", pattern)
				}
			}
		})
	})
	t.Run("the document has every route for a program of any language", func(t *testing.T) {
		hosts, _ := d.Extensions["x-host"].([]any)
		programs, _ := d.Extensions["x-program"].([]any)
		served := slices.DeleteFunc(newToolshop(t, stores["memstore"]).handler.Patterns(), func(pattern string) bool { return pattern == "/" })
		if len(served) != len(hosts)+len(programs) {
			t.Errorf("%d routes are served, and %d described", len(served), len(hosts)+len(programs))
		}
		for _, pattern := range served {
			method, path, _ := strings.Cut(pattern, " ")
			if _, described := d.programMux.Handler(httptest.NewRequest(method, parameter.ReplaceAllString(path, "x"), nil)); described == "" {
				t.Errorf("the document lacks the route %s", pattern)
			}
		}
	})
	t.Run("the document has every code with its status, and no other", func(t *testing.T) {
		codes := constants(t, "Code")
		codes = slices.DeleteFunc(codes, func(code string) bool { // these never cross the wire
			return slices.Contains([]shared.Code{shared.CodeOffline, shared.CodeAway, shared.CodeInBetween}, shared.Code(code))
		})
		sameNames(t, "code", texts(d.Components.Schemas["Code"].Value.Enum), codes)
		var listed []string
		for _, group := range d.Components.Schemas["Problem"].Value.OneOf {
			status := fmt.Sprint(group.Value.Properties["status"].Value.Const)
			for _, code := range texts(group.Value.Properties["code"].Value.Enum) {
				listed = append(listed, code)
				if want := strconv.Itoa(httpapi.Status(shared.Code(code))); status != want {
					t.Errorf("%s has the status %s in the document, and is answered with %s", code, status, want)
				}
			}
		}
		for _, code := range codes {
			if !strings.Contains(d.Components.Schemas["Code"].Value.Description, "\n| `"+code+"` | ") {
				t.Errorf("%s isn't explained", code)
			}
		}
		sameNames(t, "code with a status", listed, codes)
	})
	t.Run("the document has every event, trouble, method and kind of passkey, and no other", func(t *testing.T) {
		sameNames(t, "event", texts(d.Components.Schemas["EventKind"].Value.Enum), constants(t, "Event"))
		kinds := []string{}
		for kind := range shared.EventGroups {
			kinds = append(kinds, string(kind))
		}
		sameNames(t, "event in shared.EventGroups", kinds, constants(t, "Event"))
		sameNames(t, "trouble", texts(d.Components.Schemas["Trouble"].Value.Enum), constants(t, "Trouble"))
		sameNames(t, "method", texts(d.Components.Schemas["Method"].Value.Enum), constants(t, "Method"))
		sameNames(t, "kind", texts(d.Components.Schemas["PasskeyFields"].Value.Properties["kind"].Value.Enum), constants(t, "Kind"))
	})
	t.Run("its schemas have the members of our types", func(t *testing.T) {
		for _, of := range []any{
			shared.Problem{}, shared.PasswordSignIn{}, shared.RecoverySignIn{}, shared.PasswordConfirmation{},
			shared.BeginSSOConfirmation{}, shared.SignedIn{}, shared.SignedOut{}, shared.Confirmed{}, shared.AtProvider{},
			shared.BeginSignIn{}, shared.BeginRegistration{}, shared.FinishCeremony{}, shared.FinishRegistration{},
			shared.FinishEnrolment{}, shared.Passkey{}, shared.PasskeyList{}, shared.Signals{}, shared.RenamePasskey{}, shared.User{},
			shared.Account{}, shared.Provider{}, shared.Identity{}, shared.ChangePassword{}, shared.RecoveryCodes{},
			shared.Session{}, shared.SessionList{}, shared.Program{}, shared.ClientList{}, shared.Client{}, shared.ClientSettings{}, shared.ClientPreset{}, shared.AddClient{}, shared.ChangeClient{}, shared.RotateClient{}, shared.RegisteredClient{}, shared.ClientText{}, shared.Fault{}, shared.ProgramList{}, shared.Activity{}, shared.Event{}, shared.AuditPage{}, shared.AuditUser{}, shared.AuditEvent{}, shared.Member{}, shared.Members{},
			shared.MemberCounts{}, shared.MemberDetails{}, shared.Rollout{}, shared.Export{}, shared.ExportedPasskey{}, shared.ExportedIdentity{}, shared.ExportedLink{}, shared.ExportedMails{}, shared.ExportedMail{}, shared.ExportedAddress{}, shared.ExportedBrowser{}, shared.ChangeProfile{}, shared.Invite{}, shared.Invited{}, shared.ImportUsers{}, shared.ImportedUsers{}, shared.ImportRow{}, shared.ChangeMember{}, shared.RemoveMember{}, shared.EnrolmentLink{}, shared.QR{}, shared.TroubleReport{}, shared.TroubleExplained{}, shared.Introduce{}, shared.Proved{}, shared.HostPasskeyList{},
		} {
			hasMembersOf(t, d, reflect.TypeOf(of).Name(), of)
		}
		hasMembersOf(t, d, "CreationCeremony", shared.Ceremony{})
		hasMembersOf(t, d, "RequestCeremony", shared.Ceremony{})
	})
	t.Run("its limits are ours", func(t *testing.T) {
		password := d.Components.Schemas["ChangePassword"].Value.Properties["password"].Value
		if password.MinLength != account.MinPasswordLength || *password.MaxLength != account.MaxPasswordLength {
			t.Errorf("a password has from %d to %d characters", password.MinLength, *password.MaxLength)
		}
		if name := d.Components.Schemas["Name"].Value; *name.MaxLength != shared.MaxNameLength {
			t.Errorf("a name has at most %d characters", *name.MaxLength)
		}
		if most := fmt.Sprintf("at most %d people", account.MostInvited); !strings.Contains(d.Paths.Value(shared.PathImport).Post.Description, most) {
			t.Errorf("an import lacks %q", most)
		}
		if most := fmt.Sprintf("as allowed: %d,", passkey.DefaultMax); !strings.Contains(d.Components.Schemas["Code"].Value.Description, most) {
			t.Errorf("the description lacks %q", most)
		}
	})
	t.Run("an answer with one member more, or one less, isn't as it says", func(t *testing.T) {
		ann := newSite(t, stores["memstore"], nil).user("ann")
		ann.registers("Laptop")
		for _, path := range []string{shared.PathAccount, shared.PathPasskeys, shared.PathSessions, shared.PathActivity} {
			good := ann.sends("GET", path, nil)
			for what, change := range map[string]func(map[string]any){
				"one more": func(o map[string]any) { o["more"] = 1 },
				"one less": func(o map[string]any) { delete(o, "id") },
			} {
				bad := good
				bad.body = changedEverywhere(t, good.body, change)
				if err := d.checks(ann.asks(path), nil, bad); err == nil {
					t.Errorf("%s with %s passes: %s", path, what, bad.body)
				}
			}
			if err := d.checks(ann.asks(path), nil, good); err != nil {
				t.Errorf("%s: %v", path, err)
			}
		}
	})
	t.Run("an answer of another status, type or code fails", func(t *testing.T) {
		ann := newSite(t, stores["memstore"], nil).user("ann")
		good := ann.sends("GET", shared.PathPasskeys, nil)
		refused := ann.sends("GET", shared.PathPasskeys, nil, func(r *http.Request) { r.Header.Del("Cookie") })
		for what, bad := range map[string]answer{
			"a status that isn't described": {202, good.header, good.body},
			"a type that isn't described":   {200, http.Header{"Content-Type": {"text/plain"}}, good.body},
			"a code of another path":        {409, refused.header, bytes.Replace(bytes.Replace(refused.body, []byte("unauthenticated"), []byte("last_method"), 1), []byte("401"), []byte("409"), 1)},
			"a code of another status":      {403, refused.header, bytes.Replace(refused.body, []byte("401"), []byte("403"), 1)},
			"a refusal that isn't JSON":     {401, refused.header, []byte("no")},
		} {
			if err := d.checks(ann.asks(shared.PathPasskeys), nil, bad); err == nil {
				t.Errorf("%s passes: %s", what, bad)
			}
		}
		if err := d.checks(httptest.NewRequest("GET", origin+shared.PathPasskeys, nil), nil, good); err == nil {
			t.Error("an answer to somebody without a session passes")
		}
	})
}

// TestOpenAPIRefusals gets the refusals that no other test of this package gets, so that
// the document has them too.
func TestOpenAPIRefusals(t *testing.T) {
	d := theDocument(t)
	s := newSite(t, stores["memstore"], nil)
	ann, bob := s.user("ann"), s.user("bob")

	t.Run("without passkeys, whatever is about them says so", func(t *testing.T) {
		off := newSite(t, stores["memstore"], nil)
		off.changesRules(func(c *account.Config) { c.Policy.PasskeysOff = true })
		carl := off.user("carl")
		for path, item := range d.Paths.Map() {
			for method, o := range item.Operations() {
				if codes, _ := o.Extensions["x-codes"].([]any); slices.Contains(codes, any(string(shared.CodePasskeysOff))) {
					carl.refused(carl.sends(method, parameter.ReplaceAllString(path, "x"), `{}`), 403, shared.CodePasskeysOff)
				}
			}
		}
	})
	t.Run("a suspended organisation", func(t *testing.T) {
		closed := httptest.NewRecorder()
		server.NewSuspended(s.config).ServeHTTP(closed, ann.asks(shared.PathAccount))
		if err := d.checks(ann.asks(shared.PathAccount), nil, answer{closed.Code, closed.Header(), closed.Body.Bytes()}); err != nil {
			t.Error(err)
		}
	})
	t.Run("names of passkeys, and passkeys that aren't there", func(t *testing.T) {
		laptop := ann.registers("Laptop")
		ann.device = passkeytest.New(origin)
		ann.registers("Phone")
		ann.refused(ann.sends("PATCH", shared.PathPasskey+laptop.ID, shared.RenamePasskey{Name: " "}), 422, shared.CodeInvalidName)
		ann.refused(ann.sends("PATCH", shared.PathPasskey+laptop.ID, shared.RenamePasskey{Name: "phone"}), 409, shared.CodeNameTaken)
		bob.refused(bob.sends("POST", shared.PathConfirmBegin, nil), 404, shared.CodeNotFound)
	})
	t.Run("another session is ended, and one that isn't there can't be", func(t *testing.T) {
		twin := s.visitor()
		twin.name = "bob"
		twin.signsInWithPassword()
		sessions := into[shared.SessionList](bob, bob.sends("GET", shared.PathSessions, nil), 200).Sessions
		left := into[shared.SessionList](bob, bob.sends("DELETE", shared.PathSession+sessions[1].ID, nil), 200).Sessions
		if len(left) != 1 || !left[0].Current {
			t.Errorf("left are %+v", left)
		}
		bob.refused(bob.sends("DELETE", shared.PathSession+sessions[1].ID, nil), 404, shared.CodeNotFound)
	})
	t.Run("users and providers that aren't there", func(t *testing.T) {
		user, err := s.store.UserByName(t.Context(), "ann")
		if err != nil {
			t.Fatal(err)
		}
		user.Role = shared.RoleAdministrator
		if err := s.store.Apply(t.Context(), store.Batch{store.PutUser{User: user}}); err != nil {
			t.Fatal(err)
		}
		nobody := shared.PathUser + strings.Repeat("0", 32)
		ann.refused(ann.sends("POST", nobody+shared.PathInvitation, nil), 404, shared.CodeNotFound)
		ann.refused(ann.sends("POST", nobody+shared.PathRecoveryLink, nil), 404, shared.CodeNotFound)
		ann.refused(ann.sends("POST", shared.PathConfirmSSO+"none", `{}`), 404, shared.CodeNotFound)
	})
}

// asks is a request as [visitor.sends] makes it, unsent.
func (v *visitor) asks(path string) *http.Request {
	r := httptest.NewRequest("GET", origin+path, nil)
	for _, cookie := range v.jar.Cookies(siteURL) {
		r.AddCookie(cookie)
	}
	return r
}

// hasMembersOf compares a schema with a type: the names of its members, and which of
// them are always there.
func hasMembersOf(t *testing.T, d *document, name string, of any) {
	t.Helper()
	schema := d.Components.Schemas[name]
	if schema == nil {
		t.Errorf("there is no schema %s", name)
		return
	}
	var described, required, all, always []string
	for _, part := range append(openapi3.SchemaRefs{schema}, schema.Value.AllOf...) {
		for member := range part.Value.Properties {
			described = append(described, member)
		}
		required = append(required, part.Value.Required...)
	}
	for _, field := range reflect.VisibleFields(reflect.TypeOf(of)) {
		member, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		if field.Anonymous {
			continue
		}
		all = append(all, member)
		if !strings.HasPrefix(options, "omit") {
			always = append(always, member)
		}
	}
	sameNames(t, "member of "+name, described, all)
	sameNames(t, "member that always is in "+name, required, always)
}

// sameNames compares two lists in any order.
func sameNames(t *testing.T, what string, described, real []string) {
	t.Helper()
	for _, name := range described {
		if !slices.Contains(real, name) {
			t.Errorf("the document has the %s %s, which there isn't", what, name)
		}
	}
	for _, name := range real {
		if !slices.Contains(described, name) {
			t.Errorf("the document lacks the %s %s", what, name)
		}
	}
}

var parameter = regexp.MustCompile(`\{\w+\}`)

// nameless is a pattern without the names of its parameters, which mean nothing to a
// client.
func nameless(pattern string) string { return parameter.ReplaceAllString(pattern, "{}") }

func texts(values []any) []string {
	list := make([]string, len(values))
	for i, value := range values {
		list[i] = value.(string)
	}
	return list
}

// constants are the values of the string constants of package shared whose names begin
// so.
func constants(t *testing.T, prefix string) (values []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "shared", "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if spec, ok := n.(*ast.ValueSpec); ok && strings.HasPrefix(spec.Names[0].Name, prefix) && len(spec.Values) == 1 {
				if literal, ok := spec.Values[0].(*ast.BasicLit); ok && literal.Kind == token.STRING {
					value, _ := strconv.Unquote(literal.Value)
					values = append(values, value)
				}
			}
			return true
		})
	}
	return values
}

// changedEverywhere changes the innermost first object of a JSON value.
func changedEverywhere(t *testing.T, body []byte, change func(map[string]any)) []byte {
	t.Helper()
	var value any
	if err := json.Unmarshal(body, &value); err != nil {
		t.Fatal(err)
	}
	change(innermost(value))
	changed, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return changed
}

// innermost follows the first list or object of an object to the end.
func innermost(value any) map[string]any {
	object := value.(map[string]any)
	for _, inner := range object {
		switch inner := inner.(type) {
		case map[string]any:
			return innermost(inner)
		case []any:
			return innermost(inner[0])
		}
	}
	return object
}
