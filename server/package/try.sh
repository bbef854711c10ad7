#!/bin/sh
# Tries the Debian package in an empty Debian: install, start, sign in, upgrade, remove, purge. It needs root, and
# debootstrap with a network. make dist-try calls it.
#
#	server/package/try.sh OLD.deb NEW.deb
set -eu
old=$1 new=$2
root=$(mktemp -d)
chmod 755 "$root"
server=
end() {
	[ -z "$server" ] || kill "$server" 2>/dev/null || true
	rm -rf "$root"
}
trap end EXIT
say() { echo "-- $*"; }
fail() { echo "failed: $*" >&2; exit 1; }
inside() { chroot "$root" "$@"; }

# starts runs what the unit runs, as it does: there is no systemd in a chroot.
starts() {
	chroot "$root" setpriv --reuid keypeg --regid keypeg --clear-groups sh -c 'cd /var/lib/keypeg && exec /usr/bin/keypeg serve --listen localhost:18080 --public-url http://localhost:18080' >"$root/out" 2>"$root/log" &
	server=$!
	for _ in $(seq 100); do
		if curl -sf http://localhost:18080/readyz >/dev/null; then return; fi
		sleep 0.1
	done
	cat "$root/log"
	fail "the server doesn't answer"
}
stops() {
	kill -TERM "$server"
	wait "$server" || true
	server=
}
signs_in() {
	status=$(curl -s -o /dev/null -w '%{http_code}' -H 'Content-Type: application/json' -d '{"name":"ann","password":"a long and good password"}' http://localhost:18080/api/v1/sign-in/password)
	[ "$status" = 200 ] || fail "signing in: $status"
}

say "an empty Debian"
debootstrap --variant=minbase bookworm "$root" >/dev/null
echo '127.0.0.1 localhost' >"$root/etc/hosts"
cp "$old" "$root/old.deb"
cp "$new" "$root/new.deb"

say "install"
inside dpkg -i /old.deb >/dev/null
[ "$(inside stat -c '%U %a' /var/lib/keypeg)" = "keypeg 700" ] || fail "the data's folder"
[ "$(inside stat -c '%U:%G %a' /etc/keypeg/keypeg.toml)" = "root:keypeg 640" ] || fail "the settings' file"
inside keypeg config check | grep -q 'can be used' || fail "the settings as they are installed"

say "start, and sign in"
starts
grep -q '/setup?token=' "$root/out" || fail "no link for the first administrator"
echo 'a long and good password' | inside keypeg user add ann --admin >/dev/null
signs_in

say "upgrade"
echo '# IT was here' >>"$root/etc/keypeg/keypeg.toml"
stops
inside dpkg -i /new.deb >/dev/null
grep -q 'IT was here' "$root/etc/keypeg/keypeg.toml" || fail "the settings are lost"
starts
signs_in
stops

say "remove, and purge"
inside dpkg -r keypeg >/dev/null
[ -f "$root/var/lib/keypeg/keypeg.db" ] || fail "removing has lost the data"
[ ! -e "$root/usr/bin/keypeg" ] || fail "the program is left"
inside dpkg -P keypeg >/dev/null
[ ! -e "$root/var/lib/keypeg" ] || fail "the data is left"
[ ! -e "$root/etc/keypeg" ] || fail "the settings are left"
! inside getent passwd keypeg >/dev/null || fail "the account is left"
say "all is well"
