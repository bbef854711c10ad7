#!/bin/sh
# Tries what make dist has made, by the tools of those who get it: the Debian package in an empty Debian with
# systemd, the other package by rpm, and the Containerfile by buildah. It needs root and a network. make dist-try
# calls it.
#
#	server/package/try.sh bin/dist bin/dist-next
set -eu
now=$1 next=$2
here=$(dirname "$0")
say() { echo "-- $*"; }
fail() { echo "failed: $*" >&2; exit 1; }
for tool in debootstrap systemd-nspawn rpm rpmlint buildah; do
	command -v $tool >/dev/null || fail "$tool is missing: apt-get install debootstrap systemd-container rpm rpmlint buildah"
done
work=$(mktemp -d -p /var/tmp)
server=
end() {
	[ -z "$server" ] || kill -- "-$server" 2>/dev/null || true
	rm -rf "$work"
}
trap end EXIT

say "an empty Debian"
root=$work/root
debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus,curl bookworm "$root" >/dev/null
echo '127.0.0.1 localhost' >"$root/etc/hosts"
cp -r "$root" "$work/for-rpm"
arch=$(dpkg --print-architecture)

say "the Debian package: see inside.sh"
# What the manual has IT type, with the package under the name that it has there.
awk '/^```/ { if (mine) exit } mine { print } /^sudo apt install \.\/keypeg/ { if (!mine) { mine = 1; print } }' "$here/../../web/manual/running.md" | sed 's/  *#.*//' >"$root/root/manual.sh"
cp "$now"/keypeg_*_"$arch".deb "$root/root/$(sed -n 's|.*\./||p' "$root/root/manual.sh")"
cp "$next"/keypeg_*_"$arch".deb "$root/root/next.deb"
awk '/^```/ { mine = 0 } mine { print } /^```ini/ { mine = 1 }' "$here/../../web/manual/running.md" >"$root/root/override.conf"
cp "$here/inside.sh" "$root/root/"
cat >"$root/etc/systemd/system/try.service" <<'UNIT'
[Service]
Type=oneshot
WorkingDirectory=/root
ExecStart=/bin/sh /root/inside.sh
StandardOutput=file:/root/said
StandardError=inherit
ExecStopPost=/bin/systemctl --no-block poweroff
UNIT
mkdir -p "$root/etc/systemd/system/multi-user.target.wants"
ln -s ../try.service "$root/etc/systemd/system/multi-user.target.wants/try.service"
timeout 300 systemd-nspawn --quiet --directory="$root" --register=no --keep-unit --private-network --boot >"$work/console" 2>&1 </dev/null || true
cat "$root/root/said"
grep -qx -- '-- all is well with the package' "$root/root/said" || { tail -n 30 "$work/console"; fail "the Debian package"; }

say "the package for Fedora and RHEL, by rpm"
machine=$(uname -m)
old=$(ls "$now"/keypeg-*."$machine".rpm) new=$(ls "$next"/keypeg-*."$machine".rpm)
in_rpm() { rpm --root "$work/for-rpm" --dbpath /var/lib/rpm "$@" 2>&1 | grep -v '^rpm: ' || true; } # Debian's rpm says that dpkg is better here
rpmlint --config "$here/rpmlint.toml" "$old" >"$work/lint" || { cat "$work/lint"; fail "rpmlint"; }
in_rpm --nodeps -i "$old" # in a Debian, which has useradd by another package
in_rpm --nodeps -V keypeg | grep . && fail "rpm -V: what is installed isn't what is in the package"
[ "$(chroot "$work/for-rpm" stat -c '%U %a' /var/lib/keypeg)" = "keypeg 700" ] || fail "the data's folder"
[ "$(chroot "$work/for-rpm" stat -c '%U:%G %a' /etc/keypeg/keypeg.toml)" = "root:keypeg 640" ] || fail "the settings' file"
chroot "$work/for-rpm" keypeg config check | grep -q 'can be used' || fail "the settings as they are installed"
echo '# IT was here' >>"$work/for-rpm/etc/keypeg/keypeg.toml"
touch "$work/for-rpm/var/lib/keypeg/keypeg.db"
in_rpm --nodeps -U "$new"
chroot "$work/for-rpm" keypeg version | grep -q next || fail "the upgrade"
grep -q 'IT was here' "$work/for-rpm/etc/keypeg/keypeg.toml" || fail "the settings are lost"
in_rpm -e keypeg
[ ! -e "$work/for-rpm/usr/bin/keypeg" ] || fail "the program is left"
[ -e "$work/for-rpm/var/lib/keypeg/keypeg.db" ] || fail "removing has lost the data"
chroot "$work/for-rpm" getent passwd keypeg >/dev/null || fail "the account owns the data, and is gone"

say "the container, by buildah, where no engine is needed"
export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot
containers() { buildah --root "$work/containers" --runroot "$work/containers-run" "$@"; }
mkdir -p "$work/at/bin/dist" "$work/at/server"
cp -r "$here" "$work/at/server/package"
build=$(grep '^podman build ' "$here/../../web/manual/running.md")
cp "$now"/keypeg_*_linux_"$arch" "$work/at/bin/dist/$(echo "$build" | sed 's/.*PROGRAM=\([^ ]*\).*/\1/')"
(cd "$work/at" && eval "containers bud --quiet ${build#podman build }" >/dev/null)
container=$(containers from --pull-never localhost/keypeg)
! curl -s http://localhost:18080/ >/dev/null || fail "another program listens at port 18080"
setsid buildah --root "$work/containers" --runroot "$work/containers-run" run "$container" -- /keypeg serve --listen localhost:18080 --public-url http://localhost:18080 >"$work/out" 2>"$work/log" &
server=$!
for _ in $(seq 100); do
	if curl -sf http://localhost:18080/readyz >/dev/null; then break; fi
	sleep 0.1
done
containers run "$container" -- /keypeg healthcheck --listen localhost:18080 | grep -qx ready || { cat "$work/log"; fail "the health check"; }
containers inspect --type image localhost/keypeg | grep -q '"User": "65532:65532"' || fail "it runs as root"
grep -q '/setup?token=' "$work/out" || fail "it can't write its database"
kill -- "-$server"
wait "$server" || true
server=
containers rm "$container" >/dev/null
containers rmi keypeg >/dev/null
say "all is well"
