package openid

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/keypeg/keypeg/server/grant"
	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/server/internal/recent"
	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// A device without a browser shows a code, which its user types elsewhere (RFC 8628). Nothing is stored until a user
// allows it: the device keeps its request, sealed as its device code, and the first letters of the user code follow from
// the others and from the client. So a code says which client shows it, and one that was mistyped is noticed. Then there
// is one record under the user code, which expires with it.

const (
	grantDevice = "urn:ietf:params:oauth:grant-type:device_code"
	// deviceLife is how long the codes of a device work.
	deviceLife = 10 * time.Minute
	// pollEvery is how often a device may ask.
	pollEvery = 5 * time.Second
	// letters of a user code are consonants, so that they make no words (RFC 8628, 6.1). With 8 of them besides those of
	// the client, a code that somebody guesses is one of 25 billion.
	letters     = "BCDFGHJKLMNPQRSTVWXZ"
	ofClient    = 2
	codeLetters = 10
)

// Device draws the pages on which users allow a device.
type Device interface {
	// DeviceCode asks for the code. Typed is what was typed before.
	DeviceCode(w http.ResponseWriter, r *http.Request, typed string, refusal *shared.Error) error
	DeviceConfirm(w http.ResponseWriter, r *http.Request, page DevicePage) error
	// DeviceDone says that the user can go back to the device.
	DeviceDone(w http.ResponseWriter, r *http.Request, program string, allowed bool) error
}

// DevicePage is the content of the page on which a user allows a device.
type DevicePage struct {
	Program string
	Host    string // "" for an app
	Code    string // as the device shows it
	User    store.User
	Scopes  []string
	Request string
}

// device is what a device code has.
type device struct {
	Client string    `json:"c"`
	Code   string    `json:"u"` // the user code
	Scopes []string  `json:"s"`
	Until  time.Time `json:"t"`
}

// permission is what a user has decided about a device.
type permission struct {
	Client  string     `json:"client"`
	Refused bool       `json:"refused,omitempty"`
	User    string     `json:"user"`
	Session store.Hash `json:"session"` // its first id
	Scopes  []string   `json:"scopes"`
	ID      string     `json:"id"` // of the grant
}

// permissions have a hash of the user code as key.
var permissions = store.Collection[permission]{Name: "openid-device"}

// beginDevice is the device authorization endpoint. It stores nothing.
func (h *Handlers) beginDevice(w http.ResponseWriter, r *http.Request) error {
	sent, err := posted(r)
	if err != nil {
		return err
	}
	c, err := h.authenticated(r, sent)
	if err != nil {
		return err
	}
	if !c.Device {
		return oauth("unauthorized_client", "this client may not use the device flow")
	}
	asked := strings.Fields(sent.Get("scope"))
	if !slices.Contains(asked, shared.ScopeOpenID) {
		return oauth("invalid_scope", "scope must contain openid")
	}
	all, err := h.Registry.List(r.Context())
	if err != nil {
		return err
	}
	code := newCode(c, all)
	if code == "" {
		return errClient("the client %s was removed just now", c.ID)
	}
	d := device{c.ID, code, c.granted(asked), h.Now().Add(deviceLife).UTC()}
	sealed, err := h.devices.SealJSON(d)
	if err != nil {
		return err
	}
	shown := shownCode(d.Code)
	return httpapi.Respond(w, http.StatusOK, map[string]any{
		"device_code": sealed, "user_code": shown, "expires_in": int(deviceLife.Seconds()), "interval": int(pollEvery.Seconds()),
		"verification_uri": h.Issuer + shared.PageDevice, "verification_uri_complete": h.Issuer + deviceAddress(d.Code),
	})
}

// newCode returns a user code that a device of a client shows, and that can be of no other client. It is "" if the client
// isn't among all any more.
func newCode(c Client, all []Client) string {
	if !slices.ContainsFunc(all, func(other Client) bool { return other.ID == c.ID && other.Device }) {
		return ""
	}
	for { // with a thousand clients for devices, one code in twelve is of one alone
		rest := randomLetters(codeLetters - ofClient)
		code := letterTag(c.ID, rest) + rest
		if len(shownBy(code, all)) == 1 {
			return code
		}
	}
}

