#!/bin/sh
# Nothing of the users is lost by removing the package. Only a purge, which somebody asks for by name, takes the
# database and the account away; rpm has no purge, so there they stay.
set -e
if [ "$1" = purge ]; then
	rm -rf /var/lib/keypeg /etc/keypeg
	userdel keypeg 2>/dev/null || true
fi
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
fi
