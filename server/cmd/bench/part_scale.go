package main

import (
	"fmt"
	"os"

	"github.com/keypeg/keypeg/shared"
)

const turnsPerRound = 10

// scale holds a large installation against a small one: what people wait for is the same.
func (b *bench) scale() error {
	small, err := b.install("few", smallUsers)
	if err != nil {
		return err
	}
	large, err := b.install("many", b.users)
	if err != nil {
		return err
	}
	file, err := os.Stat(large.database)
	if err != nil {
		return err
	}
	kinds := []struct {
		what   string
		do     func(*installation) func(*connection, int) task
		ratio  series
		before figures
		after  figures
	}{
		{what: "sign-in", do: func(in *installation) func(*connection, int) task { return in.signIn(in.process) }},
		{what: "panel", do: func(in *installation) func(*connection, int) task { return in.asks(in.process, shared.PathPasskeys) }},
		{what: "session check", do: func(in *installation) func(*connection, int) task { return in.asks(in.process, shared.PathAccount) }},
	}
	// What is compared is close, and machines drift: many short turns find it, of which
	// neither has always the first.
	turn := b.round / turnsPerRound * 2
	for n := range turnsPerRound * b.rounds {
		for i := range kinds {
			k, pair := &kinds[i], []*installation{small, large}
			var took [2]load
			for at := range pair {
				at = (at + n) % 2
				if took[at], err = phase(pair[at].process, 1, turn, k.do(pair[at])); err != nil {
					return err
				}
			}
			few, many := took[0], took[1]
			k.before.add(few)
			k.after.add(many)
			k.ratio.add(float64(many.p50) / float64(few.p50))
		}
	}
	b.title(fmt.Sprintf("%d users with two passkeys each, beside %d", b.users, smallUsers))
	for _, k := range kinds {
		b.line(k.what, fmt.Sprintf("p50 %s, beside %s", k.after.p50.text("%.3f ms"), k.before.p50.text("%.3f ms")))
		b.judged("  p50", k.ratio, "%.2f×", atMost(1.1))
	}
	for _, in := range []struct {
		what string
		*installation
		most float64
	}{{"small", small, 15}, {"large", large, 400}} {
		var took series
		for range b.rounds {
			if err := b.stop(in.process); err != nil {
				return err
			}
			if in.process, in.started, err = b.startKeypeg(in.database); err != nil {
				return err
			}
			took.add(millis(in.started))
		}
		b.judged("start to first answer, "+in.what, took, "%.1f ms", atMost(in.most))
	}
	b.line("file, for each user", fmt.Sprintf("%d bytes", file.Size()/int64(b.users)))
	return nil
}
