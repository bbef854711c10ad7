package server

import (
	"fmt"
	"strings"

	"rsc.io/qr"

	"github.com/keypeg/keypeg/shared"
)

// qrOf draws a text as a QR code (ISO/IEC 18004) at level M. A camera can read it with 15 %
// of it hidden.
func qrOf(text string) (shared.QR, error) {
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return shared.QR{}, fmt.Errorf("drawing a QR code: %w", err)
	}

	var path strings.Builder
	for y := range code.Size {
		for x := 0; x < code.Size; x++ {
			run := 0
			for code.Black(x+run, y) {
				run++
			}
			if run > 0 {
				fmt.Fprintf(&path, "M%d %dh%dv1h-%dz", x, y, run, run)
				x += run
			}
		}
	}
	return shared.QR{Size: code.Size, Path: path.String()}, nil
}
