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
