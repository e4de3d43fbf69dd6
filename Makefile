# What people do with this tree; `make` alone lists it. Nothing is installed outside this folder.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory --no-builtin-rules
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

BIN := .venv/bin
TOOLS := var/tools
# uv of the machine, else one of our own.
UV := $(or $(shell command -v uv),$(TOOLS)/bin/uv)
UV_VERSION := 0.13.8

INSTALLED := .venv/.installed
PAGE := gateway/pages/graphiql/.built
PAGE_MODULES := web/graphiql/node_modules/.package-lock.json
AUDIT_MODULES := tests/gateway/audits/node_modules/.package-lock.json
CLIENT_MODULES := tests/gateway/clients/node_modules/.package-lock.json
FEDERATION_MODULES := tests/federation/node_modules/.package-lock.json
PEER_MODULES := bench/peers/node_modules/.package-lock.json
PAGE_SOURCES := $(shell find web/graphiql -name node_modules -prune -o -type f -print 2>/dev/null)

# One more than there are cores, as many tests wait for clocks; each has a database server of its own, unless all
# are to use one. Files come in their order: by the number of their tests, the few long ones would be the end.
PROCESSES := $(shell expr $$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1) + 1)
IN_PARALLEL := $(if $(MEDIA_GATEWAY_TEST_DATABASE_URL),,-n $(PROCESSES) --maxprocesses 4 --dist loadfile \
  --no-loadscope-reorder)

.PHONY: help install pages run test check fmt schema client demo-reset bench campaign lock clean

help: ## List what can be done
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

run: install pages ## Install what is missing, then serve on http://localhost:8000
	@exec $(BIN)/media-gateway serve

test: install pages ## Run every test; ARGS is given to pytest
	@command -v redis-server >/dev/null || echo "note: no redis-server here, so its tests are skipped (Debian: apt-get install redis-server)"
	@command -v chromium >/dev/null || echo "note: no chromium here, so its tests are skipped (Debian: apt-get install chromium)"
	@node .ci/node-fits.mjs 2>/dev/null && $(MAKE) -s $(AUDIT_MODULES) $(CLIENT_MODULES) $(FEDERATION_MODULES) || true
	@# They start the server a hundred times: what was compiled once is for all of them, whatever the shell says.
	@env -u PYTHONDONTWRITEBYTECODE $(BIN)/pytest $(or $(ARGS),$(IN_PARALLEL))

check: install ## Lint, formatting, types, import arrows, schema.graphql as printed and its conventions
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@$(BIN)/media-gateway schema | diff -u schema.graphql - || { echo "schema.graphql is not what the code prints: run make schema"; exit 1; }
	$(BIN)/media-gateway schema lint

fmt: install ## Format the code and mend what can be mended
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

schema: install ## Print the schema into schema.graphql
	$(BIN)/media-gateway schema > schema.graphql.new
	@mv schema.graphql.new schema.graphql

client: install ## Write the typed operations of the Python client again
	$(BIN)/python clients/python/generate.py > operations.new
	@mv operations.new clients/python/media_gateway_client/operations.py
	$(BIN)/ruff format -q clients/python/media_gateway_client/operations.py

demo-reset: install ## Empty the database and load the demo catalogue again
	$(BIN)/media-gateway migrate down base --yes
	$(BIN)/media-gateway migrate up
	$(BIN)/media-gateway import demo

bench: install ## Measure this machine; ARGS is given to the benchmark
	@node .ci/node-fits.mjs 2>/dev/null && $(MAKE) -s $(PEER_MODULES) || true
	@$(BIN)/python -m bench $(ARGS)

campaign: install ## Kill and cut every part while devices write, and count what is lost; ARGS is given to it
	@$(BIN)/python -m bench.campaign $(ARGS)

lock: $(UV) ## Compile requirements.lock again from pyproject.toml
	$(UV) pip compile -q --universal --generate-hashes --python-version 3.11 --all-extras \
	  --no-emit-index-url --custom-compile-command 'make lock' pyproject.toml -o requirements.lock

clean: ## Remove everything that was installed or built; data in var/ stays
	rm -rf .venv $(TOOLS) gateway/pages/graphiql web/graphiql/node_modules tests/gateway/audits/node_modules \
	  tests/gateway/clients/node_modules \
	  tests/federation/node_modules bench/peers/node_modules \
	  .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -prune -exec rm -rf {} +

install: $(INSTALLED)

# The first of these that runs and is new enough; a name alone proves nothing where versions are switched.
FIND_PYTHON = for name in $(PYTHON) python3 python3.13 python3.12 python3.11 python; do \
	  if "$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    "$$name" -c 'import sys; print(sys.executable)'; exit; fi; done; \
	  echo "Python 3.11 or newer is needed. Install it, or name it: make run PYTHON=/path/to/python3" >&2; exit 1

$(INSTALLED): requirements.lock pyproject.toml | $(UV)
	@[[ -x $(BIN)/python ]] || $(UV) venv -q --python "$$($(FIND_PYTHON))" .venv
	$(UV) pip sync -q --python $(BIN)/python --require-hashes requirements.lock
	@# The build tool comes from the lock as well, so nothing is fetched that has no hash.
	$(UV) pip install -q --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

$(TOOLS)/bin/uv:
	@python="$$($(FIND_PYTHON))"; \
	"$$python" -m venv $(TOOLS) || { echo "This Python makes no virtual environments. Debian: apt-get install python3-venv; or install uv." >&2; exit 1; }
	$(TOOLS)/bin/python -m pip install -q --disable-pip-version-check uv==$(UV_VERSION)

pages: ## Build the GraphiQL page, if Node is there
	@if node .ci/node-fits.mjs 2>/dev/null; then $(MAKE) -s $(PAGE); \
	elif [[ ! -e $(PAGE) ]]; then echo "note: GraphiQL is left out, it needs Node 20.19 or newer; the API does not"; fi

$(PAGE): $(PAGE_MODULES) $(PAGE_SOURCES)
	@echo "Building the GraphiQL page ..."
	@cd web/graphiql && npm run --silent build
	@touch $@

%/node_modules/.package-lock.json: %/package-lock.json
	@cd $* && npm ci --silent --no-audit --no-fund
	@touch $@
