# `make help` lists what can be done. Needs Python 3.10 or later; uses uv when it is there, venv and pip when not.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Many tests wait for processes that they have started; those of a file share what they start.
PYTEST := $(BIN)/python -m pytest --dist loadfile
READY := $(VENV)/.ready

.PHONY: help setup demo test test-postgres test-slow test-upstream check format lint types bench lock clean

help:  ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-10s %s\n", $$1, $$2}'

$(READY): pyproject.toml requirements.lock scripts/setup.sh
	@PYTHON=$(PYTHON) VENV=$(VENV) scripts/setup.sh
	@touch $(READY)

setup: $(READY)  ## Make the virtual environment in .venv

demo: $(READY)  ## Run the ETL example twice; the second run shows its cache hits
	@scripts/demo.sh $(BIN)/python

test: $(READY)  ## Run the tests
	@$(PYTEST) -n 3 -m "not slow and not postgres and not upstream" tests

test-postgres: $(READY)  ## Run the server's tests on PostgreSQL (PREFECT_TEST_POSTGRES_URL, or 127.0.0.1:5432)
	@$(PYTEST) -n 3 -m "postgres and not slow" tests

test-slow: $(READY)  ## Run the long tests: chaos, many processes, large flows
	@$(PYTEST) -n 2 -m "slow and not upstream" tests

test-upstream: $(READY)  ## Run the sessions with upstream's package, which gets an environment of its own
	@PREFECT_TEST_UPSTREAM_PYTHON=$$(scripts/upstream.sh) $(BIN)/python -m pytest -m upstream tests

lint: $(READY)  ## Check style
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

format: $(READY)  ## Format the code
	@$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

types: $(READY)  ## Check types
	@$(BIN)/basedpyright

check: lint types test  ## What has to pass before a commit

bench: $(READY)  ## Measure this project and upstream side by side; takes some minutes
	@$(BIN)/python benches/run.py

lock:  ## Resolve the versions that tests run with (needs uv)
	uv pip compile --quiet --universal --extra test pyproject.toml --output-file requirements.lock

clean:  ## Remove what the other targets made
	rm -rf $(VENV) .venv-* .pytest_cache .ruff_cache
