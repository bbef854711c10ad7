package message

// Member is the page of one user, for people with a role.
type Member struct {
	Back              string
	Methods           string // {name}
	NoMethods         string
	Remove            string
	RemoveRow         string // {what}
	RemoveTitle       string // {what}
	RemoveLead        string // {name}
	OnlyWay           string
	Told              string // {name}
	Sessions          string // {name}
	NoSessions        string
	EndAll            string
	Activity          string
	Facts             string
	Access            string
	Edit              string
	DisplayName       string
	UserName          string
	Email             string
	NotVerified       string
	None              string
	Since             string
	LastSignIn        string // {date}
	Never             string
	Role              string
	RoleNone          string
	RoleAuditor       string
	RoleHelper        string
	RoleAdministrator string
	Groups            string
	GroupsHint        string
	Helps             string
	Save              string
	Saved             string
	Help              string // {name}
	HelpLead          string // {name}
	Danger            string
	DisableLead       string
	Delete            string
	DeleteLead        string // {name}
	DeleteTitle       string // {name}
	DeleteAsk         string // {user}
	LastAdmin         string
	Yourself          string
	SinceInvited      string // {date}, {name}
	Certain           string // {name}
	EnableFirst       string // {name}
}
