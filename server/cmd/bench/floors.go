package main

import (
	"crypto/ecdsa"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"os"
	"time"
)

// verification is how long it takes to verify a P-256 signature, and nothing more.
func (p *population) verification(d time.Duration) (time.Duration, error) {
	key, digest := p.key(0), sha256Of([]byte("a message"))
	signature, err := ecdsa.SignASN1(rand.Reader, key, digest)
	if err != nil {
		return 0, err
	}
	n, begin := 0, time.Now()
	for ; time.Since(begin) < d; n++ {
		if !ecdsa.VerifyASN1(&key.PublicKey, digest, signature) {
			return 0, errors.New("a true signature is refused")
		}
	}
	return time.Since(begin) / time.Duration(n), nil
}

// syncsPerCommit is how often bbolt waits for the disk in one: tx.Commit writes pages and
// syncs, and then the meta page, and syncs.
const syncsPerCommit = 2

// commits is the number of the last transaction in a file. It stands in one of the two meta
// pages, behind magic, version, page size, flags, root, freelist and high-water mark.
func commits(path string) (uint64, error) {
	file, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	var last uint64
	for page := range 2 {
		number := make([]byte, 8)
		if _, err := file.ReadAt(number, int64(page*os.Getpagesize()+64)); err != nil {
			return 0, err
		}
		last = max(last, binary.NativeEndian.Uint64(number))
	}
	return last, nil
}
