package storetest

import (
	"encoding/hex"
	"fmt"

	"github.com/keypeg/keypeg/server/store"
)

// UserID returns a well-formed id of a user: the number as 32 hexadecimal digits.
func UserID(n int) string { return fmt.Sprintf("%08x%024x", n, 0) }

// SessionID returns a well-formed id of a session of a user, another one for each name.
func SessionID(userID, name string) (id store.Hash) {
	hash := store.HashOf(name)
	copy(id[copy(id[:], rawID(userID)):], hash[:])
	return id
}

func rawID(userID string) []byte {
	raw, err := hex.DecodeString(userID)
	if err != nil {
		panic(err)
	}
	return raw
}
