// Command bench measures what Keypeg costs to run, to decide whether a version is slower than
// another. It prints a table in Markdown, which costs.md of the manual quotes.
//
// A figure that decides is a ratio of two loads of the same round, because machines differ and
// one machine is never the same twice. Most ratios stand on a floor: what a sign-in cannot do
// without. The floors are the verification of a P-256 signature, an exchange of JSON with a
// net/http server that does nothing else, and a wait for the disk. Figures without a ratio tell
// IT what to plan with.
//
// The peer is another server for the same sign-ins: see the folder peer. make bench installs it
// where npm is. Elsewhere one line of the table says that it is left out.
//
// Each part of the table has its own processes and its own rounds. A row asks its [round] for
// the loads that it needs, and the round measures each of them once. To add a row, write one
// function of a round and one line in [parts].
//
// The real program runs on a database that is filled before, and the load comes over HTTP, as
// from browsers: each connection has a cookie of its own. A complete sign-in has both halves of
// the ceremony and a valid signature, and ends with a session on the disk. Its time does not
// include the time in which the generator signs. The generator uses the same processors, so a
// rate is that of the whole machine.
//
// CPU time is the server's alone, as the kernel counts it (proc(5), utime and stime). Memory is
// what the process has for itself (RssAnon), without the pages of files, which the kernel can
// take back at any time.
//
// The pieces are measured by make bench-pieces, pages in a browser by make bench-web, and many
// open pages by make soak. Most of the code is what every row needs: users in a database,
// processes with their CPU time and memory, a client that signs in, and the floors.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/keypeg/keypeg/server/openid"
)

// sizes say how much is measured.
type sizes struct {
	rounds int
	phase  time.Duration // how long a load takes
	users  int           // of the large installation
	few    int           // users of the one that the large one is compared with
	// signers is the users of the installation that signs in. With so many, nobody comes to the
	// hundred sessions from which on each sign-in ends another one.
	signers int
	begins  int // sign-ins that are begun and left
}

var (
	full  = sizes{rounds: 5, phase: time.Second, users: 1_000_000, few: 1000, signers: 20_000, begins: 1_000_000}
	small = sizes{rounds: 1, phase: 20 * time.Millisecond, users: 240, few: 120, signers: 120, begins: 100}
)

// part is a group of rows that is measured with its own processes.
type part struct {
	name string
	rows []row
}

// row is a line of the table.
type row struct {
	what   string
	format string // of the figure, with its unit
	goal   goal
	figure func(*round) float64
}

// goal is a limit of a row's median. The zero value is none.
type goal struct {
	sign  string
	limit float64
}

var none goal

func atMost(limit float64) goal  { return goal{"≤", limit} }
func atLeast(limit float64) goal { return goal{"≥", limit} }

