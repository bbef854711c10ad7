#!/bin/sh
# An upgrade keeps the service running until the new version is there: dpkg says "upgrade", rpm says 1.
set -e
case "$1" in
remove | 0)
	if [ -d /run/systemd/system ]; then
		systemctl disable --now keypeg.service keypeg.socket || true
	fi
	;;
esac
