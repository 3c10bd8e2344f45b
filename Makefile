# QCAT. `make run` needs Go and nothing else; `make test` finds, starts or installs the
# Postgres and the Redis it needs (see deploy/test/with-services.sh).

GO        ?= go
BIN       := bin/qcat
VERSION   := $(shell git describe --always --dirty 2>/dev/null || echo unknown)
LDFLAGS   := -X main.version=$(VERSION)
LINT      := $(GO) tool -modfile=tools.mod golangci-lint
SERVICES  := deploy/test/with-services.sh
BENCHTIME ?= 1s
FUZZTIME  ?= 20s
STOP      ?= 60s
RECORDS   ?= 10000000
STEP      ?= 2s
PLOT      ?= bin/ladder.svg
TORTURE_CYCLES ?= 500
TORTURE_SEEDS  ?= 40
BASE           ?=
GATE_BUDGET    ?= 6m
SECONDS        ?= 10
KIND           ?= cpu
DEBUG          ?=
CHAPTERS       ?=
PREFIX         ?= /app
DESTDIR        ?=

.DEFAULT_GOAL := help
.PHONY: help run build install test race lint vuln fmt bench bench-answer bench-gate bench-gate-test ops-test profile wire torture fuzz clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: build ## build and start the demo: simulated market, paper trading, http://127.0.0.1:8082
	$(BIN) serve --demo

build: ## build bin/qcat
	$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN) ./cmd/qcat

# A configuration that is there is an operator's: it stays, and ours is put beside it.
install: export CGO_ENABLED = 0
install: build ## lay out the static program, its configuration and backup.sh below DESTDIR/PREFIX (PREFIX=/app), as the image has them
	install -D -m 0755 $(BIN) '$(DESTDIR)$(PREFIX)/qcat'
	install -D -m 0755 deploy/backup/backup.sh '$(DESTDIR)$(PREFIX)/backup/backup.sh'
	install -D -m 0755 deploy/preflight.sh '$(DESTDIR)$(PREFIX)/preflight.sh'
	to='$(DESTDIR)$(PREFIX)/configs/config.yaml'; \
	  if [ -e "$$to" ] && ! cmp -s deploy/configs/production.yaml "$$to"; then echo "$$to stays: ours is $$to.new"; to="$$to.new"; fi; \
	  install -D -m 0644 deploy/configs/production.yaml "$$to"
	install -d -m 0750 '$(DESTDIR)$(PREFIX)/data' '$(DESTDIR)$(PREFIX)/backups'
	install -d -m 0755 '$(DESTDIR)$(PREFIX)/logs'

test: build ## every test once, benchmarks for one iteration
	$(SERVICES) $(GO) test -bench=. -benchtime=1x -timeout 25m ./...
	cd bench/peers && $(GO) test ./...
	deploy/test/programs.sh nginx=nginx-light logrotate=logrotate openssl=openssl promtool=prometheus amtool=prometheus-alertmanager
	cd deploy/check && $(GO) test ./...
	cd deploy/opstest && $(GO) test ./...

ops-test: ## start the deployment without Docker, and run the operations manual against it (as root; CHAPTERS=3,4: these beside 2)
	cd deploy/opstest && CGO_ENABLED=0 $(GO) build -o ../../bin/opstest .
	bin/opstest -checkout . -only '$(CHAPTERS)'

race: ## every test under the race detector
	$(SERVICES) $(GO) test -race -timeout 40m ./...

lint: ## vet, formatting and the linters of .golangci.yml
	$(LINT) run ./...

vuln: ## known vulnerabilities in what is called (govulncheck; says so where its database is out of reach)
	GO='$(GO)' .ci/vuln

fmt: ## format all Go files
	$(LINT) fmt ./...

bench: build ## measure; the workload of each figure is stated beside it (BENCHTIME=1s STOP=60s RECORDS=10000000 STEP=2s)
	$(SERVICES) --durable $(GO) run ./bench/report -binary $(BIN) -benchtime $(BENCHTIME) -stop $(STOP) -records $(RECORDS) -step $(STEP)

bench-answer: build ## the last table of `make bench` alone: what is to be reached, and what is, in some minutes
	$(SERVICES) --durable $(GO) run ./bench/report -only answer -binary $(BIN) -benchtime 300ms

bench-gate: ## hold the working tree against BASE (where it left origin/main): nothing slower, no allocation more (GATE_BUDGET=6m)
	$(GO) build -o bin/bench-gate ./bench/gate
	bin/bench-gate -base '$(BASE)' -budget $(GATE_BUDGET)

bench-gate-test: ## show that the gate holds: A against A passes twenty times, 10 % slower and one allocation more fail
	QCAT_GATE_RUNS=20 $(GO) test -count=1 -timeout 20m -run TestGateOnRealBinaries -v ./bench/gate

wire: build ## rates up to where the server breaks, fan-out to 10 000 clients, cost over instruments and accounts (STEP=2s PLOT=bin/ladder.svg)
	$(GO) run ./bench/wire -binary $(BIN) -scenario ladder,fanout,scale -step $(STEP) -svg $(PLOT) -json $(basename $(PLOT)).json

profile: build ## profile the demo under load, or the server whose debug-listen is DEBUG (SECONDS=10 KIND=cpu)
	$(GO) run ./bench/profile -binary $(BIN) -seconds $(SECONDS) -kind $(KIND) -debug '$(DEBUG)'

torture: build ## kill, crash, stop and cut for some twenty minutes, and hold what is left against what was acknowledged (TORTURE_CYCLES=500)
	$(SERVICES) $(GO) run ./bench/torture -binary $(BIN) -cycles $(TORTURE_CYCLES) -seeds $(TORTURE_SEEDS)

fuzz: ## each fuzz target for FUZZTIME (20s)
	@set -e; for pkg in $$($(GO) list ./...); do \
	  for f in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
	    echo "== $$pkg $$f"; $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) $$pkg; \
	  done; done

clean: ## remove what was built
	rm -rf bin
