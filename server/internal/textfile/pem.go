package textfile

import (
	"bytes"
	"cmp"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Certificates returns all certificates of a PEM file. There is at least one.
func Certificates(path string) ([]*x509.Certificate, error) {
	content, err := read(path)
	if err != nil {
		return nil, err
	}
	return of(path, ParseCertificates, content)
}

// ParseCertificates is [Certificates] for a file's content. Its errors follow the name of
// the file.
func ParseCertificates(content []byte) (certificates []*x509.Certificate, err error) {
	if isDER(content) {
		return nil, errors.New("isn't a PEM file, with -----BEGIN CERTIFICATE----- in it: write one with openssl x509 -inform der")
	}
	blocks, err := parsePEM(content)
	if err != nil {
		return nil, err
	}
	for _, b := range blocks {
		switch {
		case strings.HasSuffix(b.Type, "PRIVATE KEY"):
			return nil, fmt.Errorf("holds a private key in line %d: leave certificates alone in it", b.line)
		case b.Type != "CERTIFICATE":
			return nil, fmt.Errorf("holds a %s in line %d: leave certificates alone in it, each with -----BEGIN CERTIFICATE-----", b.Type, b.line)
		}
		certificate, err := x509.ParseCertificate(b.Bytes)
		if err != nil {
			return nil, fmt.Errorf("holds a certificate in line %d that can't be read: copy it again (%w)", b.line, err)
		}
		if !slices.ContainsFunc(certificates, certificate.Equal) {
			certificates = append(certificates, certificate)
		}
	}
	if len(certificates) == 0 {
		return nil, errors.New("holds no certificate: it must be a PEM file, with -----BEGIN CERTIFICATE----- in it")
	}
	return certificates, nil
}

// PrivateKey returns the only private key of a PEM file: PKCS #8, PKCS #1 or SEC 1. It
// ignores certificates and the name of a curve, which tools write into the same file.
func PrivateKey(path string) (crypto.PrivateKey, error) {
	content, err := readSecret(path)
	if err != nil {
		return nil, err
	}
	return of(path, parsePrivateKey, content)
}

// parsePrivateKey is [PrivateKey] for a file's content. Its errors follow the name of the
// file.
func parsePrivateKey(content []byte) (key crypto.PrivateKey, err error) {
	if isDER(content) {
		return nil, errors.New("isn't a PEM file, with -----BEGIN PRIVATE KEY----- in it: write one with openssl pkey -inform der")
	}
	blocks, err := parsePEM(content)
	if err != nil {
		return nil, err
	}
	for _, b := range blocks {
		switch {
		case b.Type == "EC PARAMETERS" || b.Type == "CERTIFICATE": // openssl ecparam -genkey writes the former
			continue
		case b.Type == "ENCRYPTED PRIVATE KEY" || strings.Contains(b.Headers["Proc-Type"], "ENCRYPTED"):
			return nil, errors.New("holds an encrypted key: write one without a passphrase with openssl pkey, readable by the server alone")
		case b.Type == "OPENSSH PRIVATE KEY":
			return nil, errors.New("holds a key in OpenSSH's form: write it as PEM with ssh-keygen -p -m PKCS8")
		case strings.HasSuffix(b.Type, "PUBLIC KEY"):
			return nil, errors.New("holds a public key: name the file with the private one")
		case !strings.HasSuffix(b.Type, "PRIVATE KEY"):
			return nil, fmt.Errorf("holds a %s in line %d: leave one private key alone in it", b.Type, b.line)
		case key != nil:
			return nil, errors.New("holds two private keys: leave one in it")
		}
		if key, err = parsePrivate(b.Bytes); err != nil {
			return nil, err
		}
	}
	if key == nil {
		return nil, errors.New("isn't a PEM file with a private key: it must have -----BEGIN PRIVATE KEY----- in it")
	}
	return key, nil
}

func parsePrivate(der []byte) (crypto.PrivateKey, error) {
	if key, err := x509.ParsePKCS8PrivateKey(der); err == nil {
		return key, nil
	}
	if key, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return key, nil
	}
	if key, err := x509.ParseECPrivateKey(der); err == nil {
		return key, nil
	}
	return nil, errors.New("holds no private key in PKCS #8, PKCS #1 or SEC 1: write it with openssl pkey")
}

// isDER reports whether a file is DER, the binary form without PEM.
func isDER(content []byte) bool {
	return len(content) > 1 && content[0] == 0x30 && content[1]&0x80 != 0
}

// block is one block of a PEM file.
type block struct {
	*pem.Block
	line int // its first line
}

// parsePEM returns all blocks of a file. Text between them is allowed (RFC 7468, 2), and
// tools write it. A block that is cut, or that has anything else in it, is an error here;
// [pem.Decode] would skip it as if it were text.
func parsePEM(content []byte) (blocks []block, err error) {
	text, err := Decode(content)
	if err != nil {
		return nil, err
	}
	var open bytes.Buffer // of the block that has begun
	begin := 0            // its first line; 0 outside of blocks
	for i, line := range strings.Split(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text), "\n") {
		line = strings.TrimSpace(line)
		begins, ends := strings.Contains(line, "-----BEGIN "), strings.Contains(line, "-----END ")
		if begins && begin != 0 || begins && ends || ends && begin == 0 {
			return nil, errCut(cmp.Or(begin, i+1))
		}
		if begins {
			begin = i + 1
		}
		if begin == 0 {
			continue
		}
		open.WriteString(line + "\n")
		if !ends {
			continue
		}
		decoded, rest := pem.Decode(open.Bytes())
		if decoded == nil || len(rest) > 0 {
			return nil, errCut(begin)
		}
		blocks = append(blocks, block{decoded, begin})
		begin = 0
		open = bytes.Buffer{} // decoded may use the old buffer
	}
	if begin != 0 {
		return nil, errCut(begin)
	}
	return blocks, nil
}

func errCut(line int) error {
	return fmt.Errorf("isn't whole in line %d: what begins or ends there was cut or changed; copy it again, from -----BEGIN to -----END", line)
}
