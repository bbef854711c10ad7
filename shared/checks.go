package shared

import "time"

// Checks is what an examination of the installation has found so far.
type Checks struct {
	Running bool      `json:"running"` // more come: ask again
	Began   time.Time `json:"began"`
	Checks  []Check   `json:"checks"`
	// Support is a text to send to others: the settings in force and the results, without secrets and names of
	// users. It is "" while Running.
	Support string `json:"support,omitempty"`
	// Script is the address of the script that looks from the browser, and Program that of app.wasm, which it looks
	// at. What it sees is an [Observed].
	Script  string `json:"script,omitempty"`
	Program string `json:"program,omitempty"`
	// Texts are those of the page, in the reader's language.
	Texts map[CheckText]string `json:"texts,omitempty"`
}

// CheckText names a text of the page of checks, which the server sends in the reader's language.
type CheckText string

// The values of [CheckText].
const (
	CheckTextLead          CheckText = "lead"
	CheckTextAgain         CheckText = "again"
	CheckTextRunning       CheckText = "running" // {n}
	CheckTextFailed        CheckText = "failed"  // behind a number, as the next ones
	CheckTextWarning       CheckText = "warning"
	CheckTextOK            CheckText = "ok"
	CheckTextLeftOut       CheckText = "leftOut"
	CheckTextStateFailed   CheckText = "stateFailed" // of one check, as the next ones
	CheckTextStateWarning  CheckText = "stateWarning"
	CheckTextStateOK       CheckText = "stateOK"
	CheckTextStateLeftOut  CheckText = "stateLeftOut"
	CheckTextToDo          CheckText = "toDo"
	CheckTextNothing       CheckText = "nothing"
	CheckTextAll           CheckText = "all"
	CheckTextMend          CheckText = "mend"
	CheckTextWrite         CheckText = "write" // {program}
	CheckTextCopy          CheckText = "copy"
	CheckTextThrowaway     CheckText = "throwaway"
	CheckTextThrowawayLead CheckText = "throwawayLead"
	CheckTextWorking       CheckText = "working"
	CheckTextSupport       CheckText = "support"
	CheckTextSupportLead   CheckText = "supportLead"
	CheckTextUnseen        CheckText = "unseen"
)

// Check is a question about the installation with its answer.
type Check struct {
	ID    string     `json:"id"`    // its group and its name in English, "Address/port"
	Group string     `json:"group"` // in the reader's language
	Title string     `json:"title"` // in the reader's language
	State CheckState `json:"state"`
	// Compared says in English what was found and expected. Mend has what to write or to do.
	Compared string `json:"compared"`
	Mend     []Mend `json:"mend,omitempty"`
}

// CheckState is the outcome of a check.
type CheckState string

// The values of [CheckState].
const (
	CheckOK      CheckState = "ok"
	CheckWarning CheckState = "warning"
	CheckFailed  CheckState = "failed"
	CheckLeftOut CheckState = "left out" // it needs something that failed, or there is nothing to check
)

// Mend is a line to write, or something to do.
type Mend struct {
	In   string `json:"in,omitempty"` // "nginx", "Caddy", "keypeg"; or "" for what else is to be done
	Line string `json:"line"`
}

// Observed is what an administrator's browser sees of the installation. It has no secret, and nothing of a
// passkey but whether it worked.
type Observed struct {
	Origin       string          `json:"origin"` // of the page
	Secure       bool            `json:"secure"` // the page is a secure context
	Clock        int64           `json:"clock"`  // milliseconds since 1970, when this was sent
	Passkeys     bool            `json:"passkeys"`
	Capabilities map[string]bool `json:"capabilities,omitempty"` // of getClientCapabilities (WebAuthn Level 3, 5.1.7)
	Page         ObservedFile    `json:"page"`                   // this page, as fetch sees it
	Program      ObservedFile    `json:"program"`                // app.wasm
	Worker       ObservedWorker  `json:"worker"`
	Stream       ObservedStream  `json:"stream"`
	Throwaway    *ObservedKey    `json:"throwaway,omitempty"`
}

// ObservedFile is an answer as a script of the page sees it.
type ObservedFile struct {
	Failed  string            `json:"failed,omitempty"` // why nothing came
	Status  int               `json:"status,omitempty"`
	Headers map[string]string `json:"headers,omitempty"` // by their names in small letters
	Size    int64             `json:"size,omitempty"`    // without its encoding
	SHA256  string            `json:"sha256,omitempty"`  // of the same, in hexadecimal
}

// ObservedWorker is the service worker.
type ObservedWorker struct {
	Able        bool   `json:"able"` // the browser has service workers
	Registered  bool   `json:"registered"`
	Controlling bool   `json:"controlling"`
	Scope       string `json:"scope,omitempty"`
	Loaded      string `json:"loaded,omitempty"` // the version of this page
	Served      string `json:"served,omitempty"` // that of the worker that the server has now
	Failed      string `json:"failed,omitempty"`
}

// ObservedStream is the stream of changes.
type ObservedStream struct {
	After  int64  `json:"after"` // milliseconds by which the first event came later than another answer; 0 if it came first
	Failed string `json:"failed,omitempty"`
}

// ObservedKey says how far a passkey came that was made for nobody. The server learns neither its id nor its
// key, so it can't be a way to sign in.
type ObservedKey struct {
	Made      bool   `json:"made"`
	Used      bool   `json:"used"`
	Proven    bool   `json:"proven"`    // its signature, the challenge, the origin and the relying party id were right
	Verified  bool   `json:"verified"`  // the device has verified the user
	Signalled bool   `json:"signalled"` // the browser was told that it exists no more
	Failed    string `json:"failed,omitempty"`
}