// parts is everything that is measured.
var parts = []part{
	{"signin", []row{
		{"sign-ins a second, 64 at once", "%.0f", none, func(r *round) float64 { return r.signIns(64).rate }},
		{"… of plain exchanges", "%.3f ×", atLeast(0.12), func(r *round) float64 { return r.signIns(64).rate / r.exchanges(64).rate }},
		{"… p50", "%.1f ms", none, func(r *round) float64 { return millis(r.signIns(64).p50) }},
		{"… p99 of p50", "%.1f ×", atMost(2.5), func(r *round) float64 { return float64(r.signIns(64).p99) / float64(r.signIns(64).p50) }},
		{"… server's CPU time", "%.0f µs", none, func(r *round) float64 { return 1000 * millis(r.signIns(64).cpu) }},
		{"… server's CPU time, of a verification and two exchanges", "%.2f ×", atMost(2.1), func(r *round) float64 { return r.cpuOfFloor(64) }},
		{"… waits for the disk for each", "%.3f", atMost(0.1), func(r *round) float64 { return r.signIns(64).syncs }},
		{"a sign-in alone, p50", "%.2f ms", none, func(r *round) float64 { return millis(r.signIns(1).p50) }},
		{"… of a verification, two exchanges and two waits for the disk", "%.2f ×", none, (*round).aloneOfFloor},
		{"… server's CPU time, of a verification and two exchanges", "%.2f ×", none, func(r *round) float64 { return r.cpuOfFloor(1) }},
		{"… waits for the disk for each", "%.3f", atMost(2), func(r *round) float64 { return r.signIns(1).syncs }},
		{"list of passkeys, server's CPU time of an exchange's", "%.2f ×", atMost(1.7), func(r *round) float64 { return float64(r.lists().cpu) / float64(r.exchanges(64).cpu) }},
		{"sign-ins only begun, rate of plain exchanges", "%.2f ×", atLeast(0.8), func(r *round) float64 { return r.begins().rate / r.exchanges(64).rate }},
		{"… waits for the disk for each", "%.3f", atMost(0), func(r *round) float64 { return r.begins().syncs }},
	}},
	{"peer", []row{
		{"SimpleWebAuthn, Fastify and SQLite: sign-ins a second, 64 at once", "%.0f", none, func(r *round) float64 { return r.peerSignIns(64).rate }},
		{"… Keypeg's, of that", "%.2f ×", atLeast(3.5), func(r *round) float64 { return r.signIns(64).rate / r.peerSignIns(64).rate }},
		{"… a sign-in alone, p50", "%.2f ms", none, func(r *round) float64 { return millis(r.peerSignIns(1).p50) }},
		{"… Keypeg's, of that", "%.2f ×", atMost(0.65), func(r *round) float64 { return float64(r.signIns(1).p50) / float64(r.peerSignIns(1).p50) }},
	}},
	{"memory", []row{
		{"memory, idle", "%.1f MiB", atMost(12), (*round).idle},
		{"memory at most, 64 sign-ins at once", "%.1f MiB", atMost(40), func(r *round) float64 { return r.signIns(64).memory }},
		{"memory at most, sign-ins begun and left", "%.1f MiB", atMost(40), (*round).flood},
		{"size of the program", "%.1f MB", atMost(32), (*round).programSize},
	}},
	{"gate", []row{
		{"gate checks a second, 64 at once", "%.0f", none, func(r *round) float64 { return r.gateChecks().rate }},
		{"… server's CPU time of an exchange's", "%.2f ×", atMost(2), func(r *round) float64 { return float64(r.gateChecks().cpu) / float64(r.exchanges(64).cpu) }},
		{"… waits for the disk for each", "%.3f", atMost(0.01), func(r *round) float64 { return r.gateChecks().syncs }},
	}},
	{"program", []row{
		{"sign-ins to a program a second, 64 at once", "%.0f", none, func(r *round) float64 { return r.programSignIns(openid.RS256).rate }},
		{"… server's CPU time, of two exchanges'", "%.1f ×", none, func(r *round) float64 { return r.programSignInOfExchanges(openid.RS256) }},
		{"… with ES256", "%.1f ×", none, func(r *round) float64 { return r.programSignInOfExchanges(openid.ES256) }},
		{"… waits for the disk for each", "%.3f", atMost(0.1), func(r *round) float64 { return r.programSignIns(openid.RS256).syncs }},
	}},
	{"scale", []row{
		{"a million users, p50 of a thousand's: sign-in", "%.2f ×", atMost(1.1), func(r *round) float64 { return r.manyOfFew(signIn) }},
		{"… list of passkeys", "%.2f ×", atMost(1.1), func(r *round) float64 { return r.manyOfFew(listPasskeys) }},
		{"… session check", "%.2f ×", atMost(1.1), func(r *round) float64 { return r.manyOfFew(checkSession) }},
	}},
	{"mails", []row{
		{"sign-in where mails are sent, p50 of where none are", "%.2f ×", atMost(1.1), (*round).mailsOfNone},
	}},
	{"lists", []row{
		{"a million users, p50 of a thousand's: first page of users", "%.2f ×", atMost(1.2), func(r *round) float64 { return r.manyOfFew(users("")) }},
		{"… by a common word", "%.2f ×", atMost(1.2), func(r *round) float64 { return r.manyOfFew(users("find=anna")) }},
		{"… by a user name", "%.2f ×", atMost(1.2), func(r *round) float64 { return r.manyOfFew(users("find=anna.ito63352")) }},
		{"… by a domain of e-mail addresses", "%.2f ×", atMost(1.2), func(r *round) float64 { return r.manyOfFew(users("find=example.com")) }},
		{"… by two common words", "%.2f ×", atMost(1.2), func(r *round) float64 { return r.manyOfFew(users("find=anna+exam")) }},
		{"… by a rare and a common word", "%.2f ×", atMost(1.2), func(r *round) float64 { return r.manyOfFew(users("find=ito63352+example")) }},
		{"… nobody, and the counts", "%.2f ×", atMost(1.2), func(r *round) float64 { return r.manyOfFew(users("find=zz")) }},
		{"… by the slowest filter", "%.2f ×", atMost(1.2), (*round).slowestFilter},
		{"… by the last sign-in", "%.2f ×", atMost(1.2), func(r *round) float64 { return r.manyOfFew(users("sort=last-sign-in")) }},
		{"one user's page", "%.2f ×", atMost(1.2), func(r *round) float64 { return r.manyOfFew(anyUser) }},
		{"events, first page", "%.2f ×", atMost(1.2), func(r *round) float64 { return r.manyOfFew(events("")) }},
		{"… of a rare kind", "%.2f ×", atMost(1.2), func(r *round) float64 { return r.manyOfFew(events("kind=recovery_link_made")) }},
		{"two common words that few have together, of a search by one", "%.2f ×", none, (*round).seldomTogether},
	}},
	{"start", []row{
		{"start to first answer, a thousand users", "%.1f ms", atMost(15), func(r *round) float64 { return r.start("few", r.few) }},
		{"… a million users", "%.1f ms", atMost(400), func(r *round) float64 { return r.start("many", r.users) }},
		{"file, for each of a million users", "%.0f bytes", none, (*round).bytesForUser},
	}},
	{"postgres", []row{
		{"sign-ins a second with PostgreSQL, 64 at once", "%.0f", none, func(r *round) float64 { return r.remoteSignIns().rate }},
		{"… of plain exchanges", "%.3f ×", none, func(r *round) float64 { return r.remoteSignIns().rate / r.exchanges(64).rate }},
	}},
}

