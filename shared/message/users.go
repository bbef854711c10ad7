package message

// Users is the page of people with a role: the list of users, and what can be done for many at once.
type Users struct {
	Title          string
	Find           string
	Invite         string
	InviteTitle    string
	Import         string
	Export         string
	Show           string
	All            string
	WithoutPasskey string
	PasswordOnly   string
	OneDevice      string
	WithPasskey    string
	InvitedChip    string
	Disabled       string
	Administrators string
	Helpers        string
	Auditors       string
	Sort           string
	ShowAll        string
	Nobody         string
	NobodyNamed    string // {words}
	JustYou        string
	JustYouLead    string
	Caption        string // of the table, for screen readers; {range}
	Range          string // {last}, {count}
	First          string // {last}: where nobody knows how many there are
	Found          Counted
	New            Counted // what a button says that shows them
	More           string
	SelectAll      string
	SelectRow      string // {name}
	ColumnName     string
	ColumnMethods  string
	ColumnGroups   string
	ColumnLast     string
	ColumnState    string
	SortBy         string // {column}
	NothingYet     string
	Password       string
	Providers      Counted
	NoGroups       string
	Never          string
	You            string
	Active         string
	Held           string
	Invited        string
	InvitedUntil   string // {date}
	RecoveryUntil  string // {time}
	SelectedUsers  string
	Selected       Counted
	Clear          string
	Fits           string // {action}, {n}, {count}
	Groups         string
	Again          string
	Disable        string
	Enable         string
	DisableMany    Counted
	EnableMany     Counted
	EnableLead     string
	AgainMany      Counted
	GroupsMany     Counted
	GroupsAdd      string
	GroupsTake     string
	GroupsWhat     string // of the choice between the two
	GroupsDo       string
	Progress       string // {n}, {count}
	DoneFor        string // {n}, {count}
	DoneMany       Counted
	LinksTitle     Counted
	LinksLead      string
	LinksSave      string
	LinksSaved     string
	LinksFile      string // the name of the file, without its extension
	Close          string
	UserName       string
	UserHint       string
	DisplayName    string
	Email          string
	InviteGroups   string
	Admin          string
	ByMail         string
	ByMailMany     string
	Mailed         string // {address}
	MailedMany     string
	MailedSome     string
	Submit         string
	Working        string
	Cancel         string
	RecoverTitle   string // {name}
	RecoverAsk     string // {name}
	RecoverDo      string
	AgainTitle     string // {name}
	AgainAsk       string // {name}
	InviteLost     string // the answer that had the link
	LinkUntil      string // {date}
	Withdraw       string
	DisableRow     string // {name}
	DisableTitle   string // {name}
	DisableLead    string
	EnableRow      string // {name}
	DoneDisabled   string // {name}
	DoneEnabled    string // {name}
	DoneWithdrawn  string // {name}
	AllowTitle     string // {name}
	AllowAsk       string // {name}
}

// Import is the dialog that invites the people of a table.
type Import struct {
	Title   string
	Lead    string
	File    string
	Looking string
	Ignored string // {columns}
	Wrong   Counted
	Line    string // {n}
	All     Counted
	More    Counted
	Do      Counted
	Done    Counted
	Lost    string // the answer that had the links
}
