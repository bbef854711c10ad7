package listening

import "testing"

func TestMostConnections(t *testing.T) {
	for descriptors, want := range map[uint64]int{0: 1, 64: 1, 100: 36, 1024: 896, 65536: 57344, 1 << 30: 1 << 20} {
		if got := MostConnections(descriptors); got != want {
			t.Errorf("of %d descriptors: %d, want %d", descriptors, got, want)
		}
	}
}
