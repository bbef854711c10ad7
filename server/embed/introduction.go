package embed

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-json-experiment/json"

	"github.com/keypeg/keypeg/server/internal/strictjson"
	"github.com/keypeg/keypeg/shared"
)

// Introduction is what a program says of the user who is signed in at one of its pages: a compact JWS
// (RFC 7515, 7.1) with HS256 and the claims below (RFC 7519, 4).
type Introduction struct {
	Subject      string    // sub: the program's id of the user, which never changes and is never another's
	Name         string    // name: what the user types to sign in, or an e-mail address
	DisplayName  string    // displayName; the name where there is none
	Session      string    // sid: the id of the session, which isn't a secret
	Proved       time.Time // proved: when they last proved who they are, by any method
	PasskeyID    string    // passkey: the passkeyId of the proof that the session began with, or ""
	HasPassword  bool      // hasPassword: they can sign in with a password of the program
	OtherMethods int       // otherMethods: how many other ways to sign in the program has for them
	Issued       time.Time // iat
	Expires      time.Time // exp
	ID           string    // jti
	By           string    // keyOf the secret that it was signed with
}

// Limits of an introduction.
const (
	longestIntroduction = 4096 // bytes of the whole text
	longestID           = 255  // bytes of an id
	longestName         = 255  // bytes of a name
	// LongestIntroduced is how long an introduction works at most.
	LongestIntroduced = 10 * time.Minute
	// clocks is how far the clocks of two machines may be apart.
	clocks = time.Minute
)

// claims are those of an [Introduction] as they come. Pointers tell what is missing.
type claims struct {
	Subject      *string  `json:"sub"`
	Name         *string  `json:"name"`
	DisplayName  string   `json:"displayName"`
	Session      *string  `json:"sid"`
	Proved       *date    `json:"proved"`
	PasskeyID    string   `json:"passkey"`
	HasPassword  bool     `json:"hasPassword"`
	OtherMethods int      `json:"otherMethods"`
	Audience     audience `json:"aud"`
	Issued       *date    `json:"iat"`
	Expires      *date    `json:"exp"`
	ID           *string  `json:"jti"`
}

// date is a NumericDate (RFC 7519, 2): seconds since 1970, with or without a fraction.
type date float64

// UnmarshalJSON implements json.Unmarshaler.
func (d *date) UnmarshalJSON(text []byte) error {
	var seconds float64
	switch err := json.Unmarshal(text, &seconds); {
	case err == nil && seconds > math.MaxUint32 && seconds < math.MaxUint32*1000.:
		return errors.New("is in milliseconds, and must be in seconds since 1970")
	case err != nil || seconds < 0 || seconds > math.MaxUint32:
		return errors.New("must be a number: the seconds since 1970")
	}
	*d = date(seconds)
	return nil
}

func (d date) time() time.Time { return time.UnixMilli(int64(float64(d) * 1000)) }

// audience is one address, or a list of one (RFC 7519, 4.1.3).
type audience string

// UnmarshalJSON implements json.Unmarshaler.
func (a *audience) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*a = audience(one)
		return nil
	}
	var list []string
	if err := json.Unmarshal(text, &list); err != nil || len(list) != 1 {
		return errors.New("must be one address")
	}
	*a = audience(list[0])
	return nil
}

// The refusals of an introduction. What IT or a developer must mend has one sentence for the user, who can
// do nothing about it.
var (
	errUnreadable = shared.Errorf(shared.CodeIntroductionInvalid, "This program has not said correctly who you are. Please tell IT.")
	errOrigin     = shared.Errorf(shared.CodeIntroductionOrigin, "This program has not said correctly who you are. Please tell IT.")
	errClock      = shared.Errorf(shared.CodeIntroductionClock, "This program has not said correctly who you are. Please tell IT.")
	errUser       = shared.Errorf(shared.CodeIntroductionUser, "This program has not said correctly who you are. Please tell IT.")
	errRenamed    = shared.Errorf(shared.CodeIntroductionUser, "This page was open for a long time. Please load it again.")
	errOld        = shared.Errorf(shared.CodeIntroductionExpired, "This page was open for a long time. Please load it again.")
	errElsewhere  = shared.Errorf(shared.CodeIntroductionUsed, "This page was opened in another browser before. Please load it again.")
)

