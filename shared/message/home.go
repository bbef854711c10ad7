package message

// Home is the first page after signing in.
type Home struct {
	Title               string
	Lead                string // {product}
	SignInMethods       string
	Passkeys            string
	PasskeyCount        Counted
	Newest              string // {name}
	NoPasskeys          string
	Manage              string
	ManageRow           string
	PasskeysOff         string
	OfferTitle          string
	OfferLead           string
	OfferAdd            string
	OfferNotNow         string
	OfferHereTitle      string
	OfferHereLead       string
	OfferRecovered      string
	OfferMovedTitle     string // {address}
	OfferMoved          string // {old}
	OfferHereAdd        string
	SecondTitle         string
	SecondComputer      string // of the only passkey, which is on a computer
	SecondKey           string // on a security key
	SecondDevice        string // on another device
	SavedSilently       string // {name}
	RecoveryLink        string // {date}
	Held                string // {date}
	HeldHelp            string // where the user can't end that
	Allow               string
	Allowed             string
	Password            string
	PasswordChanged     string // {date}
	PasswordNone        string
	PasswordSetNew      string
	PasswordSetRow      string
	PasswordChange      string
	PasswordChangeRow   string
	PasswordRemove      string
	PasswordRemoveRow   string
	PasswordRemoveTitle string
	PasswordRemoveLead  string
	PasswordRemoved     string
	OnlyMethod          string
	Linked              string // {date}
	NotLinked           string
	Link                string
	LinkRow             string // {provider}
	Unlink              string
	UnlinkRow           string // {provider}
	DoneUnlinked        string
	Codes               string
	CodesLeft           string // {n}, {all}
	CodesFew            string // {n}, {all}
	CodesNone           string
	CodesMade           string // {date}
	CodesMake           string
	CodesMakeRow        string
	CodesRenew          string
	CodesRenewRow       string
	Working             string
	Profile             string
	ProfileEdit         string
	EmailVerified       string
	EmailNotVerified    string
	VerifyAgain         string
	VerifySent          string
	Language            string
	LanguageNone        string
	LanguageHint        string
	Export              string
	ExportHint          string
	Sessions            string
	Activity            string
	SeeAll              string
}
