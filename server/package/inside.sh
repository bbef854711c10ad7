#!/bin/sh
# Runs in an empty Debian with systemd, as root: try.sh starts it. It installs the package as the manual says, has
# the service do what it shall be able to do, upgrades, removes and purges it.
set -eu
say() { echo "-- $*"; }
fail() {
	echo "failed: $*"
	journalctl --no-pager -n 30 -u keypeg
	exit 1
}
waits() {
	for _ in $(seq 150); do
		if sh -c "$1" >/dev/null 2>&1; then return; fi
		sleep 0.1
	done
	fail "waited in vain: $1"
}
writes() { # a setting
	sed -i "s|^#* *$1 = .*|$1 = $2|" /etc/keypeg/keypeg.toml
	grep -q "^$1 = " /etc/keypeg/keypeg.toml || fail "the settings have no $1"
}
signs_in() {
	status=$(curl -s -o /dev/null -w '%{http_code}' -H 'Content-Type: application/json' -d '{"name":"ann","password":"a long and good password"}' http://localhost:8080/api/v1/sign-in/password)
	[ "$status" = 200 ] || fail "signing in: $status"
}
exec 2>&1

# There is nobody at the terminal: no sudo is needed, and the editor writes what the test needs.
printf '#!/bin/sh\nexec "$@"\n' >/usr/local/bin/sudo
printf '#!/bin/sh\n[ -w "$1" ] && echo "# IT was here" >>"$1"\n' >/usr/local/bin/editor
chmod +x /usr/local/bin/sudo /usr/local/bin/editor

say "the manual's lines"
cat manual.sh
DEBIAN_FRONTEND=noninteractive sh -ex manual.sh >manual.out 2>&1 || { cat manual.out; fail "the manual's lines"; }
grep -q '/setup?token=' manual.out || fail "no link for the first administrator"
[ "$(stat -c '%U %a' /var/lib/keypeg)" = "keypeg 700" ] || fail "the data's folder"
[ "$(stat -c '%U:%G %a' /etc/keypeg/keypeg.toml)" = "root:keypeg 640" ] || fail "the settings' file"
waits "curl -sf http://localhost:8080/readyz"
[ "$(ps -o user= -p "$(systemctl show -P MainPID keypeg)" 2>/dev/null || stat -c %U "/proc/$(systemctl show -P MainPID keypeg)")" = keypeg ] || fail "it runs as another user"
echo 'a long and good password' | keypeg user add ann --admin >/dev/null
signs_in
systemd-analyze verify --man=no /usr/lib/systemd/system/keypeg.service || fail "systemd doesn't like the unit"

say "the audit log in the journal, and backups"
writes audit-log '"stdout"'
writes backup-dir '"/srv/backups/keypeg"'
install -d -o keypeg -g keypeg -m 0700 /srv/backups/keypeg /var/backups/keypeg
install -D override.conf /etc/systemd/system/keypeg.service.d/override.conf
systemctl daemon-reload
systemctl restart keypeg
waits "curl -sf http://localhost:8080/readyz"
signs_in
waits "journalctl -u keypeg -o cat | grep '^{.*\"kind\":\"signed_in\"'"
waits "ls /srv/backups/keypeg/keypeg-*.db"

say "the audit log in a file, and SIGHUP"
writes audit-log '"/var/log/keypeg/audit.log"'
writes backup-dir '"/var/backups/keypeg"'
systemctl restart keypeg
waits "curl -sf http://localhost:8080/readyz"
signs_in
waits "grep signed_in /var/log/keypeg/audit.log"
waits "ls /var/backups/keypeg/keypeg-*.db"
mv /var/log/keypeg/audit.log /var/log/keypeg/audit.log.1
before=$(systemctl show -P MainPID keypeg)
systemctl kill --signal=HUP keypeg
waits "ls /var/log/keypeg/audit.log"
systemctl reload keypeg
[ "$(systemctl show -P MainPID keypeg)" = "$before" ] || fail "SIGHUP ends it"

say "a server that is killed comes back"
kill -KILL "$before"
waits "[ \$(systemctl show -P MainPID keypeg) != $before ] && curl -sf http://localhost:8080/readyz"

say "upgrade"
before=$(systemctl show -P MainPID keypeg)
dpkg -i next.deb >/dev/null
waits "[ \$(systemctl show -P MainPID keypeg) != $before ] && curl -sf http://localhost:8080/readyz"
grep -q 'IT was here' /etc/keypeg/keypeg.toml || fail "the settings are lost"
keypeg version | grep -q next || fail "the version is the old one"
signs_in

say "the socket that systemd opens"
systemctl stop keypeg
writes listen '"systemd"'
writes public-url '"https://id.example.com"'
echo '127.0.0.1 id.example.com' >>/etc/hosts
systemctl enable --now keypeg.socket
curl -sf http://localhost:443/healthz >/dev/null || fail "the socket starts no server"
systemctl stop keypeg keypeg.socket

say "remove, and purge"
dpkg -r keypeg >/dev/null
[ -f /var/lib/keypeg/keypeg.db ] || fail "removing has lost the data"
[ ! -e /usr/bin/keypeg ] || fail "the program is left"
systemctl is-enabled keypeg 2>/dev/null | grep -q '^enabled' && fail "the service is still enabled"
dpkg -P keypeg >/dev/null
for left in /var/lib/keypeg /etc/keypeg; do [ ! -e $left ] || fail "$left is left"; done
! getent passwd keypeg >/dev/null || fail "the account is left"
say "all is well with the package"
