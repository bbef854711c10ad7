package listening

import (
	"log/slog"

	"github.com/coreos/go-systemd/v22/daemon"
)

// TellReady tells systemd that people can come in (sd_notify(3), Type=notify), so that what it starts next finds the
// server. Without systemd it does nothing.
func TellReady(log *slog.Logger) {
	if _, err := daemon.SdNotify(false, daemon.SdNotifyReady); err != nil {
		log.Warn("systemd can't be told that the server is ready, so it may end it: write Type=exec into the unit", "cause", err)
	}
}
