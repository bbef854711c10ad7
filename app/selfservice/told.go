package selfservice

import (
	"slices"

	"github.com/keypeg/keypeg/shared"
)

// told is the account that a [Menu] shows. It is zero while nobody is signed in. The [Offer] on the
// same page learns it here, and asks the server for nothing. Only the UI goroutine uses it.
type told struct {
	account  shared.Account
	watchers []*func() // are called when it changes
}

func (t *told) tell(account shared.Account) {
	t.account = account
	for _, changed := range t.watchers {
		(*changed)()
	}
}

// watch calls changed whenever the account changes, until stop is called.
func (t *told) watch(changed func()) (stop func()) {
	t.watchers = append(t.watchers, &changed)
	return func() {
		t.watchers = slices.DeleteFunc(t.watchers, func(w *func()) bool { return w == &changed })
	}
}
