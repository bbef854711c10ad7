package server

import (
	"errors"
	"log/slog"
	"time"

	"github.com/keypeg/keypeg/server/store"
)

// check refuses a Config that can't work, or of which a part would be ignored.
func (c Config) check() error {
	hosted := c.Host != nil
	switch {
	case c.Store == nil:
		return errors.New("there must be a Store")
	case (c.Accounts == nil) == (c.Host == nil):
		return errors.New("either Accounts or Host must be set")
	case c.Address.Origin == "" || c.Address.Host == "" || c.Address.RPID == "":
		return errors.New("there must be an Address, from ParseAddress")
	case !hosted && c.Asset == nil:
		return errors.New("with Accounts, Asset must be set")
	case !hosted && c.ConfirmFor != 0:
		return errors.New("with Accounts, ConfirmFor is theirs: set it in account.Config")
	case !hosted && c.KeepEvents != 0:
		return errors.New("with Accounts, KeepEvents is theirs: set it in account.Config")
	case c.KeepEvents != 0 && (c.KeepEvents < store.ShortestKept || c.KeepEvents > store.EventsKept):
		return errors.New("KeepEvents must be from store.ShortestKept to store.EventsKept")
	case c.StyleSheet != "" && (!hosted || c.Asset == nil):
		return errors.New("StyleSheet is for a Host, and for the page that Asset switches on")
	case (c.App.Pages == nil) != (c.App.Page == nil):
		return errors.New("App.Page draws App.Pages: set both or none")
	case c.ManualPublic && !c.App.hasManual():
		return errors.New("ManualPublic is about the manual: App.Files must have it")
	case hosted && c.Examine != nil:
		return errors.New("with a Host, Examine means nothing")
	case hosted && (c.Providers != nil || c.App.Pages != nil || c.App.Files != nil):
		return errors.New("with a Host, Providers and App mean nothing: sign-in and pages are its own")
	}
	return nil
}

// fill sets the defaults.
func (c *Config) fill() {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Warnings == nil {
		c.Warnings = NewWarnings(c.Log, c.Now)
	}
}
