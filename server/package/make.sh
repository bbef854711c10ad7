#!/bin/sh
# Makes what is given to IT, into a folder: static programs for two kinds of machines, packages for Debian and for
# Fedora and RHEL, lists of what is in them (CycloneDX), and the sums of all. make dist calls it. The same commit
# makes the same files, whenever and wherever.
#
#	server/package/make.sh VERSION FOLDER
set -eu
export LC_ALL=C TZ=UTC CGO_ENABLED=0 GOOS=linux GOFLAGS=-buildvcs=false
VERSION=$1 DIST=$2
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export VERSION DIST SOURCE_DATE_EPOCH

rm -rf "$DIST"
mkdir -p "$DIST"
for ARCH in amd64 arm64; do
	GOARCH=$ARCH go build -trimpath -ldflags="-s -w -X main.versionSet=$VERSION -X main.configSet=/etc/keypeg/keypeg.toml" \
		-o "$DIST/keypeg_${VERSION}_linux_$ARCH" ./server/cmd/keypeg
	GOARCH=$ARCH ./bin/cyclonedx-gomod app -json -noserial -licenses -main server/cmd/keypeg -output "$DIST/sbom_$ARCH.cdx.json" .
	sed -i "s|\"timestamp\": \"[^\"]*\"|\"timestamp\": \"$(date -d "@$SOURCE_DATE_EPOCH" +%FT%TZ)\"|" "$DIST/sbom_$ARCH.cdx.json"
done

# These tell of the program, and are made by it.
here=$DIST/keypeg_${VERSION}_linux_$(go env GOHOSTARCH)
"$here" manpage | gzip -n9 >"$DIST/keypeg.1.gz"
for shell in bash zsh fish; do "$here" completion $shell >"$DIST/completion.$shell"; done
"$here" init "$DIST/keypeg.toml" --url http://localhost:8080 --database /var/lib/keypeg/keypeg.db >/dev/null

for ARCH in amd64 arm64; do
	export ARCH
	for kind in deb rpm; do
		said=$(./bin/nfpm package --config server/package/nfpm.yaml --packager $kind --target "$DIST/" 2>&1) || { echo "$said"; exit 1; }
	done
done
rm "$DIST"/completion.* "$DIST/keypeg.1.gz" "$DIST/keypeg.toml"
(cd "$DIST" && rm -f SHA256SUMS && sums=$(sha256sum ./* | sed 's|\./||') && echo "$sums" >SHA256SUMS && sha256sum --check --quiet SHA256SUMS && cat SHA256SUMS)
