package main

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/keypeg/keypeg/server/live"
	"github.com/keypeg/keypeg/shared"
)

// streams keeps many pages open, as many of each user as may be, and has all of them change
// something.
func (b *bench) streams() error {
	in, err := b.install("streams", smallUsers)
	if err != nil {
		return err
	}
	const each = live.MostOfSession
	users := (b.pages + each - 1) / each
	cookies := func(user int) string { return "keypeg=" + in.token(user) }
	before := in.status("RssAnon")
	var pages []*stream
	defer func() {
		for _, c := range pages {
			c.conn.Close()
		}
	}()
	for i := range b.pages {
		conn, err := net.Dial("tcp", in.address)
		if err != nil {
			return err
		}
		c := &stream{conn, bufio.NewReader(conn)}
		pages = append(pages, c)
		fmt.Fprintf(c.conn, "GET %s HTTP/1.1\r\nHost: %s\r\nCookie: %s\r\n\r\n", shared.PathLive, in.address, cookies(i/each))
	}
	for _, c := range pages {
		if err := c.hears("retry:"); err != nil {
			return err
		}
	}
	memory := (in.status("RssAnon") - before) * 1024 / float64(b.pages)

	var took series
	for i := range b.rounds {
		var together sync.WaitGroup
		errs := make(chan error, len(pages))
		for _, c := range pages {
			together.Go(func() { errs <- c.hears("event: " + shared.LiveChanged) })
		}
		person := newConnection(in.address)
		begin := time.Now()
		for user := 0; user < users && err == nil; user++ {
			path := shared.PathPasskey + fmt.Sprintf("%x", in.credential(user, 1)[:12])
			_, err = person.ask(http.MethodPatch, path, cookies(user), fmt.Appendf(nil, `{"name":"Phone %d"}`, i))
		}
		person.client.CloseIdleConnections()
		if err != nil {
			return err
		}
		together.Wait()
		took.add(millis(time.Since(begin)))
		for range pages {
			if err := <-errs; err != nil {
				return err
			}
		}
	}
	b.title("Open pages")
	b.line(fmt.Sprintf("own memory of each of %d", b.pages), fmt.Sprintf("%.1f KiB", memory))
	b.line("all have heard of a change after", took.text("%.0f ms"))
	return nil
}

// stream is a page's, which is open for as long as the page is.
type stream struct {
	conn net.Conn
	in   *bufio.Reader
}

// hears waits for a line.
func (c *stream) hears(begin string) error {
	if err := c.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	for {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return fmt.Errorf("waiting for %q: %w", begin, err)
		}
		if bytes.HasPrefix(line, []byte(begin)) {
			return nil
		}
	}
}