// shownBy returns the clients whose devices can show a code: none if it was mistyped, but for one time in 400.
func shownBy(code string, all []Client) (list []Client) {
	for _, c := range all {
		if c.Device && letterTag(c.ID, code[ofClient:]) == code[:ofClient] {
			list = append(list, c)
		}
	}
	return list
}

// letterTag returns the first letters of a code of a client, from the others.
func letterTag(id, rest string) string {
	hash, tag := store.HashOf("device "+id+" "+rest), ""
	for i := range ofClient {
		tag += string(letters[int(hash[i])%len(letters)])
	}
	return tag
}

func randomLetters(n int) string {
	var text strings.Builder
	for range n {
		at, _ := rand.Int(rand.Reader, big.NewInt(int64(len(letters)))) // never fails, as crypto/rand promises
		text.WriteByte(letters[at.Int64()])
	}
	return text.String()
}

func shownCode(code string) string { return code[:codeLetters/2] + "-" + code[codeLetters/2:] }

// typedCode reads a user code as people type it. It is "" if it can't be one.
func typedCode(typed string) string {
	code := strings.ReplaceAll(shared.DeviceCode(typed), "-", "")
	if strings.Trim(code, letters) != "" {
		return ""
	}
	return code
}

// exchangeDevice answers a device that asks whether its user has allowed it.
func (h *Handlers) exchangeDevice(ctx context.Context, c Client, sent url.Values) (tokens, error) {
	var d device
	if h.devices.OpenJSON(sent.Get("device_code"), &d) != nil || d.Client != c.ID {
		return tokens{}, fmt.Errorf("%w: no device code of this client", grant.ErrInvalid)
	}
	if !h.Now().Before(d.Until) {
		return tokens{}, oauth("expired_token", "the device code has expired")
	}
	if h.polls.tooOften(d.Code, h.Now()) {
		return tokens{}, oauth("slow_down", "ask every %d seconds", int(pollEvery.Seconds()))
	}
	found, err := permissions.Get(ctx, h.Store, "", store.HashOf(d.Code).String())
	if errors.Is(err, store.ErrNotFound) {
		return tokens{}, oauth("authorization_pending", "the user hasn't decided yet")
	}
	if err != nil {
		return tokens{}, err
	}
	if found.Value.Refused || found.Value.Client != c.ID {
		return tokens{}, oauth("access_denied", "the user has refused")
	}
	return h.allowedDevice(ctx, c, d, found.Value)
}

// allowedDevice gives a device its tokens, once: the grant has the id that the user's decision gave it.
func (h *Handlers) allowedDevice(ctx context.Context, c Client, d device, by permission) (tokens, error) {
	under, user, err := h.Accounts.Sessions().Of(ctx, by.Session)
	if shared.CodeOf(err) == shared.CodeUnauthenticated {
		return tokens{}, fmt.Errorf("%w: the session has ended", grant.ErrInvalid)
	}
	if err != nil {
		return tokens{}, err
	}
	scopes := slices.DeleteFunc(slices.Clone(d.Scopes), func(scope string) bool { return !slices.Contains(by.Scopes, scope) })
	code, err := h.Grants.Code(session.Actor{User: user, Session: under}, grant.Code{
		ID: by.ID, Program: grant.Client + c.ID, Name: c.Name, Scopes: scopes,
		Lasting: slices.Contains(scopes, shared.ScopeOffline), Told: c.BackChannel != "",
	})
	if err != nil {
		return tokens{}, err
	}
	on, _, refreshToken, err := h.Grants.Exchange(ctx, code, func(_ grant.Code, user store.User) error { return c.admitted(user) })
	if err != nil {
		return tokens{}, err
	}
	return h.issue(ctx, c, on, "", refreshToken)
}

// polls remember when devices have asked. Another node doesn't know of it, which does no harm.
type polls struct {
	mu   sync.Mutex
	last *recent.Map[string, time.Time]
}

func newPolls() *polls { return &polls{last: recent.NewMap[string, time.Time](time.Minute, 10_000)} }

func (p *polls) tooOften(code string, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	last, known := p.last.Get(code, now)
	p.last.Put(code, now, now)
	return known && now.Sub(last) < pollEvery-time.Second
}

// errNoDevice is the refusal of a code that no device can show, because it was mistyped.
var errNoDevice = shared.Errorf(shared.CodeInvalidRequest, "No device shows this code. Look again, and type all ten letters.")

