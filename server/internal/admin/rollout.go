package admin

import (
	"cmp"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/keypeg/keypeg/server/internal/csvfile"
	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/shared"
)

// WriteRollout writes the rollout as CSV, a figure in each row. The page and the command line write the
// same table.
func WriteRollout(w io.Writer, r shared.Rollout) error {
	table := csvfile.NewWriter(w)
	err := table.Write("figure", "day", "of", "browser", "count")
	row := func(figure, day, of, browser string, n int) {
		err = cmp.Or(err, table.Write(figure, day, of, browser, strconv.Itoa(n)))
	}
	users := func(day string, of map[string]int) {
		for _, name := range slices.Sorted(maps.Keys(of)) {
			row("users", day, name, "", of[name])
		}
	}
	today := r.Counted.UTC().Format(time.DateOnly)
	users(today, map[string]int{
		"all": r.Users.All, shared.MembersWithPasskey: r.Users.WithPasskey, shared.MembersWithoutPasskey: r.Users.WithoutPasskey,
		shared.MembersPasswordOnly: r.Users.PasswordOnly, shared.MembersOneDevice: r.Users.OneDevice, shared.MembersInvited: r.Users.Invited, shared.MembersDisabled: r.Users.Disabled,
	})
	if r.Before != nil {
		users(r.Before.Day, map[string]int{"all": r.Before.Users, shared.MembersWithPasskey: r.Before.WithPasskey})
	}
	row("passkeys", today, "synced", "", r.SyncedPasskeys)
	row("passkeys", today, "device-bound", "", r.DeviceBoundPasskeys)
	for _, took := range r.Enrolled.List() {
		row("first passkey after the invitation", today, took.Within, "", took.Count)
	}
	for _, failed := range r.Failed {
		row("failed", today, string(failed.Reason), failed.Browser, failed.Count)
	}
	for _, day := range r.Days {
		for _, method := range slices.Sorted(maps.Keys(day.Methods)) {
			row("sign-ins", day.Day, method, "", day.Methods[method])
		}
	}
	return cmp.Or(err, table.Flush())
}

func (u Users) exportRollout(w http.ResponseWriter, r *http.Request) error {
	rollout, err := u.Accounts.Rollout(r.Context())
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", csvfile.ContentType)
	w.Header().Set("Content-Disposition", `attachment; filename="rollout.csv"`)
	if WriteRollout(w, rollout) != nil {
		panic(http.ErrAbortHandler)
	}
	return nil
}

func (u Users) rollout(w http.ResponseWriter, r *http.Request) error {
	rollout, err := u.Accounts.Rollout(r.Context())
	if err != nil {
		return err
	}
	return httpapi.Respond(w, http.StatusOK, rollout)
}
