package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/keypeg/keypeg/server/passkey/passkeytest"
	"github.com/keypeg/keypeg/shared"
)

// TestLastAdministrator demotes, disables and removes administrators all at once: several of them by
// requests, each to a node, and IT at the command line. One who can sign in stays, and every refusal says
// why. It is about the whole program; package account has the same race at the level of stores.
func TestLastAdministrator(t *testing.T) {
	t.Run("a file", func(t *testing.T) {
		p := newProgram(t, "--confirm-after", "24h")
		p.starts()
		testLastAdministrator(t, p)
	})
	t.Run("PostgreSQL and two nodes", func(t *testing.T) {
		a, b := twoNodes(t, "--confirm-after", "24h")
		testLastAdministrator(t, a, b)
	})
}

const chosen = "correct horse battery staple"

func testLastAdministrator(t *testing.T, nodes ...*program) {
	c := &contest{T: t, nodes: nodes, tabs: map[string]*tab{}}
	rounds, each := 1, 5
	if soaking {
		rounds, each = 20, 12
	}
	for round := range rounds {
		for i := range each {
			c.addsAdministrator(fmt.Sprintf("admin%d-%d", round, i))
		}
		c.races()
		if t.Failed() {
			t.Fatalf("after round %d", round)
		}
	}
	t.Logf("%d acts succeeded, and %d were refused: %v", c.done, len(c.refusals), tallied(c.refusals))
	t.Run("the last one stays", c.testLast)
	t.Run("themselves", c.testThemselves)
	t.Run("a role races a sign-in", c.testSigningIn)
	t.Run("a role races requests", c.testRequests)
}

// contest is a program, on one node or more, with administrators who are signed in.
type contest struct {
	*testing.T
	nodes []*program
	tabs  map[string]*tab // of everybody who was added

	mu       sync.Mutex
	done     int
	refusals []string
}

// runs carries out a command of IT's.
func (c *contest) runs(stdin string, args ...string) (code int, out, says string) {
	command := command(c.T, append(args, "--database", c.nodes[0].database)...)
	command.Stdin = strings.NewReader(stdin)
	var failure strings.Builder
	command.Stderr = &failure
	printed, err := command.Output()
	if exit, is := errors.AsType[*exec.ExitError](err); is {
		return exit.ExitCode(), string(printed), failure.String()
	}
	if err != nil {
		c.Error(err)
	}
	return 0, string(printed), failure.String()
}

func (c *contest) must(stdin string, args ...string) string {
	c.Helper()
	code, out, says := c.runs(stdin, args...)
	if code != 0 {
		c.Fatalf("keypeg %s: exit %d: %s", strings.Join(args, " "), code, says)
	}
	return out
}

// addsAdministrator adds one who has a password and is signed in.
func (c *contest) addsAdministrator(name string) *tab {
	c.Helper()
	c.must(chosen+"\n", "user", "add", name, "--admin")
	c.tabs[name] = c.signsIn(name)
	return c.tabs[name]
}

func (c *contest) signsIn(name string) *tab {
	c.Helper()
	browser := c.nodes[0].opensTab(nil, "")
	if _, err := browser.SignInWithPassword(c.Context(), name, chosen); err != nil {
		c.Fatalf("%s signs in: %v", name, err)
	}
	return browser
}

// administrators are those who can sign in.
func (c *contest) administrators() (list []shared.Member) {
	c.Helper()
	out := c.must("", "user", "list", "--in", "administrators", "--json")
	for line := range strings.Lines(out) {
		var user shared.Member
		if err := json.Unmarshal([]byte(line), &user); err != nil {
			c.Fatal(err)
		}
		if !user.Disabled && user.HasPassword {
			list = append(list, user)
		}
	}
	return list
}

// acts are the ways to make somebody an administrator no more: by a request, and by a command.
var acts = []struct {
	name    string
	request func(c *contest, by *tab, of shared.Member) error
	command func(name string) []string
}{
	{"demotes", func(c *contest, by *tab, of shared.Member) error {
		_, err := by.ChangeMember(c.Context(), of.ID, shared.ChangeMember{Role: new(shared.RoleNone)})
		return err
	}, func(name string) []string { return []string{"user", "role", name, "none"} }},
	{"disables", func(c *contest, by *tab, of shared.Member) error {
		_, err := by.SetDisabled(c.Context(), of.ID, true)
		return err
	}, func(name string) []string { return []string{"user", "disable", name} }},
	{"removes", func(c *contest, by *tab, of shared.Member) error {
		return by.RemoveMember(c.Context(), of.ID, of.Name)
	}, func(name string) []string { return []string{"user", "remove", name, "--yes", name} }},
}

