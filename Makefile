.DEFAULT_GOAL := help
SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= python3
BACKEND ?= auto
ARGS ?=
# most of a test's time is waiting for servers, so there are more of them than cores
WORKERS ?= 4

.PHONY: help setup drill full test whole check teeth snapshots bench tools kills versions schema clean

help: ## Show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 10

$(VENV)/.installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; name it: make PYTHON=python3.12" >&2; exit 2; }
	@$(PYTHON) -m venv $(VENV) || \
		{ echo "Next: apt-get install python3-venv (Debian, Ubuntu), then make again" >&2; exit 2; }
	$(BIN)/pip install --quiet --editable . $(shell $(PYTHON) -c "import tomllib; print(' '.join(repr(d) for d in tomllib.load(open('pyproject.toml','rb'))['dependency-groups']['dev']))")
	@touch $@

setup: $(VENV)/.installed ## Install everything the other goals need
	@$(BIN)/mdrill doctor --mend

drill: setup ## Run the six failures and their recoveries (needs no Docker, uses it when there)
	$(BIN)/mdrill run quick --backend $(BACKEND) $(ARGS)

full: setup ## Run every fault, every recovery and every decoy
	$(BIN)/mdrill run full --backend $(BACKEND) $(ARGS)

teeth: setup ## Prove that the checks can fail
	$(BIN)/mdrill teeth --backend $(BACKEND) $(ARGS)

test: setup ## Run the tests, on real servers, side by side
	$(BIN)/pytest -n $(WORKERS) --dist worksteal $(ARGS)

whole: setup ## Run the tests, and those on a second backend of an engine whole
	MDRILL_WHOLE=1 $(BIN)/pytest -n $(WORKERS) --dist worksteal $(ARGS)

check: setup ## Lint, types and the tests that need no server
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -q tests/unit tests/architecture tests/reports

snapshots: setup ## Change every kind of object on every engine; the snapshot must name it
	MDRILL_CHANGES=350 $(BIN)/pytest tests/conformance/test_snapshot_property.py $(ARGS)

bench: setup ## Measure a trial against a fresh container for each trial
	$(BIN)/python tests/bench $(ARGS)

tools: ## Install the real migration tools that the sweep's tests run, into .tools
	tests/fixtures/tools/install.sh .tools

kills: setup ## Kill every migration tool that is here, and write docs/kills.md
	$(BIN)/python tests/kills $(ARGS)

versions: setup ## Drill and sweep on every version that is here, and write docs/versions.md
	$(BIN)/python tests/versions $(ARGS)

schema: setup ## Write scenarios/scenario.schema.json again
	$(BIN)/mdrill schema --write

clean: ## Remove what was built and what runs have left
	@if [ -x $(BIN)/mdrill ]; then $(BIN)/mdrill gc; fi
	rm -rf $(VENV) reports/out dist build .pytest_cache .ruff_cache
