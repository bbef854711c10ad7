package textfile_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/keypeg/keypeg/server/internal/textfile"
)

func written(t *testing.T, content string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const mark = "\ufeff"

// utf16le is a text as Windows' Notepad once saved it under the name Unicode.
func utf16le(text string) string {
	var b strings.Builder
	for _, unit := range utf16.Encode([]rune(text)) {
		b.WriteByte(byte(unit))
		b.WriteByte(byte(unit >> 8))
	}
	return b.String()
}

// TestSecret reads one secret as editors, shells and consoles save it.
func TestSecret(t *testing.T) {
	for name, content := range map[string]string{
		"as it is":                      "s3cret",
		"with a new line":               "s3cret\n",
		"with several":                  "s3cret\n\n\n",
		"with Windows' new line":        "s3cret\r\n",
		"with a byte order mark":        mark + "s3cret\r\n",
		"with blanks":                   "  s3cret\t\n",
		"with a no-break space":         "\u00a0s3cret\u00a0",
		"below an empty line":           "\ns3cret\n",
		"with a mark and an empty line": mark + "\n\ns3cret",
	} {
		if got, err := textfile.Secret(written(t, content)); got != "s3cret" || err != nil {
			t.Errorf("%s: got %q (%v), want s3cret", name, got, err)
		}
	}
	for _, secret := range []string{"a b", `"quoted"`, "GOCSPX-a_b-c", "8Q~~x.y/z+=", "Schlüssel", strings.Repeat("x", 4096)} {
		if got, err := textfile.Secret(written(t, secret+"\n")); got != secret || err != nil {
			t.Errorf("got %q (%v), want %q", got, err, secret)
		}
	}

	for name, test := range map[string]struct{ content, says string }{
		"nothing":                        {"", "is empty: write the secret into it"},
		"blanks":                         {" \r\n\t", "is empty: write the secret into it"},
		"a byte order mark alone":        {mark, "is empty: write the secret into it"},
		"UTF-16":                         {"\xff\xfe" + utf16le("s3cret\r\n"), "is in UTF-16: save it as UTF-8"},
		"UTF-16, the other way round":    {"\xfe\xff\x00s\x003", "is in UTF-16: save it as UTF-8"},
		"UTF-16 without a mark":          {utf16le("s3cret"), "is in UTF-16: save it as UTF-8"},
		"a zero byte":                    {"s3cret\x00", "save it as plain text in UTF-8"},
		"Latin 1":                        {"Schl\xfcssel", "save it as plain text in UTF-8"},
		"two lines":                      {"s3cret\ns3cret\n", "has several lines: write the secret into it and nothing else"},
		"a comment":                      {"# of Google\ns3cret\n", "has several lines: write the secret into it and nothing else"},
		"the key file":                   {"-----BEGIN PRIVATE KEY-----\nMII\n-----END PRIVATE KEY-----\n", "name it with private-key-file"},
		"what Google has one download":   {`{"web":{"client_id":"x","client_secret":"s3cret"}}`, "holds JSON: write the secret alone into it"},
		"a zero-width space":             {"s3\u200bcret", "holds the invisible character U+200B: write the secret again, without it"},
		"a zero-width space at its end":  {"s3cret\u200b\n", "holds the invisible character U+200B"},
		"a control character":            {"s3\x1bcret", "holds the invisible character U+001B"},
		"a no-break space in its middle": {"s3\u00a0cret", "holds the invisible character U+00A0"},
		"too much":                       {strings.Repeat("x", 4097), "has more than 4096 bytes"},
		"a file that is another":         {strings.Repeat("x\n", 1<<20), "has more than 1048576 bytes: is it the right file?"},
	} {
		path := written(t, test.content)
		got, err := textfile.Secret(path)
		if err == nil || got != "" || !strings.HasPrefix(err.Error(), path+" ") || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: got %q (%v), want a sentence about the file that says %q", name, got, err, test.says)
		}
		if err != nil && strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: the secret is repeated: %v", name, err)
		}
	}
	if _, err := textfile.Secret(t.TempDir()); err == nil {
		t.Error("a folder was read")
	}
	if _, err := textfile.Secret("/dev/zero"); err == nil {
		t.Error("a file without an end was read")
	}
}

