package message

// Rollout is the page that says how far an organisation has come with passkeys.
type Rollout struct {
	Tab               string
	Title             string
	Lead              string // {users}, {date}
	Export            string
	Percent           string // {n}
	WithPasskey       string
	Points            Counted // percentage points
	In30Days          string  // behind Points
	ByPasskey         string
	ADay              string // {n}
	NoSignIns         string
	OneDevice         string
	Show              string
	Have              string
	Passkey           string
	Provider          string
	Others            string // sign-ins with recovery codes and links
	Days              string
	DaysLead          string
	Soon              string
	AsTable           string
	Until             string // of a column of dates
	Failed            string
	FailedLead        string // {days}, {n}
	FailedNone        string
	ByReason          string
	ByBrowser         string
	OtherBrowsers     string
	Enrolled          string
	EnrolledNone      string
	InHour            string
	InDay             string
	InWeek            string
	InMonth           string
	Later             string
	Next              string
	NextPassword      Counted
	NextPasswordHint  string
	NextOneDevice     Counted
	NextOneDeviceHint string
	NextInvited       Counted
	NextInvitedHint   string
	NextNothing       string
}
