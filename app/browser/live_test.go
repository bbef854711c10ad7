package browser

import (
	"slices"
	"testing"
	"time"
)

func TestPauses(t *testing.T) {
	const s = time.Second
	for _, test := range []struct {
		says         string
		lasted, want []time.Duration
	}{
		{"a server that is away is asked ever less often", []time.Duration{0, 0, 0, 0, 0, 0, 0}, []time.Duration{s, 2 * s, 4 * s, 8 * s, 16 * s, 30 * s, 30 * s}},
		{"and one that ends each stream at once, too", []time.Duration{s / 10, s, s / 10, 5 * s}, []time.Duration{s, 2 * s, 4 * s, 8 * s}},
		{"after a stream that lasted, the next comes soon", []time.Duration{0, 0, 0, time.Hour, 0, 10 * s}, []time.Duration{s, 2 * s, 4 * s, s, 2 * s, s}},
	} {
		t.Run(test.says, func(t *testing.T) {
			var between pauses
			var got []time.Duration
			for _, lasted := range test.lasted {
				got = append(got, between.after(lasted))
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("after streams of %v: got %v, want %v", test.lasted, got, test.want)
			}
		})
	}
}
