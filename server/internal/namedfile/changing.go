package namedfile

import (
	"os"
	"slices"
	"time"
)

// Changing are files that IT changes while the program runs, such as a certificate with its key. Its user calls
// [Changing.Again] now and then, and keeps what the files had as long as what they have can't be used. It is not safe for
// concurrent use.
type Changing struct {
	paths   []string
	seen    []stamp // the files that were read last, whether they could be used or not
	refused string  // why they can't be used, or ""
}

// stamp tells two states of a file apart.
type stamp struct {
	changed time.Time
	size    int64
}

// Changes looks at files, before they are read for the first time.
func Changes(paths ...string) *Changing {
	c := &Changing{paths: paths}
	c.seen = c.look()
	return c
}

// Again calls read if the files have changed, if they couldn't be used the last time, or always; read returns how to use
// what it has read. It calls refuse once for each reason why the files can't be used.
func (c *Changing) Again(always bool, read func() (use func(), err error), refuse func(error)) {
	seen := c.look()
	isSame := slices.Equal(seen, c.seen)
	if isSame && c.refused == "" && !always { // another owner or mode, which mends some, shows in no stamp
		return
	}
	use, err := read()
	if !slices.Equal(c.look(), seen) { // it is being written
		return
	}
	c.seen = seen
	if err != nil {
		if !isSame || always || err.Error() != c.refused {
			refuse(err)
		}
		c.refused = err.Error()
		return
	}
	c.refused = ""
	use()
}

func (c *Changing) look() []stamp {
	seen := make([]stamp, len(c.paths))
	for i, path := range c.paths {
		if info, err := os.Stat(path); err == nil {
			seen[i] = stamp{info.ModTime(), info.Size()}
		}
	}
	return seen
}
