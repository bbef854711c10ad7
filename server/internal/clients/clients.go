// Package clients has the handlers with which administrators register the programs that sign users in here. [Clients] is
// the feature with the routes; settings.go translates between the API and package openid, which has the rules.
//
// Auditors read what there is. A secret is answered once, when it is made. What can't be used is refused field by field,
// and a change of what somebody else has changed meanwhile isn't made.
package clients

import (
	"cmp"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/server/openid"
	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// Clients serves an organisation's programs to its administrators.
type Clients struct {
	Registry *openid.Registry
	Issuer   string // of the organisation, which programs need
	Gates    httpapi.Gates
}

// Mount names the routes. What changes something requires a recent confirmation.
func (c Clients) Mount(api func(pattern string, h httpapi.Handler)) {
	reads := func(h httpapi.Handler) httpapi.Handler {
		return c.Gates.Role(h, shared.RoleAdministrator, shared.RoleAuditor)
	}
	manages := func(h httpapi.Handler) httpapi.Handler { return c.Gates.ConfirmedRole(h, shared.RoleAdministrator) }
	const client = shared.PathClient + "{id}"
	api("GET "+shared.PathClients, reads(c.list))
	api("GET "+client, reads(c.show))
	api("GET "+client+shared.PathTextOf, reads(c.text))
	api("POST "+shared.PathClients, manages(c.add))
	api("PATCH "+client, manages(c.change))
	api("POST "+client+shared.PathRotateOf, manages(c.rotate))
	api("DELETE "+client, manages(c.remove))
}

func (c Clients) list(w http.ResponseWriter, r *http.Request) error {
	all, err := c.Registry.List(r.Context())
	if err != nil {
		return err
	}
	list := shared.ClientList{Issuer: c.Issuer, Clients: []shared.Client{}, Presets: []shared.ClientPreset{}}
	for _, one := range all {
		list.Clients = append(list.Clients, clientOf(one))
	}
	for _, p := range openid.Presets() {
		list.Presets = append(list.Presets, shared.ClientPreset{ID: p.ID, Name: p.Name, Fixed: p.Fixed, Settings: settingsOf(p.Template(shared.ClientURL))})
	}
	return httpapi.Respond(w, http.StatusOK, list)
}

func (c Clients) show(w http.ResponseWriter, r *http.Request) error {
	found, err := c.Registry.Client(r.Context(), r.PathValue("id"))
	if err != nil {
		return refused(err)
	}
	return httpapi.Respond(w, http.StatusOK, clientOf(found))
}

// actor is who changes programs: they belong to nobody.
func actor(r *http.Request) session.Actor {
	caller := httpapi.CallerOf(r)
	return session.Actor{By: caller.User, Client: caller.Client}
}

// add registers a program.
//
// Refusals: [shared.CodeInvalidClient], [shared.CodeNameTaken], and [shared.CodeConflict] if there are too many.
func (c Clients) add(w http.ResponseWriter, r *http.Request) error {
	var request struct {
		shared.AddClient
		Settings json.RawMessage `json:"settings"`
	}
	if err := httpapi.Decode(r, &request); err != nil {
		return err
	}
	var wish openid.Client
	if request.Preset != "" {
		preset, err := findPreset(request.Preset)
		if err != nil {
			return err
		}
		if wish, err = preset.Client(request.URL); err != nil {
			return invalid(shared.Fault{Field: "url", Sentence: err.Error()})
		}
	}
	if err := apply(request.Settings, &wish); err != nil {
		return err
	}
	wish.ID = request.ID
	added, secret, err := c.Registry.Add(r.Context(), actor(r), wish)
	if err != nil {
		return refused(err)
	}
	return c.respondRegistered(w, http.StatusCreated, added, told{secret, request.Preset, request.URL})
}

// change changes the settings of a program.
//
// Refusals: [shared.CodeInvalidClient], [shared.CodeNotFound], and [shared.CodeConflict] if the program has been changed
// since the revision, or is in the configuration file.
func (c Clients) change(w http.ResponseWriter, r *http.Request) error {
	var request struct {
		Revision string          `json:"revision"`
		Settings json.RawMessage `json:"settings"`
	}
	if err := httpapi.Decode(r, &request); err != nil {
		return err
	}
	changed, err := c.Registry.Edit(r.Context(), actor(r), r.PathValue("id"), func(stored *openid.Client) error {
		if revisionOf(settingsOf(*stored)) != request.Revision {
			return shared.Errorf(shared.CodeConflict, "Somebody else has changed this program meanwhile. Look at it again, and then change it.")
		}
		return apply(request.Settings, stored)
	})
	if err != nil {
		return refused(err)
	}
	return httpapi.Respond(w, http.StatusOK, clientOf(changed))
}

// rotate gives a program a new secret.
//
// Refusals: [shared.CodeInvalidClient], [shared.CodeNotFound], and [shared.CodeConflict] if it has none or too many,
// or is in the configuration file.
func (c Clients) rotate(w http.ResponseWriter, r *http.Request) error {
	var request shared.RotateClient
	if err := httpapi.Decode(r, &request); err != nil {
		return err
	}
	if most := int(openid.LongestOverlap / (24 * time.Hour)); request.OverlapDays < 0 || request.OverlapDays > most {
		return shared.Errorf(shared.CodeInvalidRequest, "The old secret can stay for 0 to %d days.", most)
	}
	if request.Preset != "" { // before the old secret is given up
		if err := c.hasText(r, request.Preset, request.URL); err != nil {
			return err
		}
	}
	secret, err := c.Registry.Rotate(r.Context(), actor(r), r.PathValue("id"), time.Duration(request.OverlapDays)*24*time.Hour)
	if err != nil {
		return refused(err)
	}
	rotated, err := c.Registry.Client(r.Context(), r.PathValue("id"))
	if err != nil {
		return refused(err)
	}
	return c.respondRegistered(w, http.StatusOK, rotated, told{secret, request.Preset, request.URL})
}

func (c Clients) remove(w http.ResponseWriter, r *http.Request) error {
	if err := c.Registry.Remove(r.Context(), actor(r), r.PathValue("id")); err != nil {
		return refused(err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// told is what the program of a client is told besides its id.
type told struct{ secret, preset, url string }

// text answers the settings of the program itself, without the secret.
func (c Clients) text(w http.ResponseWriter, r *http.Request) error {
	found, err := c.Registry.Client(r.Context(), r.PathValue("id"))
	if err != nil {
		return refused(err)
	}
	query := r.URL.Query()
	text, err := c.textFor(found, told{"", query.Get("preset"), query.Get("url")})
	if err != nil {
		return err
	}
	return httpapi.Respond(w, http.StatusOK, shared.ClientText{Text: text})
}

// hasText refuses a preset or an address for which there would be no text.
func (c Clients) hasText(r *http.Request, preset, url string) error {
	found, err := c.Registry.Client(r.Context(), r.PathValue("id"))
	if err != nil {
		return refused(err)
	}
	_, err = c.textFor(found, told{"", preset, url})
	return err
}

func (c Clients) textFor(of openid.Client, t told) (string, error) {
	preset, err := findPreset(t.preset)
	if err != nil {
		return "", err
	}
	text, err := preset.Settings(openid.Told{Issuer: c.Issuer, ID: of.ID, Secret: t.secret, URL: cmp.Or(t.url, of.Home)})
	if err != nil {
		return "", invalid(shared.Fault{Field: "url", Sentence: err.Error()})
	}
	return text, nil
}

func findPreset(id string) (openid.Preset, error) {
	preset, err := openid.FindPreset(id)
	if err != nil {
		return preset, invalid(shared.Fault{Field: "preset", Sentence: err.Error()})
	}
	return preset, nil
}

func (c Clients) respondRegistered(w http.ResponseWriter, status int, of openid.Client, t told) (err error) {
	answer := shared.RegisteredClient{Client: clientOf(of), Issuer: c.Issuer, Secret: t.secret}
	if t.preset != "" {
		if answer.Text, err = c.textFor(of, t); err != nil {
			return err
		}
	}
	return httpapi.Respond(w, status, answer)
}

// refused translates an error of the registry for people.
func refused(err error) error {
	faults, is := errors.AsType[openid.Invalid](err)
	switch {
	case is:
		wrong := make([]shared.Fault, len(faults))
		for i, fault := range faults {
			wrong[i] = shared.Fault{Field: cmp.Or(fields[fault.Property], fault.Property), Sentence: fault.Sentence}
		}
		return invalid(wrong...)
	case errors.Is(err, openid.ErrTaken):
		return shared.Errorf(shared.CodeNameTaken, "Another program has this client id. Choose another one.").Because(err)
	case errors.Is(err, openid.ErrConfigured):
		return shared.Errorf(shared.CodeConflict, "This program is in the configuration file, and can be changed there only.").Because(err)
	case errors.Is(err, openid.ErrNoSecret):
		return shared.Errorf(shared.CodeConflict, "This program has no secret, because of how it authenticates.").Because(err)
	case errors.Is(err, openid.ErrSecrets):
		return shared.Errorf(shared.CodeConflict, "This program has too many secrets that are still accepted. End the old ones at once, or wait until one has ended.").Because(err)
	case errors.Is(err, openid.ErrFull):
		return shared.Errorf(shared.CodeConflict, "There are too many programs. Remove those that nobody uses.").Because(err)
	case errors.Is(err, store.ErrNotFound):
		return shared.Errorf(shared.CodeNotFound, "This program isn't registered any more.").Because(err)
	}
	return err
}

// fields are the names in the API of the properties that have others in the configuration file.
var fields = map[string]string{"signed-out": "signedOut", "back-channel-logout": "backChannelLogout", "keys-file": "keys", "pkce": "withoutPkce"}

// invalid is the refusal of settings that can't be used.
func invalid(faults ...shared.Fault) error {
	sentences := make([]string, len(faults))
	for i, fault := range faults {
		sentences[i] = fault.Sentence
		first, size := utf8.DecodeRuneInString(fault.Sentence) // they go on a line of the terminal elsewhere
		faults[i].Sentence = string(unicode.ToUpper(first)) + fault.Sentence[size:] + "."
	}
	refusal := shared.Errorf(shared.CodeInvalidClient, "Something in these settings can't be used. Correct what is marked.").
		Because(errors.New(strings.Join(sentences, "; ")))
	refusal.Faults = faults
	return refusal
}
