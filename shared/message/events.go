package message

// Events is the page of what happened in the organisation.
type Events struct {
	Title            string
	Lead             string
	Filters          string
	Find             string
	Kind             string
	AllKinds         string
	SignIns          string
	Failures         string
	Passkeys         string
	Passwords        string
	Users            string
	Programs         string
	By               string
	ByAnybody        string
	ByAdministrators string
	ByUsers          string
	ByCommandLine    string
	CommandLine      string // as {name} in WhomAndDoer
	SignedIn         string // a kind
	When             string
	LastDay          string
	LastWeek         string
	LastMonth        string
	LastYear         string
	Dates            string
	DateFrom         string
	DateTo           string
	Repeated         string // {event} and {count}, at least 2
	WhomAndDoer      string // {user} and {name}, who did it
	Doer             string // {name}
	Removed          string
	FactBy           string
	FactFor          string
	FactPasskey      string
	FactProvider     string
	FactProgram      string
	FactChange       string
	FactFrom         string
	FactWhen         string
	Between          string // {first} and {last}
	FactEvent        string
	CopyJSON         string
	AllOf            string // {name}
	More             string
	LookFurther      string
	LookedUntil      string // {date}
	NothingDay       string
	NothingWeek      string
	NothingMonth     string
	NothingYear      string
	NothingDates     string
	Export           string
	ExportTitle      string
	ExportLead       string
	ExportTable      string
	ExportLines      string
	ExportClose      string
	Shown            Counted
}