// TestSecrets reads a secret from each line.
func TestSecrets(t *testing.T) {
	for content, want := range map[string]string{
		"s3cret":                        "s3cret",
		"new\nold\n":                    "new old",
		mark + "new\r\n\r\n  old\t\r\n": "new old",
		"new\rold":                      "new old",
	} {
		if got, err := textfile.Secrets(written(t, content)); strings.Join(got, " ") != want || err != nil {
			t.Errorf("%q: got %q (%v), want %s", content, got, err, want)
		}
	}
	for content, says := range map[string]string{
		"\n \n":                              "is empty",
		"good\ns3\u200bcret":                 "holds the invisible character U+200B",
		"good\n" + strings.Repeat("x", 4097): "has more than 4096 bytes",
		"s3cret\n-----BEGIN KEY-----\n":      "holds a key or a certificate",
	} {
		path := written(t, content)
		got, err := textfile.Secrets(path)
		if err == nil || got != nil || !strings.HasPrefix(err.Error(), path+" ") || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%.20q: got %q (%v), want a sentence that says %q", content, got, err, says)
		}
	}
	if _, err := textfile.Secrets("s3cret"); err == nil || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("a secret in the place of a file: %v", err)
	}
}

func certificate(t *testing.T, name string) (der []byte, inPEM string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	if der, err = x509.CreateCertificate(rand.Reader, form, form, key.Public(), key); err != nil {
		t.Fatal(err)
	}
	return der, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func TestCertificates(t *testing.T) {
	der, one := certificate(t, "One")
	_, two := certificate(t, "Two")
	lines := strings.SplitAfter(one, "\n")

	for name, test := range map[string]struct {
		content string
		want    int
	}{
		"one":                    {one, 1},
		"two":                    {one + two, 2},
		"a byte order mark":      {mark + one + two, 2},
		"Windows' lines":         {strings.ReplaceAll(one+two, "\n", "\r\n"), 2},
		"an old Mac's lines":     {strings.ReplaceAll(one+two, "\n", "\r"), 2},
		"indented":               {"  " + strings.ReplaceAll(one, "\n", "\n  "), 1},
		"no last new line":       {strings.TrimSpace(one + two), 2},
		"what openssl writes":    {"subject=CN = One\nissuer=CN = One\n" + one + "\n\nsubject=CN = Two\n" + two, 2},
		"the same one twice":     {one + two + one, 2},
		"empty lines in between": {"\n\n" + one + "\n\n\n" + two + "\n\n", 2},
	} {
		if got, err := textfile.Certificates(written(t, test.content)); len(got) != test.want || err != nil {
			t.Errorf("%s: got %d certificates (%v), want %d", name, len(got), err, test.want)
		}
	}

	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	keyDER, _ := x509.MarshalPKCS8PrivateKey(key)
	private := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}))
	for name, test := range map[string]struct{ content, says string }{
		"nothing":                           {"", "holds no certificate"},
		"a page of the web":                 {"<!doctype html><title>Not found</title>", "holds no certificate"},
		"UTF-16":                            {"\xff\xfe" + utf16le(one), "is in UTF-16: save it as UTF-8"},
		"DER":                               {string(der), "openssl x509 -inform der"},
		"cut at its end":                    {two + strings.Join(lines[:len(lines)-2], ""), "isn't whole in line 1"},
		"cut in its middle":                 {strings.Join(lines[:3], "") + two, "isn't whole in line 1"},
		"cut at its begin":                  {strings.Join(lines[1:], "") + two, "isn't whole in line"},
		"a line is missing":                 {strings.Join(append(lines[:2:2], lines[3:]...), "") + two, "in line 1"},
		"the first is broken":               {strings.Replace(one, lines[2][:8], "????????", 1) + two, "isn't whole in line 1"},
		"the last is broken":                {two + strings.Replace(one, lines[2][:8], "????????", 1), "isn't whole in line"},
		"text within":                       {lines[0] + "a note\n" + strings.Join(lines[1:], ""), "isn't whole in line 1"},
		"another end":                       {strings.Replace(one, "END CERTIFICATE", "END TRUSTED CERTIFICATE", 1), "isn't whole in line 1"},
		"one line":                          {strings.ReplaceAll(one, "\n", `\n`), "isn't whole in line 1"},
		"a block of something else":         {string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("hello")})), "can't be read: copy it again"},
		"a certificate with something more": {string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: append(der[:len(der):len(der)], 0)})), "can't be read: copy it again"},
		"a private key":                     {one + private, "holds a private key in line"},
		"openssl's own kind":                {strings.ReplaceAll(one, "CERTIFICATE", "TRUSTED CERTIFICATE"), "holds a TRUSTED CERTIFICATE in line 1"},
		"a request":                         {one + strings.ReplaceAll(two, "CERTIFICATE", "CERTIFICATE REQUEST"), "holds a CERTIFICATE REQUEST in line"},
	} {
		path := written(t, test.content)
		got, err := textfile.Certificates(path)
		if err == nil || got != nil || !strings.HasPrefix(err.Error(), path+" ") || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: got %d certificates (%v), want a sentence about the file that says %q", name, len(got), err, test.says)
		}
	}
}

