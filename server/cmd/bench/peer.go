package main

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// errLeftOut is of a part that can't be measured here, because it needs something that is not
// installed.
var errLeftOut = errors.New("left out")

// startPeer runs the server of the folder peer, which make bench installs with npm. It is what
// a good engineer would write with SimpleWebAuthn, Fastify and SQLite, and answers as Keypeg
// does, so that both have the same load. Its users are Keypeg's.
func (b *bench) startPeer() (*process, error) {
	if _, err := os.Stat(filepath.Join(b.peer, "node_modules")); err != nil {
		return nil, fmt.Errorf("%w, as npm has not installed it: %w", errLeftOut, err)
	}
	everybody := population{b.signers, b.keys, b.began}
	users, database := filepath.Join(b.dir, "peer.json"), filepath.Join(b.dir, "peer.db")
	if err := everybody.export(users); err != nil {
		return nil, err
	}
	p, err := b.launch("/", func(address string) *exec.Cmd {
		c := exec.Command("node", filepath.Join(b.peer, "server.js"), address, database, users)
		c.Env = append(os.Environ(), "NODE_ENV=production")
		return c
	})
	if err != nil {
		return nil, err
	}
	p.users = everybody
	// V8 compiles what has run often. A server that runs for weeks has that behind it.
	if _, err := drive(p, 64, 5*b.phase, signIn); err != nil {
		return nil, errors.Join(err, p.kill())
	}
	return p, nil
}

// export writes all users into a file, as the peer reads them.
func (p population) export(path string) error {
	type passkey struct {
		ID        string `json:"id"`
		Name      string `json:"name"`
		PublicKey []byte `json:"publicKey"`
	}
	type user struct {
		Handle   string    `json:"handle"`
		Name     string    `json:"name"`
		Passkeys []passkey `json:"passkeys"`
	}
	var all []user
	for i := range p.users {
		from, err := p.user(i)
		if err != nil {
			return err
		}
		to := user{Handle: base64.RawURLEncoding.EncodeToString(from.Handle), Name: from.Name}
		for _, k := range from.Passkeys {
			to.Passkeys = append(to.Passkeys, passkey{base64.RawURLEncoding.EncodeToString(k.CredentialID), k.Name, k.PublicKey})
		}
		all = append(all, to)
	}
	text, err := json.Marshal(all)
	if err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o600)
}
