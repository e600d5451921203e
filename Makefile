# `make` shows this list; every target stands on `setup`, which is quick when nothing changed and does its work again after a move.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help setup run test hostile trial-kills trial-recordings trial-watchers trial-audience trial-restores trial-chat trial-reactions trial-streams proof check fix livekit demo demo-stream conformance bench bench-start bench-fanout bench-faults requirements golden revision clean

export UV_PYTHON_DOWNLOADS := never
export UV_LINK_MODE := copy
# Compiled once instead of at every start where Python may not write next to its code.
export UV_COMPILE_BYTECODE := 1
# A user without a home of its own (nobody, many containers) has no place for a cache.
ifneq ($(shell test -w "$$HOME" && echo yes),yes)
export UV_CACHE_DIR := $(CURDIR)/.boot/cache
endif

PYTHON ?= python3
BIN := .venv/bin
UV := .boot/bin/uv
READY := .venv/.ready
PEER := bench/postgraphile
COMPILE := pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-header --no-annotate

# Scripts and the editable install hold absolute paths. .ready, written last, names the place and the Python that .venv was made for:
# when these are not the place and the Python of now, .venv was moved, copied or half made, or lost its Python, and is made anew.
ifneq ($(shell cat $(READY) 2>/dev/null),$(CURDIR) $(realpath $(BIN)/python))
ANEW := $(if $(wildcard .venv),Making .venv anew: it was moved or half made or is of another Python …,Installing the\
  pinned dependencies into .venv, once …)
.PHONY: $(READY)
endif

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-17s %s\n", $$1, $$2}'

setup: $(READY) ## .venv with the pinned, hash-checked dependencies and the project itself
	@:

run: setup ## everything on this machine: PostgreSQL, LiveKit, the service, demo data
	@exec $(BIN)/nchat-rtc dev --with-parent

# What a neighbour feels can't be measured beside other tests: those attacks come first and one after the other. The others wait much of
# their time, for servers and for seconds that must pass: one worker more than there are cores. Whole streams come last and by themselves:
# their encoder, two services and two workers of LiveKit's keep pace with the clock, and would take it from all others who record.
test: setup check ## the checks, then all tests
	@$(BIN)/python -m pytest -q -m alone tests/hostile tests/subscriptions
	@$(BIN)/python -m pytest -q -m 'not alone' --ignore tests/streams/trials -n $(or $(WORKERS),$(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)) --maxprocesses 4 --dist worksteal
	@exec $(BIN)/python -m pytest -q tests/streams/trials

hostile: setup ## attacks on a service process, at full size
	@NCHAT_HOSTILE=whole exec $(BIN)/python -m pytest -q -s tests/hostile

trial-kills: setup ## kill -9 of a service process at every point where it can leave something half done
	@NCHAT_TRIALS=whole exec $(BIN)/python -m pytest -q $(addsuffix /test_killed.py,tests/trials tests/recordings/processes $(addprefix tests/streams/,life chat audience))

trial-recordings: setup ## 20 recordings whose worker is killed, read from the media; a store that fails or refuses; a host who is lost
	@NCHAT_TRIALS=whole exec $(BIN)/python -m pytest -q -s $(addprefix tests/recordings/test_,killed_workers.py sick_store.py wrong_keys.py lost_host.py)

trial-audience: setup ## a thousand are out of a room and one is banned meanwhile; 2,000 join a stream within seconds: how fast, at what cost to others
	@NCHAT_TRIALS=whole exec $(BIN)/python -m pytest -q -s $(addprefix tests/streams/audience/test_,out_on_livekit.py join_trial.py)

trial-watchers: setup ## 200 people watch a recording of 8 hours at one process, 2,000 a stream: what a reload weighs, what all of it costs
	@NCHAT_TRIALS=whole exec $(BIN)/python -m pytest -q -s tests/media/test_cost.py tests/playback/test_cost.py

trial-restores: setup ## the database comes back as it was 500 events ago, in every way, under a service that stays up: who is told when
	@NCHAT_TRIALS=whole exec $(BIN)/python -m pytest -q -s tests/restores

trial-chat: setup ## 10,000 messages of 50 people at a stream, to 500 who drop and come back, through two processes: each once, in order
	@NCHAT_TRIALS=whole exec $(BIN)/python -m pytest -q -s tests/streams/chat/test_crowd.py

trial-reactions: setup ## 20,000 reactions by 200 people over websockets, with an orderly end of the process in the middle: totals, and the rate
	@NCHAT_TRIALS=whole exec $(BIN)/python -m pytest -q -s tests/streams/audience/test_reaction_trial.py

trial-streams: setup ## whole streams on real servers: 20 recorders that die, LiveKit, the store or the host away, a throttled encoder, keys searched for
	@NCHAT_TRIALS=whole exec $(BIN)/python -m pytest -q -s tests/streams/trials

