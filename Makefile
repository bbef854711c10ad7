# make run    builds everything and starts Keypeg on http://localhost:8080
# make test   runs every test; installs what the browser tests need
# More: build, dist, dist-try, vulnerabilities, toolcrib, soak, fuzz, screenshots, bench, bench-pieces, bench-web, outdated,
# licences, version, clean.

.PHONY: run test dist dist-try vulnerabilities soak fuzz build web toolcrib vet screenshots bench bench-pieces bench-web outdated licences version clean tools tools-apt
.DEFAULT_GOAL := build

# The version's number has its home in CHANGELOG.md. The build adds the commit: 0.1.0+863b604.
COMMIT := $(shell git describe --always --dirty --exclude='*' 2>/dev/null)
VERSION := $(shell sed -n 's/^.. \([0-9][0-9.]*\)$$/\1/p' CHANGELOG.md | head -n 1)$(COMMIT:%=+%)

# Whoever tries Keypeg waits a minute less for programs that are 13 % larger.
run: FORM :=
run: build
	./bin/keypeg serve

# Nothing needs C, and without it the program is one file that runs on any Linux.
build: web
	CGO_ENABLED=0 go build -trimpath -ldflags='-s -w -X main.versionSet=$(VERSION)' -o bin/keypeg ./server/cmd/keypeg

# The app, compiled to WebAssembly, and every static file in compressed form. The flags are those of
# the program, so that Go compiles its own packages once for both.
FORM := release
TRIM := -trimpath
web:
	CGO_ENABLED=0 go run $(TRIM) ./web/build $(FORM)

# Chromium puts itself before everything else where root runs it, and the servers that it asks would wait.
NOT_FIRST := $(shell [ "$$(id -u)" != 0 ] || echo setpriv --bounding-set=-sys_nice)

# The race detector needs a C compiler, and the browser tests need a browser. Besides its form, all that is compiled natively
# has one, without cgo and with whole paths, whether a check, a test or the build of the app asks for it: each form more is
# minutes. What go test would vet was vetted already.
test soak: TRIM :=
test: tools web vet $(if $(CI),bin/gotestsum)
	$(NOT_FIRST) $(TEST) -race -vet=off -timeout 80m $(if $(CI),,./...)

# By hand, red is red. In CI, where some thousand tests share a busy machine with five browsers, the few that are red run once
# more, without the others beside them. The run's end names them all the same: who reads a name in two runs mends it. More than
# five, a data race, a panic or what doesn't compile stays red.
TEST := go test
ifdef CI
TEST := bin/gotestsum --format=standard-quiet --rerun-fails=1 --rerun-fails-max-failures=5 --rerun-fails-run-root-test \
	--rerun-fails-abort-on-data-race --packages=./... --
endif

# The same with many more rounds of every race, crash and fault: an hour or so.
soak: tools web vet bin/oauth2-proxy bin/miniflux
	KEYPEG_SOAK=1 $(NOT_FIRST) go test -race -vet=off -count=1 -timeout 3h ./...

