package chain_test

import (
	"errors"
	"io"
	"os"
)

// writeBackup writes a backup to a new file.
func writeBackup(from io.WriterTo, path string) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	_, err = from.WriteTo(file)
	return errors.Join(err, file.Close())
}