proof: setup ## 50,000 random permissions, rows, sessions and requests: the engine, Python and row security decide alike
	@NCHAT_TRIALS=whole exec $(BIN)/python -m pytest -q -s tests/proof

check: setup ## ruff, mypy and the import law
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

fix: setup ## format, and repair what ruff can repair
	@$(BIN)/ruff check --fix-only .
	@$(BIN)/ruff format .

livekit: setup ## a real livekit-server in .tools/, built with Go's own client
	@exec $(BIN)/python -m devstack.livekit_build

demo: setup ## two people call each other through a running `make run`
	@exec $(BIN)/python -m devstack.demo

demo-stream: setup ## a stream through a running `make run`: from ffmpeg to Chromium, chat, clip, platforms, the whole afterwards
	@exec $(BIN)/python -m devstack.demo_stream

conformance: setup ## all cases of Hasura's behaviour, over HTTP and websockets, against an embedded PostgreSQL
	@exec $(BIN)/python -m tests.conformance

bench: setup $(PEER)/node_modules/.package-lock.json ## requests per second, beside hand-written SQL and PostGraphile; messages beside a thousand blocked terms
	@$(BIN)/python -m bench.blocked_terms
	@exec $(BIN)/python -m bench

# npm writes this file last. Without npm the service is measured beside hand-written SQL alone.
$(PEER)/node_modules/.package-lock.json: $(PEER)/package-lock.json
	@echo "Fetching PostGraphile into $(PEER), once …" >&2
	@cd $(PEER) && npm ci --no-audit --no-fund --ignore-scripts --loglevel=error || echo "PostGraphile can't be had." >&2

golden: setup ## write the generated files anew: settings in the docs, actions in the metadata, each role's schema, types for clients
	@$(BIN)/python -m devstack.golden.settings_table
	@$(BIN)/python -m devstack.golden.actions_metadata
	@$(BIN)/python -m devstack.golden.role_sdl
	@$(BIN)/python -m devstack.golden.client_types

revision: setup ## the next migration, from what changed in the models: make revision m="Notes of calls"
	@$(BIN)/python -m devstack.revision "$$m"

bench-start: setup ## a start with foreign metadata of 100 and 200 tables and 8 roles: time, memory, each role's first request
	@exec $(BIN)/python -m bench.large_metadata

bench-fanout: setup ## events to many websockets, beside the bare event loop
	@exec $(BIN)/python -m bench.fanout $(if $(wildcard tests/clients/node_modules),--packages tests/clients)

bench-faults: setup ## half a million events while connections, Redis and processes are killed: what was lost, doubled, reordered
	@exec $(BIN)/python -m bench.faults

requirements: setup ## pin the newest versions that fit pyproject.toml
	$(UV) $(COMPILE) --upgrade pyproject.toml -o requirements.txt
	$(UV) $(COMPILE) --upgrade pyproject.toml --extra dev --group test --constraint requirements.txt -o requirements-dev.txt
	echo hatchling | $(UV) $(COMPILE) --constraint requirements-dev.txt - -o compose/requirements-build.txt

clean: ## remove the environment, the tools' caches and the development data
	rm -rf .venv .boot .data .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# uv comes from the package index by pip; a bare Debian has no ensurepip for a venv, there pip alone is enough.
$(UV):
	@rm -rf .boot
	@{ $(PYTHON) -m venv .boot && .boot/bin/python -m pip install --quiet --disable-pip-version-check uv; } 2>/dev/null \
	  || { rm -rf .boot && $(PYTHON) -m pip install --quiet --disable-pip-version-check --target .boot uv; }

# Of two `make` at once the second waits, looks again and finds everything done; without flock (macOS) nobody waits.
ifndef ALONE
$(READY): pyproject.toml requirements-dev.txt
	@$(if $(ANEW),$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "$(PYTHON) is no Python 3.11 or newer. Name one that is: PYTHON=python3.12 make …" >&2; exit 1; })
	@$(if $(shell command -v flock),flock Makefile) $(MAKE) --silent ALONE=yes $@
else
# A uv that came from another machine, or was cut off while it came, is there and does not run.
ifeq ($(shell $(UV) --version 2>/dev/null),)
.PHONY: $(UV)
endif

$(READY): pyproject.toml requirements-dev.txt | $(UV)
	@echo "$(or $(ANEW),Bringing .venv up to the pinned dependencies …)" >&2
	@rm -f $@
	@$(if $(ANEW),$(UV) venv --quiet --clear --python $(PYTHON) .venv)
	@$(UV) pip sync --quiet --require-hashes --python $(BIN)/python requirements-dev.txt
	@$(UV) pip install --quiet --no-deps --no-build-isolation --python $(BIN)/python --editable .
	@$(BIN)/python -c 'import os, sys; print(os.getcwd(), os.path.realpath(sys.executable))' > $@
endif
