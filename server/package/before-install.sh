#!/bin/sh
# The account that the service runs as.
set -e
if ! getent passwd keypeg >/dev/null; then
	useradd --system --user-group --no-create-home --home-dir /var/lib/keypeg --shell /usr/sbin/nologin keypeg
fi