func main() {
	if len(os.Args) == 3 && os.Args[1] == exchangeCommand {
		serveExchanges(os.Args[2])
		return
	}
	keypeg := flag.String("keypeg", "bin/keypeg", "the program to measure")
	peer := flag.String("peer", "bin/peer", "the folder of the server to compare it with")
	only := flag.String("only", "", "the parts to measure, such as signin,memory; all without it")
	in := flag.String("in", "", "a folder for the databases, which stay there for the next run of today; without it, they are removed")
	quick := flag.Bool("small", false, "measure little, only to see that everything works")
	flag.Parse()

	size := full
	if *quick {
		size = small
	}
	chosen := parts
	if *only != "" {
		names := strings.Split(*only, ",")
		chosen = slices.DeleteFunc(slices.Clone(parts), func(p part) bool { return !slices.Contains(names, p.name) })
		if len(chosen) < len(names) {
			fmt.Fprintf(os.Stderr, "bench: -only names a part that does not exist: %s\n", *only)
			os.Exit(2)
		}
	}
	b, err := newBench(*keypeg, *peer, *in, size)
	if err == nil {
		err = errors.Join(b.run(os.Stdout, chosen), b.close())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run measures the parts and writes the table. It writes each part when it is measured.
func (b *bench) run(w io.Writer, chosen []part) error {
	fmt.Fprint(w, "| what | measured | goal | result |\n| --- | --- | --- | --- |\n")
	for _, p := range chosen {
		figures, err := b.measure(p)
		switch {
		case err == nil:
			for i, row := range p.rows {
				fmt.Fprintln(w, row.line(figures[i]))
			}
		case errors.Is(err, errLeftOut):
			fmt.Fprintf(w, "| %v | | | |\n", err)
		default:
			return fmt.Errorf("%s, %w", p.name, err)
		}
		if err := b.stopAll(); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	return nil
}

// measure returns the figures of each row, one of each round.
func (b *bench) measure(p part) ([][]float64, error) {
	figures := make([][]float64, len(p.rows))
	for range b.rounds {
		r := &round{bench: b, loads: map[string]load{}}
		for i, row := range p.rows {
			figures[i] = append(figures[i], row.figure(r))
			if r.err != nil {
				return nil, fmt.Errorf("%s: %w", row.what, r.err)
			}
		}
	}
	return figures, nil
}

// line writes the median of the rounds, with the smallest and the largest figure in brackets.
func (r row) line(figures []float64) string {
	slices.Sort(figures)
	median := figures[len(figures)/2]
	measured := fmt.Sprintf(r.format, median)
	if number, _, _ := strings.Cut(r.format, " "); len(figures) > 1 && figures[0] != figures[len(figures)-1] {
		measured += fmt.Sprintf(" ("+number+"–"+number+")", figures[0], figures[len(figures)-1])
	}
	if r.goal == none {
		return fmt.Sprintf("| %s | %s | | |", r.what, measured)
	}
	result := "not met"
	if r.goal.sign == "≤" && median <= r.goal.limit || r.goal.sign == "≥" && median >= r.goal.limit {
		result = "met"
	}
	return fmt.Sprintf("| %s | %s | %s | %s |", r.what, measured, fmt.Sprintf(r.goal.sign+" "+r.format, r.goal.limit), result)
}

func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
