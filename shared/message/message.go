// Package message holds every text that a person reads, on the sign-in pages and in the app.
//
// Each language is a [Catalogue], a file of its own. Every field has a text; a test finds the
// missing ones. [Fill] puts a value into a text that has a {name} in it, and
// [Catalogue.Count] a number. Texts are plain text, so the code that shows them escapes them.
package message

import (
	"strings"

	"github.com/keypeg/keypeg/shared"
)

// Fill replaces each {name} in text by the value that follows that name in pairs.
//
//	message.Fill("Remove “{name}”?", "name", passkey.Name)
func Fill(text string, pairs ...string) string {
	for i := 0; i+1 < len(pairs); i += 2 {
		pairs[i] = "{" + pairs[i] + "}"
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// Sentences puts one sentence behind another: with a blank between them, but in Japanese, where the full stop
// has its own.
func Sentences(first, second string) string {
	if strings.HasSuffix(first, "。") {
		return first + second
	}
	return first + " " + second
}

// Catalogue is every text in one language.
type Catalogue struct {
	Lang string // BCP 47, "en"
	Name string // in the language itself

	SignIn   SignIn
	Shell    Shell
	Home     Home
	Panel    Panel
	Sessions Sessions
	Activity Activity
	Reasons  Reasons
	Member   Member
	Users    Users
	Import   Import
	Events   Events
	Link     Link
	Rollout  Rollout
	Programs Programs
	Clients  Clients
	Password Password
	Codes    Codes
	Confirm  Confirm
	Failure  Failure

	// Refusals are the sentences of [shared.Error]. A missing one is shown in English; a
	// test finds those.
	Refusals []Refusal
}

// Refusal is the format of a sentence, in English and in a catalogue's language.
type Refusal struct{ English, Here string }

// Languages are all catalogues. The first one is the default. The app doesn't use this list,
// so that only English is in its program. It loads other languages from the server.
var Languages = []*Catalogue{&English, &German, &French, &Spanish, &Japanese}

// Choose returns the catalogue for the first of these languages that has one, or English.
// Languages are BCP 47 tags; see [Speaks].
func Choose(tags ...string) *Catalogue {
	for _, tag := range tags {
		for _, catalogue := range Languages {
			if Speaks(catalogue.Lang, tag) {
				return catalogue
			}
		}
	}
	return &English
}

// Speaks reports whether a language fits a tag that a browser asks for. Only the primary
// subtag counts: "de" fits "de-CH".
func Speaks(lang, tag string) bool {
	primary, _, _ := strings.Cut(tag, "-")
	return strings.EqualFold(primary, lang)
}

// Refusal returns the sentence of a refusal in this language.
func (c *Catalogue) Refusal(err *shared.Error) string {
	return err.In(func(english string) string {
		for _, r := range c.Refusals {
			if r.English == english {
				return r.Here
			}
		}
		return english
	})
}

// WhomToAsk returns the sentence at the foot of every page before sign-in. It says whom to ask
// for help, also if IT hasn't set a contact.
func (c *Catalogue) WhomToAsk(product, contact string) string {
	if contact == "" {
		return Fill(SignInPagesIn(c).ContactNone, "product", product)
	}
	return Fill(SignInPagesIn(c).Contact, "contact", contact)
}

// Shell is the frame around every page of the app.
type Shell struct {
	Language       string
	Install        string
	InstallApple   string // where the browser can\'t be asked to, in the words of its own menu
	Understood     string
	Menu           string // the accessible name of the menu under the user's name
	Passkeys       string
	Sessions       string
	Activity       string
	Administration string
	Checks         string
	SignOut        string
	SignOutKeep    string
	SigningOut     string
	Offline        string
	Away           string
	InBetween      string
	OfflineLead    string
	OfflineAsOf    string // {date}
	Left           string // signed out while the server can't be reached
	LeftLead       string
	TryAgain       string
	Update         string
	Reload         string
	Broken         string
	SkipToMain     string
	NotFound       string
	ToStart        string
	Loading        string
	Slow           string // it still loads
	NotOffline     string // instead of what no copy is kept of
	Ended          string // the session has, and something is shown that can't be shown again
	Today          string // {date}: a day, or a time of day
	Yesterday      string // {date}
}

// Panel is the list of passkeys and what can be done with it.
type Panel struct {
	Title              string
	Close              string
	Loading            string
	Empty              string
	What               string // the title of the fold with Empty
	EmptyTitle         string
	Add                string
	AddPhone           string
	AddOther           string // the same on a phone
	DeviceName         string
	NameLike           string
	Where              string // of the next choices and SecurityKey
	WhereAsk           string
	WhereHere          string
	WherePhone         string
	Register           string
	Registering        string
	AddedTitle         string
	AddedLead          string // {name}
	Try                string
	Works              string
	Cancel             string
	Added              string // {date}
	NeverUsed          string
	LastUsed           string // {date}
	InProvider         string // {provider}: where a passkey is kept
	InApple            string // {provider}
	InGoogle           string // {provider}
	InSynced           string // {provider}
	InManager          string
	ManagersLead       string // below InManager, as a heading
	Single             string // a heading
	SingleLead         string
	SecurityKey        string
	OnComputer         string
	OnPhone            string
	OnDevice           string
	HomeOf             string // {home}, {provider}: where a passkey is kept, and by what
	Unverified         string
	OtherAddress       string
	FormerAddress      string // {address}
	Current            string
	Rename             string
	RenameRow          string // {name}
	NewName            string
	Save               string
	Saving             string
	Remove             string
	RemoveRow          string // {name}
	RemoveTitle        string // {name}
	RemoveLead         string
	RemoveLast         string // the last passkey, while a password is left
	RemoveLastAt       string // {provider}; the same, while there is no password
	RemoveSessions     Counted
	RemoveSomeSessions string // if they can't be counted
	OK                 string
	Removing           string
	OnlyMethod         string
	AddAnother         string
	DoneAdded          string // {name}
	DoneRenamed        string // {name}
	GoneElsewhere      string // {name}
	DoneRemoved        string // {name}
	RetryList          string
	Nameless           string // the name of a passkey of which nothing is known
	About              string // the title of the page about passkeys, and of links to it
	Contact            string // {contact}
	NotSupported       string
	NotSecure          string
}

// Sessions is the page of browsers in which the user is signed in.
type Sessions struct {
	Title          string
	Lead           string
	Current        string
	BrowserOn      string // {browser}, {system}
	UnknownBrowser string
	WithPassword   string // {date}
	WithPasskey    string // {date}
	WithNamed      string // {date}, {name}
	WithSetupLink  string // {date}
	AtProvider     string // {date}, {provider}
	WithCode       string // {date}
	Seen           string // {date}
	From           string // {address}
	End            string
	EndRow         string // {browser}
	Ending         string
	EndOthers      string
	NoOthers       string
	DoneEnded      string // {browser}
	DoneOthers     string
}

// Activity is the page of what happened to the account.
type Activity struct {
	Title            string
	Lead             string
	Here             string
	Nothing          string
	More             string
	MoreWorking      string
	AccountCreated   string
	SignedInPassword string
	SignedInPasskey  string // {passkey}
	SignedInLink     string
	SignedInProvider string // {provider}
	SignedInCode     string
	CodesMade        string
	IdentityLinked   string // {provider}
	IdentityUnlinked string // {provider}
	ProgramAllowed   string // {program}
	ProgramEnded     string // {program}
	SignedInTo       string // {program}

	ClientAdded         string // {program}
	ClientChanged       string // {program}
	ClientSecretRotated string // {program}
	ClientRemoved       string // {program}
	KeysRotated         string
	Invited             string
	RecoveryLinkMade    string
	LinkWithdrawn       string
	Renamed             string
	ProfileChanged      string
	EmailChanged        string
	EmailVerified       string
	GroupsChanged       string
	RoleChanged         string
	AccountRemoved      string
	DataExported        string
	Held                string
	Released            string
	For                 string // {name}: the other user to whom it was done
	ForRemoved          string
	InvitationUsed      string
	RecoveryUsed        string
	PhoneUsed           string
	By                  string // {name}
	ByRemoved           string // instead of By, if the administrator was removed
	Times               string // of a line for several: {count}, at least 2, and {when} the first one was
	SignInFailed        string
	PasskeyFailed       string // {reason}, as [Reasons] has it
	SignedOut           string
	Confirmed           string
	PasswordChanged     string
	PasswordRemoved     string
	Disabled            string
	Enabled             string
	PasskeyAdded        string // {passkey}
	PasskeyRenamed      string // {passkey}
	PasskeyRemoved      string // {passkey}
	CounterFell         string // {passkey}
	CounterDiffers      string // {passkey}
	BackupChanged       string // {passkey}
	SessionEnded        string
	OthersEnded         string
	Other               string
	NotMe               string
	NotMeRow            string // {event}
	NotMeWorking        string
	NotMeTitle          string
	FailedTitle         string // of a failed sign-in that wasn't the user's
	FailedLead          string
	NotMeLead           string
	NotMePassword       string
	NotMePasskey        string // {passkey}
	NotMeHeld           string // {date}
	NotMeClose          string
}

// Link is the dialog that shows an enrolment link, once.
type Link struct {
	InvitationTitle string // {name}
	InvitationLead  string // {name}, {date}
	RecoveryTitle   string // {name}
	RecoveryLead    string // {name}, {date}
	PhoneTitle      string
	PhoneLead       string // {date}
	OtherTitle      string // the same on a phone, for another device
	OtherLead       string // {date}
	ThisComputer    string // no other device can open the link
	Code            string
	Address         string
	Copy            string
	Copied          string
	Done            string
	Lost            string // the answer that had the link
}

// Password is the dialog that changes the user's password.
type Password struct {
	Title  string
	Lead   string
	New    string
	Hint   string
	Save   string
	Saving string
	Cancel string
	Done   string
}

// Codes is the dialog that shows new recovery codes.
type Codes struct {
	Title    string
	Lead     string
	File     string // the name of the file, without its extension; {product}
	Heading  string // the first line of the file; {product}, {name}
	Download string
	Print    string
	Done     string
	Lost     string // the answer that had the codes
}

// Confirm asks the user to prove again who they are.
type Confirm struct {
	Title       string
	Lead        string
	UsePasskey  string
	Password    string
	UsePassword string
	AtProvider  string // {provider}
	SignInAgain string
	Working     string
	Cancel      string
	Or          string
	Nothing     string
	Recovery    string
}

// Failure says what went wrong with an authenticator, and what to do now.
type Failure struct {
	RegisterDenied string
	SignInDenied   string
	ConfirmDenied  string
	Exists         string
	WrongAddress   string // {host}, {rp}
	NotSupported   string
	NoLock         string
	Provider       string // {reference}
	MayBeKept      string
	NotLoaded      string
	Offline        string
	Unreadable     string
	AskContact     string // {contact}
}
