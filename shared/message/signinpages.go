package message

// SignInPages are the texts for people who aren't signed in.
type SignInPages struct {
	SignInTitle       string
	SignInLead        string // {product}
	SignInWith        string // {provider}
	SetupTitle        string
	SetupLead         string // {product}
	SetupUserName     string
	SetupUserHint     string
	DisplayName       string
	DisplayHint       string
	NewPassword       string
	NewPasswordHint   string
	SetupSubmit       string
	SessionEnded      string
	LostAccess        string
	RecoveryTitle     string
	RecoveryLead      string
	RecoveryCode      string
	InvitationTitle   string // {name}
	InvitationLead    string // {product}, {user}
	InvitationPasskey string // {product}, {user}
	RecoveryLinkTitle string
	RecoveryLinkLead  string // {user}
	PhoneTitle        string
	PhoneLead         string // {user}
	CreatePasskey     string
	Incapable         string
	PasswordOnly      string
	SavePassword      string
	EnrolledTitle     string
	EnrolledPasskey   string
	EnrolledPassword  string
	RefusalTitle      string
	RefusalNotFound   string
	RefusalLink       string
	RefusalAccess     string
	RefusalTooMany    string
	RefusalFault      string
	RefusalProvider   string
	RefusalSuspended  string
	RefusalHost       string

	PasswordOptional     string
	PasswordOptionalHint string
	PasskeyOnly          string
	BackToSignIn         string
	BackToStart          string
	Contact              string // {contact}
	ContactNone          string // {product}
}

// About is the page about passkeys. Words of other pages stand in it as they are there, so
// that a reader finds them: the names of buttons come from the other texts.
type About struct {
	Lead                string // {product}
	KeptTitle           string
	KeptManager         string
	KeptKey             string
	KeptDevice          string
	KeptKeyOnly         string // where only certain makers' authenticators are accepted
	UseButton           string // {button}
	UseUnlock           string
	UseElsewhere        string
	OtherTitle          string // of the list of other sign-in methods
	OtherAdministrators string // a password, which only administrators may use
	OtherCode           string
	ManageTitle         string
	ManageOpen          string // {menu}
	ManageAdd           string // {add}, {register}
	ManagePhone         string // {phone}
	ManageRemove        string // {rename}, {remove}
	ManageMost          Counted
	LostTitle           string
	LostTwo             string
	LostRemove          string
	LostFound           string // where a passkey must verify its user
	LostCodes           string // {codes}, {lost}
	SafeTitle           string
	SafeSecret          string
	SafeAddress         string // {address}
	Manual              string
}

// SignIn is the sign-in form, on the sign-in page and in a host program.
type SignIn struct {
	Name     string
	Password string
	Submit   string
	Passkey  string
	Or       string
	Working  string
	Cancel   string
}
