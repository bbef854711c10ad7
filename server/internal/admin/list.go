package admin

import (
	"net/http"

	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/shared"
)

// A helper sees the users of the groups that they help, and no others.

func (u Users) list(w http.ResponseWriter, r *http.Request) error {
	typed, only := r.URL.Query(), onlyGroups(r)
	users, next, err := u.Accounts.List(r.Context(), account.ListQuery{
		Find: typed.Get("find"), In: typed.Get("in"), Sort: typed.Get("sort"), After: typed.Get("after"), Only: only,
	})
	if err != nil {
		return err
	}
	page := shared.Members{Users: make([]shared.Member, len(users)), Next: next}
	if page.Counts, err = u.Accounts.MemberCounts(r.Context(), only); err != nil {
		return err
	}
	for i, user := range users {
		if page.Users[i], err = u.member(r.Context(), user); err != nil {
			return err
		}
	}
	return httpapi.Respond(w, http.StatusOK, page)
}

// onlyGroups returns the groups whose users the caller may see, or nil for all.
func onlyGroups(r *http.Request) []string {
	if by := httpapi.CallerOf(r).User; by.Role == shared.RoleHelper {
		return append([]string{}, by.Helps...)
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