func TestPrivateKey(t *testing.T) {
	onP256, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ofRSA, _ := rsa.GenerateKey(rand.Reader, 2048)
	_, edwards, _ := ed25519.GenerateKey(rand.Reader)
	block := func(kind string, der []byte, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	pkcs8 := func(key any) string {
		der, err := x509.MarshalPKCS8PrivateKey(key)
		return block("PRIVATE KEY", der, err)
	}
	der, err := x509.MarshalECPrivateKey(onP256)
	sec1 := block("EC PRIVATE KEY", der, err)
	pkcs1 := block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(ofRSA), nil)
	parameters := block("EC PARAMETERS", []byte{6, 8, 42, 134, 72, 206, 61, 3, 1, 7}, nil)
	der, err = x509.MarshalPKIXPublicKey(onP256.Public())
	public := block("PUBLIC KEY", der, err)
	_, signed := certificate(t, "Client")

	for name, content := range map[string]string{
		"PKCS #8":                         pkcs8(onP256),
		"PKCS #8 of RSA":                  pkcs8(ofRSA),
		"PKCS #8 of Ed25519":              pkcs8(edwards),
		"PKCS #1":                         pkcs1,
		"SEC 1":                           sec1,
		"as openssl ecparam -genkey does": parameters + sec1,
		"a byte order mark":               mark + parameters + sec1,
		"Windows' lines":                  strings.ReplaceAll(pkcs1, "\n", "\r\n"),
		"its certificate before":          signed + pkcs8(onP256),
		"its certificate behind":          pkcs8(onP256) + signed,
		"text before":                     "Bag Attributes\n    localKeyID: 01\nKey Attributes: <No Attributes>\n" + pkcs8(ofRSA),
	} {
		if got, err := textfile.PrivateKey(written(t, content)); got == nil || err != nil {
			t.Errorf("%s: got %T (%v), want a key", name, got, err)
		}
	}

	keyDER, _ := x509.MarshalPKCS8PrivateKey(onP256)
	for name, test := range map[string]struct{ content, says string }{
		"nothing":                {"", "isn't a PEM file with a private key"},
		"a secret":               {"s3cret\n", "isn't a PEM file with a private key"},
		"UTF-16":                 {"\xff\xfe" + utf16le(sec1), "is in UTF-16: save it as UTF-8"},
		"DER":                    {string(keyDER), "openssl pkey -inform der"},
		"a certificate":          {signed, "isn't a PEM file with a private key"},
		"the name of a curve":    {parameters, "isn't a PEM file with a private key"},
		"a public key":           {public, "holds a public key: name the file with the private one"},
		"two keys":               {sec1 + pkcs1, "holds two private keys: leave one in it"},
		"the same one twice":     {sec1 + sec1, "holds two private keys: leave one in it"},
		"encrypted":              {block("ENCRYPTED PRIVATE KEY", []byte("x"), nil), "holds an encrypted key: write one without a passphrase with openssl pkey"},
		"encrypted, as once":     {"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n", "holds an encrypted key"},
		"OpenSSH's":              {block("OPENSSH PRIVATE KEY", []byte("x"), nil), "ssh-keygen -p -m PKCS8"},
		"something else":         {block("PRIVATE KEY", []byte("hello"), nil), "holds no private key in PKCS #8, PKCS #1 or SEC 1"},
		"parameters of Diffie's": {block("DH PARAMETERS", []byte("x"), nil) + sec1, "holds a DH PARAMETERS in line 1"},
		"cut":                    {sec1[:len(sec1)-20], "isn't whole in line 1"},
		"a broken one before":    {strings.Replace(pkcs1, "M", "?", 1) + sec1, "isn't whole in line 1"},
	} {
		path := written(t, test.content)
		got, err := textfile.PrivateKey(path)
		if err == nil || got != nil || !strings.HasPrefix(err.Error(), path+" ") || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: got %T (%v), want a sentence about the file that says %q", name, got, err, test.says)
		}
	}
}

func TestReadableByAll(t *testing.T) {
	for mode, want := range map[os.FileMode]bool{0o600: false, 0o640: false, 0o644: true, 0o604: true, 0o660: false} {
		path := written(t, "s3cret")
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if got, is := textfile.ReadableByAll(path); is != want || got != mode {
			t.Errorf("%v: got %v, %t, want %t", mode, got, is, want)
		}
	}
}

// FuzzParse checks that no file makes a parser panic.
func FuzzParse(f *testing.F) {
	f.Add([]byte("-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n"))
	f.Add([]byte("-----BEGIN -----END \n"))
	f.Add([]byte{0x30, 0x82, 0, 0})
	f.Fuzz(func(t *testing.T, content []byte) {
		if got, err := textfile.ParseCertificates(content); (len(got) == 0) == (err == nil) {
			t.Errorf("%d certificates with %v", len(got), err)
		}
		if got, err := textfile.PrivateKey(written(t, string(content))); (got == nil) == (err == nil) {
			t.Errorf("a key %T with %v", got, err)
		}
	})
}