// sentences are those of the refusals that a race may bring, by request.
var sentences = map[shared.Code]string{
	shared.CodeLastAdministrator: "This is the only administrator who can sign in. Make another one first.",
	shared.CodeNotAllowed:        "Your role doesn't allow this",
	shared.CodeNotFound:          "This user isn't there any more.",
	shared.CodeUnauthenticated:   "Your session has ended. Please sign in again.",
	shared.CodeConflict:          "The account was changed somewhere else at the same time. Please try again.",
}

const notYourself = "You can't do this to your own account. Ask another administrator."

// races has 64 acts at the same time, of administrators on each other and of IT on all.
func (c *contest) races() {
	c.Helper()
	targets := c.administrators()
	var racing sync.WaitGroup
	for n := range 64 {
		act, of := acts[n%3], targets[n*5%len(targets)]
		by := targets[n*7/2%len(targets)]
		node := c.nodes[n%len(c.nodes)]
		racing.Go(func() {
			if n%4 == 0 {
				c.commands(act.name, of.Name, act.command(of.Name))
				return
			}
			err := act.request(c, c.tabs[by.Name].at(node, nil), of)
			c.counts(err)
			if says := sentences[shared.CodeOf(err)]; err != nil && (says == "" || !strings.Contains(err.Error(), says)) && !(by.ID == of.ID && strings.Contains(err.Error(), notYourself)) {
				c.Errorf("%s %s %s: %v", by.Name, act.name, of.Name, err)
			}
		})
	}
	racing.Wait()

	left := c.administrators()
	if len(left) == 0 {
		c.Fatal("no administrator is left who can sign in")
	}
	for _, user := range left {
		c.signsIn(user.Name)
	}
	for _, user := range targets {
		if slices.ContainsFunc(left, func(l shared.Member) bool { return l.ID == user.ID }) {
			continue
		}
		for _, node := range c.nodes {
			_, err := c.tabs[user.Name].at(node, nil).Users(c.Context(), shared.MembersQuery{})
			if code := shared.CodeOf(err); code != shared.CodeNotAllowed && code != shared.CodeUnauthenticated {
				c.Errorf("%s is no administrator any more, and reads users: %v", user.Name, err)
			}
		}
	}
}

// commands runs a command of a race.
func (c *contest) commands(what, of string, args []string) {
	code, _, says := c.runs("", args...)
	if code == 0 {
		c.counts(nil)
		return
	}
	c.counts(errors.New(says))
	allowed := []string{
		"keypeg: " + of + " is the only administrator who can sign in: make another one with keypeg user role NAME administrator, or say --even-the-last\n",
		"keypeg: There is no user with the name " + of + ".\n", "keypeg: This user isn't there any more.\n",
		"keypeg: The account was changed somewhere else at the same time. Please try again.\n",
	}
	if code != 1 || !slices.Contains(allowed, says) {
		c.Errorf("IT %s %s: exit %d: %q", what, of, code, says)
	}
}

func (c *contest) counts(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil {
		c.done++
		return
	}
	refused := string(shared.CodeOf(err))
	if refused == "" {
		refused = "by command"
	}
	c.refusals = append(c.refusals, refused)
}

func tallied(list []string) map[string]int {
	tally := map[string]int{}
	for _, what := range list {
		tally[what]++
	}
	return tally
}

// testLast makes all but one no administrators, and tries everything on that one. Another who was
// only invited doesn't count.
func (c *contest) testLast(t *testing.T) {
	left := c.administrators()
	for ; len(left) > 1; left = left[1:] {
		c.must("", "user", "role", left[0].Name, "none")
	}
	last := left[0]
	c.must("", "user", "invite", "bob", "--admin")
	for _, act := range acts {
		code, _, says := c.runs("", act.command(last.Name)...)
		if want := "keypeg: " + last.Name + " is the only administrator who can sign in: make another one with keypeg user role NAME administrator, or say --even-the-last\n"; code != 1 || says != want {
			t.Errorf("IT %s the last one: exit %d: %q", act.name, code, says)
		}
	}
	if code, _, says := c.runs("", "user", "passwd", last.Name, "--remove"); code != 1 || !strings.Contains(says, "could not sign in any more") {
		t.Errorf("IT removes the last one's password: exit %d: %q", code, says)
	}
	if left := c.administrators(); len(left) != 1 || left[0].ID != last.ID {
		t.Errorf("left are %+v", left)
	}
	c.must("", "user", "disable", "bob")
}

