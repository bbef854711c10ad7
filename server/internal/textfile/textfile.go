// Package textfile reads the small files that IT makes by hand or gets from somebody:
// settings, secrets, keys and certificates.
//
// Editors and tools put things into such files that nobody sees: a byte order mark, a
// second line, UTF-16. What does no harm is left out. A file that isn't wholly understood
// is refused, because half of it would be worse: a secret that the provider refuses weeks
// later, a root certificate that is silently missing.
//
// [Read] returns any text, [Secret], [PrivateKey] and [Certificates] what their names say.
// Their errors are sentences for IT that begin with the file's name, say what to do, and
// hold nothing of what is in the file.
package textfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/keypeg/keypeg/server/internal/namedfile"
	"github.com/keypeg/keypeg/shared"
)

// mostBytes is how large a file may be. A bundle of root certificates has some 200 kB.
const mostBytes = 1 << 20

// Read returns the text of a file, without a byte order mark.
func Read(path string) (string, error) {
	content, err := read(path)
	if err != nil {
		return "", err
	}
	return of(path, Decode, content)
}

// read returns a file as it is. A file of which there is no end doesn't fill the memory.
func read(path string) ([]byte, error) {
	file, err := namedfile.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, mostBytes+1))
	if err != nil {
		return nil, err
	}
	if len(content) > mostBytes {
		return nil, fmt.Errorf("%s has more than %d bytes: is it the right file?", path, mostBytes)
	}
	return content, nil
}

// of begins a refusal of what is in a file with the file's name.
func of[T any](path string, parse func([]byte) (T, error), content []byte) (T, error) {
	parsed, err := parse(content)
	if err != nil {
		err = fmt.Errorf("%s %w", path, err)
	}
	return parsed, err
}

var errUTF16 = errors.New("is in UTF-16: save it as UTF-8")

const byteOrderMark = "\xef\xbb\xbf"

// Decode returns the text of a file's content. Errors are what to say of the file.
func Decode(content []byte) (string, error) {
	switch {
	case bytes.HasPrefix(content, []byte("\xff\xfe")), bytes.HasPrefix(content, []byte("\xfe\xff")), looksLikeUTF16(content):
		return "", errUTF16
	case bytes.IndexByte(content, 0) >= 0 || !utf8.Valid(content):
		return "", errors.New("holds bytes that are no text: save it as plain text in UTF-8")
	}
	return strings.TrimPrefix(string(content), byteOrderMark), nil
}

// looksLikeUTF16 reports whether every second byte is zero, as it is where ASCII was
// written as UTF-16 without a byte order mark.
func looksLikeUTF16(content []byte) bool {
	zeros := bytes.Count(content, []byte{0})
	return len(content) >= 4 && len(content)%2 == 0 && zeros >= len(content)/2-1 && zeros <= len(content)/2+1
}

// mostSecret is how long a secret may be, in bytes.
const mostSecret = 4096

// errNoFile doesn't repeat what stands in the place of a path: it may be the secret itself.
var errNoFile = errors.New("it names no file: write there the path of a file that holds the secret, and not the secret itself")

// readSecret is read for a file that holds a secret.
func readSecret(path string) ([]byte, error) {
	if _, err := os.Lstat(path); err != nil {
		return nil, errNoFile
	}
	return read(path)
}

// Secret returns the one line of a file that holds a secret and nothing else.
func Secret(path string) (string, error) {
	content, err := readSecret(path)
	if err != nil {
		return "", err
	}
	return of(path, parseSecret, content)
}

func parseSecret(content []byte) (string, error) {
	text, err := Decode(content)
	if err != nil {
		return "", err
	}
	secret := strings.TrimSpace(text)
	switch {
	case secret == "":
		return "", errors.New("is empty: write the secret into it")
	case strings.Contains(secret, "-----BEGIN "):
		return "", errors.New("holds a key or a certificate: name it with private-key-file, or write the secret into it and nothing else")
	case strings.HasPrefix(secret, "{") && strings.HasSuffix(secret, "}"):
		return "", errors.New("holds JSON: write the secret alone into it, without quotes and braces")
	case strings.ContainsAny(secret, "\n\r"):
		return "", errors.New("has several lines: write the secret into it and nothing else")
	case len(secret) > mostSecret:
		return "", fmt.Errorf("has more than %d bytes: write the secret into it and nothing else", mostSecret)
	}
	if at := strings.IndexFunc(secret, isHidden); at >= 0 {
		r, _ := utf8.DecodeRuneInString(secret[at:])
		return "", fmt.Errorf("holds the invisible character %U: write the secret again, without it", r)
	}
	return secret, nil
}

// isHidden reports whether a character can't be seen, and so came along by accident.
func isHidden(r rune) bool { return r != ' ' && (shared.IsInvisible(r) || unicode.IsControl(r)) }

// ReadableByAll reports whether everybody on this machine can read a file, and how its mode
// is written. A group that was given it may be the server's own.
func ReadableByAll(path string) (mode fs.FileMode, is bool) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, false
	}
	return info.Mode().Perm(), info.Mode().Perm()&0o004 != 0
}
