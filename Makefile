# Shoal. "make help" lists the targets.

GO        ?= go
BIN       := bin
FUZZTIME  ?= 30s
N         ?= 200000
SEED      ?= 0
# Flags of every "go test"; for example: make test TESTFLAGS=-v
TESTFLAGS ?=

# The packages without the whole-server tests, which are run once per way of building the server.
PACKAGES  = $(shell $(GO) list ./... | grep -v '/shoal/test$$')
# Those in whose tests more than one goroutine is at work: data structures hold no locks, and commands run under a shard's.
CONCURRENT = $(shell $(GO) list ./... | grep -vE '/shoal/(test|types.*|persist/rdb|command|script/lualib.*)$$')
# Those that have assertions, or use what has.
ASSERTING = $(shell $(GO) list -f '{{.ImportPath}} {{join .Deps " "}}' ./... | grep /shoal/internal/invariants | cut -d ' ' -f 1 | grep -v '/shoal/test$$')

.DEFAULT_GOAL := help
.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

# Without cgo, which only the resolver would use, there is no C library to load: 2 MB less resident.
.PHONY: build
build: ## build bin/shoal-server and bin/shoal-bench
	CGO_ENABLED=0 $(GO) build -o $(BIN)/ ./cmd/...

.PHONY: run
run: build ## build the server and start it on 127.0.0.1:6379 (ARGS="--port 7000 ..." for more)
	$(BIN)/shoal-server --bind 127.0.0.1 -::1 $(ARGS)

.PHONY: test
test: tools lint unit e2e race invariants fuzz-ci cross ## everything below that CI runs; installs what it needs ("make tools")

.PHONY: tools
tools: ## install what tests need if it is missing: redis-server, redis-tools, clients of Python and Node
	@.ci/tools

# With its profile the server is built for "make build" and for the whole-server tests. Elsewhere it would only have everything
# compiled twice, the standard library included.
lint unit race invariants fuzz fuzz-ci cross: export GOFLAGS += -pgo=off

# "make lint" has all of it vetted: "go test" would do so again, the standard library included, for each way of building.
GOTEST = $(GO) test -vet=off

.PHONY: lint
lint: ## gofmt, go vet, staticcheck, and imports that point up
	@unformatted="$$(gofmt -l $$($(GO) list -f '{{.Dir}}' ./...))"; \
		if [ -n "$$unformatted" ]; then echo "not gofmt'ed:"; echo "$$unformatted"; exit 1; fi
	$(GO) vet ./...
	$(GO) vet -tags invariants ./...
	$(GO) tool staticcheck ./...
	$(GO) test -run '^TestImports' ./test

.PHONY: unit
unit: ## unit tests of all packages
	$(GOTEST) -timeout 40m $(TESTFLAGS) $(PACKAGES)

.PHONY: e2e
e2e: ## whole-server tests on both network engines
	$(GOTEST) -count=1 -timeout 40m $(TESTFLAGS) ./test -commands 60000

# The tests of whole servers that a slower build of the server runs as well.
SOME_E2E := ^(TestScripts|TestDifferential|TestMetamorphic|TestMalformed|TestRandomBytes|TestHalfOpen|TestManyClients|TestConnectionChurn|TestNeverReads|TestSignals|TestGoRedis)$$

.PHONY: race
race: ## the race detector on packages with several goroutines, and on a server
	$(GOTEST) -race -timeout 40m $(TESTFLAGS) $(CONCURRENT)
	GORACE=halt_on_error=1 SHOAL_BUILD=-race $(GOTEST) -count=1 -timeout 40m $(TESTFLAGS) -run '$(SOME_E2E)' ./test -commands 5000

.PHONY: invariants
invariants: ## the build that checks its own assertions and its pointers, and poisons freed memory
	SHOAL_BUILD="-tags invariants" $(GOTEST) -tags invariants -gcflags=github.com/shoaldb/shoal/alloc=-d=checkptr -timeout 40m $(TESTFLAGS) $(ASSERTING)
	SHOAL_BUILD="-tags invariants" $(GOTEST) -count=1 -timeout 40m $(TESTFLAGS) -run '$(SOME_E2E)' ./test

.PHONY: oracle
oracle: tools ## replay the scripts of command/testdata on redis-server and rewrite the replies that differ
	$(GO) test -count=1 -v -run '^TestScriptsOnRedis$$' ./test -update
	@git --no-pager diff --stat -- command/testdata

