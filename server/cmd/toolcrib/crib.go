package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/keypeg/keypeg/app/toolcrib"
)

// crib is the data of the program. Every change is in its JSON file before it is answered;
// a crib is small.
type crib struct {
	path string

	mu   sync.Mutex
	kept kept
}

// kept is the content of the file.
type kept struct {
	People   []person           `json:"people"`
	Sessions map[string]session `json:"sessions"` // by the hash of the browser's token
	Tools    []tool             `json:"tools"`
}

type tool struct {
	ID     string    `json:"id"`
	Name   string    `json:"name"`
	Holder string    `json:"holder,omitempty"` // the id of a person
	Since  time.Time `json:"since,omitzero"`
}

// openCrib reads the file. If there is none it makes a new crib, which the caller must
// fill.
func openCrib(path string) (c *crib, isNew bool, err error) {
	c = &crib{path: path, kept: kept{Sessions: map[string]session{}}}
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return c, true, os.MkdirAll(filepath.Dir(path), 0o700)
	}
	if err == nil {
		err = json.Unmarshal(content, &c.kept)
	}
	if err != nil {
		return nil, false, fmt.Errorf("reading the crib: %w", err)
	}
	return c, false, nil
}

// read calls look with the data.
func (c *crib) read(look func(kept)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	look(c.kept)
}

// change changes the data, or nothing if the function fails.
func (c *crib) change(change func(*kept) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	encoded, err := json.Marshal(c.kept)
	if err != nil {
		return err
	}
	var next kept
	if err := json.Unmarshal(encoded, &next); err != nil {
		return err
	}
	if err := change(&next); err != nil {
		return err
	}
	if err := write(c.path, next); err != nil {
		return fmt.Errorf("writing the crib: %w", err)
	}
	c.kept = next
	return nil
}

// write replaces the file in one step.
func write(path string, content kept) error {
	encoded, err := json.MarshalIndent(content, "", "\t")
	if err != nil {
		return err
	}
	part, err := os.CreateTemp(filepath.Dir(path), ".part-") // readable for this user only
	if err != nil {
		return err
	}
	_, err = part.Write(encoded)
	if err = errors.Join(err, part.Sync(), part.Close()); err != nil {
		return errors.Join(err, os.Remove(part.Name()))
	}
	return os.Rename(part.Name(), path)
}

// as returns the crib as a person sees it.
func (c *crib) as(me person) (seen toolcrib.Crib) {
	c.read(func(k kept) {
		seen.Me = me.public()
		for _, t := range k.Tools {
			holder, _ := k.person(t.Holder)
			seen.Tools = append(seen.Tools, toolcrib.Tool{ID: t.ID, Name: t.Name, Holder: t.Holder, With: holder.Name, Since: t.Since})
		}
		if me.Keeper {
			for _, p := range k.People {
				seen.People = append(seen.People, p.public())
			}
		}
	})
	return seen
}

// Refusals, for the person at the screen.
var (
	errTaken   = refusal{409, "Somebody was faster: this tool isn't in the crib any more."}
	errNotHeld = refusal{409, "You don't have this tool."}
	errNoTool  = refusal{404, "There is no such tool."}
)

func (c *crib) borrow(me person, id string) error {
	return c.change(func(k *kept) error {
		t := k.tool(id)
		switch {
		case t == nil:
			return errNoTool
		case t.Holder == me.ID:
			return nil // they have it already
		case t.Holder != "":
			return errTaken
		}
		t.Holder, t.Since = me.ID, time.Now()
		return nil
	})
}

func (c *crib) bringBack(me person, id string) error {
	return c.change(func(k *kept) error {
		t := k.tool(id)
		switch {
		case t == nil:
			return errNoTool
		case t.Holder != me.ID:
			return errNotHeld
		}
		t.Holder, t.Since = "", time.Time{}
		return nil
	})
}

func (k *kept) tool(id string) *tool {
	i := slices.IndexFunc(k.Tools, func(t tool) bool { return t.ID == id })
	if i < 0 {
		return nil
	}
	return &k.Tools[i]
}
