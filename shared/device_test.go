package shared

import (
	"strings"
	"testing"
)

func TestDeviceCode(t *testing.T) {
	for typed, want := range map[string]string{
		"BCDFG-HJKLM": "BCDFG-HJKLM", "bcdfghjklm": "BCDFG-HJKLM", " bcdfg hjklm\t": "BCDFG-HJKLM", "bcdfg–hjklm": "BCDFG-HJKLM", "B-C-D-F-G-H-J-K-L-M": "BCDFG-HJKLM",
		"ＢＣＤＦＧーＨＪＫＬＭ": "BCDFG-HJKLM", "ｂｃｄｆｇ　ｈｊｋｌｍ": "BCDFG-HJKLM", "BCDFG−HJKLM": "BCDFG-HJKLM",
		"": "", "-": "", "BCDFG-HJKL": "", "BCDFG-HJKLMN": "", "BCDF1-HJKLM": "", "BCDFG_HJKLM": "", "ÄCDFG-HJKLM": "", "BCDFG-HJKLM\n": "", "ſBCDF-GHJKL": "", "<BCDFG-HJKLM>": "",
		strings.Repeat("B", 100_000): "",
	} {
		if got := DeviceCode(typed); got != want {
			t.Errorf("%.40q: got %q, want %q", typed, got, want)
		}
	}
}
