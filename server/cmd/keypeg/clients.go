package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/keypeg/keypeg/server/internal/config"
	"github.com/keypeg/keypeg/server/internal/control"
	"github.com/keypeg/keypeg/server/internal/textfile"
	"github.com/keypeg/keypeg/server/openid"
)

// clientCommands are the commands about programs to which users sign in.
func clientCommands() []branch {
	return []branch{
		{name: "add", help: "Add a client, and print its secret, which nothing tells again.", does: &clientAdd{}},
		{name: "list", help: "List the clients.", does: &clientList{}},
		{name: "show", help: "Print what is known of a client.", does: &clientShow{}},
		{name: "change", help: "Change what is typed of a client, and leave the rest as it is. A list is replaced as a whole.", does: &clientChange{}},
		{name: "rotate", help: "Give a client a new secret, and print it. The old one is accepted for a while.", does: &clientRotate{}},
		{name: "remove", help: "Remove a client. Nobody can sign in to its program any more.", does: &clientRemove{}},
	}
}

// ofClient is the argument of commands about a client.
type ofClient struct {
	ID   string
	JSON bool
}

func (c *ofClient) takes(l *commandLine) {
	l.argument(&c.ID, "id", "The client id, as its program sends it.")
	l.BoolVar(&c.JSON, "json", false, "Print the client as JSON.")
}

// clientWish is what is typed of a client. The flags have the names of the keys in the configuration file, but for
// lists that are typed one by one.
type clientWish struct {
	ofClient
	typed     openid.Client
	redirects repeated
	signedOut repeated
	keysFile  string
	pkce      bool
	groups    string
	scopes    string
	isTyped   func(flag string) bool
}

func (c *clientWish) takes(l *commandLine) {
	c.ofClient.takes(l)
	c.isTyped = l.isTyped
	l.StringVar(&c.typed.Name, "name", "", "What people read. Unset: the id.")
	l.StringVar(&c.typed.Home, "home", "", "`URL` of the program's start page.")
	l.Var(&c.redirects, "redirect-uri", "`URL` to which the program wants its users sent back. May be typed more than once.")
	l.Var(&c.signedOut, "signed-out", "`URL` to which it may want them sent when they have signed out. May be typed more than once.")
	l.StringVar(&c.typed.BackChannel, "back-channel-logout", "", "`URL` at which the program wants to be told that a session has ended.")
	l.Var(config.OneOf(&c.typed.Authentication, openid.AuthenticatesBasic, openid.AuthenticatesBasic, openid.AuthenticatesPost, openid.AuthenticatesKey, openid.AuthenticatesNever),
		"authentication", "How it proves who it is. Write none for a program that can't keep a secret.")
	l.StringVar(&c.keysFile, "keys-file", "", "`FILE` with its public keys (JSON Web Key Set), for private_key_jwt.")
	l.BoolVar(&c.pkce, "pkce", true, "Refuse requests without PKCE. With --pkce=false they are accepted, of a program that has a secret.")
	l.Var(config.OneOf(&c.typed.Algorithm, openid.RS256, openid.RS256, openid.ES256), "algorithm", "What signs its ID tokens.")
	l.BoolVar(&c.typed.Pairwise, "pairwise", false, "Give it identifiers of users that no other program gets.")
	l.BoolVar(&c.typed.FirstParty, "first-party", false, "It is the organisation's own: nobody is asked whether it may know who they are.")
	l.StringVar(&c.groups, "groups", "", "The `GROUPS` whose users may sign in to it, with commas between them. Unset: everybody.")
	l.StringVar(&c.scopes, "scopes", "", "The `SCOPES` that it may ask for besides openid, with commas between them. Unset: profile,email,groups.")
	l.BoolVar(&c.typed.Device, "device", false, "It may sign people in on a device without a browser.")
}

// apply sets what is typed.
func (c *clientWish) apply(to *openid.Client) error {
	for flag, set := range map[string]func(){
		"name":                func() { to.Name = c.typed.Name },
		"home":                func() { to.Home = c.typed.Home },
		"redirect-uri":        func() { to.Redirects = c.redirects },
		"signed-out":          func() { to.SignedOut = c.signedOut },
		"back-channel-logout": func() { to.BackChannel = c.typed.BackChannel },
		"authentication":      func() { to.Authentication = c.typed.Authentication },
		"pkce":                func() { to.WithoutPKCE = !c.pkce },
		"algorithm":           func() { to.Algorithm = c.typed.Algorithm },
		"pairwise":            func() { to.Pairwise = c.typed.Pairwise },
		"first-party":         func() { to.FirstParty = c.typed.FirstParty },
		"groups":              func() { to.Groups = commaList(c.groups) },
		"scopes":              func() { to.Scopes = commaList(c.scopes) },
		"device":              func() { to.Device = c.typed.Device },
	} {
		if c.isTyped(flag) {
			set()
		}
	}
	if c.isTyped("keys-file") {
		text, err := textfile.Read(c.keysFile)
		if err != nil {
			return fmt.Errorf("--keys-file: %w", err)
		}
		if !json.Valid([]byte(text)) {
			return fmt.Errorf("--keys-file: %s holds no JSON Web Key Set", c.keysFile)
		}
		to.Keys = json.RawMessage(text)
	}
	if to.Authentication != openid.AuthenticatesKey && !c.isTyped("keys-file") {
		to.Keys = nil
	}
	return nil
}