// readIntroduction reads what one of the secrets has signed for an origin. Fresh says that the program has made it
// just now: then one from more than a minute ago comes from a wrong clock. It counts for longer, but a proof of now would
// seem old too, and the panel would ask for a password that was just given.
//
// Refusals: each of the above but errUser, errRenamed and errElsewhere.
func readIntroduction(text string, secrets []string, origin string, fresh bool, now time.Time) (Introduction, error) {
	payload, secret, err := verify(text, secrets)
	if err != nil {
		return Introduction{}, errUnreadable.Telling("the introduction isn't what Keypeg expects: %w", err)
	}
	var c claims
	if err := strictjson.Unmarshal(payload, &c); err != nil {
		return Introduction{}, errUnreadable.Telling("a claim of the introduction can't be read (sub, name, sid and jti are texts, and proved, iat and exp are seconds since 1970): %s", claimAt(err))
	}
	i, err := c.introduction()
	if err != nil {
		return Introduction{}, errUnreadable.Telling("in the introduction, %w", err)
	}
	i.By = keyOf(secret)
	switch {
	case string(c.Audience) != origin:
		return Introduction{}, errOrigin.Telling("the introduction's aud is %q, and must be %q", c.Audience, origin)
	case i.Issued.After(now.Add(clocks)):
		return Introduction{}, errClock.Telling("the introduction was made in %d seconds from now (iat): the program's clock is ahead of Keypeg's, or Keypeg's is behind; set both by NTP", int(i.Issued.Sub(now).Seconds()))
	case fresh && i.Issued.Before(now.Add(-clocks)):
		return Introduction{}, errClock.Telling("the introduction that the program made just now was made %d seconds ago (iat): the program's clock is behind Keypeg's, or Keypeg's is ahead; set both by NTP, and let nothing keep what the address in fresh answers", int(now.Sub(i.Issued).Seconds()))
	case fresh && !now.Before(i.Expires):
		return Introduction{}, errClock.Telling("the introduction that the program made just now ended %d seconds ago (exp): the program's clock is behind Keypeg's, or Keypeg's is ahead; set both by NTP", int(now.Sub(i.Expires).Seconds()))
	case !now.Before(i.Expires):
		return Introduction{}, errOld.Telling("the introduction ended %d seconds ago (exp): give the element the attribute fresh, so that it gets a new one; if the page is new, the program's clock is behind", int(now.Sub(i.Expires).Seconds()))
	}
	if i.Proved.After(now) {
		i.Proved = now // the clocks are apart by less than a minute
	}
	return i, nil
}

// checkConfirmed refuses an introduction after a password that doesn't say that the user has just proved who they are. Both
// times are the program's own, so its clock doesn't matter.
func (i Introduction) checkConfirmed() error {
	if ago := i.Issued.Sub(i.Proved); ago > clocks {
		return errUnreadable.Telling("the password was right, and the introduction that the program answers says that the user proved who they are %d seconds before iat (proved): note the time in the session before the introduction is made", int(ago.Seconds()))
	}
	return nil
}

// claimAt says which claim is wrong, and why, without what our decoder calls things.
func claimAt(err error) string {
	semantic, is := errors.AsType[*json.SemanticError](err)
	if !is {
		return err.Error()
	}
	why := "it has the wrong type"
	if semantic.Err != nil {
		why = semantic.Err.Error()
	}
	return strings.TrimPrefix(string(semantic.JSONPointer), "/") + ": " + why
}

// verify returns what one of the secrets has signed, and which.
func verify(text string, secrets []string) (payload []byte, secret string, err error) {
	if len(text) > longestIntroduction {
		return nil, "", fmt.Errorf("it has %d bytes, and at most %d are accepted", len(text), longestIntroduction)
	}
	signed, err := jose.ParseSignedCompact(text, []jose.SignatureAlgorithm{jose.HS256})
	if err != nil {
		return nil, "", errors.New("it must be a compact JWS with HS256 (three parts of base64url without padding, with dots between)")
	}
	for _, secret := range secrets {
		if payload, err := signed.Verify([]byte(secret)); err == nil {
			return payload, secret, nil
		}
	}
	return nil, "", errors.New("the signature is wrong: both sides need the same secret, and the key is its text as it stands in the file, without the line break")
}

// introduction checks the claims that need no clock. Its error ends a sentence for the developer.
func (c claims) introduction() (Introduction, error) {
	for _, required := range []struct {
		claim   string
		value   *string
		longest int
	}{{"sub", c.Subject, longestID}, {"name", c.Name, longestName}, {"sid", c.Session, longestID}, {"jti", c.ID, longestID}} {
		if required.value == nil {
			return Introduction{}, fmt.Errorf("%s is missing", required.claim)
		}
		if err := checkText(required.claim, *required.value, required.longest); err != nil {
			return Introduction{}, err
		}
	}
	if c.Proved == nil || c.Issued == nil || c.Expires == nil {
		return Introduction{}, errors.New("proved, iat and exp must be there")
	}
	i := Introduction{
		Subject: *c.Subject, Name: *c.Name, DisplayName: c.DisplayName, Session: *c.Session, PasskeyID: c.PasskeyID,
		HasPassword: c.HasPassword, OtherMethods: c.OtherMethods, ID: *c.ID,
		Proved: c.Proved.time(), Issued: c.Issued.time(), Expires: c.Expires.time(),
	}
	if i.DisplayName == "" {
		i.DisplayName = i.Name
	}
	switch life := i.Expires.Sub(i.Issued); {
	case life <= 0 || life > LongestIntroduced:
		return Introduction{}, fmt.Errorf("exp must be from 1 to %d seconds after iat", int(LongestIntroduced.Seconds()))
	case i.Proved.After(i.Issued.Add(clocks)):
		return Introduction{}, errors.New("proved is after iat: it is the time of the last sign-in or confirmation")
	case i.OtherMethods < 0 || i.OtherMethods > 1000:
		return Introduction{}, errors.New("otherMethods must be from 0 to 1000")
	case len(i.PasskeyID) > longestID:
		return Introduction{}, errors.New("passkey must be the passkeyId of a proof")
	}
	return i, checkText("displayName", i.DisplayName, longestName)
}

// checkText refuses a text that can't be shown or compared.
func checkText(claim, text string, longest int) error {
	switch {
	case strings.TrimSpace(text) == "":
		return fmt.Errorf("%s is empty", claim)
	case len(text) > longest:
		return fmt.Errorf("%s has %d bytes, and at most %d are accepted", claim, len(text), longest)
	case !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl):
		return fmt.Errorf("%s has control characters, or isn't UTF-8", claim)
	}
	return nil
}