// deviceAddress is where the user of a code, or of none, decides about the device.
func deviceAddress(code string) string {
	if code == "" {
		return shared.PageDevice
	}
	return shared.PageDevice + "?code=" + shownCode(code)
}

// isOfDevice reports whether a form is about a device.
func (a asked) isOfDevice() bool { return a.Program != "" && len(a.Request) == codeLetters }

// showDevice asks for the code, or, where the address has it, whether to allow the device.
func (h *Handlers) showDevice(w http.ResponseWriter, r *http.Request) error {
	code := typedCode(r.URL.Query().Get("code"))
	who, err := h.caller(w, r)
	if shared.CodeOf(err) == shared.CodeUnauthenticated {
		http.Redirect(w, r, httpapi.WithNext(shared.PageSignIn, deviceAddress(code)), http.StatusSeeOther)
		return nil
	}
	if err != nil {
		return err
	}
	if code == "" {
		return h.Pages.DeviceCode(w, r, "", nil)
	}
	return h.confirmDevice(w, r, who, code)
}

// takeDeviceCode takes the form with the code.
func (h *Handlers) takeDeviceCode(w http.ResponseWriter, r *http.Request) error {
	typed, err := httpapi.Form(r)
	if err != nil {
		return err
	}
	who, err := h.caller(w, r)
	if shared.CodeOf(err) == shared.CodeUnauthenticated {
		http.Redirect(w, r, httpapi.WithNext(shared.PageSignIn, shared.PageDevice), http.StatusSeeOther)
		return nil
	}
	if err != nil {
		return err
	}
	code := typedCode(typed.Get("code"))
	if code == "" {
		return h.Pages.DeviceCode(w, r, typed.Get("code"), h.Answers.Report(w, r, errNoDevice))
	}
	return h.confirmDevice(w, r, who, code)
}

// confirmDevice shows which program asks. Whether a device shows this very code still nobody knows before it asks.
func (h *Handlers) confirmDevice(w http.ResponseWriter, r *http.Request, who *httpapi.Caller, code string) error {
	all, err := h.Registry.List(r.Context())
	if err != nil {
		return err
	}
	list := shownBy(code, all)
	if len(list) != 1 || !list[0].Admits(who.User) { // two: one was registered a moment ago
		return h.Pages.DeviceCode(w, r, shownCode(code), h.Answers.Report(w, r, errNoDevice))
	}
	c := list[0]
	scopes := c.granted(allScopes)
	sealed, err := h.sealAsked(asked{Request: code, Program: c.ID, User: who.User.ID, Scopes: scopes})
	if err != nil {
		return err
	}
	return h.Pages.DeviceConfirm(w, r, DevicePage{Program: c.Name, Host: c.Host(""), Code: shownCode(code), User: who.User, Scopes: scopes, Request: sealed})
}

// answerDevice takes what the user has decided. The first decision about a code counts.
func (h *Handlers) answerDevice(w http.ResponseWriter, r *http.Request) error {
	typed, of, who, err := h.form(w, r)
	if shared.CodeOf(err) == shared.CodeUnauthenticated {
		http.Redirect(w, r, httpapi.WithNext(shared.PageSignIn, shared.PageDevice), http.StatusSeeOther)
		return nil
	}
	if err != nil {
		return err
	}
	if !of.isOfDevice() {
		return errGone
	}
	c, err := h.client(r.Context(), of.Program)
	if errors.Is(err, store.ErrNotFound) {
		return errUnknownClient
	}
	if err != nil {
		return err
	}
	allows := typed.Get("answer") == "allow"
	put := permissions.Put(store.Entry[permission]{
		Key: store.HashOf(of.Request).String(), Expires: h.Now().Add(deviceLife),
		Value: permission{c.ID, !allows, who.User.ID, who.Session.FirstID(), of.Scopes, grant.NewID(h.Now())},
	})
	if allows {
		err = h.Grants.Allow(r.Context(), who.Actor, c.allows(of.Scopes), append(h.allowed(who, c), put)...)
	} else {
		err = h.Store.Apply(r.Context(), store.Batch{put})
	}
	if permissions.Changed(err) {
		return errGone
	}
	if err != nil {
		return err
	}
	return h.Pages.DeviceDone(w, r, c.Name, allows)
}