// ofPreset names a preset, and where its program is.
type ofPreset struct{ preset, url string }

func (c *ofPreset) takes(l *commandLine, does string) {
	l.Var(config.OneOf(&c.preset, "", openid.PresetNames()...), "preset",
		does+" The `NAME` is one of "+strings.Join(openid.PresetNames(), ", ")+".")
	l.StringVar(&c.url, "url", "", "With --preset: the `URL` at which people open the program, such as https://grafana.example.com.")
}

// settings returns the settings of the preset's program for a client, or "" without a preset.
func (c *ofPreset) settings(r control.Registration) (string, error) {
	if c.preset == "" {
		return "", nil
	}
	preset, err := openid.FindPreset(c.preset)
	if err != nil {
		return "", err
	}
	return preset.Settings(openid.Told{Issuer: r.Issuer, ID: r.Client.ID, Secret: r.Secret, URL: cmp.Or(c.url, r.Client.Home)})
}

type clientAdd struct {
	clientWish
	ofPreset
}

func (c *clientAdd) takes(l *commandLine) {
	c.clientWish.takes(l)
	c.ofPreset.takes(l, "Register it as this program wants, and print the program's own settings. What is typed besides wins.")
}

func (c *clientAdd) Run(ctx context.Context, t terminal, s *settings) error {
	wish := control.RegisteredClient{ID: c.ID}
	switch {
	case c.preset != "":
		preset, err := openid.FindPreset(c.preset)
		if err != nil {
			return err
		}
		if wish.Client, err = preset.Client(c.url); err != nil {
			return err
		}
	case c.url != "":
		return errors.New("--url is the address of a preset's program: add --preset, or write --home and --redirect-uri")
	}
	if err := c.apply(&wish.Client); err != nil {
		return err
	}
	return s.withUsers(ctx, func(users control.Users) error {
		added, err := control.AddClient(ctx, users, wish)
		if err != nil {
			return err
		}
		text, err := c.settings(added)
		if err != nil {
			return err
		}
		return c.printRegistration(t, added, text)
	})
}

// withSettings is a client with the settings of its program, as JSON.
type withSettings struct {
	control.Registration
	Settings string `json:"settings,omitempty"`
}

// printRegistration prints what the program must be told of its client, and its settings if there are some.
func (c *ofClient) printRegistration(t terminal, r control.Registration, settings string) error {
	if c.JSON {
		return t.printJSON(withSettings{r, settings})
	}
	table := tabwriter.NewWriter(t.Out, 0, 8, 2, ' ', 0)
	fmt.Fprintf(table, "issuer\t%s\nclient id\t%s\n", r.Issuer, r.Client.ID)
	if r.Secret != "" {
		fmt.Fprintf(table, "client secret\t%s\n", r.Secret)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if settings != "" {
		fmt.Fprintf(t.Out, "\n%s", settings)
	}
	if r.Secret != "" {
		fmt.Fprintln(t.Err, "Nothing tells the secret again: give it to the program now.")
	}
	return nil
}

type clientChange struct{ clientWish }

func (c *clientChange) takes(l *commandLine) {
	c.clientWish.takes(l)
	for flag, usage := range map[string]string{
		"name":   "What people read.",
		"groups": "The `GROUPS` whose users may sign in to it, with commas between them. Empty: everybody.",
		"scopes": "The `SCOPES` that it may ask for besides openid, with commas between them. Empty: profile,email,groups.",
	} {
		l.Lookup(flag).Usage = usage
	}
}

func (c *clientChange) Run(ctx context.Context, t terminal, s *settings) error {
	return s.withUsers(ctx, func(users control.Users) error {
		found, err := control.FindClient(ctx, users, c.ID)
		if err != nil {
			return err
		}
		if err := c.apply(&found.Client.Client); err != nil {
			return err
		}
		changed, err := control.ChangeClient(ctx, users, found.Client)
		if err != nil {
			return err
		}
		if changed.Client.UsesSecret() && len(changed.Client.Secrets) == 0 {
			fmt.Fprintf(t.Err, "It has no secret yet: run keypeg client rotate %s.\n", c.ID)
		}
		return c.show(t, changed)
	})
}

type clientList struct{ JSON bool }

func (c *clientList) takes(l *commandLine) {
	l.BoolVar(&c.JSON, "json", false, "One JSON object for each client.")
}

func (c *clientList) Run(ctx context.Context, t terminal, s *settings) error {
	return s.withUsers(ctx, func(users control.Users) error {
		all, err := control.ListClients(ctx, users, control.None{})
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(t.Out, 0, 8, 2, ' ', 0)
		if !c.JSON {
			fmt.Fprintln(table, "ID\tNAME\tAUTHENTICATION\tGROUPS\tADDED\tREDIRECTS")
		}
		for _, client := range all {
			if c.JSON {
				if err := json.NewEncoder(t.Out).Encode(client); err != nil {
					return err
				}
				continue
			}
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", client.ID, client.Name, client.Authentication,
				cmp.Or(strings.Join(client.Groups, " "), "-"), addedOf(client), cmp.Or(strings.Join(client.Redirects, " "), "-"))
		}
		return table.Flush()
	})
}