# Each fuzz test for a while. What it finds is kept in testdata, for make test.
FUZZTIME := 30s
fuzz:
	@for place in $$(grep -rl '^func Fuzz' --include='*_test.go' app server shared | xargs -n1 dirname | sort -u); do \
		for name in $$(sed -n 's/^func \(Fuzz[A-Za-z]*\).*/\1/p' $$place/*_test.go); do \
			echo "$$place $$name"; \
			go test ./$$place -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) || exit 1; \
		done; \
	done

# What is given to IT, in bin/dist: programs, packages, their contents and sums. The same commit makes the same.
dist: web bin/nfpm bin/cyclonedx-gomod
	server/package/make.sh $(subst -,.,$(VERSION)) bin/dist

# Twice the same, and then all of it by the tools of those who get it: systemd, dpkg, rpm, buildah. It needs root.
dist-try: vulnerabilities dist
	cp bin/dist/SHA256SUMS bin/SHA256SUMS
	$(MAKE) --silent dist >/dev/null
	cmp bin/SHA256SUMS bin/dist/SHA256SUMS
	rm -rf bin/dist-next && server/package/make.sh $(subst -,.,$(VERSION)).next bin/dist-next >/dev/null
	server/package/try.sh bin/dist bin/dist-next

# Known vulnerabilities of what is inside, where their database can be reached.
vulnerabilities:
	@if curl --silent --fail --max-time 10 --output /dev/null https://vuln.go.dev/index/db.json; then \
		go run golang.org/x/vuln/cmd/govulncheck@latest ./...; \
	else \
		echo "vuln.go.dev can't be reached, so nobody looked for known vulnerabilities"; \
	fi

NFPM := v2.44.1
CYCLONEDX := v1.10.0

bin/nfpm: | tools-apt
	GOBIN=$(CURDIR)/bin go install github.com/goreleaser/nfpm/v2/cmd/nfpm@$(NFPM)

bin/cyclonedx-gomod: | tools-apt
	GOBIN=$(CURDIR)/bin go install github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@$(CYCLONEDX)

# A small program that has taken Keypeg in, on http://localhost:8081.
toolcrib:
	GOOS=js GOARCH=wasm go build -trimpath -ldflags='-s -w' -o bin/toolcrib.wasm ./app/toolcrib/wasm
	go build -trimpath -o bin/toolcrib ./server/cmd/toolcrib
	./bin/toolcrib

IN_BROWSER := ./app/browser ./app/ui ./app/selfservice ./app/pages ./app/wasm/... ./app/toolcrib/...
vet: bin/staticcheck
	test -z "$$(gofmt -l .)" || { gofmt -l .; exit 1; }
	CGO_ENABLED=0 go vet ./...
	GOOS=js GOARCH=wasm go vet $(IN_BROWSER)
	CGO_ENABLED=0 ./bin/staticcheck ./...
	GOOS=js GOARCH=wasm ./bin/staticcheck $(IN_BROWSER)

# Every state at both widths in both colour schemes, for somebody to look at, in
# screenshots/; the pictures of README and manual; and the manifest's.
screenshots: tools web
	mkdir -p screenshots
	KEYPEG_SCREENSHOTS=$(CURDIR)/screenshots go test -count=1 -run 'TestScreenshots|TestToolcrib|TestCribs' ./app/e2e
	mkdir -p web/pictures
	cp screenshots/panel-add-1280-light.png web/pictures/passkeys.png
	cp screenshots/sign-in-1280-light.png web/pictures/sign-in.png
	cp screenshots/panel-added-1280-light.png web/pictures/added.png
	cp screenshots/remove-1280-light.png web/pictures/remove.png
	cp screenshots/panel-add-390-light.png web/pictures/phone.png
	cp screenshots/crib-panel-1280-light.png web/pictures/toolcrib.png
	cp screenshots/crib-python-panel-1280-light.png web/pictures/any-language.png
	cp screenshots/panel-add-1280-light.png web/static/screenshot-wide.png
	cp screenshots/panel-add-390-light.png web/static/screenshot-narrow.png

# What it costs to run, as ratios to the floors under it, and the goals: some fifteen minutes, most of them for a file with a million users.
# Without npm, the rows of the peer are left out.
bench: build
	go build -o bin/bench ./server/cmd/bench
	@$(MAKE) --silent bin/peer >bin/peer.log 2>&1 || true
	./bin/bench

# The server that Keypeg is compared with. It is not a part of Keypeg. npm compiles SQLite for
# it where it finds no compiled one: a minute or two, once. After a change of package.json, run
# npm install --package-lock-only in that folder.
bin/peer: $(addprefix server/cmd/bench/peer/,server.js package.json package-lock.json)
	rm -rf bin/peer bin/peer-new && mkdir -p bin && cp -r server/cmd/bench/peer bin/peer-new
	cd bin/peer-new && npm ci --no-audit --no-fund
	mv bin/peer-new bin/peer

# The pieces, for benchstat to compare two commits by.
bench-pieces:
	go test -run '^$$' -bench . -benchmem ./server/...

# How long people wait in Chromium, on this machine and on an emulated slow line.
bench-web: tools build
	KEYPEG_BENCH_WEB=1 go test -count=1 -timeout 20m -run TestBenchWeb ./app/e2e -v | grep -v '^=== '

# What has a newer version, a line each: modules that we build and test with, and the tools
# that this file pins. It fails if there is any. What the module proxy lists no versions of
# (go list says so with -e alone) counts as up to date.
outdated:
	@modules=$$(go list -deps -test -f '{{with .Module}}{{if not .Main}}{{.Path}}{{end}}{{end}}' ./...) || exit 1; \
	behind=$$( \
		go list -m -u -e -f '{{if .Update}}{{.Path}} {{.Version}}, newest {{.Update.Version}}{{end}}' \
			$$(echo "$$modules" | sort -u) \
			honnef.co/go/tools@$(STATICCHECK) gotest.tools/gotestsum@$(GOTESTSUM) github.com/letsencrypt/pebble/v2@$(PEBBLE) \
			github.com/oauth2-proxy/oauth2-proxy/v7@$(OAUTH2_PROXY) miniflux.app/v2@$(MINIFLUX) 2>/dev/null; \
		for tool in axe-core@$(AXE) @simplewebauthn/browser@$(SIMPLEWEBAUTHN) @grafana/schema@$(GRAFANA) typescript@$(TYPESCRIPT) openid-client@$(OPENID_CLIENT) oidc-client-ts@$(OIDC_CLIENT_TS) oidc-provider@$(OIDC_PROVIDER) express@$(EXPRESS) express-session@$(EXPRESS_SESSION) jose@$(JOSE) standardwebhooks@$(STANDARDWEBHOOKS) react@$(REACT) react-dom@$(REACT) vue@$(VUE) esbuild@$(ESBUILD); do \
			newest=$$(npm view $${tool%@*} version) || echo "$$tool, newest unknown"; \
			[ "$$newest" = "$${tool##*@}" ] || echo "$$tool, newest $$newest"; \
		done); \
	[ -z "$$behind" ] || { echo "$$behind"; exit 1; }

# LICENCES.md, after go.mod changed. A test says so if this was forgotten.
licences:
	go test -count=1 ./server/cmd/keypeg -run TestLicences -update

# What make build gives to the program.
version:
	@echo $(VERSION)

clean:
	rm -rf bin screenshots
	find web/dist -mindepth 1 ! -name .gitignore -delete

# What finds barriers in pages, for the browser tests. It is not a part of Keypeg.
AXE := 4.14.1

bin/axe.min.js: | tools-apt
	mkdir -p bin && cd bin && npm pack --silent axe-core@$(AXE) >/dev/null && tar -xzf axe-core-$(AXE).tgz package/axe.min.js
	mv bin/package/axe.min.js $@ && rm -r bin/package bin/axe-core-$(AXE).tgz

# What drives the API in a test as other front ends do. It is not a part of Keypeg.
SIMPLEWEBAUTHN := 14.0.0

bin/simplewebauthn/index.js: | tools-apt
	mkdir -p bin && cd bin && npm pack --silent @simplewebauthn/browser@$(SIMPLEWEBAUTHN) >/dev/null && \
		tar -xzf simplewebauthn-browser-$(SIMPLEWEBAUTHN).tgz package/esm
	rm -rf bin/simplewebauthn && mv bin/package/esm bin/simplewebauthn && rm -r bin/package bin/simplewebauthn-browser-$(SIMPLEWEBAUTHN).tgz
	touch $@

# An authority that gives certificates by ACME, for the tests of --acme. It is not a part of Keypeg.
PEBBLE := v2.10.3

bin/pebble: | tools-apt
	GOBIN=$(CURDIR)/bin go install github.com/letsencrypt/pebble/v2/cmd/pebble@$(PEBBLE) github.com/letsencrypt/pebble/v2/cmd/pebble-challtestsrv@$(PEBBLE)

# Programs that sign people in with Keypeg, by the settings that a preset prints. They take minutes to build, so make test goes
# without them. They are not a part of Keypeg.
OAUTH2_PROXY := v7.15.6
MINIFLUX := v2.3.5

bin/oauth2-proxy:
	GOBIN=$(CURDIR)/bin go install github.com/oauth2-proxy/oauth2-proxy/v7@$(OAUTH2_PROXY)

bin/miniflux:
	GOBIN=$(CURDIR)/bin go install miniflux.app/v2@$(MINIFLUX)
	mv bin/miniflux.app $@

# What signs in with Keypeg in a test as programs on Node do. It is not a part of Keypeg.
OPENID_CLIENT := 6.9.0

bin/openid-client/node_modules/openid-client/package.json: | tools-apt
	rm -rf bin/openid-client && mkdir -p bin/openid-client && cd bin/openid-client && npm install --silent --no-audit --no-fund --ignore-scripts --prefix . openid-client@$(OPENID_CLIENT) >/dev/null
	touch $@

# What signs in with Keypeg in a popup, in a test, as programs in a browser do. It is not a part of Keypeg.
OIDC_CLIENT_TS := 3.5.0

bin/oidc-client-ts/node_modules/oidc-client-ts/package.json: | tools-apt
	rm -rf bin/oidc-client-ts && mkdir -p bin/oidc-client-ts && cd bin/oidc-client-ts && npm install --silent --no-audit --no-fund --ignore-scripts --prefix . oidc-client-ts@$(OIDC_CLIENT_TS) >/dev/null
	touch $@

# With which programs on Node are written in a test, as the manual has it. They are not a part of Keypeg.
EXPRESS := 5.3.0
EXPRESS_SESSION := 1.19.0
JOSE := 6.2.18
STANDARDWEBHOOKS := 1.1.1

bin/express/node_modules/standardwebhooks/package.json: | tools-apt
	rm -rf bin/express && mkdir -p bin/express && cd bin/express && npm install --silent --no-audit --no-fund --ignore-scripts --prefix . express@$(EXPRESS) express-session@$(EXPRESS_SESSION) jose@$(JOSE) standardwebhooks@$(STANDARDWEBHOOKS) >/dev/null
	touch $@

# An OpenID provider of other people's making, at which users sign in in a test. It is not a part of Keypeg.
OIDC_PROVIDER := 9.13.3

bin/oidc-provider/node_modules/oidc-provider/package.json: | tools-apt
	rm -rf bin/oidc-provider && mkdir -p bin/oidc-provider && cd bin/oidc-provider && npm install --silent --no-audit --no-fund --ignore-scripts --prefix . oidc-provider@$(OIDC_PROVIDER) >/dev/null
	touch $@

# Grafana's own types, to which the dashboard must keep. They are not a part of Keypeg.
GRAFANA := 13.2.3
TYPESCRIPT := 7.0.2

bin/grafana/node_modules/typescript/bin/tsc: | tools-apt
	rm -rf bin/grafana && mkdir -p bin/grafana && cd bin/grafana && npm install --silent --no-audit --no-fund --ignore-scripts --prefix . @grafana/schema@$(GRAFANA) typescript@$(TYPESCRIPT) >/dev/null
	touch $@

# What draws pages of programs that Keypeg is built into, for the browser tests. They are not a part of Keypeg.
REACT := 19.3.1
VUE := 3.5.45
ESBUILD := 0.28.2

bin/frameworks/node_modules/esbuild/bin/esbuild: | tools-apt
	rm -rf bin/frameworks && mkdir -p bin/frameworks && cd bin/frameworks && npm install --silent --no-audit --no-fund --ignore-scripts --prefix . react@$(REACT) react-dom@$(REACT) vue@$(VUE) esbuild@$(ESBUILD) >/dev/null
	touch $@

tools: tools-apt bin/express/node_modules/standardwebhooks/package.json bin/axe.min.js bin/simplewebauthn/index.js bin/pebble bin/grafana/node_modules/typescript/bin/tsc bin/openid-client/node_modules/openid-client/package.json bin/oidc-client-ts/node_modules/oidc-client-ts/package.json bin/oidc-provider/node_modules/oidc-provider/package.json bin/frameworks/node_modules/esbuild/bin/esbuild

GOTESTSUM := v1.13.0

bin/gotestsum: Makefile | tools-apt
	GOBIN=$(CURDIR)/bin go install gotest.tools/gotestsum@$(GOTESTSUM)
	touch $@

STATICCHECK := v0.8.2

bin/staticcheck: Makefile
	GOBIN=$(CURDIR)/bin go install honnef.co/go/tools/cmd/staticcheck@$(STATICCHECK)
	touch $@

# Installs with apt what is missing, where it may; else says what to install.
tools-apt:
	@missing=""; \
	command -v gcc >/dev/null || missing="$$missing gcc libc6-dev"; \
	command -v chromium >/dev/null || missing="$$missing chromium"; \
	command -v chromium-headless-shell >/dev/null || missing="$$missing chromium-headless-shell"; \
	command -v firefox-esr >/dev/null || missing="$$missing firefox-esr"; \
	command -v strace >/dev/null || missing="$$missing strace"; \
	command -v npm >/dev/null || missing="$$missing npm"; \
	command -v node >/dev/null || missing="$$missing nodejs"; \
	command -v php >/dev/null || missing="$$missing php-cli"; \
	command -v python3 >/dev/null || missing="$$missing python3"; \
	command -v systemd-analyze >/dev/null || missing="$$missing systemd"; \
	[ -x /usr/sbin/nginx ] || command -v nginx >/dev/null || missing="$$missing nginx"; \
	[ -x /usr/sbin/apache2 ] || missing="$$missing apache2"; \
	[ -e /usr/lib/apache2/modules/mod_auth_openidc.so ] || missing="$$missing libapache2-mod-auth-openidc"; \
	ls /usr/share/lua/5.*/socket.lua >/dev/null 2>&1 || missing="$$missing lua-socket"; \
	[ -x /usr/sbin/haproxy ] || missing="$$missing haproxy"; \
	[ -x /usr/sbin/rsyslogd ] || missing="$$missing rsyslog"; \
	ls /usr/lib/*/rsyslog/lmnsd_gtls.so >/dev/null 2>&1 || missing="$$missing rsyslog-gnutls"; \
	[ -x /usr/sbin/logrotate ] || missing="$$missing logrotate"; \
	command -v ip >/dev/null || [ -x /usr/sbin/ip ] || missing="$$missing iproute2"; \
	command -v curl >/dev/null || missing="$$missing curl"; \
	command -v promtool >/dev/null || missing="$$missing prometheus"; \
	command -v caddy >/dev/null || missing="$$missing caddy"; \
	[ -x /usr/sbin/pgbouncer ] || missing="$$missing pgbouncer"; \
	ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || missing="$$missing postgresql"; \
	[ -z "$$missing" ] && exit 0; \
	if [ "$$(id -u)" = 0 ]; then sudo=""; \
	elif sudo -n true 2>/dev/null; then sudo="sudo"; \
	else echo "Please install what the tests need: sudo apt-get install$$missing"; exit 1; fi; \
	echo "Installing$$missing"; \
	$$sudo apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -y -qq --no-install-recommends $$missing >/dev/null
