package admin

import (
	"net/http"

	"github.com/keypeg/keypeg/server/account"
	"github.com/keypeg/keypeg/server/internal/httpapi"
	"github.com/keypeg/keypeg/shared"
)

// A helper sees the users of the groups that they help, and no others.

func (u Users) list(w http.ResponseWriter, r *http.Request) error {
	query := queryOf(r)
	users, next, err := u.Accounts.List(r.Context(), query)
	if err != nil {
		return err
	}
	page := shared.Members{Next: next}
	if page.Counts, err = u.Accounts.MemberCounts(r.Context(), query.Only); err != nil {
		return err
	}
	if page.Users, err = u.Accounts.Members(r.Context(), users); err != nil {
		return err
	}
	return httpapi.Respond(w, http.StatusOK, page)
}

// queryOf reads which users a request asks for.
func queryOf(r *http.Request) account.ListQuery {
	typed := r.URL.Query()
	return account.ListQuery{
		Find: typed.Get("find"), In: typed.Get("in"), Sort: typed.Get("sort"), After: typed.Get("after"), Only: onlyGroups(r),
	}
}

// onlyGroups returns the groups whose users the caller may see, or nil for all.
func onlyGroups(r *http.Request) []string {
	if by := httpapi.CallerOf(r).User; by.Role == shared.RoleHelper {
		return append([]string{}, by.Helps...)
	}
	return nil
}
