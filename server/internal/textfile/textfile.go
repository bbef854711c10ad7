// Package textfile reads the small files that IT writes by hand or gets from others:
// settings, secrets, keys and certificates.
//
// Editors and tools put things into such files that nobody sees: a byte order mark, a
// second line, UTF-16. This package removes what does no harm. It refuses a file that it
// doesn't understand completely, because half a file causes worse faults: a secret that the
// provider refuses weeks later, or a root certificate that is missing without notice.
//
// [Read] returns any text; [Secret], [Secrets], [PrivateKey] and [Certificates] return what
// their names say. Their errors are sentences for IT that begin with the file's name, say what to
// do, and contain nothing of the file.
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

// mostBytes bounds the size of a file. A bundle of root certificates has about 200 kB.
const mostBytes = 1 << 20

// Read returns the text of a file, without a byte order mark.
func Read(path string) (string, error) {
	content, err := read(path)
	if err != nil {
		return "", err
	}
	return of(path, Decode, content)
}

// read returns the bytes of a file. It stops at mostBytes, so that an endless file doesn't
// fill the memory.
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

// of puts the file's name before the error of parse.
func of[T any](path string, parse func([]byte) (T, error), content []byte) (T, error) {
	parsed, err := parse(content)
	if err != nil {
		err = fmt.Errorf("%s %w", path, err)
	}
	return parsed, err
}

var errUTF16 = errors.New("is in UTF-16: save it as UTF-8")

const byteOrderMark = "\xef\xbb\xbf"

// Decode returns the text of a file's content. Its errors follow the name of the file.
func Decode(content []byte) (string, error) {
	switch {
	case bytes.HasPrefix(content, []byte("\xff\xfe")), bytes.HasPrefix(content, []byte("\xfe\xff")), looksLikeUTF16(content):
		return "", errUTF16
	case bytes.IndexByte(content, 0) >= 0 || !utf8.Valid(content):
		return "", errors.New("holds bytes that are no text: save it as plain text in UTF-8")
	}
	return strings.TrimPrefix(string(content), byteOrderMark), nil
}

// looksLikeUTF16 reports whether every second byte is zero. ASCII in UTF-16 without a byte
// order mark looks so.
func looksLikeUTF16(content []byte) bool {
	zeros := bytes.Count(content, []byte{0})
	return len(content) >= 4 && len(content)%2 == 0 && zeros >= len(content)/2-1 && zeros <= len(content)/2+1
}

// mostSecret bounds the length of a secret, in bytes.
const mostSecret = 4096

// errNoFile doesn't repeat the path, because IT may have written the secret itself there.
var errNoFile = errors.New("it names no file: write there the path of a file that holds the secret, and not the secret itself")

// readSecret is read for a file with a secret.
func readSecret(path string) ([]byte, error) {
	if _, err := os.Lstat(path); err != nil {
		return nil, errNoFile
	}
	return read(path)
}

// Secret returns the only line of a file that has nothing but a secret.
func Secret(path string) (string, error) {
	content, err := readSecret(path)
	if err != nil {
		return "", err
	}
	return of(path, parseSecret, content)
}

// Secrets returns the lines of a file that has a secret in each, in their order. Empty lines don't count.
func Secrets(path string) ([]string, error) {
	content, err := readSecret(path)
	if err != nil {
		return nil, err
	}
	return of(path, parseSecrets, content)
}

func parseSecrets(content []byte) (secrets []string, err error) {
	text, err := Decode(content)
	if err != nil {
		return nil, err
	}
	if err := isNoSecret(strings.TrimSpace(text)); err != nil {
		return nil, err
	}
	for line := range strings.Lines(strings.ReplaceAll(text, "\r", "\n")) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		if err := checkSecret(line); err != nil {
			return nil, err
		}
		secrets = append(secrets, line)
	}
	return secrets, nil
}

func parseSecret(content []byte) (string, error) {
	text, err := Decode(content)
	if err != nil {
		return "", err
	}
	secret := strings.TrimSpace(text)
	if err := isNoSecret(secret); err != nil {
		return "", err
	}
	if strings.ContainsAny(secret, "\n\r") {
		return "", errors.New("has several lines: write the secret into it and nothing else")
	}
	if err := checkSecret(secret); err != nil {
		return "", err
	}
	return secret, nil
}

// isNoSecret refuses a text that is something else.
func isNoSecret(text string) error {
	switch {
	case text == "":
		return errors.New("is empty: write the secret into it")
	case strings.Contains(text, "-----BEGIN "):
		return errors.New("holds a key or a certificate: name it with private-key-file, or write the secret into it and nothing else")
	case strings.HasPrefix(text, "{") && strings.HasSuffix(text, "}"):
		return errors.New("holds JSON: write the secret alone into it, without quotes and braces")
	}
	return nil
}

func checkSecret(secret string) error {
	if len(secret) > mostSecret {
		return fmt.Errorf("has more than %d bytes: write the secret into it and nothing else", mostSecret)
	}
	if at := strings.IndexFunc(secret, isHidden); at >= 0 {
		r, _ := utf8.DecodeRuneInString(secret[at:])
		return fmt.Errorf("holds the invisible character %U: write the secret again, without it", r)
	}
	return nil
}

// isHidden reports whether a character is invisible, so it is there by accident.
func isHidden(r rune) bool { return r != ' ' && (shared.IsInvisible(r) || unicode.IsControl(r)) }

// ReadableByAll reports whether all users of this machine can read a file, and returns its
// mode. A group that can read it may be the server's own.
func ReadableByAll(path string) (mode fs.FileMode, is bool) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, false
	}
	return info.Mode().Perm(), info.Mode().Perm()&0o004 != 0
}