.PHONY: fuzz-diff
fuzz-diff: tools ## compare N=200000 random commands with redis-server; SEED=... repeats a run
	$(GO) test -count=1 -v -timeout 0 -run '^TestDifferential$$' ./test -commands $(N) -seed $(SEED)

.PHONY: metamorphic
metamorphic: ## compare N=200000 random commands over engines and numbers of shards and reactors
	$(GO) test -count=1 -v -timeout 0 -run '^TestMetamorphic$$' ./test -commands $(N) -seed $(SEED)

.PHONY: jepsen
jepsen: ## check the linearizability of a history of N=200000 operations on both engines
	$(GO) test -count=1 -v -timeout 0 -run '^TestLinearizable' ./test -operations $(N)

# Units of Redis' own suite, and how to run them; for example: make suite UNITS=unit/multi EXTERNAL=1, or UNITS=unit/tls TLS=1
UNITS    ?= unit/pubsub unit/functions unit/introspection-2 unit/other unit/quit unit/pendingquerybuf
EXTERNAL ?=
TLS      ?=

.PHONY: suite
suite: build ## run UNITS of Redis' own test suite, from its source in REDIS_SRC, or from Debian's
	@.ci/suite $(if $(EXTERNAL),--external) $(if $(TLS),--tls) $(UNITS)

# Which tests of ./test, and how often.
TESTS ?= .
COUNT ?= 10

.PHONY: shake
shake: tools ## run TESTS=regexp of ./test COUNT=10 times with a server that pauses at random; SEED=... repeats a run
	$(GO) run ./internal/jitter -tests '$(TESTS)' -count $(COUNT) -seed $(SEED) ./test -commands 2000

KILLS ?= 200

.PHONY: crash
crash: ## kill a server under load KILLS=200 times, and at each step on its disk, with appendfsync always: nothing that it acknowledged is lost
	SHOAL_CRASH_KILLS=$(KILLS) $(GO) test -count=1 -timeout 30m ./test -run '^TestCrashes$$|^TestAOFOnAndOffUnderLoad$$' -v
	SHOAL_CRASH_KILLS=$(KILLS) $(GO) test -count=1 -timeout 30m ./server -run '^TestKilledAtSteps$$|^TestCrash|^TestErrorAtEveryStep$$' -v

.PHONY: fuzz
fuzz: ## run every fuzz target for FUZZTIME=30s
	@.ci/fuzz $(FUZZTIME) $(PACKAGES)

.PHONY: fuzz-ci
fuzz-ci: ## run the fuzz targets of what reads foreign bytes: RESP, configuration, serialised values
	@.ci/fuzz 50000x ./resp ./server/config ./types/listpack ./types/intset ./types/lzf ./types/hll ./persist/rdb
	@.ci/fuzz 10000x ./types/stream ./persist/load ./persist/aof

.PHONY: bench
bench: tools build ## measure beside redis-server and write BENCHMARKS.md; REPORT="--quick --only persistence" says how
	$(BIN)/shoal-bench report $(REPORT)

.PHONY: bench-eviction
bench-eviction: tools build ## miss ratios of all eviction policies beside redis-server; EVICTION="--quick --trace file.csv" says how
	$(BIN)/shoal-bench eviction $(EVICTION)
	$(BIN)/shoal-bench limit $(LIMIT)

.PHONY: pgo
pgo: ## profile a loaded server on both engines into cmd/shoal-server/default.pgo, which builds optimise for
	bench/pgo cmd/shoal-server/default.pgo

.PHONY: docs
docs: ## rewrite docs/commands.md and docs/configuration.md from the tables in the code
	$(GO) test -count=1 -run '^TestCommandsPage$$' ./test -update
	$(GO) test -count=1 -run '^TestDocs$$' ./server/config -update

.PHONY: cross
cross: ## build and vet for the other supported platforms
	GOOS=linux GOARCH=arm64 $(GO) vet ./...
	GOOS=darwin GOARCH=arm64 $(GO) vet ./...
	GOOS=linux GOARCH=arm64 $(GO) build -o /dev/null ./cmd/shoal-server
	GOOS=darwin GOARCH=arm64 $(GO) build -o /dev/null ./cmd/shoal-server

.PHONY: clean
clean: ## remove what was built
	rm -rf $(BIN)
	$(GO) clean -testcache