// addedOf says when a client was added, or that it is in the configuration file.
func addedOf(c control.RegisteredClient) string {
	return either(c.Configured, "configuration", dayOf(c.Created))
}

type clientShow struct {
	ofClient
	ofPreset
}

func (c *clientShow) takes(l *commandLine) {
	c.ofClient.takes(l)
	c.ofPreset.takes(l, "Print the settings of this program for the client, without the secret.")
}

func (c *clientShow) Run(ctx context.Context, t terminal, s *settings) error {
	return s.withUsers(ctx, func(users control.Users) error {
		found, err := control.FindClient(ctx, users, c.ID)
		if err != nil {
			return err
		}
		text, err := c.settings(found)
		if err != nil {
			return err
		}
		switch {
		case c.JSON:
			return t.printJSON(withSettings{found, text})
		case text != "":
			_, err := fmt.Fprint(t.Out, text)
			return err
		}
		return c.show(t, found)
	})
}

// show prints what is known of a client, a line for each fact that there is.
func (c *ofClient) show(t terminal, r control.Registration) error {
	if c.JSON {
		return t.printJSON(r)
	}
	client := r.Client
	table := tabwriter.NewWriter(t.Out, 0, 8, 2, ' ', 0)
	for _, fact := range []struct{ what, is string }{
		{"id", client.ID}, {"name", client.Name}, {"issuer", r.Issuer}, {"home", client.Home},
		{"redirects", strings.Join(client.Redirects, " ")}, {"signed out", strings.Join(client.SignedOut, " ")}, {"back-channel logout", client.BackChannel},
		{"authentication", string(client.Authentication)}, {"secret", secretsOf(client.Secrets)},
		{"PKCE", either(client.WithoutPKCE, "may be missing", "is demanded")}, {"algorithm", string(client.Algorithm)},
		{"identifiers", either(client.Pairwise, "of its own", "")}, {"consent", either(client.FirstParty, "is not asked for", "")},
		{"groups", strings.Join(client.Groups, ", ")}, {"scopes", strings.Join(client.Scopes, ", ")}, {"device", either(client.Device, "yes", "")},
		{"added", addedOf(client)},
	} {
		if fact.is != "" {
			fmt.Fprintf(table, "%s\t%s\n", fact.what, fact.is)
		}
	}
	return table.Flush()
}

// secretsOf says since when the secrets are accepted, and until when.
func secretsOf(secrets []control.ClientSecret) string {
	var said []string
	for _, s := range secrets {
		switch {
		case s.Since.IsZero():
			said = append(said, "of the configuration")
		case s.Until.IsZero():
			said = append(said, "since "+dayOf(s.Since))
		default:
			said = append(said, "an older one until "+clock(s.Until))
		}
	}
	return strings.Join(said, ", ")
}

type clientRotate struct {
	ofClient
	Overlap time.Duration
}

func (c *clientRotate) takes(l *commandLine) {
	c.ofClient.takes(l)
	l.DurationVar(&c.Overlap, "overlap", openid.SecretOverlap, "How long old secrets are accepted too, at most. 0s ends them now.")
}

func (c *clientRotate) Run(ctx context.Context, t terminal, s *settings) error {
	return s.withUsers(ctx, func(users control.Users) error {
		rotated, err := control.RotateClient(ctx, users, control.Rotation{ID: c.ID, Overlap: c.Overlap})
		if err != nil {
			return err
		}
		if err := c.printRegistration(t, rotated, ""); err != nil || c.JSON {
			return err
		}
		for _, old := range rotated.Client.Secrets {
			if !old.Until.IsZero() {
				fmt.Fprintf(t.Err, "The one of %s is accepted until %s.\n", dayOf(old.Since), clock(old.Until))
			}
		}
		return nil
	})
}

type clientRemove struct{ ID string }

func (c *clientRemove) takes(l *commandLine) {
	l.argument(&c.ID, "id", "The client id.")
}

func (c *clientRemove) Run(ctx context.Context, t terminal, s *settings) error {
	return s.withUsers(ctx, func(users control.Users) error {
		if err := control.RemoveClient(ctx, users, c.ID); err != nil {
			return err
		}
		_, err := fmt.Fprintf(t.Out, "Removed %s. Nobody can sign in to it any more.\n", c.ID)
		return err
	})
}

// repeated is the value of a flag that may be typed more than once. Typed once and empty, it is an empty list.
type repeated []string

// Set implements [pflag.Value].
func (r *repeated) Set(text string) error {
	if text != "" {
		*r = append(*r, text)
	}
	return nil
}

// String implements [pflag.Value].
func (r *repeated) String() string { return strings.Join(*r, " ") }

// Type implements [pflag.Value].
func (r *repeated) Type() string { return "string" }
