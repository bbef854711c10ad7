package server

import (
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/net/idna"
)

// unusable says why no browser can open a host, and which usable host is nearest to it.
// Nearest has no name if none is known.
type unusable struct {
	because string
	nearest origin
}

// maxWritten bounds the length of a host that is parsed, because strangers send hosts too.
// Letters outside of ASCII take more bytes before they are encoded.
const maxWritten = 1024

// parseHost reads a host with or without a port, in every form that browsers accept.
func parseHost(written string) (origin, *unusable) {
	if len(written) > maxWritten {
		return origin{}, &unusable{because: "is too long"}
	}
	host, port, hasPort := cutPort(written)
	name, bad := parseName(host)
	at := origin{name: name}
	if bad != nil {
		at.name = bad.nearest.name
	}
	if hasPort && port != "" {
		n, err := strconv.ParseUint(port, 10, 16)
		switch {
		case err != nil || n == 0:
			if bad == nil {
				bad = &unusable{because: "has a port that isn't a number from 1 to 65535"} // it may be a password
			}
		case slices.Contains(badPorts, int(n)):
			if bad == nil {
				bad = &unusable{because: fmt.Sprintf("has the port %d, which browsers never open", n)}
			}
		default:
			at.port = int(n)
		}
	}
	if bad != nil {
		bad.nearest = at
		return origin{}, bad
	}
	return at, nil
}

// cutPort cuts at the last colon, unless that is part of an IPv6 address.
func cutPort(host string) (name, port string, found bool) {
	if _, err := netip.ParseAddr(host); err == nil {
		return host, "", false
	}
	colon := strings.LastIndexByte(host, ':')
	if colon < 0 || colon < strings.LastIndexByte(host, ']') {
		return host, "", false
	}
	return host[:colon], host[colon+1:], true
}

// hostNames converts names to ASCII as browsers do (URL Standard, 3.3), but is stricter
// about letters that no certificate may have. Dashes in the third and fourth place are
// common.
var hostNames = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.Transitional(false), idna.CheckHyphens(false))

const (
	maxName  = 253 // RFC 1035, without the final dot
	maxLabel = 63
)

// parseName returns a name in the form that browsers use.
func parseName(written string) (string, *unusable) {
	text := written
	if decoded, err := url.PathUnescape(written); err == nil {
		text = decoded
	}
	if address := canonicalIP(text); address != "" {
		return address, nil
	}
	name, err := hostNames.ToASCII(text)
	name = strings.TrimSuffix(name, ".")
	labels := strings.Split(name, ".")
	has := func(wrong func(label string) bool) bool { return slices.ContainsFunc(labels, wrong) }
	not := func(because, nearest string) (string, *unusable) {
		bad := &unusable{because: because}
		if nearest != "" {
			if name, worse := parseName(nearest); worse == nil {
				bad.nearest.name = name
			} else {
				bad.nearest.name = worse.nearest.name
			}
		}
		return "", bad
	}

	switch {
	case name == "":
		return not("has no host", "")
	case strings.ContainsFunc(text, unicode.IsSpace):
		return not("has a blank in it", strings.Join(strings.Fields(text), ""))
	case strings.Contains(text, "*"):
		return not("is a wildcard, and people need one address", strings.ReplaceAll(text, "*", "id"))
	case strings.Contains(name, "_"):
		return not("has an underscore, which certificates can't have", strings.ReplaceAll(name, "_", "-"))
	case has(func(label string) bool { return label == "" }):
		return not("has dots with nothing between", strings.Join(slices.DeleteFunc(labels, func(label string) bool { return label == "" }), "."))
	case has(func(label string) bool { return len(label) > maxLabel }):
		return not(fmt.Sprintf("has more than %d letters between two dots", maxLabel), "")
	case len(name) > maxName:
		return not(fmt.Sprintf("has a host of more than %d letters", maxName), "")
	case has(func(label string) bool { return label[0] == '-' || label[len(label)-1] == '-' }):
		for i, label := range labels {
			labels[i] = strings.Trim(label, "-")
		}
		return not("has a dash beside a dot or at an end", strings.Join(labels, "."))
	case err != nil:
		bare := strings.Trim(text, quotes)
		if bare == text {
			bare = ""
		}
		return not("has letters that hosts can't have", bare)
	case number.MatchString(labels[len(labels)-1]):
		if address := canonicalIP(name); address != "" {
			return address, nil
		}
		return not("ends in a number, so browsers take it for an IP address", "")
	}
	return name, nil
}

// quotes are characters that may surround an address in the text from which it was copied.
const quotes = "\"'`<>()[]{},;“”‘’«»"

// number matches a last label that makes browsers read the name as an IPv4 address.
var number = regexp.MustCompile(`^([0-9]+|0x[0-9a-f]*)$`)

// canonicalIP returns an IP address in the form that browsers use, or "" if the text isn't
// one.
func canonicalIP(text string) string {
	bare := text
	if inBrackets(text) {
		bare = text[1 : len(text)-1]
	}
	ip, err := netip.ParseAddr(bare)
	switch {
	case err != nil || ip.Zone() != "" || ip.Is4() && bare != text:
		return ""
	case ip.Is4():
		return ip.String()
	case ip.Is4In6(): // netip would write its end with dots
		b := ip.As16()
		return fmt.Sprintf("[::ffff:%x:%x]", int(b[12])<<8|int(b[13]), int(b[14])<<8|int(b[15]))
	}
	return "[" + ip.String() + "]"
}

func inBrackets(text string) bool {
	return strings.HasPrefix(text, "[") && strings.HasSuffix(text, "]")
}

func isIP(name string) bool { return canonicalIP(name) != "" }

// badPorts are the ports that browsers refuse to open (Fetch Standard, 2.9), because they
// belong to other protocols.
var badPorts = []int{
	1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95,
	101, 102, 103, 104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179,
	389, 427, 465, 512, 513, 514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587,
	601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061,
	6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
}
