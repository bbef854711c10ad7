package account

import (
	"context"
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"unicode"

	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// longestEmail is the greatest length of an address in bytes of UTF-8 (RFC 5321, 4.5.3.1.3, without
// the brackets).
const longestEmail = 254

// CanonicalEmail returns an e-mail address as it is stored: without blanks and invisible
// characters at the ends, and with its domain in lower case. What stands before the @ stays as it
// was typed, because the receiver decides what it means (RFC 5321, 2.4). An empty text is no
// address.
//
// Refusal: [shared.CodeInvalidEmail] for what is not one plain address: a list, a name beside it,
// a line break or another character that can't be seen, or more than 254 bytes.
func CanonicalEmail(typed string) (string, error) {
	typed = plainAddress(typed)
	if typed == "" {
		return "", nil
	}
	if len(typed) > longestEmail {
		return "", shared.Errorf(shared.CodeInvalidEmail, "This e-mail address is too long. Please use at most %d characters.", longestEmail)
	}
	parsed, err := mail.ParseAddress(typed)
	local, domain, _ := strings.Cut(typed, "@")
	if err != nil || parsed.Name != "" || parsed.Address != typed || strings.ContainsAny(typed, " \"<>()[]\\,;:") || strings.ContainsFunc(typed, isUnseen) || local == "" || !strings.Contains(domain, ".") {
		return "", shared.Errorf(shared.CodeInvalidEmail, "This is no e-mail address. Please write it like ann@example.com.").Because(err)
	}
	return local + "@" + strings.ToLower(domain), nil
}

// isUnseen reports whether a character can't be seen, or changes how the text around it is shown.
func isUnseen(r rune) bool { return !unicode.IsPrint(r) }

// checkEmail refuses the address of a user's new record if it is another user's own: verified, or
// reserved. An address that an administrator gives a user is reserved for them, and so is every
// one while no mails are sent, since then nobody could verify it. Where users write down their own
// and can verify it, many may have the same one, and the first who verifies it has it: so nobody
// can keep another user from an address.
//
// Refusal: [shared.CodeEmailTaken].
func (s *Service) checkEmail(ctx context.Context, user store.User, before string) error {
	if user.Email == "" || user.Email == before {
		return nil
	}
	free, err := s.isFreeEmail(ctx, user)
	if err == nil && !free {
		err = emailTaken(user.Email)
	}
	return err
}

// isFreeEmail reports whether a user's address is no other user's own.
func (s *Service) isFreeEmail(ctx context.Context, user store.User) (bool, error) {
	holder, err := s.c.Store.UserByEmail(ctx, user.Email)
	if errors.Is(err, store.ErrNotFound) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("looking whose an e-mail address is: %w", err)
	}
	return holder.ID == user.ID, nil
}

// emailTaken is the refusal of an address that another user has.
func emailTaken(address string) *shared.Error {
	return shared.Errorf(shared.CodeEmailTaken, "Somebody has the e-mail address %s already.", address)
}
