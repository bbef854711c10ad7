package account

import (
	"strings"
	"testing"

	"github.com/keypeg/keypeg/server/policy"
	"github.com/keypeg/keypeg/server/store"
	"github.com/keypeg/keypeg/shared"
)

// TestGuessable judges passwords that people choose, and that attackers try.
func TestGuessable(t *testing.T) {
	s := &Service{c: Config{Product: "Acme Portal", Policy: policy.Policy{RPID: "id.wanderlust.example"}}}
	ann := store.User{Name: "ann.miller", DisplayName: "Annegret Oberhuber", Email: "gretl77@sunflower-farm.example"}

	for _, good := range []string{
		"correct horse battery", "another battery staple", "vier Worte ohne Zusammenhang", "lampe Kirsche Wolke Zug", "purple monkey dishwasher staircase",
		"k7#Qp2vL9xWz", "8392 0471 6352", "the rain falls mainly on the plain", "une vache bleue sous la pluie", "mi abuela fuma en pipa", "朝ごはんに納豆を三つ食べた",
		"Xk-29-mQ-77-zB", "ann likes purple teapots", "wanderlust tastes of cinnamon", "never gonna give you up", "jlkjwqeiruzxmb", "dGhpcyBpcyBub3Q", "red bicycle, wet cat", "Ein Pferd isst keinen Gurkensalat",
	} {
		if err := s.refuseGuessable(ann, good); err != nil {
			t.Errorf("%q is refused, though it is %d things: %v", good, thoughts(good, localWords(ann.Name, ann.DisplayName)), err)
		}
	}
	for says, all := range map[string][]string{
		"common words, repetitions or rows of keys": {
			"123456789012", "1234567890123", "012345678901", "098765432109", "111111111111", "000000000000", "aaaaaaaaaaaa", "aaaaaaaaaaaab", "abcabcabcabc", "ababababababab", "abcdefghijkl", "zyxwvutsrqpo",
			"passwordpassword", "password1234", "Password123!", "Passw0rd2026!", "P@ssw0rd1234", "PASSWORDPASSWORD", "password password", "password-password", "my password 1", "mypassword123", "thisismypassword", "passwort2026", "Passwort123!", "motdepasse123", "contraseña123", "パスワードパスワード",
			"qwertyuiop12", "qwertyuiopas", "qwertzuiop12", "azertyuiop123", "asdfghjkl123", "1qaz2wsx3edc", "qazwsxedcrfv", "1q2w3e4r5t6y", "q1w2e3r4t5y6", "zaq12wsxcde3", "a1b2c3d4e5f6", "112233445566", "147258369147", "!@#$%^&*()!@",
			"welcome12345", "Welcome2026!", "letmeinletmein", "adminadmin12", "administrator", "administrator1", "changeme2026", "iloveyou1234", "iloveyouforever", "Summer2026!!!", "sommer2026!!", "Winter2025/26", "monkeydragon", "sunshine2026", "football1234", "trustno1trustno1",
			"hunter2hunter2", "xqzxqzxqzxqz", "correcthorsebatterystaple", "Tr0ub4dor&3!", "            ", "............", "1234 1234 1234", "19701970197", "14101985 1985",
		},
		"is easy to guess": {
			"ann.miller12", "annmiller2026", "AnnMiller!!!", "miller-miller", "annegret1234", "Annegret2026", "oberhuber123", "0b3rhub3r2026", "annegretoberhuber", "Oberhuber!2!",
			"keypegkeypeg", "Keypeg2026!!", "k3yp3g-k3yp3g", "acmeportal12", "AcmePortal2026", "acme-acme-acme", "portal portal", "wanderlust12", "Wanderlust!!", "id.wanderlust.example",
			"gretl77-2026!", "sunflowerfarm", "Sunfl0wer-Farm", "gretl77@sunflower",
		},
	} {
		for _, bad := range all {
			err := s.refuseGuessable(ann, bad)
			if shared.CodeOf(err) != shared.CodeInvalidPassword || !strings.Contains(err.Error(), says) {
				t.Errorf("%q, %d things: got %v, want a refusal that says %q", bad, thoughts(bad, nil), err, says)
			}
		}
	}
	if err := s.refuseGuessable(ann, "wanderlust12"); err == nil || !strings.Contains(err.Error(), "your name or of the name of this site") {
		t.Errorf("the host's name: %v", err)
	}
}

// FuzzGuessable checks that any password can be counted, and counts no more than its
// characters.
func FuzzGuessable(f *testing.F) {
	f.Add("password")
	f.Add(strings.Repeat("ab", 500))
	f.Fuzz(func(t *testing.T, password string) {
		if n, most := thoughts(password, nil), len([]rune(strings.ToLower(password))); n > most {
			t.Errorf("%q: %d of %d", password, n, most)
		}
	})
}
