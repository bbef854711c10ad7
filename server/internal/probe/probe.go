// Package probe lets keypeg doctor see what a proxy changes on the way to a server and back.
//
// The doctor sends a request with a [Token] by the public URL. The server that knows the key of the token
// answers with what arrived, and with what it would answer to a request for a page or a file ([Answer]). So the doctor
// knows that its own installation has answered, and compares both ends. Whoever doesn't know the key gets the
// same answer as at any address where nothing is. The key is a secret of the organisation's store
// ([SecretName]), and a token works for some minutes.
package probe

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"net/http"
	"time"
)

const (
	// Path is where the server answers the doctor.
	Path = "/api/v1/doctor"
	// Header has the token of a request.
	Header = "Keypeg-Doctor"
	// Cookie is the name of the cookie that the answer sets.
	Cookie = "keypeg-doctor"

	// QueryOf in the query has the path of a page or a file, whose headers and hash are answered.
	QueryOf = "of"
	// QueryWrite in the query has the server try whether it can write to its database.
	QueryWrite = "write"
	// QueryStream in the query asks for a stream of events rather than an answer.
	QueryStream = "stream"

	// SecretName is the name of the key in the store.
	SecretName = "doctor-key"
	// KeySize is its length in bytes.
	KeySize = 32

	// StreamOpen is how long the stream stays open after its first event.
	StreamOpen = 3 * time.Second
	// MaxBody is how much of a body is read, in bytes.
	MaxBody = 1 << 20
)

// StreamEvent is the first event of the stream.
const StreamEvent = "event: ready\ndata: {}\n\n"

// Answer is what the server answers.
type Answer struct {
	Proof   string  `json:"proof"`  // that it knows the key: see [Prove]
	Origin  string  `json:"origin"` // with which the server was started
	Arrived Arrived `json:"arrived"`
	// SetCookie is the cookie that this answer sets, as the server writes it.
	SetCookie string `json:"setCookie"`
	// Files are the addresses of files that browsers load.
	Files map[string]string `json:"files,omitempty"`
	// Of is what the server answers to a request for the path in the query, before any proxy changes it.
	Of *Sent `json:"of,omitempty"`
	// WriteFailed says why the store can't be written, and Write how long it took, if that was asked for.
	WriteFailed string        `json:"writeFailed,omitempty"`
	Write       time.Duration `json:"write"`
}

// Arrived is a request as the server got it.
type Arrived struct {
	Method         string   `json:"method"`
	Host           string   `json:"host"`
	Protocol       string   `json:"protocol"`
	TLS            bool     `json:"tls"`     // the connection to the server itself has it
	Peer           string   `json:"peer"`    // the connection's other end
	Trusted        bool     `json:"trusted"` // the peer is one of --trusted-proxies, or on a Unix socket
	ForwardedFor   []string `json:"forwardedFor,omitempty"`
	OddForwarded   bool     `json:"oddForwarded,omitempty"` // its last value is no address
	ForwardedProto []string `json:"forwardedProto,omitempty"`
	Address        string   `json:"address"` // that the server believes the request to come from
	Origin         string   `json:"origin,omitempty"`
	SecFetchSite   string   `json:"secFetchSite,omitempty"`
	AcceptEncoding string   `json:"acceptEncoding,omitempty"`
	Nonce          string   `json:"nonce,omitempty"`
	Cookie         string   `json:"cookie,omitempty"` // the value of the probe's own
	Body           int64    `json:"body"`             // bytes
}

// Sent is an answer of the server, before any proxy changes it.
type Sent struct {
	Status int         `json:"status"`
	Header http.Header `json:"header"`
	SHA256 string      `json:"sha256"` // of the body, in hexadecimal
	Size   int64       `json:"size"`
}

// life is how long a token works. The clocks of two machines may differ by as much.
const life = 5 * time.Minute

const (
	timeBytes  = 8
	nonceBytes = 16
)

// Token returns a new token, and its nonce.
func Token(key []byte, now time.Time) (token, nonce string) {
	said := make([]byte, timeBytes+nonceBytes)
	binary.BigEndian.PutUint64(said, uint64(now.Unix()))
	rand.Read(said[timeBytes:])
	nonce = base64.RawURLEncoding.EncodeToString(said[timeBytes:])
	return base64.RawURLEncoding.EncodeToString(append(said, sum(key, "ask", said)...)), nonce
}

// Open returns the nonce of a token that was made with this key a short time ago.
func Open(key []byte, token string, now time.Time) (nonce string, ok bool) {
	said, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(key) != KeySize || len(said) != timeBytes+nonceBytes+sha256.Size {
		return "", false
	}
	said, mac := said[:timeBytes+nonceBytes], said[timeBytes+nonceBytes:]
	if !hmac.Equal(mac, sum(key, "ask", said)) {
		return "", false
	}
	made := time.Unix(int64(binary.BigEndian.Uint64(said)), 0)
	return base64.RawURLEncoding.EncodeToString(said[timeBytes:]), now.Sub(made).Abs() <= life
}

// Prove returns what shows that its author knows the key, and answers the request with this nonce.
func Prove(key []byte, nonce string) string {
	return base64.RawURLEncoding.EncodeToString(sum(key, "answer", []byte(nonce)))
}

func sum(key []byte, purpose string, of []byte) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("keypeg doctor 1 " + purpose + " "))
	mac.Write(of)
	return mac.Sum(nil)
}