// testThemselves has administrators do to themselves what they may do to others.
func (c *contest) testThemselves(t *testing.T) {
	carl := c.addsAdministrator("carl")
	account, err := carl.Account(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	of := shared.Member{User: account.User}
	for _, act := range acts {
		if err := act.request(c, carl, of); shared.CodeOf(err) != shared.CodeConflict || !strings.Contains(err.Error(), notYourself) {
			t.Errorf("an administrator %s themselves: %v", act.name, err)
		}
	}
	if _, err := carl.ChangeMember(t.Context(), of.ID, shared.ChangeMember{Role: new(shared.RoleAuditor), DisplayName: new("Carla")}); shared.CodeOf(err) != shared.CodeConflict {
		t.Errorf("with another change: %v", err)
	}
	if after, err := carl.Account(t.Context()); err != nil || after.User.DisplayName != account.User.DisplayName || after.User.Role != shared.RoleAdministrator {
		t.Errorf("a part of it was done: %+v (%v)", after.User, err)
	}
}

// testSigningIn demotes and disables an administrator who signs in at the same moment. Whoever comes
// first: no session has the role any more, and after disabling there is none.
func (c *contest) testSigningIn(t *testing.T) {
	dora, device := c.addsAdministrator("dora"), passkeytest.New(c.nodes[0].url)
	account, err := dora.Account(t.Context())
	if err == nil {
		_, err = dora.at(c.nodes[0], device).steps.Register(t.Context(), "Phone", "")
	}
	if err != nil {
		t.Fatal(err)
	}
	carl, of := c.tabs["carl"], account.User.ID
	for round := range 8 {
		disables := round%2 == 1
		var racing sync.WaitGroup
		var tabs [4]*tab
		for i := range tabs {
			tabs[i] = c.nodes[i%len(c.nodes)].opensTab(device, "")
			racing.Go(func() {
				_, err := tabs[i].steps.SignIn(t.Context())
				if code := shared.CodeOf(err); err != nil && code != shared.CodeAccountDisabled && code != shared.CodeConflict {
					t.Errorf("signing in: %v", err)
				}
			})
		}
		racing.Go(func() {
			var err error
			if disables {
				_, err = carl.SetDisabled(t.Context(), of, true)
			} else {
				_, err = carl.ChangeMember(t.Context(), of, shared.ChangeMember{Role: new(shared.RoleNone)})
			}
			if err != nil {
				t.Errorf("round %d: %v", round, err)
			}
		})
		racing.Wait()
		for _, tab := range tabs {
			_, err := tab.Users(t.Context(), shared.MembersQuery{})
			if code := shared.CodeOf(err); code != shared.CodeUnauthenticated && (disables || code != shared.CodeNotAllowed) {
				t.Errorf("round %d: a session reads users: %v", round, err)
			}
		}
		c.must("", "user", "enable", "dora")
		c.must("", "user", "role", "dora", "administrator")
	}
}

// testRequests demotes an administrator who sends one request after another. None that is sent after the
// demotion was answered is done, on any node.
func (c *contest) testRequests(t *testing.T) {
	c.must("", "user", "invite", "emil")
	emil := c.finds(t, "emil")
	for round := range 4 {
		dora := c.signsIn("dora")
		var demoted atomic.Bool
		var sending sync.WaitGroup
		for i := range 4 {
			mine := dora.at(c.nodes[i%len(c.nodes)], nil)
			sending.Go(func() {
				for n := 0; ; n++ {
					late := demoted.Load()
					_, err := mine.ChangeMember(t.Context(), emil, shared.ChangeMember{DisplayName: new(fmt.Sprintf("Emil %d %d %d", round, i, n))})
					switch code := shared.CodeOf(err); {
					case late && code == shared.CodeNotAllowed:
						return
					case late || err != nil && code != shared.CodeNotAllowed && code != shared.CodeConflict:
						t.Errorf("round %d, sent after the demotion: %t: %v", round, late, err)
						return
					}
				}
			})
		}
		if _, err := c.tabs["carl"].ChangeMember(t.Context(), c.finds(t, "dora"), shared.ChangeMember{Role: new(shared.RoleNone)}); err != nil {
			t.Errorf("round %d: %v", round, err)
		}
		demoted.Store(true)
		sending.Wait()
		c.must("", "user", "role", "dora", "administrator")
	}
}

// finds returns the id of a user.
func (c *contest) finds(t *testing.T, name string) string {
	t.Helper()
	var user shared.Member
	if err := json.Unmarshal([]byte(c.must("", "user", "show", name, "--json")), &user); err != nil {
		t.Fatal(err)
	}
	return user.ID
}
