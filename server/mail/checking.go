package mail

import (
	"context"
	"net"
	"time"
)

// checkTime bounds [Sender.Check], which a person waits for.
const checkTime = 30 * time.Second

// Check connects to the server as for a mail, with encryption and sign-in, and sends none. It fails with a
// [*Trouble].
func (s Sender) Check(ctx context.Context) error {
	talking, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	var connection net.Conn
	client, err := s.client(func(ctx context.Context, network, _ string) (_ net.Conn, err error) {
		if connection, err = s.dial(ctx, network); err == nil {
			context.AfterFunc(talking, func() { connection.Close() })
		}
		return connection, err
	})
	if err != nil {
		return s.trouble(talking, err)
	}
	defer func() {
		if connection != nil {
			connection.Close()
		}
	}()
	server, err := client.DialToSMTPClientWithContext(talking)
	if err != nil {
		return s.trouble(talking, err)
	}
	if server.UpdateDeadline(quitTime) == nil {
		_ = server.Quit() // whether it answers changes nothing
	}
	return nil
}
