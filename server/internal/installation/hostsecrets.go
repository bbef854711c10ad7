package installation

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/keypeg/keypeg/server/embed"
	"github.com/keypeg/keypeg/server/internal/namedfile"
	"github.com/keypeg/keypeg/server/internal/textfile"
)

// ReadHostSecrets reads the secrets that Keypeg shares with the program that it is built into: one in each line, the newest
// first. Keypeg signs hooks with each. Its error is a sentence for IT, without a secret.
func ReadHostSecrets(path string) ([]string, error) {
	secrets, err := textfile.Secrets(path)
	if err != nil {
		return nil, err
	}
	if err := embed.CheckSecrets(secrets); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return secrets, nil
}

// lookForSecretsEvery is the time between two looks at the file of secrets.
const lookForSecretsEvery = 10 * time.Second

// secretFile has the secrets of a file. When it changes it is read again. A file that can't be used changes nothing.
type secretFile struct {
	path    string
	log     *slog.Logger
	current atomic.Pointer[[]string]

	mu   sync.Mutex
	file *namedfile.Changing
}

// openSecretFile reads the file. Its error is a sentence for IT.
func openSecretFile(path string, log *slog.Logger) (*secretFile, error) {
	f := &secretFile{path: path, log: log, file: namedfile.Changes(path)}
	secrets, err := ReadHostSecrets(path)
	if err != nil {
		return nil, fmt.Errorf("the secret-file of [host]: %w", err)
	}
	f.current.Store(&secrets)
	return f, nil
}

// Secrets returns those that count now.
func (f *secretFile) Secrets() []string { return *f.current.Load() }

// Watch reads the file again when it changes, until ctx ends.
func (f *secretFile) Watch(ctx context.Context) {
	ticker := time.NewTicker(lookForSecretsEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			f.renew(false)
		}
	}
}

// Renew reads the file again now.
func (f *secretFile) Renew() { f.renew(true) }

func (f *secretFile) renew(always bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.file.Again(always, func() (func(), error) {
		secrets, err := ReadHostSecrets(f.path)
		return func() {
			f.current.Store(&secrets)
			f.log.Info("the secrets of [host] were read again", "secrets", len(secrets))
		}, err
	}, func(err error) {
		f.log.Error("the new secrets of [host] can't be used, so those before stay: mend the file", "cause", err)
	})
}
