#!/bin/sh
# A new installation isn't started: IT sets its address first. One that is running goes on with the new version.
set -e
install -d -o keypeg -g keypeg -m 0700 /var/lib/keypeg
chown root:keypeg /etc/keypeg /etc/keypeg/keypeg.toml
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
	systemctl try-restart keypeg.service
fi
