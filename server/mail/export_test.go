package mail

import (
	"context"
	"net"
	"testing"
)

// DialBy has mails of a test go through a network of its own.
func DialBy(t testing.TB, dial func(ctx context.Context, network, address string) (net.Conn, error)) {
	before := dialTCP
	dialTCP = dial
	t.Cleanup(func() { dialTCP = before })
}
