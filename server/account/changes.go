package account

import (
	"slices"
	"strings"

	"github.com/keypeg/keypeg/server/session"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// change is what somebody changed in a record: the kind of its event, and the words of its
// [shared.Event.Change].
type change struct {
	kind  shared.EventKind
	words []string
}

// changesOf compares a record with what it was.
func changesOf(before, after store.User) (changes []change) {
	add := func(kind shared.EventKind, words []string) {
		if len(words) > 0 {
			changes = append(changes, change{kind, words})
		}
	}
	add(shared.EventRenamed, difference(words(shared.ChangedName, before.Name), words(shared.ChangedName, after.Name)))
	if before.DisplayName != after.DisplayName || before.Language != after.Language {
		changes = append(changes, change{kind: shared.EventProfileChanged})
	}
	add(shared.EventEmailChanged, difference(words(shared.ChangedEmail, before.Email), words(shared.ChangedEmail, after.Email)))
	add(shared.EventGroupsChanged, difference(groupWords(before), groupWords(after)))
	add(shared.EventRoleChanged, difference(roleWords(before), roleWords(after)))
	return changes
}

// created records that the actor's user is new, with what they got besides the name.
func (s *Service) created(who session.Actor) store.Batch {
	given := change{shared.EventAccountCreated, difference(nil, append(roleWords(who.User), groupWords(who.User)...))}
	return s.recorded(who, given.kind, given.says)
}

// says writes the words into the event of the user whose record it is. The event of whoever did it
// doesn't get them: they go with the user.
func (c change) says(event *store.Event) {
	if event.About == "" {
		event.Change = strings.Join(c.words, " ")
	}
}

// words are the values of a field that has some, each with the field before it.
func words(field string, values ...string) (list []string) {
	for _, value := range values {
		if value != "" {
			list = append(list, field+value)
		}
	}
	return list
}

func groupWords(user store.User) []string { return words(shared.ChangedGroup, user.Groups...) }

func roleWords(user store.User) []string {
	return append(words(shared.ChangedRole, string(user.Role)), words(shared.ChangedHelps, user.Helps...)...)
}

// difference writes what was taken, and then what was given.
func difference(before, after []string) (list []string) {
	for _, word := range before {
		if !slices.Contains(after, word) {
			list = append(list, shared.ChangeTaken+word)
		}
	}
	for _, word := range after {
		if !slices.Contains(before, word) {
			list = append(list, shared.ChangeGiven+word)
		}
	}
	return list
}
