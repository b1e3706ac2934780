# Two commands on a fresh machine: `make demo` and `make test`.
# Needs python3 >= 3.11 with venv; node >= 20 for the Node plugins (without it they show as unavailable).

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
EXTRAS := anthropic,openai,mcp
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input --root-user-action=ignore
# A file opened without `encoding=` depends on the reader's locale; in the gate that is an error.
GATE := PYTHONWARNDEFAULTENCODING=1 PATH="$(CURDIR)/$(BIN):$$PATH"
# The steps of the gate are an order, not a graph.
.NOTPARALLEL:

.PHONY: help demo run test bench clean lint ruff types layers schemas typescript docs suite node-suite coverage fix

help:
	@echo "make demo   plugins of every runtime at work, a crash, a hang and a memory hog contained"
	@echo "make run    the host with its gateway, http://127.0.0.1:8420"
	@echo "make test   everything CI checks, in under ten minutes"
	@echo "make lint   the quick checks: style, types, layers, schemas"
	@echo "make bench  call latency, throughput and start times beside their peers"
	@echo "make fix    let ruff and cog write what they can"
	@echo "make clean  remove .venv, node_modules and every cache"

demo: $(VENV)/.demo-installed
	@$(BIN)/plughost demo

run: $(VENV)/.demo-installed
	@$(BIN)/plughost serve

bench: $(VENV)/.test-installed
	@$(BIN)/python tests/bench

test: lint typescript docs suite node-suite coverage
	@echo "make test: everything passed"

lint: ruff types layers schemas

# --- the steps of the gate, in its order ---

ruff: $(VENV)/.test-installed
	@echo "== ruff"
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check

types: $(VENV)/.test-installed
	@echo "== mypy --strict"
	@$(BIN)/mypy
	@for runner in runtimes/*/runner.py; do $(BIN)/mypy "$$runner" || exit 1; done

layers: $(VENV)/.test-installed
	@echo "== import layers"
	@PYTHONPATH=host:runtimes/python $(BIN)/lint-imports --no-logo

schemas: $(VENV)/.test-installed
	@echo "== contracts are JSON Schema, manifests obey them"
	@$(BIN)/check-jsonschema --quiet --check-metaschema $$(find contracts -name '*.schema.json')
	@$(BIN)/check-jsonschema --quiet --schemafile contracts/plugin-manifest.schema.json plugins/*/plugin.toml

typescript: $(VENV)/.test-installed
	@echo "== tsc --noEmit on runtimes/node"
	@if command -v npm >/dev/null; then \
	  [ -x runtimes/node/node_modules/.bin/tsc ] || npm ci --loglevel=error --no-audit --no-fund --prefix runtimes/node && \
	  runtimes/node/node_modules/.bin/tsc --noEmit --project runtimes/node; \
	else echo "skipped: npm is not on PATH; install nodejs and npm to check index.d.ts"; fi

docs: $(VENV)/.test-installed
	@echo "== generated pages are current (else: make fix)"
	@PYTHONPATH=docs/reference:host $(BIN)/cog --check --check-fail-msg='run: make fix' -P $$(grep -lr '\[\[\[cog' --include='*.md' docs README.md)

suite: $(VENV)/.test-installed $(BIN)/measured-python
	@echo "== pytest"
	@rm -f .coverage .coverage.*
	@$(GATE) PLUGHOST_TEST_PYTHON="$(CURDIR)/$(BIN)/measured-python" \
	  $(BIN)/coverage run -m pytest -n 2 --dist loadfile --durations=15 --durations-min=2

node-suite: $(VENV)/.test-installed
	@echo "== node --test"
	@if ! command -v node >/dev/null; then echo "skipped: node is not on PATH; install nodejs to run the Node suites"; else \
	  files=$$(find tests plugins runtimes -name node_modules -prune -o -name '*.test.mjs' -print); \
	  if [ -n "$$files" ]; then node --test --test-reporter=dot $$files; else echo "no *.test.mjs here"; fi; fi

coverage: $(VENV)/.test-installed
	@echo "== coverage: 90 % overall, 80 % in any package"
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report
	@$(BIN)/coverage json --quiet --fail-under=0 -o - | $(BIN)/python tests/shape/package_coverage.py

# --- what the targets stand on ---

fix: $(VENV)/.test-installed
	@$(BIN)/ruff check --fix-only --exit-zero
	@$(BIN)/ruff format
	@PYTHONPATH=docs/reference:host $(BIN)/cog -r -P $$(grep -lr '\[\[\[cog' --include='*.md' docs README.md)

clean:
	@rm -rf $(VENV) dist build .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .grimp_cache
	@find . \( -name __pycache__ -o -name node_modules \) -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { \
	  echo "error: $(PYTHON) is not on PATH" >&2; \
	  echo "  hint: sudo apt install python3 python3-venv" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "error: plughost needs python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1)" >&2; \
	  echo "  hint: install one and run: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "error: $(PYTHON) has no venv module" >&2; \
	  echo "  hint: sudo apt install python3-venv" >&2; exit 1; }
	@echo "creating $(VENV)"
	@$(PYTHON) -m venv --clear $(VENV)

# Plugins of the tests run in this interpreter, so that the SDK's lines count.
$(BIN)/measured-python: $(VENV)/.test-installed
	@printf '#!/bin/sh\nexec "%s" -I -S -u "%s" "$$@"\n' \
	  "$(CURDIR)/$(BIN)/python" "$(CURDIR)/tests/shape/measured_python.py" > $@
	@chmod +x $@

# The stamps are inside the environment, so that removing it removes them.
$(VENV)/.demo-installed: pyproject.toml hatch_build.py | $(BIN)/python
	@echo "installing plughost into $(VENV)"
	@$(PIP_INSTALL) --editable '.[$(EXTRAS)]'
	@touch $@

$(VENV)/.test-installed: pyproject.toml hatch_build.py | $(BIN)/python
	@echo "installing plughost and its checks into $(VENV)"
	@$(PIP_INSTALL) --editable '.[$(EXTRAS),test]'
	@touch $(VENV)/.demo-installed $@
