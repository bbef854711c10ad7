package listening

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// MostDescriptors returns how many files and connections the system lets this process have
// open.
func MostDescriptors() (uint64, error) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 0, fmt.Errorf("reading the limit on open files: %w", err)
	}
	return limit.Cur, nil
}
