package installation

import "testing"

// TestSyncFolder asks for a folder that can't be made to keep its entries.
func TestSyncFolder(t *testing.T) {
	if err := syncFolder("/proc/self/fd"); err != nil {
		t.Error(err)
	}
}
