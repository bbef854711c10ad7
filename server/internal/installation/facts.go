package installation

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// DatabaseFacts are what keypeg doctor learns of a database from outside: of the file and its disk, or of the server.
// Fields of the other kind are empty.
type DatabaseFacts struct {
	Path, Folder       string
	Mode               os.FileMode
	FolderOpen         bool // others may replace the file
	Owner, FolderOwner int
	Free               uint64 // bytes

	Server, Version, Encoding string
	Encrypted, Local          bool // the connection; the server is on this machine
	Standbys                  int  // that replicate it; -1 if this user may not know
}

// String is a sentence about what is as it should be.
func (f DatabaseFacts) String() string {
	if f.Path != "" {
		return fmt.Sprintf("only its owner, user %d, can read %s, and %.1f GB are free on its disk", f.Owner, f.Path, float64(f.Free)/(1<<30))
	}
	how := "encrypted"
	if !f.Encrypted {
		how = "unencrypted, on this machine"
	}
	parts := []string{"PostgreSQL " + f.Version, "encoding " + f.Encoding, "the connection is " + how}
	if f.Standbys >= 0 {
		parts = append(parts, fmt.Sprintf("%d standbys replicate it", f.Standbys))
	}
	return strings.Join(parts, ", ")
}

// DatabaseName returns the name of the database, without a password.
func (i Installation) DatabaseName() string { return i.driver().String() }

// DatabaseFacts looks at the database from outside.
func (i Installation) DatabaseFacts(ctx context.Context) (DatabaseFacts, error) {
	return i.driver().Facts(ctx)
}

// Facts implements [Driver].
func (f file) Facts(context.Context) (facts DatabaseFacts, err error) {
	path, err := filepath.Abs(f.path)
	if err != nil {
		return facts, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return facts, err
	}
	facts = DatabaseFacts{Path: path, Folder: filepath.Dir(path), Mode: info.Mode().Perm()}
	folder, err := os.Stat(facts.Folder)
	if err != nil {
		return facts, err
	}
	facts.FolderOpen = folder.Mode().Perm()&0o022 != 0 && folder.Mode()&os.ModeSticky == 0
	facts.Owner, _, _ = ownerOf(info)
	facts.FolderOwner, _, _ = ownerOf(folder)
	free, _, err := diskOf(facts.Folder)
	facts.Free = uint64(free)
	return facts, err
}
